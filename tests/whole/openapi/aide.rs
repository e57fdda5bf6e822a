//! `aide` takes guarded handlers as they are, and its document is completed by the engine.

use aide::axum::ApiRouter;
use aide::axum::routing::{get, get_with, post_with};
use auth_runtime::openapi::{DocumentError, OpenApi};
use auth_runtime::routing::Routes;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Claims, Principal, auth, check};
use axum::Json;
use axum::extract::Path;
use serde_json::{Value, json};

use crate::support::status;

#[auth(roles = ["admin"], check = awake)]
async fn purge(_: Principal, Path(_): Path<u32>) -> String {
    String::new()
}

#[check]
async fn awake(_: &Principal) -> bool {
    true
}

#[auth(source = "cookie", scopes = ["write"])]
async fn write(Claims(_): Claims<Value>, Json(_): Json<Vec<String>>) -> Json<Vec<String>> {
    Json(Vec::new())
}

#[auth(optional)]
async fn home(_: Option<Principal>) {}

#[auth(public)]
async fn open() {}

async fn unguarded() {}

fn router(document: &mut aide::openapi::OpenApi) -> axum::Router {
    let v1 = ApiRouter::new()
        .api_route("/articles/{id}", get_with(purge, |operation| operation.description("Purges.")))
        .api_route("/articles", post_with(write, |operation| operation.id("write").response::<401, ()>()));
    ApiRouter::new()
        .nest_api_service("/v1", v1)
        .api_route("/", get(home))
        .api_route("/open", get(open))
        .finish_api(document)
}

fn filled() -> (Value, auth_runtime::openapi::Coverage) {
    let mut document = aide::openapi::OpenApi::default();
    let _ = router(&mut document);
    let test = TestAuth::with(|builder| {
        builder.dangerously_allow_query_tokens(auth_runtime::source::Query::new().for_every_read())
    });
    let api = OpenApi::new("Shop", "1");
    let routes = Routes::from_aide(&document);
    let coverage = api.fill(&mut document, &routes, test.auth()).unwrap();
    (serde_json::to_value(document).unwrap(), coverage)
}

#[test]
fn the_gates_rule_is_in_the_document() {
    let (document, coverage) = filled();
    assert!(coverage.is_complete(), "{coverage}");
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    assert_eq!(document["info"]["title"], "Shop");

    let purge = &document["paths"]["/v1/articles/{id}"]["get"];
    assert_eq!(purge["security"], json!([{ "bearer": ["admin"] }]));
    assert_eq!(purge["description"], "Purges.\n\n**Who:** role admin, and check awake.");
    assert_eq!(
        purge["x-auth-policy"],
        json!({ "access": "authenticated", "sources": ["bearer"], "all": [{ "roles": ["admin"] }], "check": "awake" })
    );
    assert_eq!(purge["responses"]["403"], json!({ "$ref": "#/components/responses/AuthForbidden" }));
    assert!(purge["responses"]["200"].is_object(), "{purge}");
    assert_eq!(purge["parameters"].as_array().map(Vec::len), Some(1));

    let write = &document["paths"]["/v1/articles"]["post"];
    assert_eq!(write["security"], json!([{ "cookie": ["write"] }]));
    assert_eq!(write["responses"]["401"]["description"], "no content", "theirs stays: {write}");
    assert!(write["requestBody"].is_object());
    assert_eq!(document["paths"]["/"]["get"]["security"], json!([{}, { "bearer": [] }]));
    // aide writes no empty list.
    assert_eq!(document["paths"]["/open"]["get"]["security"], json!([{}]));
    assert_eq!(document["paths"]["/open"]["get"]["x-auth-policy"], json!({ "access": "public" }));
}

#[test]
#[ignore = "needs openapi-spec-validator and redocly: bash tests/run"]
fn validators_of_others_find_no_error() {
    let tools = auth_tests_tools::Tools::installed();
    tools.assert_valid([("aide.json", filled().0.to_string())]);
}

#[tokio::test]
async fn the_gates_stand_in_aides_router() {
    let test = TestAuth::new();
    let app = router(&mut aide::openapi::OpenApi::default()).layer(test.auth().layer());
    let admin = test.token(&TestUser::new("alice").roles(["admin"]));
    assert_eq!(status(&app, "GET", "/v1/articles/7", None).await, 401);
    assert_eq!(status(&app, "GET", "/v1/articles/7", Some(&admin)).await, 200);
    assert_eq!(status(&app, "GET", "/open", None).await, 200);
}

#[test]
fn an_operation_without_a_gate_is_told() {
    let mut document = aide::openapi::OpenApi::default();
    let _: axum::Router =
        ApiRouter::new().api_route("/a", get(open)).api_route("/b", get(unguarded)).finish_api(&mut document);
    let (routes, test) = (Routes::from_aide(&document), TestAuth::new());
    let coverage = OpenApi::new("Shop", "1").fill(&mut document, &routes, test.auth()).unwrap();
    assert_eq!(coverage.to_string(), "documented, and not guarded: GET /b\n");
    assert!(!coverage.is_complete());
    let table = routes.table(test.auth()).to_string();
    assert!(
        table.contains("GET     /a    yes        yes      public") && table.contains("NOT GUARDED"),
        "{table}"
    );
}

