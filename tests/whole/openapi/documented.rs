//! One macro mounts, guards and documents; the document describes what was mounted, where it is.

use auth_runtime::openapi::{Coverage, DocumentError, OpenApi, OpenApiVersion};
use auth_runtime::routing::get;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Principal, Router, auth, documented, rule};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use utoipa::OpenApi as _;

use crate::support::status;

#[derive(serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
struct Article {
    title: String,
}

/// Reads an article.
///
/// Of any author.
#[auth(scopes = ["article:read"])]
#[utoipa::path(get, path = "/articles/{id}", params(("id" = u32, Path)), responses((status = 200, body = Article)))]
async fn article(Path(place): Path<(String, u32)>) -> Json<Article> {
    Json(Article { title: place.1.to_string() })
}

mod staff {
    use super::*;

    #[utoipa::path(
        put, path = "/articles/{id}", request_body = Article, tag = "staff",
        params(("id" = u32, Path)),
        responses((status = 204), (status = 403, description = "Of our own.")),
    )]
    #[auth(roles = ["editor"])]
    pub(super) async fn change(
        State(_state): State<()>,
        _: Principal,
        Path(_place): Path<(String, u32)>,
        Json(_article): Json<Article>,
    ) -> StatusCode {
        StatusCode::NO_CONTENT
    }
}

#[auth(public)]
#[utoipa::path(method(get, head), path = "", responses())]
async fn open() {}

#[auth]
#[utoipa::path(get, path = "/files/{*rest}", params(("rest" = String, Path)), responses((status = 200)))]
async fn files() {}

#[auth]
async fn undocumented() {}

fn routes() -> Router {
    let api = documented![article, staff::change, open, files].require(rule!(not(roles = ["guest"])));
    Router::new().nest("/org/{tenant}", api).route("/more", get(undocumented))
}

fn filled() -> (Value, String) {
    let mut document = utoipa::openapi::OpenApi::default();
    let api = OpenApi::new("Shop", "7").description("All of it.").version(OpenApiVersion::V3_2);
    let coverage = api.fill(&mut document, &routes().routes(), TestAuth::new().auth()).unwrap();
    (serde_json::from_str(&document.to_json().unwrap()).unwrap(), coverage.to_string())
}

/// Of what utoipa wrote, where it leaves out what OpenAPI 3.1 wants.
#[test]
#[ignore = "needs openapi-spec-validator and redocly: bash tests/run"]
fn validators_of_others_find_no_error() {
    let tools = auth_tests_tools::Tools::installed();
    let standalone = described(&routes()).unwrap().to_string();
    tools.assert_valid([("filled.json", filled().0.to_string()), ("standalone.json", standalone)]);
}

#[tokio::test]
async fn it_mounts_and_guards() {
    let test = TestAuth::new();
    let app = routes().finish(test.auth()).unwrap();
    let reader = test.token(&TestUser::new("alice").scopes(["article:read"]));
    let editor = test.token(&TestUser::new("eve").roles(["editor"]));
    assert_eq!(status(&app, "GET", "/org/acme/articles/7", None).await, 401);
    assert_eq!(status(&app, "GET", "/org/acme/articles/7", Some(&reader)).await, 200);
    assert_eq!(status(&app, "GET", "/org/acme/articles/7", Some(&editor)).await, 403);
    assert_eq!(status(&app, "PUT", "/org/acme/articles/7", Some(&reader)).await, 403);
    // Past the gate: no body was sent.
    assert_eq!(status(&app, "PUT", "/org/acme/articles/7", Some(&editor)).await, 415);
    assert_eq!(status(&app, "DELETE", "/org/acme/articles/7", Some(&editor)).await, 405);
    assert_eq!(status(&app, "GET", "/org/acme/files/a/b", Some(&editor)).await, 200);
    assert_eq!(status(&app, "HEAD", "/org/acme", None).await, 401, "a router around it requires a caller");
}

