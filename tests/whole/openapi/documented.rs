//! One macro mounts, guards and documents; the document tells of what was mounted, where it stands.

use auth_runtime::openapi::{OpenApi, OpenApiVersion};
use auth_runtime::routing::get;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Principal, Router, auth, documented, rule};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use utoipa::OpenApi as _;

use crate::support::{request, send};

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
    assert_eq!(coverage, "served, and not documented: GET /more\n");
    assert_eq!(document["info"]["title"], "Shop");
    assert_eq!(document["info"]["description"], "All of it.");
    assert_eq!(document["components"]["schemas"]["Article"]["required"], json!(["title"]));

    let item = &document["paths"]["/org/{tenant}/articles/{id}"];
    let article = &item["get"];
    assert_eq!(article["operationId"], "article");
    assert_eq!(article["summary"], "Reads an article.");
    assert_eq!(
        article["description"],
        "Of any author.\n\n**Who:** not (role guest); and scope article:read."
    );
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

/// The standalone document tells of it too, beside those of which nothing is written.
#[test]
fn the_standalone_document_has_it_too() {
    let test = TestAuth::new();
    let document = OpenApi::new("Shop", "7").describe(&routes().routes(), test.auth()).unwrap();
    let standalone: Value = serde_json::from_str(&document.to_json()).unwrap();
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
    let error = fill().unwrap_err().to_string();
    assert!(error.contains("GET /org/{tenant}/articles/{id} has an `x-auth-policy` already"), "{error}");
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
    assert_eq!(security("/org/{tenant}/files/{*rest}", "get"), json!([{ "bearer": [] }]));
}

/// What is derived says the same as what is mounted, but for what it was told itself.
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
    assert_eq!(document["paths"]["/me"]["head"]["security"], json!([{ "bearer": [] }]));
}

#[test]
fn a_document_of_another_version_is_refused() {
    let routes: Router = Router::new().route("/me", get(undocumented));
    for (key, version) in [("swagger", "2.0"), ("openapi", "3.0.3")] {
        let mut document = json!({ key: version, "info": { "title": "t", "version": "1" }, "paths": {} });
        let error = OpenApi::new("", "").fill(&mut document, &routes.routes(), TestAuth::new().auth());
        let error = error.unwrap_err().to_string();
        assert!(error.contains(version) && error.contains("3.1 or later"), "{error}");
    }
}

async fn status(app: &axum::Router, method: &str, path: &str, token: Option<&str>) -> u16 {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let headers: Vec<_> = bearer.iter().map(|bearer| ("authorization", &**bearer)).collect();
    send(app, request(method, path, &headers)).await.status.as_u16()
}
