//! The OpenAPI document says what the server does, and tools of others can read it.

mod agreement;
mod aide;
mod authenticators;
mod documented;
mod fill;
mod schema;
mod schemathesis;
mod sockets;
mod token_routes;
mod validators;

use auth_runtime::openapi::{DocumentError, OAuthFlows, OpenApi, OpenApiVersion};
use auth_runtime::policy::{Condition, Rule};
use auth_runtime::routing::{any, get, post};
use auth_runtime::source::{Carrier, CredentialSource, Extracted, Header};
use auth_runtime::testing::TestAuth;
use auth_runtime::{AuthBuilder, Principal, Router, auth, check, rule};
use auth_tests_declared::{VOCABULARY, handlers};
use serde_json::{Value, json};

use crate::support::people;

#[auth(public)]
async fn health() {}

#[auth(optional)]
async fn home() {}

#[auth]
async fn me() {}

#[auth(source = ["bearer", "cookie"], any(roles = ["editor"], all(roles = ["author"], scopes = ["write", "read"])))]
async fn publish() {}

#[auth(claims(tenant = path("tenant")), permissions = ["invoice.read"], not(roles = ["guest"]), check = owns)]
async fn invoice() {}

#[check]
async fn owns(user: &Principal) -> bool {
    user.subject() != "eve"
}

#[auth(source = "query")]
async fn feed() {}

fn routes() -> Router {
    let v1 = Router::new()
        .route("/", get(me))
        .route("/org/{tenant}/invoices", get(invoice).post(publish))
        .nest_service("/assets", (axum::Router::<()>::new(), rule!(public)))
        .route_service(
            "/files/{*path}",
            (axum::routing::MethodRouter::<()>::new(), rule!(roles = ["editor"])),
        );
    Router::new()
        .route("/", get(home))
        .route("/health", any(health))
        .route("/me", get(me).put(me))
        .route("/feed", get(feed))
        .nest("/v1", v1)
        .merge(Router::new().route("/articles/{id}", post(publish)))
        .dangerously_merge_unguarded(axum::Router::new().route("/open", axum::routing::get(|| async {})))
        .fallback(health)
}

fn document_of(routes: &Router, api: OpenApi, configure: impl FnOnce(AuthBuilder) -> AuthBuilder) -> Value {
    let test = TestAuth::with(|builder| {
        configure(builder.dangerously_allow_query_tokens(auth_runtime::source::Query::new().for_every_read()))
    });
    let document = api.describe(&routes.routes(), test.auth()).unwrap();
    document.to_value()
}

fn document() -> Value {
    document_of(&routes(), OpenApi::new("Shop", "1.0.0"), |builder| builder)
}

#[test]
fn each_route_is_there_once_nested_and_merged() {
    let document = document();
    let operations = document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(move |method| format!("{method} {path}"))
    });
    let all = ["delete", "get", "head", "options", "patch", "post", "put", "trace"];
    let each = |path: &str| all.iter().map(|method| format!("{method} {path}")).collect::<Vec<_>>();
    let expected = [
        vec!["get /".to_owned(), "post /articles/{id}".into(), "get /feed".into()],
        each("/health"),
        vec!["get /me".into(), "put /me".into(), "get /v1".into()],
        each("/v1/assets/{rest}"),
        each("/v1/files/{path}"),
        vec!["get /v1/org/{tenant}/invoices".into(), "post /v1/org/{tenant}/invoices".into()],
    ]
    .concat();
    assert_eq!(operations.collect::<Vec<_>>(), expected);
    let ids: Vec<&str> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "{ids:?}");
    for id in
        ["openapi_invoice", "openapi_me", "openapi_me_put_me", "openapi_health_get", "post_v1_assets_rest"]
    {
        assert!(ids.contains(&id), "{id}: {ids:?}");
    }
}