#[test]
fn what_is_written_of_a_handler_is_in_the_document_where_it_stands() {
    let (document, coverage) = filled();
    assert_eq!(document["openapi"], "3.1.0", "theirs stays");
    assert_eq!(coverage, "served, and not documented: GET /more\n");
    assert_eq!(document["info"]["title"], "Shop");
    assert_eq!(document["info"]["description"], "All of it.");
    assert_eq!(document["components"]["schemas"]["Article"]["required"], json!(["title"]));

    let item = &document["paths"]["/org/{tenant}/articles/{id}"];
    let article = &item["get"];
    assert_eq!(article["operationId"], "article");
    assert_eq!(article["summary"], "Reads an article.");
    assert_eq!(article["description"], "Of any author.\n\n**Who:** scope article:read, and not role guest.");
    assert_eq!(article["security"], json!([{ "bearer": ["article:read"] }]));
    assert_eq!(article["x-auth-policy"]["all"][1], json!({ "scopes": ["article:read"] }));
    assert_eq!(
        article["responses"]["200"]["content"]["application/json"]["schema"]["$ref"],
        "#/components/schemas/Article"
    );
    assert_eq!(article["responses"]["401"]["$ref"], "#/components/responses/AuthUnauthenticated");
    let names = article["parameters"].as_array().unwrap().iter().map(|one| &one["name"]).collect::<Vec<_>>();
    assert_eq!(
        names,
        ["id", "tenant"],
        "that of the prefix too, which the handler's attribute does not know"
    );
    assert_eq!(article["parameters"][0]["schema"]["type"], "integer");

    let change = &item["put"];
    assert_eq!(change["security"], json!([{ "bearer": ["editor"] }]));
    assert_eq!(change["tags"], json!(["staff"]));
    assert_eq!(change["responses"]["403"]["description"], "Of our own.");
    assert!(change["requestBody"].is_object());

    let open = &document["paths"]["/org/{tenant}"];
    assert_eq!(open["get"]["security"], json!([{ "bearer": [] }]), "{open}");
    assert_eq!(open["head"]["security"], json!([{ "bearer": [] }]));
    assert!(open["get"]["responses"]["2XX"].is_object(), "what writes no answers gets ours: {open}");
    assert_ne!(open["get"]["operationId"], open["head"]["operationId"]);
    assert!(document["paths"]["/org/{tenant}/files/{rest}"]["get"].is_object());
    assert!(document["paths"]["/more"].is_null());
}

/// The standalone document describes it too, next to those of which nothing is written.
#[test]
fn the_standalone_document_has_it_too() {
    let test = TestAuth::new();
    let document = OpenApi::new("Shop", "7").describe(&routes().routes(), test.auth()).unwrap();
    let standalone = document.to_value();
    let (filled, _) = filled();
    for pointer in ["/paths/~1org~1{tenant}~1articles~1{id}/put", "/components/schemas/Article"] {
        assert_eq!(standalone.pointer(pointer), filled.pointer(pointer), "{pointer}");
    }
    assert_eq!(standalone["paths"]["/more"]["get"]["operationId"], "openapi_documented_undocumented");
}

/// Else an earlier engine's rules would stay.
#[test]
fn a_document_is_filled_once() {
    let test = TestAuth::new();
    let mut document = json!({});
    let mut fill = || OpenApi::new("Shop", "7").fill(&mut document, &routes().routes(), test.auth());
    assert!(fill().is_ok());
    let error = fill().unwrap_err();
    let text = error.to_string();
    assert!(text.contains("GET /org/{tenant}/articles/{id} has an `x-auth-policy` already"), "{text}");
    let DocumentError::AlreadyFilled { operations } = error else { panic!("{error}") };
    assert!(
        operations.iter().any(|operation| operation == "PUT /org/{tenant}/articles/{id}"),
        "{operations:?}"
    );
    assert_eq!(document["openapi"], "3.1.1");
}

/// A document that `OpenApiRouter` collected, nested: the guarded router serves, and both are compared.
#[test]
fn a_document_of_an_openapi_router_is_filled_by_place() {
    use utoipa_axum::router::OpenApiRouter;
    use utoipa_axum::routes;

    let v1: OpenApiRouter =
        OpenApiRouter::new().routes(routes!(article, staff::change)).routes(routes!(files));
    let (_, mut document) = OpenApiRouter::new().nest("/org/{tenant}", v1).split_for_parts();
    let mounted = Router::new()
        .route("/articles/{id}", get(article).put(staff::change))
        .route("/files/{*path}", get(files));
    let mounted: Router = Router::new().nest("/org/{tenant}", mounted);
    let api = OpenApi::new("Shop", "7");
    let coverage = api.fill(&mut document, &mounted.routes(), TestAuth::new().auth()).unwrap();
    assert!(coverage.is_complete(), "{coverage}");
    assert_eq!(document.info.title, "utoipa-axum", "theirs stays");
    let document: Value = serde_json::from_str(&document.to_json().unwrap()).unwrap();
    let security = |path: &str, method: &str| document["paths"][path][method]["security"].clone();
    assert_eq!(security("/org/{tenant}/articles/{id}", "get"), json!([{ "bearer": ["article:read"] }]));
    assert_eq!(security("/org/{tenant}/articles/{id}", "put"), json!([{ "bearer": ["editor"] }]));
    assert_eq!(security("/org/{tenant}/files/{rest}", "get"), json!([{ "bearer": [] }]));
}