/// The lock of what aide serves: who gains and loses, also where a gate is taken away or put elsewhere.
#[test]
fn its_lock_sees_what_has_no_gate() {
    type Mounted = aide::axum::routing::ApiMethodRouter;
    let table = |a: Mounted, b: Mounted, at: &str| {
        let mut document = aide::openapi::OpenApi::default();
        let _: axum::Router = ApiRouter::new().api_route("/a", a).api_route(at, b).finish_api(&mut document);
        let test = TestAuth::new();
        let routes = Routes::from_aide(&document);
        let before = routes.table(test.auth());
        // A document that was filled says the same.
        OpenApi::new("Shop", "1").fill(&mut document, &routes, test.auth()).unwrap();
        assert_eq!(Routes::from_aide(&document).table(test.auth()).to_string(), before.to_string());
        before
    };
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("access.lock");
    table(get(admins), get(unguarded), "/b").write_lock(&lock).unwrap();
    assert!(table(get(admins), get(unguarded), "/b").check_lock(&lock).is_ok());
    let told = |table: auth_runtime::access::AccessTable| table.check_lock(&lock).unwrap_err().to_string();
    let elsewhere = told(table(get(admins), get(unguarded), "/c"));
    assert!(elsewhere.contains("new: GET /c\n    + gained: anonymous callers"), "{elsewhere}");
    let swapped = told(table(get(unguarded), get(admins), "/b"));
    assert!(swapped.contains("GET /a\n    + gained: anonymous callers"), "{swapped}");
    assert!(swapped.contains("GET /b\n    - lost:   anonymous callers"), "{swapped}");
}

#[auth(roles = ["admin"])]
async fn admins() {}

/// A gate of another program is none that is known here.
#[test]
fn a_gate_of_another_program_is_no_gate() {
    let mut document: aide::openapi::OpenApi = serde_json::from_str(
        r#"{ "openapi": "3.1.0", "info": { "title": "t", "version": "1" }, "paths": {
            "/a": { "get": { "x-auth-gate": "shop::purge: role admin" } }, "/b": { "get": { "x-auth-gate": 0 } } } }"#,
    )
    .unwrap();
    let routes = Routes::from_aide(&document);
    assert!(routes.iter().all(|route| route.unguarded), "{routes}");
    let coverage = OpenApi::new("Shop", "1").fill(&mut document, &routes, TestAuth::new().auth()).unwrap();
    assert_eq!(coverage.unguarded, ["GET /a", "GET /b"]);
}

/// What `finish` says of a guarded router.
#[test]
fn what_the_engine_can_not_serve_is_told() {
    #[auth(source = "badge")]
    async fn badge() {}
    #[auth(source = "query")]
    async fn change() {}
    #[auth(claims(tenant = path("tenant")))]
    async fn of_tenant() {}
    let mut document = aide::openapi::OpenApi::default();
    let _: axum::Router = ApiRouter::new()
        .api_route("/badge", get(badge))
        .api_route("/change", aide::axum::routing::post(change))
        .api_route("/tenant", get(of_tenant))
        .finish_api(&mut document);
    let test = TestAuth::with(|builder| {
        builder.dangerously_allow_query_tokens(auth_runtime::source::Query::new().for_every_read())
    });
    let routes = Routes::from_aide(&document);
    let error = OpenApi::new("Shop", "1").fill(&mut document, &routes, test.auth()).unwrap_err();
    let DocumentError::Misconfigured { errors } = &error else { panic!("{error}") };
    assert_eq!(errors.len(), 3, "{errors:#?}");
    for (error, expected) in
        errors.iter().zip(["names the source `badge`", "from the URL", "has no parameter"])
    {
        assert!(error.contains(expected), "{error}");
    }
}

/// A document that says something for all of its operations says it of no public one.
#[test]
fn a_public_operation_is_public_whatever_the_document_says() {
    let mut document = aide::openapi::OpenApi::default();
    let _: axum::Router = ApiRouter::new().api_route("/a", get(open)).finish_api(&mut document);
    document.security = vec![[("bearer".to_owned(), Vec::new())].into_iter().collect()];
    let routes = Routes::from_aide(&document);
    let coverage = OpenApi::new("Shop", "1").fill(&mut document, &routes, TestAuth::new().auth()).unwrap();
    assert!(coverage.is_complete(), "{coverage}");
    let document = serde_json::to_value(document).unwrap();
    assert_eq!(document["paths"]["/a"]["get"]["security"], json!([{}]));
    assert_eq!(document["security"], json!([{ "bearer": [] }]));
}

/// A type that drops what is to be said is not taken for one that says it.
#[test]
fn a_type_that_does_not_keep_security_is_told() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Paths {
        paths: std::collections::BTreeMap<String, std::collections::BTreeMap<String, Operation>>,
    }
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Operation {
        summary: String,
    }
    let operation = Operation { summary: "Purges".into() };
    let mut document = Paths { paths: [("/a".into(), [("get".into(), operation)].into())].into() };
    let routes: auth_runtime::Router =
        auth_runtime::Router::new().route("/a", auth_runtime::routing::get(open));
    let error = OpenApi::new("Shop", "1").fill(&mut document, &routes.routes(), TestAuth::new().auth());
    let error = error.unwrap_err();
    assert!(matches!(error, DocumentError::Lossy { .. }), "{error}");
    assert!(error.to_string().contains("its type loses the security of GET /a: fill its JSON"), "{error}");
}