#[test]
fn an_operation_says_what_is_enforced() {
    let document = document();
    let item = &document["paths"]["/v1/org/{tenant}/invoices"];
    assert_eq!(
        item["get"],
        json!({
            "operationId": "openapi_invoice",
            "summary": "Invoice",
            "description": "**Who:** claim tenant equal to {tenant} of the path, and permission invoice.read, and not role guest, and check owns.",
            "parameters": [{ "name": "tenant", "in": "path", "required": true, "schema": { "type": "string" } }],
            "security": [{ "bearer": ["invoice.read"] }],
            "responses": {
                "2XX": { "description": "The handler's response." },
                "400": { "$ref": "#/components/responses/AuthCredentialRepeated" },
                "401": { "$ref": "#/components/responses/AuthUnauthenticated" },
                "403": { "$ref": "#/components/responses/AuthForbidden" },
                "503": { "$ref": "#/components/responses/AuthUnavailable" },
                "default": { "description": "Any other response of the handler." },
            },
            "x-auth-policy": {
                "access": "authenticated",
                "sources": ["bearer"],
                "all": [
                    { "claim": { "name": "tenant", "path": "tenant" } },
                    { "permissions": ["invoice.read"] },
                    { "not": { "roles": ["guest"] } },
                ],
                "check": "owns",
            },
        })
    );
    assert_eq!(
        item["post"]["security"],
        json!([
            { "bearer": ["editor"] },
            { "bearer": ["author", "read", "write"] },
            { "cookie": ["editor"] },
            { "cookie": ["author", "read", "write"] },
        ]),
        "alternatives are several, joint requirements one, and each source is an alternative"
    );
    let security = |path: &str| document["paths"][path]["get"]["security"].clone();
    assert_eq!(security("/health"), json!([]));
    assert_eq!(security("/"), json!([{}, { "bearer": [] }]));
    assert_eq!(security("/me"), json!([{ "bearer": [] }]));
    let statuses = |path: &str| {
        let responses = document["paths"][path]["get"]["responses"].as_object().unwrap();
        responses.keys().filter(|status| status.parse::<u16>().is_ok()).cloned().collect::<Vec<_>>()
    };
    assert_eq!(statuses("/health"), [""; 0]);
    assert_eq!(statuses("/"), ["400", "401"]);
    assert_eq!(statuses("/me"), ["400", "401"], "nobody who is known is refused, and no store can fail");
}

#[test]
fn schemes_are_those_of_the_sources_in_use() {
    let schemes = document()["components"]["securitySchemes"].clone();
    assert_eq!(schemes.as_object().unwrap().keys().collect::<Vec<_>>(), ["bearer", "cookie", "query"]);
    assert_eq!(schemes["bearer"]["type"], "http");
    assert_eq!(schemes["bearer"]["scheme"], "bearer");
    assert_eq!(schemes["bearer"]["bearerFormat"], "JWT");
    let place = |name: &str| {
        (schemes[name]["type"].clone(), schemes[name]["in"].clone(), schemes[name]["name"].clone())
    };
    assert_eq!(place("cookie"), ("apiKey".into(), "cookie".into(), "__Host-access_token".into()));
    assert_eq!(place("query"), ("apiKey".into(), "query".into(), "access_token".into()));

    // Of headers, declared and given; by names of the user's choice.
    let routes =
        Router::new().route("/partners", get(handlers::partners)).route("/viewers", get(handlers::viewers));
    let api = OpenApi::new("Shop", "1").scheme_name("partner", "partnerToken").version(OpenApiVersion::V3_2);
    let document = document_of(&routes, api, |builder| builder.vocabulary(&VOCABULARY));
    assert_eq!(document["openapi"], "3.2.0");
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(schemes["partnerToken"]["name"], "x-partner-token");
    assert_eq!(document["paths"]["/partners"]["get"]["security"], json!([{ "partnerToken": [] }]));

    #[auth(source = "digest")]
    async fn other_scheme() {}
    let routes: Router = Router::new().route("/", get(other_scheme));
    let header = Header::new("digest", axum::http::header::AUTHORIZATION).with_scheme("ApiKey");
    let document = document_of(&routes, OpenApi::new("Shop", "1"), |builder| builder.source(header));
    assert_eq!(document["components"]["securitySchemes"]["digest"]["scheme"], "apikey");
}