/// What is derived says the same as what is mounted, but for what it was given itself.
#[test]
fn what_is_derived_stays() {
    #[derive(utoipa::OpenApi)]
    #[openapi(info(title = "Derived"), paths(open), servers((url = "/api")))]
    struct Derived;
    let routes: Router = documented![article, open];
    let mut document = Derived::openapi();
    let api = OpenApi::new("Shop", "7").server("https://shop.test");
    let coverage = api.fill(&mut document, &routes.routes(), TestAuth::new().auth()).unwrap();
    // `open` is derived at `""`, and served at `/`.
    assert_eq!(coverage.not_served, ["GET ", "HEAD "]);
    let document: Value = serde_json::from_str(&document.to_json().unwrap()).unwrap();
    assert_eq!(document["info"]["title"], "Derived");
    assert_eq!(document["servers"], json!([{ "url": "/api" }]));
    assert!(document["paths"]["/articles/{id}"]["get"].is_object());
}

/// `HEAD` is served where `GET` is, by the same rule.
#[test]
fn head_of_get_may_be_documented() {
    let routes: Router = Router::new().route("/me", get(undocumented));
    let mut document = json!({
        "openapi": "3.1.0",
        "info": { "title": "t", "version": "1" },
        "paths": { "/me": { "get": {}, "head": {}, "post": {} } },
    });
    let api = OpenApi::new("Shop", "7");
    let coverage = api.fill(&mut document, &routes.routes(), TestAuth::new().auth()).unwrap();
    assert_eq!(coverage.not_served, ["POST /me"]);
    let item = &document["paths"]["/me"];
    assert_eq!(item["head"]["security"], json!([{ "bearer": [] }]));
    assert_eq!(item["get"]["operationId"], "openapi_documented_undocumented");
    assert!(item["head"]["operationId"].is_null(), "an id is of one operation");
}

#[test]
fn a_document_of_another_version_is_refused() {
    let routes: Router = Router::new().route("/me", get(undocumented));
    for (key, version) in [("swagger", "2.0"), ("openapi", "3.0.3")] {
        let mut document = json!({ key: version, "info": { "title": "t", "version": "1" }, "paths": {} });
        let error = OpenApi::new("", "").fill(&mut document, &routes.routes(), TestAuth::new().auth());
        let error = error.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(version) && text.contains("3.1 or later"), "{text}");
        assert!(matches!(error, DocumentError::UnsupportedVersion { version: found } if found == version));
    }
}

fn described(routes: &Router) -> Result<Value, String> {
    let document = OpenApi::new("Shop", "7").describe(&routes.routes(), TestAuth::new().auth());
    document.map(|document| document.to_value()).map_err(|error| error.to_string())
}

fn filled_with(routes: &Router, mut document: Value) -> Result<(Value, Coverage), String> {
    let coverage = OpenApi::new("Shop", "7").fill(&mut document, &routes.routes(), TestAuth::new().auth());
    coverage.map(|coverage| (document, coverage)).map_err(|error| error.to_string())
}

/// What a handler's own attribute says of security stays, and is reported; the standalone document says what is enforced.
#[test]
fn security_of_a_handlers_own_is_told() {
    #[auth(roles = ["admin"])]
    #[utoipa::path(get, path = "/secret", security(()), responses((status = 200)))]
    async fn secret() {}
    #[auth(optional)]
    #[utoipa::path(get, path = "/home", security((), ("bearer" = [])), responses((status = 200)))]
    async fn home() {}
    let routes = || {
        Router::<()>::new()
            .merge(documented![secret])
            .merge(documented![home].require(rule!(roles = ["editor"])))
    };
    let standalone = described(&routes()).unwrap();
    let security = |document: &Value, path: &str| document["paths"][path]["get"]["security"].clone();
    assert_eq!(security(&standalone, "/secret"), json!([{ "bearer": ["admin"] }]));
    assert_eq!(security(&standalone, "/home"), json!([{ "bearer": ["editor"] }]));
    let (filled, mut coverage) = filled_with(&routes(), json!({})).unwrap();
    assert_eq!(security(&filled, "/secret"), json!([{}]));
    // In the order of the document, which depends on the features of serde_json.
    coverage.own_security.sort();
    assert_eq!(coverage.own_security, ["GET /home", "GET /secret"]);
}

