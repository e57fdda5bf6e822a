//! What is enforced, added to the document that `utoipa` makes of the handlers.

use std::error::Error as _;

use auth_runtime::openapi::{Coverage, DocumentError, OpenApi};
use auth_runtime::routing::{get, post};
use auth_runtime::testing::TestAuth;
use auth_runtime::{Router, auth, rule};
use axum::extract::Path;
use serde_json::{Value, json};
use utoipa::OpenApi as _;

/// Above.
#[auth(roles = ["admin"])]
#[utoipa::path(get, path = "/v1/above/{id}", params(("id" = String, Path)), responses((status = 200, body = String)))]
async fn above(Path(id): Path<String>) -> String {
    id
}

#[utoipa::path(
    post,
    path = "/v1/below",
    description = "Does something.",
    responses((status = 200, body = String), (status = 401, description = "Of our own.")),
    security(("ours" = ["x"]))
)]
#[auth(roles = ["editor"])]
async fn below() -> String {
    String::new()
}

#[auth(public)]
#[utoipa::path(get, path = "/v1/open", operation_id = "same", responses((status = 200)))]
async fn open() {}

#[auth(optional)]
#[allow(dead_code, reason = "no route serves it")]
#[utoipa::path(get, path = "/v1/gone", operation_id = "same", responses((status = 200)))]
async fn gone() {}

#[auth]
async fn undocumented() {}

#[derive(utoipa::OpenApi)]
#[openapi(info(title = "Shop", version = "7"), paths(above, below, open, gone))]
struct Documented;

fn filled() -> (Value, Coverage) {
    let v1 = Router::new()
        // Called otherwise there: what counts is the place.
        .route("/above/{number}", get(above))
        .route("/below", post(below))
        .route("/open", get(open))
        .route("/undocumented", get(undocumented))
        .require(rule!(not(roles = ["guest"])));
    let routes: Router = Router::new().nest("/v1", v1).fallback(open);
    let test = TestAuth::new();
    let mut document = Documented::openapi();
    let coverage = OpenApi::new("", "").fill(&mut document, &routes.routes(), test.auth()).unwrap();
    (serde_json::from_str(&document.to_json().unwrap()).unwrap(), coverage)
}

#[test]
fn what_is_enforced_is_added_and_what_is_written_stays() {
    let (document, _) = filled();
    assert_eq!((&document["info"]["title"], &document["info"]["version"]), (&"Shop".into(), &"7".into()));
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    assert!(document["components"]["responses"]["AuthUnauthenticated"].is_object());

    let above = &document["paths"]["/v1/above/{id}"]["get"];
    assert_eq!(above["security"], json!([{ "bearer": ["admin"] }]));
    assert_eq!(above["responses"]["403"], json!({ "$ref": "#/components/responses/AuthForbidden" }));
    assert!(above["responses"]["200"].is_object());
    assert_eq!(above["description"], "**Who:** role admin, and not role guest.");
    assert_eq!(above["x-auth-policy"]["all"][1], json!({ "roles": ["admin"] }));

    let below = &document["paths"]["/v1/below"]["post"];
    assert_eq!(below["security"], json!([{ "ours": ["x"] }]));
    assert_eq!(below["responses"]["401"]["description"], "Of our own.");
    assert!(below["description"].as_str().unwrap().starts_with("Does something.\n\n**Who:** "), "{below}");
    // A router around it requires a caller.
    assert_eq!(document["paths"]["/v1/open"]["get"]["security"], json!([{ "bearer": [] }]));
}

#[test]
fn what_did_not_meet_is_reported() {
    let (_, coverage) = filled();
    assert_eq!(coverage.undocumented, ["GET /v1/undocumented"]);
    assert_eq!(coverage.not_served, ["GET /v1/gone"]);
    assert_eq!(coverage.repeated_ids, ["same"]);
    assert!(!coverage.is_complete());
    assert_eq!(
        coverage.to_string(),
        "served, and not documented: GET /v1/undocumented\ndocumented, and not served: GET /v1/gone\n\
         several operations have the operation id: same\nthe documented security differs from what is enforced: POST /v1/below\n"
    );
}

fn fill(document: &mut Value, routes: &Router) -> Result<Coverage, String> {
    let api = OpenApi::new("Shop", "1");
    api.fill(document, &routes.routes(), TestAuth::new().auth()).map_err(|error| error.to_string())
}

fn document_with(paths: Value, components: Value) -> Value {
    json!({ "openapi": "3.2.0", "info": { "title": "t", "version": "1" }, "paths": paths, "components": components })
}