#[test]
fn tokens_of_oauth_and_openid_connect() {
    #[auth(scopes = ["article:write"], roles = ["admin"])]
    async fn write() {}
    let routes: Router = Router::new().route("/", get(write));
    let flows = OAuthFlows::authorization_code("https://id.test/authorize", "https://id.test/token");
    let api = OpenApi::new("Shop", "1").oauth2("bearer", flows);
    let document = document_of(&routes, api, |builder| builder.vocabulary(&VOCABULARY));
    let scheme = &document["components"]["securitySchemes"]["bearer"];
    assert_eq!(scheme["type"], "oauth2");
    assert_eq!(
        scheme["flows"]["authorizationCode"],
        json!({
            "authorizationUrl": "https://id.test/authorize",
            "tokenUrl": "https://id.test/token",
            "scopes": { "article:read": "Read articles", "article:write": "Change articles" },
        })
    );
    let security = document["paths"]["/"]["get"]["security"].as_array().unwrap().clone();
    assert!(security.contains(&json!({ "bearer": ["article:write"] })), "scopes alone: {security:?}");

    let api = OpenApi::new("Shop", "1")
        .open_id_connect("bearer", "https://id.test/.well-known/openid-configuration");
    let document = document_of(&routes, api, |builder| builder.vocabulary(&VOCABULARY));
    let scheme = &document["components"]["securitySchemes"]["bearer"];
    assert_eq!(scheme["type"], "openIdConnect");
    assert_eq!(scheme["openIdConnectUrl"], "https://id.test/.well-known/openid-configuration");
}

#[test]
fn a_name_of_two_kinds_is_told_apart() {
    #[auth(any(roles = ["reports"], scopes = ["reports"], permissions = ["other"]))]
    async fn reports() {}
    let routes: Router = Router::new().route("/", get(reports));
    let document = document_of(&routes, OpenApi::new("Shop", "1"), |builder| builder);
    assert_eq!(
        document["paths"]["/"]["get"]["security"],
        json!([{ "bearer": ["role:reports"] }, { "bearer": ["scope:reports"] }, { "bearer": ["other"] }])
    );
}

/// It says nothing of where it looks.
#[derive(Debug)]
struct Badge;

impl CredentialSource for Badge {
    fn name(&self) -> &str {
        "badge"
    }

    fn carrier(&self) -> Carrier {
        Carrier::Explicit
    }

    fn extract<'r>(&self, _: &'r axum::http::request::Parts) -> Extracted<'r> {
        Extracted::Absent
    }
}

#[test]
fn what_can_not_be_described_is_listed() {
    #[auth(source = ["badge", "bearer", "cookie"])]
    async fn by_badge() {}
    let routes: Router = Router::new().route("/", get(by_badge));
    let test = TestAuth::with(|builder| builder.source(Badge));
    let api = OpenApi::new("Shop", "1")
        .scheme_name("bearer", "my token")
        .scheme_name("nothing", "x")
        .oauth2("cookie", OAuthFlows::client_credentials("https://id.test/token"));
    let error = api.describe(&routes.routes(), test.auth()).unwrap_err();
    let DocumentError::Misconfigured { errors } = &error else { panic!("{error}") };
    assert_eq!(errors.len(), 4, "{errors:#?}");
    for expected in [
        "configures the source `nothing`, and the engine has bearer, cookie, badge",
        "`my token` can't be the name of a security scheme",
        "the source `badge` does not say where its credential is: implement `CredentialSource::location`",
        "the source `cookie` takes no `Authorization: Bearer`",
    ] {
        assert!(errors.iter().any(|error| error.contains(expected)), "{expected}: {errors:#?}");
    }
    let test = TestAuth::new();
    let api = OpenApi::new("Shop", "1").scheme_name("bearer", "token").scheme_name("cookie", "token");
    let routes: Router = Router::new().route("/", post(publish));
    assert!(
        api.describe(&routes.routes(), test.auth())
            .unwrap_err()
            .to_string()
            .contains("both have the scheme name `token`")
    );
}

#[test]
fn a_service_that_renders_refusals_itself_promises_no_form() {
    let document = document_of(&routes(), OpenApi::new("Shop", "1"), |builder| {
        builder
            .render_rejections(|rejection, _| axum::response::IntoResponse::into_response(rejection.status()))
    });
    assert!(document["components"]["responses"]["AuthUnauthenticated"]["content"].is_null());
    assert!(document["components"]["schemas"].is_null());
}

#[test]
fn too_many_alternatives_are_left_out() {
    #[auth(
        any(all(roles = ["a1"]), all(roles = ["a2"]), all(roles = ["a3"])),
        any(all(roles = ["b1"]), all(roles = ["b2"]), all(roles = ["b3"])),
        any(all(roles = ["c1"]), all(roles = ["c2"]), all(roles = ["c3"])),
        any(all(roles = ["d1"]), all(roles = ["d2"]), all(roles = ["d3"])),
    )]
    async fn many() {}
    let routes: Router = Router::new().route("/", get(many));
    let document = document_of(&routes, OpenApi::new("Shop", "1"), |builder| builder);
    assert_eq!(document["paths"]["/"]["get"]["security"], json!([{ "bearer": [] }]), "81 alternatives");
}