/// Two that are not the same under one name: one of them would be described wrongly.
#[test]
fn components_of_one_name_are_the_same_or_a_mistake() {
    mod first {
        #[derive(serde::Serialize, utoipa::ToSchema)]
        pub(super) struct Item {
            name: String,
        }
        #[auth_runtime::auth]
        #[utoipa::path(get, path = "/first", responses((status = 200, body = Item)))]
        pub(super) async fn get() -> axum::Json<Item> {
            axum::Json(Item { name: String::new() })
        }
        #[auth_runtime::auth]
        #[utoipa::path(post, path = "/first", request_body = Item, responses((status = 204)))]
        pub(super) async fn post() {}
    }
    mod second {
        #[derive(serde::Serialize, utoipa::ToSchema)]
        pub(super) struct Item {
            id: u32,
        }
        #[auth_runtime::auth]
        #[utoipa::path(get, path = "/second", responses((status = 200, body = Item)))]
        pub(super) async fn get() -> axum::Json<Item> {
            axum::Json(Item { id: 1 })
        }
    }
    #[derive(serde::Serialize, utoipa::ToSchema)]
    struct AuthProblem {
        code: u32,
    }
    #[auth]
    #[utoipa::path(get, path = "/third", responses((status = 200, body = AuthProblem)))]
    async fn third() -> Json<AuthProblem> {
        Json(AuthProblem { code: 1 })
    }
    assert!(described(&documented![first::get, first::post]).is_ok());
    let error = described(&documented![first::get, second::get]).unwrap_err();
    assert!(
        error.contains("two different components have the name `Item` in `components/schemas`"),
        "{error}"
    );
    let error = filled_with(&documented![third], json!({})).unwrap_err();
    assert!(
        error.contains("the name `AuthProblem`") && error.contains("(this library uses that name)"),
        "{error}"
    );
    let theirs = json!({ "components": { "schemas": { "Item": { "type": "string" } } } });
    assert!(filled_with(&documented![first::get], theirs).unwrap_err().contains("the name `Item`"));
}

#[test]
fn a_reference_that_leads_nowhere_is_told() {
    #[derive(serde::Serialize, utoipa::ToSchema, utoipa::ToResponse)]
    #[response(description = "A thing")]
    struct Thing {
        name: String,
    }
    #[auth(public)]
    #[utoipa::path(get, path = "/thing", responses((status = 200, response = Thing)))]
    async fn thing() -> Json<Thing> {
        Json(Thing { name: String::new() })
    }
    #[derive(utoipa::OpenApi)]
    #[openapi(components(responses(Thing)))]
    struct Derived;
    let (_, coverage) = filled_with(&documented![thing], json!({})).unwrap();
    assert_eq!(coverage.dangling, ["#/components/responses/Thing"]);
    let whole = serde_json::to_value(Derived::openapi()).unwrap();
    let (document, coverage) = filled_with(&documented![thing], whole).unwrap();
    assert!(coverage.is_complete(), "{coverage}");
    assert!(document["components"]["responses"]["Thing"].is_object());
    assert!(described(&documented![thing]).unwrap_err().contains("refers to `#/components/responses/Thing`"));
}

/// The parameter that the handler knows keeps its name and what is written of it; one of its text stays whole.
#[test]
fn what_is_written_stays_where_it_belongs() {
    /// A **Who:** b. Important.
    #[auth]
    #[utoipa::path(get, path = "/articles/{id}", tag = "self", params(("id" = u32, Path, description = "The article")), responses((status = 200)))]
    async fn article() {}
    let routes: Router = Router::new().nest("/org/{id}", documented![article]);
    let (document, coverage) = filled_with(&routes, json!({})).unwrap();
    assert!(coverage.is_complete(), "{coverage}");
    let article = &document["paths"]["/org/{id_2}/articles/{id}"]["get"];
    assert_eq!(article["summary"], "A **Who:** b. Important.");
    assert_eq!(article["parameters"][0]["description"], "The article");
    assert_eq!(article["parameters"][1]["name"], "id_2");
    assert_eq!(article["tags"], json!([]));
    assert_eq!(article["responses"]["200"]["description"], "OK", "OpenAPI 3.1 wants one");

    let theirs = json!({ "paths": { "/a": { "get": { "description": "A **Who:** b. Important text." } } } });
    let (document, _) = filled_with(&Router::new().route("/a", get(undocumented)), theirs).unwrap();
    assert_eq!(
        document["paths"]["/a"]["get"]["description"],
        "A **Who:** b. Important text.\n\n**Who:** any authenticated caller."
    );
}