/// Our references would mean theirs.
#[test]
fn a_component_of_our_name_is_a_mistake() {
    let routes: Router = Router::new().route("/a", get(undocumented));
    let paths = json!({ "/a": { "get": {} } });
    let in_query =
        json!({ "securitySchemes": { "bearer": { "type": "apiKey", "in": "query", "name": "k" } } });
    let error = fill(&mut document_with(paths.clone(), in_query), &routes).unwrap_err();
    assert!(
        error.contains("a security scheme `bearer` that takes the credential from another place"),
        "{error}"
    );
    let theirs = json!({ "schemas": { "AuthProblem": { "type": "string" } } });
    let error = fill(&mut document_with(paths.clone(), theirs), &routes).unwrap_err();
    assert!(error.contains("the name `AuthProblem` in `components/schemas`"), "{error}");

    let oauth = json!({ "securitySchemes": { "bearer": { "type": "oauth2", "flows": {} } } });
    let error = fill(&mut document_with(paths.clone(), oauth), &routes).unwrap_err();
    assert!(error.contains("configure the source with `.oauth2(..)`"), "{error}");

    // What they say more of the same place stays.
    let described = json!({ "securitySchemes": { "bearer": { "type": "http", "scheme": "Bearer", "description": "Ours." } } });
    let mut document = document_with(paths, described);
    assert!(fill(&mut document, &routes).unwrap().is_complete());
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["description"], "Ours.");
}

/// Theirs may know more flows and more URLs; what both name must be the same.
#[test]
fn a_scheme_of_oauth_may_say_more() {
    use auth_runtime::openapi::OAuthFlows;
    let routes: Router = Router::new().route("/a", get(undocumented));
    let fill = |theirs: Value| {
        let flows = OAuthFlows::authorization_code("https://id.test/authorize", "https://id.test/token");
        let components = json!({ "securitySchemes": { "bearer": theirs } });
        let mut document = document_with(json!({ "/a": { "get": {} } }), components);
        let api = OpenApi::new("Shop", "1").oauth2("bearer", flows);
        api.fill(&mut document, &routes.routes(), TestAuth::new().auth()).map(|_| document)
    };
    let flow = |token: &str| json!({ "authorizationUrl": "https://id.test/authorize", "tokenUrl": token, "refreshUrl": "https://id.test/r", "scopes": {} });
    let theirs = json!({ "type": "oauth2", "flows": { "authorizationCode": flow("https://id.test/token"), "implicit": {} } });
    let document = fill(theirs.clone()).unwrap();
    assert_eq!(document["components"]["securitySchemes"]["bearer"], theirs);
    assert!(fill(json!({ "$ref": "#/components/securitySchemes/other" })).is_ok());
    assert!(fill(Value::Null).is_ok());
    let other =
        json!({ "type": "oauth2", "flows": { "authorizationCode": flow("https://evil.test/token") } });
    assert!(fill(other).unwrap_err().to_string().contains("of OAuth 2 or OpenID Connect"));
}

/// What the type would lose of the user's own is reported before anything is lost.
#[test]
fn a_type_that_reads_something_else_than_it_writes_is_told() {
    #[derive(utoipa::ToSchema)]
    #[allow(dead_code, reason = "its schema counts")]
    struct Sparse {
        values: Vec<Value>,
        #[schema(default = json!(null))]
        name: Option<String>,
    }
    #[derive(utoipa::OpenApi)]
    #[openapi(components(schemas(Sparse)))]
    struct Derived;
    let routes: Router = Router::new().route("/a", get(undocumented));
    let mut document = Derived::openapi();
    let result = OpenApi::new("Shop", "1").fill(&mut document, &routes.routes(), TestAuth::new().auth());
    let error = result.unwrap_err();
    assert!(matches!(error, DocumentError::Lossy { .. }), "{error}");
    assert!(error.to_string().contains("fill its JSON instead"), "{error}");
    let mut document = serde_json::to_value(document).unwrap();
    fill(&mut document, &routes).unwrap();
    assert!(document["components"]["schemas"]["Sparse"]["properties"]["name"]["default"].is_null());
}

/// A type that writes `null` for what is not there.
#[test]
fn null_is_nothing() {
    let routes: Router = Router::new().route("/a", get(undocumented));
    let nulls = json!({ "security": null, "responses": null, "description": null, "parameters": null });
    let components = json!({ "securitySchemes": null, "schemas": null });
    let mut document = document_with(json!({ "/a": { "get": nulls } }), components);
    assert!(fill(&mut document, &routes).unwrap().is_complete());
    let operation = &document["paths"]["/a"]["get"];
    assert_eq!(operation["security"], json!([{ "bearer": [] }]));
    assert!(operation["responses"]["401"].is_object());
    assert!(document["components"]["securitySchemes"]["bearer"].is_object());

    let answers = json!({ "200": { "description": null }, "x-cost": { "unit": "credit" } });
    let mut document = document_with(json!({ "/a": { "get": { "responses": answers } } }), json!({}));
    assert!(fill(&mut document, &routes).unwrap().is_complete());
    let answers = &document["paths"]["/a"]["get"]["responses"];
    assert_eq!(answers["200"]["description"], "OK");
    assert_eq!(answers["x-cost"], json!({ "unit": "credit" }), "an extension is no answer");
}

