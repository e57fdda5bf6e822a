//! `schemathesis` sends requests by the document and looks at the answers: that nobody is let in who is not, and that each refusal is one
//! that the document tells of. Where `tests/interop/setup` has installed it.

use std::path::Path;
use std::process::{Command, Output};

use auth_runtime::openapi::OpenApi;
use auth_runtime::routing::{get, post};
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Router, auth};
use axum::http::header::CONTENT_TYPE;

#[auth(roles = ["admin"])]
async fn purge() {}

#[auth(any(scopes = ["read"], roles = ["editor"]))]
async fn read() -> &'static str {
    "text"
}

#[auth]
async fn me() {}

#[auth(optional)]
async fn home() {}

#[auth(public)]
async fn open() {}

/// The routes, of which the last can be served without its guard.
fn routes(is_guarded: bool) -> Router {
    let routes = Router::new()
        .route("/", get(home))
        .route("/me", get(me))
        .route("/articles/{id}", get(read))
        .route("/open", get(open));
    if is_guarded { routes.route("/purge", post(purge)) } else { routes.route("/purge", post(open)) }
}

/// What schemathesis says of a server that serves these routes, and tells of them as if all were guarded.
async fn run(is_guarded: bool) -> Option<Output> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/interop");
    if !tools.join("validators-ready").exists() {
        println!("not run: `bash tests/interop/setup` installs schemathesis");
        return None;
    }
    let test = TestAuth::new();
    let document = OpenApi::new("Shop", "1").describe(&routes(true).routes(), test.auth()).unwrap().to_json();
    let served = async move || ([(CONTENT_TYPE, "application/json")], document);
    let app = routes(is_guarded).finish(test.auth()).unwrap();
    let app = app.route("/openapi.json", axum::routing::get(served));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/openapi.json", listener.local_addr().unwrap());
    let token = test.token(&TestUser::new("alice").roles(["admin"]).scopes(["read"]));
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let command = move || {
        Command::new(tools.join("python/bin/schemathesis"))
            .args(["run", &url, "--header", &format!("Authorization: Bearer {token}")])
            .args([
                "--checks",
                "ignored_auth,status_code_conformance,response_headers_conformance,not_a_server_error",
            ])
            .args(["--max-examples", "10", "--seed", "1", "--no-color"])
            .current_dir(std::env::temp_dir())
            .output()
            .unwrap()
    };
    let output = tokio::task::spawn_blocking(command).await.unwrap();
    server.abort();
    Some(output)
}

#[tokio::test]
async fn a_guarded_server_is_what_its_document_says() {
    let Some(output) = run(true).await else { return };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("Tested: 5"), "{text}");
}

#[tokio::test]
async fn a_guard_that_was_taken_away_is_caught() {
    let Some(output) = run(false).await else { return };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && text.contains("POST /purge"), "{text}");
    assert!(text.contains("API accepts requests without authentication"), "{text}");
}