#[test]
fn as_yaml_and_as_json_it_is_the_same() {
    let test = TestAuth::with(|builder| {
        builder.dangerously_allow_query_tokens(auth_runtime::source::Query::new().for_every_read())
    });
    let document = OpenApi::new("Shop: the API", "1.0").describe(&routes().routes(), test.auth()).unwrap();
    let yaml: Value = serde_saphyr::from_str(&document.to_yaml()).unwrap();
    assert_eq!(yaml, document.to_value());
    assert_eq!(serde_json::from_str::<Value>(&document.to_json()).unwrap(), document.to_value());
}

/// An empty list says that everybody may, so that it must not be there where no caller can.
#[test]
fn what_nobody_can_keep_is_not_public() {
    const ANYONE: Rule = rule!();
    #[auth(not(rule = ANYONE))]
    async fn nobody() {}
    #[auth(any(roles = ["admin"], not(rule = ANYONE)))]
    async fn admins() {}
    let routes: Router = Router::new().route("/a", get(nobody)).route("/b", get(admins));
    let document = document_of(&routes, OpenApi::new("Shop", "1"), |builder| builder);
    assert_eq!(document["paths"]["/a"]["get"]["security"], json!([{ "bearer": [] }]));
    assert_eq!(document["paths"]["/b"]["get"]["security"], json!([{ "bearer": ["admin"] }]));
}

/// Nor where there is no source, as `finish` would say too.
#[test]
fn a_route_without_a_source_is_not_public() {
    #[auth(source = "query")]
    async fn by_query() {}
    #[auth(source = "bearer")]
    async fn by_bearer() {}
    let routes: Router = Router::new()
        .route("/q", get(by_query))
        .merge(Router::new().route("/b", get(by_bearer)).require(rule!(source = "cookie")));
    let error = OpenApi::new("Shop", "1").describe(&routes.routes(), TestAuth::new().auth()).unwrap_err();
    let DocumentError::Misconfigured { errors } = &error else { panic!("{error}") };
    assert_eq!(
        *errors,
        [
            "GET /q (whole::openapi::by_query): the rule names the source `query`, and the engine \
             has bearer, cookie (`query` is there once `dangerously_allow_query_tokens(..)` of the builder is called): use one of these, or add it with `.source(..)` on the builder",
            "GET /b (whole::openapi::by_bearer): its rule and the rule of a router around it name sources, and have \
             none in common: name a source in both",
        ]
    );
}

#[tokio::test]
async fn each_method_is_told_of_by_the_route_that_answers_it() {
    #[auth(roles = ["admin"])]
    async fn admin() {}
    let routes = || {
        Router::<()>::new()
            .route("/x", any(health).get(admin))
            .route("/y", any(admin).get(health))
            .route("/z", get(health))
            .route("/z", any(admin))
    };
    let document = document_of(&routes(), OpenApi::new("Shop", "1").version(OpenApiVersion::V3_2), |b| b);
    let test = TestAuth::new();
    let app = routes().finish(test.auth()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let request = crate::support::request(&method.to_uppercase(), path, &[]);
            let is_let_in = crate::support::send(&app, request).await.status.is_success();
            assert_eq!(is_let_in, operation["security"] == json!([]), "{method} {path}");
        }
        assert!(item["head"].is_null(), "HEAD goes where GET goes");
        assert!(item["query"].is_object(), "a route of any method takes that of OpenAPI 3.2 too");
    }
}

/// A token in the URL is taken by methods that change nothing alone.
#[test]
fn a_source_in_the_url_is_none_of_what_changes_state() {
    let routes: Router = Router::new().route("/", get(me).post(me));
    let document = document_of(&routes, OpenApi::new("Shop", "1"), |builder| {
        builder.default_sources(["bearer", "query"])
    });
    let item = &document["paths"]["/"];
    assert_eq!(item["get"]["security"], json!([{ "bearer": [] }, { "query": [] }]));
    assert_eq!(item["post"]["security"], json!([{ "bearer": [] }]));
    assert_eq!(item["post"]["x-auth-policy"]["sources"], json!(["bearer"]));
}