/// Other methods of OpenAPI 3.2, items that stand elsewhere, wildcards as axum writes them, a service at its prefix.
#[test]
fn every_operation_is_found() {
    let any = auth_runtime::routing::any::<_, _, ()>;
    let routes = Router::new()
        .route("/any", any(above_any))
        .route("/files/{*path}", get(undocumented))
        .route("/one", get(undocumented))
        .route("/two", get(above_any))
        .nest_service("/assets", (axum::Router::<()>::new(), rule!(roles = ["viewer"])));
    let paths = json!({
        "/any": { "query": {}, "additionalOperations": { "LINK": {} } },
        "/files/{*rest}": { "get": {} },
        "x-extension": { "get": {} },
        "/one": { "$ref": "#/components/pathItems/shared" },
        "/two": { "$ref": "#/components/pathItems/shared" },
        "/assets": { "get": {} },
        "/assets/{file}": { "get": {} },
        "/assets/deep/{down}/file": { "get": {} },
        "/files/a/b": { "get": {} },
    });
    let mut document =
        document_with(paths, json!({ "pathItems": { "shared": { "summary": "Both", "get": {} } } }));
    let coverage = fill(&mut document, &routes).unwrap();
    assert!(coverage.is_complete(), "{coverage}");
    let paths = &document["paths"];
    for operation in
        [&paths["/any"]["query"], &paths["/any"]["additionalOperations"]["LINK"], &paths["/two"]["get"]]
    {
        assert_eq!(operation["security"], json!([{ "bearer": ["admin"] }]), "{operation}");
    }
    assert_eq!(paths["/one"]["get"]["security"], json!([{ "bearer": [] }]));
    assert_eq!(paths["/one"]["summary"], "Both");
    assert_eq!(paths["/assets/deep/{down}/file"]["get"]["security"], json!([{ "bearer": ["viewer"] }]));
    assert_eq!(paths["/files/a/b"]["get"]["security"], json!([{ "bearer": [] }]), "below a wildcard");
    assert_eq!(paths["/assets"]["get"]["security"], json!([{ "bearer": ["viewer"] }]));

    let mut document = document_with(json!({ "/any": { "get": {} } }), json!({}));
    let routes: Router = Router::new().route("/any", any(above_any).get(undocumented));
    assert_eq!(fill(&mut document, &routes).unwrap().undocumented, ["ANY /any"], "another answers GET");
}

#[auth(roles = ["admin"])]
async fn above_any() {}

/// utoipa 6 can't read the schema that it writes for any value: the error says what can be done, and the JSON is filled.
#[test]
fn what_its_type_can_not_read_is_filled_as_json() {
    #[derive(utoipa::ToSchema)]
    #[allow(dead_code, reason = "its schema counts")]
    struct Anything {
        meta: Value,
    }
    #[auth]
    #[utoipa::path(post, path = "/anything", request_body = Anything, responses((status = 200)))]
    async fn anything() {}
    let routes: Router = auth_runtime::documented![anything];
    let mut document = utoipa::openapi::OpenApi::default();
    let result = OpenApi::new("Shop", "1").fill(&mut document, &routes.routes(), TestAuth::new().auth());
    let error = result.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("fill its JSON instead, `let mut document = serde_json::to_value(document)?`"),
        "{text}"
    );
    assert!(matches!(error, DocumentError::Deserialize { .. }), "{error}");
    assert!(text.contains(&error.source().unwrap().to_string()), "{text}");
    let mut document = serde_json::to_value(document).unwrap();
    assert!(fill(&mut document, &routes).unwrap().is_complete());
    assert!(document["components"]["schemas"]["Anything"].is_object());
}

/// Whatever the error is, the document is as it was.
#[test]
fn what_can_not_be_filled_is_unchanged() {
    let routes: Router = Router::new().route("/a", get(undocumented));
    let theirs = json!({ "components": { "schemas": { "AuthProblem": { "type": "string" } } } });
    for (document, is_expected) in [
        (
            theirs,
            (|error| matches!(error, DocumentError::Misconfigured { .. })) as fn(&DocumentError) -> bool,
        ),
        (json!([]), |error| matches!(error, DocumentError::NotAnObject)),
        (json!({ "openapi": 3 }), |error| matches!(error, DocumentError::UnsupportedVersion { .. })),
    ] {
        let mut filled = document.clone();
        let result = OpenApi::new("Shop", "1").fill(&mut filled, &routes.routes(), TestAuth::new().auth());
        let error = result.unwrap_err();
        assert!(is_expected(&error), "{error}");
        assert_eq!(filled, document);
    }
}
