//! `schemathesis` sends requests by the document and looks at the answers: that no caller is let in that is not, and that each
//! refusal is one that the document describes.

use std::convert::Infallible;

use auth_runtime::authenticator::{Credential, Subject};
use auth_runtime::openapi::OpenApi;
use auth_runtime::routing::{get, post};
use auth_runtime::source::CredentialPlace;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Router, auth};
use auth_tests_tools::{CHECKS, Said, Tools};
use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;

#[auth(roles = ["admin"])]
async fn purge() {}

#[auth(any(scopes = ["read"], roles = ["editor"]))]
async fn read() -> &'static str {
    "text"
}

/// Its extractor refuses what is no number, with axum's own 400.
#[auth]
async fn chapter(Path(number): Path<u32>) -> String {
    format!("Chapter {number}")
}

#[auth]
async fn me() {}

/// A token, or the credential of a partner.
#[auth(roles = ["admin"], source = ["bearer", "partner"])]
async fn weights() {}

async fn partner(credential: Credential, (): ()) -> Result<Option<Subject>, Infallible> {
    Ok((credential.text() == "scale-17").then(|| Subject::new("acme").roles(["admin"])))
}

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
        .route("/chapters/{number}", get(chapter))
        .route("/weights", get(weights))
        .route("/open", get(open));
    if is_guarded { routes.route("/purge", post(purge)) } else { routes.route("/purge", post(open)) }
}

/// What schemathesis says of a server that serves these routes, and describes them as if all were guarded.
async fn run(is_guarded: bool) -> Said {
    let tools = Tools::installed();
    let test = TestAuth::with(|builder| {
        builder.authenticator_with("partner", CredentialPlace::header("X-Partner"), partner, ())
    });
    let document = OpenApi::new("Shop", "1").describe(&routes(true).routes(), test.auth()).unwrap().to_json();
    let served = async move || ([(CONTENT_TYPE, "application/json")], document);
    let app = routes(is_guarded).finish(test.auth()).unwrap();
    let app = app.route("/openapi.json", axum::routing::get(served));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/openapi.json", listener.local_addr().unwrap());
    let token = test.token(&TestUser::new("alice").roles(["admin"]).scopes(["read"]));
    let header = format!("Authorization: Bearer {token}");
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let said = tokio::task::spawn_blocking(move || tools.schemathesis(&url, &header, CHECKS, &[]));
    let said = said.await.unwrap();
    server.abort();
    said
}

#[tokio::test]
#[ignore = "needs schemathesis: bash tests/run"]
async fn a_guarded_server_is_what_its_document_says() {
    let Said { is_content, text } = run(true).await;
    assert!(is_content && text.contains("Tested: 7"), "{text}");
}

#[tokio::test]
#[ignore = "needs schemathesis: bash tests/run"]
async fn a_guard_that_was_taken_away_is_caught() {
    let Said { is_content, text } = run(false).await;
    assert!(!is_content && text.contains("POST /purge"), "{text}");
    assert!(text.contains("API accepts requests without authentication"), "{text}");
}
