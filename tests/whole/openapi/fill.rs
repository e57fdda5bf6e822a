//! What is enforced, added to the document that `utoipa` makes of the handlers.

use auth_runtime::openapi::{Coverage, OpenApi};
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
    assert!(document["components"]["responses"]["Unauthenticated"].is_object());

    let above = &document["paths"]["/v1/above/{id}"]["get"];
    assert_eq!(above["security"], json!([{ "bearer": ["admin"] }]));
    assert_eq!(above["responses"]["403"], json!({ "$ref": "#/components/responses/Forbidden" }));
    assert!(above["responses"]["200"].is_object());
    assert_eq!(above["description"], "**Who:** not (role guest); and role admin.");
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
         an operation id of several: same\n"
    );
}