/// Where tokens are renewed on the way, the refresh cookie alone lets in.
#[test]
fn a_cookie_that_renews_is_an_alternative() {
    let issuer = people::issuer(&people::People::default());
    let auth = auth_runtime::Auth::builder()
        .token_issuer(issuer)
        .default_sources(["cookie"])
        .renew_transparently()
        .build()
        .unwrap();
    #[auth(source = "bearer")]
    async fn programs() {}
    let routes: Router = Router::new().route("/", get(me)).route("/programs", get(programs));
    let document = OpenApi::new("Shop", "1").describe(&routes.routes(), &auth).unwrap();
    let document = document.to_value();
    let security = |path: &str| document["paths"][path]["get"]["security"].clone();
    assert_eq!(security("/"), json!([{ "cookie": [] }, { "refresh_cookie": [] }]));
    assert_eq!(security("/programs"), json!([{ "bearer": [] }]));
    let scheme = &document["components"]["securitySchemes"]["refresh_cookie"];
    assert_eq!((&scheme["in"], &scheme["name"]), (&json!("cookie"), &json!("__Host-refresh_token")));
}

#[test]
fn a_log_in_that_is_too_old_is_not_forbidden() {
    #[auth(max_age = "5m", acr = ["mfa"])]
    async fn fresh() {}
    let routes: Router = Router::new().route("/", get(fresh));
    let document = document_of(&routes, OpenApi::new("Shop", "1"), |builder| builder);
    let responses = &document["paths"]["/"]["get"]["responses"];
    assert!(responses["401"].is_object() && responses["403"].is_null(), "{responses}");
}

/// Ids stay when a route is added behind the others.
#[test]
fn ids_are_stable() {
    let routes = || Router::<()>::new().route("/a/b", get(me)).route("/a-b", get(me)).route("/c", get(home));
    let ids = |routes: &Router| {
        let document = document_of(routes, OpenApi::new("Shop", "1"), |builder| builder);
        let paths = document["paths"].as_object().unwrap().clone();
        paths.into_iter().map(|(path, item)| (path, item["get"]["operationId"].clone())).collect::<Vec<_>>()
    };
    let before = ids(&routes());
    let after = ids(&routes().route("/a.b", get(me)).route("/b", get(home)));
    assert!(before.iter().all(|one| after.contains(one)), "{before:?} {after:?}");
    assert!(after.contains(&("/a.b".into(), "openapi_me_get_a_b_2".into())), "{after:?}");
}

/// With 64 roles in each of ten conditions there are 64^10 alternatives: a document that listed them all would never be finished.
#[test]
fn the_work_for_many_alternatives_is_bounded() {
    let roles =
        |condition: usize| Condition::Roles((0..64).map(|number| format!("{condition}-{number}")).collect());
    let each: Vec<_> = (0..10).map(roles).collect();
    let all = || Condition::All(each.clone());
    for (conditions, security) in [
        (each.clone(), json!([{ "bearer": [] }])),
        // As an alternative, and as what a caller must not satisfy.
        (vec![Condition::Any(vec![all(), roles(11)])], json!([{ "bearer": [] }])),
        (vec![Condition::Not(Box::new(all()))], json!([{ "bearer": [] }])),
    ] {
        let rule = Rule::authenticated().requires(conditions.leak());
        let routes = Router::<()>::new().route("/", (axum::routing::get(|| async {}), rule));
        let document = document_of(&routes, OpenApi::new("Shop", "1"), |builder| builder);
        assert_eq!(document["paths"]["/"]["get"]["security"], security);
    }
}

#[test]
fn a_source_may_have_two_grants() {
    let flows = OAuthFlows::authorization_code("https://id.test/authorize", "https://id.test/token")
        .and(OAuthFlows::client_credentials("https://id.test/service-token"));
    let routes = Router::new().route("/", get(me));
    let document = document_of(&routes, OpenApi::new("Shop", "1").oauth2("bearer", flows), |builder| builder);
    let flows = &document["components"]["securitySchemes"]["bearer"]["flows"];
    assert_eq!(flows["authorizationCode"]["tokenUrl"], "https://id.test/token");
    assert_eq!(
        flows["clientCredentials"],
        json!({ "tokenUrl": "https://id.test/service-token", "scopes": {} })
    );
}