/// An id of the user's document is not taken by what is put in; a second router's routes come beside the first's.
#[test]
fn what_is_put_in_has_ids_of_its_own() {
    #[auth]
    #[utoipa::path(get, path = "/other", operation_id = "article", responses((status = 200)))]
    async fn other() {}
    let theirs = json!({ "paths": { "/mine": { "get": { "operationId": "article", "responses": {} } } } });
    let (document, coverage) = filled_with(&documented![other], theirs).unwrap();
    assert_eq!(document["paths"]["/other"]["get"]["operationId"], "article_get_other");
    assert!(coverage.repeated_ids.is_empty(), "{coverage}");

    // The same, in a type that does not keep all of it.
    let mut typed = utoipa::openapi::OpenApi::default();
    for routes in [documented![other], documented![files]] {
        let routes: Router = routes;
        OpenApi::new("Shop", "7").fill(&mut typed, &routes.routes(), TestAuth::new().auth()).unwrap();
    }
    assert_eq!(typed.paths.paths.len(), 2);
}

/// The panic of a path that is taken names the list, and not this library.
#[test]
fn a_path_that_is_taken_panics_at_the_list() {
    #[auth]
    #[utoipa::path(get, path = "/articles/{other}", responses((status = 200)))]
    async fn other() {}
    let hook = std::panic::take_hook();
    let place = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let told = std::sync::Arc::clone(&place);
    std::panic::set_hook(Box::new(move |info| {
        *told.lock().unwrap() = info.location().unwrap().file().to_owned();
    }));
    let panicked = std::panic::catch_unwind(|| {
        let _: Router = documented![article, other];
    });
    std::panic::set_hook(hook);
    assert!(panicked.is_err());
    assert!(place.lock().unwrap().ends_with("documented.rs"), "{}", place.lock().unwrap());
}

/// What says the same in another way is no difference.
#[test]
fn security_that_says_the_same_is_not_told() {
    #[auth(public)]
    #[utoipa::path(get, path = "/public", security(()), responses((status = 200)))]
    async fn public() {}
    #[auth(optional)]
    #[utoipa::path(get, path = "/optional", security(("bearer" = []), ()), responses((status = 200)))]
    async fn optional() {}
    #[auth(scopes = ["b", "a"])]
    #[utoipa::path(get, path = "/scopes", security(("bearer" = ["b", "a"])), responses((status = 200)))]
    async fn scopes() {}
    let (_, coverage) = filled_with(&documented![public, optional, scopes], json!({})).unwrap();
    assert!(coverage.is_complete(), "{coverage}");
}

/// A base document that has the handler, with a schema that it changed: nothing is put in that would refer to another.
#[test]
fn a_schema_that_the_document_changed_stays() {
    let routes: Router = documented![article];
    let changed = json!({ "type": "object", "description": "Changed." });
    let theirs = json!({
        "paths": { "/articles/{id}": { "get": { "operationId": "article", "responses": {} } } },
        "components": { "schemas": { "Article": changed } },
    });
    let (document, coverage) = filled_with(&routes, theirs).unwrap();
    assert!(coverage.is_complete(), "{coverage}");
    assert_eq!(document["components"]["schemas"]["Article"], changed);
}

/// It goes to the path that is there, with the names that parameters have there.
#[test]
fn what_is_put_in_has_the_names_of_its_path() {
    let theirs = json!({ "paths": { "/articles/{article_id}": { "get": null, "parameters": [] } } });
    let (document, coverage) = filled_with(&documented![article], theirs).unwrap();
    assert!(coverage.is_complete(), "{coverage}");
    let parameters = &document["paths"]["/articles/{article_id}"]["get"]["parameters"];
    assert_eq!(parameters.as_array().unwrap().len(), 1, "{parameters}");
    assert_eq!(
        (&parameters[0]["name"], &parameters[0]["schema"]["type"]),
        (&json!("article_id"), &json!("integer"))
    );
}

/// Data that looks like a reference, and references that are written as URIs are.
#[test]
fn references_are_read_as_uris() {
    let theirs = json!({
        "paths": { "/a": { "get": { "responses": { "200": { "$ref": "#/components/responses/A%20b" } } } } },
        "components": {
            "responses": { "A b": { "description": "" } },
            "schemas": {
                "Data": { "example": { "$ref": "#/nowhere" }, "enum": [{ "$ref": "#/nowhere" }] },
                "Inner": { "$id": "https://shop.test/inner", "$ref": "#/$defs/x", "$defs": { "x": {} } },
                "Anchor": { "$ref": "#there" },
                "Path": { "$ref": "#/paths/~1a/get/responses/200" },
                "Gone": { "$ref": "#/components/schemas/Nowhere" },
            },
        },
    });
    let (_, coverage) = filled_with(&Router::new().route("/a", get(undocumented)), theirs).unwrap();
    assert_eq!(coverage.dangling, ["#/components/schemas/Nowhere"]);
}
