//! The service of which two instances are measured: tokens, logouts, one guarded route.

use std::fmt::Display;
use std::io::{Read as _, Write as _, stdin, stdout};
use std::net::Ipv4Addr;
use std::thread;

use auth_runtime::routing::{get, post};
use auth_runtime::session::{IssuedTokens, Subject, TokenService, readiness};
use auth_runtime::{Auth, Router, auth};
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use benches::issuer::issuer;
use benches::servers::{Kind, Place, StoreHandle};

/// The variable with the signing key as PEM, which is made for each run.
pub const KEY: &str = "INSTANCES_KEY";

#[auth]
async fn guarded() {}

#[auth(public)]
async fn log_in(State(auth): State<Auth>, user: String) -> Result<String, Failure> {
    Ok(lines(&tokens(&auth)?.issue(&Subject::new(user)).await?))
}

#[auth(public)]
async fn refresh(State(auth): State<Auth>, token: String) -> Result<String, Failure> {
    Ok(lines(&tokens(&auth)?.refresh(&token).await?))
}

#[auth(public)]
async fn log_out(State(auth): State<Auth>, token: String) -> Result<StatusCode, Failure> {
    let is_ended = tokens(&auth)?.log_out(&token).await?;
    Ok(if is_ended { StatusCode::NO_CONTENT } else { StatusCode::BAD_REQUEST })
}

/// The state of the view, for the bench.
#[auth(public)]
async fn status(State(auth): State<Auth>) -> String {
    let status = auth.revocations().status();
    json!({
        "entries": status.entries,
        "bytes": status.bytes,
        "cursor": status.cursor,
        "other_histories": status.other_histories,
        "failure": status.failure,
    })
    .to_string()
}

fn tokens(auth: &Auth) -> Result<TokenService, Failure> {
    Ok(auth.tokens()?)
}

/// The access token and the refresh token.
fn lines(tokens: &IssuedTokens) -> String {
    format!("{}\n{}", tokens.access_token, tokens.refresh_token)
}

/// An error, as an answer that the bench does not expect.
struct Failure(String);

impl<E: Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl axum::response::IntoResponse for Failure {
    fn into_response(self) -> axum::response::Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.0).into_response()
    }
}

/// Serves until its standard input is closed, that is, until the bench has ended. It prints its port once requests are served.
pub fn serve(kind: Kind, url: &str, namespace: &str, is_woken: bool) {
    thread::spawn(|| {
        let _ = stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let key = std::env::var(KEY).expect("the bench passes a key");
    let place = Place { kind, url: url.to_owned(), namespace: namespace.to_owned(), is_woken };
    Runtime::new().expect("a runtime").block_on(async {
        let store = place.connect().await;
        let builder = Auth::builder().token_issuer(issuer(&key));
        let auth = match store {
            StoreHandle::Postgres(store) => builder.store(store),
            StoreHandle::Redis(store) => builder.store(store),
        };
        let auth = auth.build().expect("an engine");
        auth.start().await.expect("the log is read");
        let app = Router::new()
            .route("/guarded", get(guarded))
            .route("/login", post(log_in))
            .route("/refresh", post(refresh))
            .route("/logout", post(log_out))
            .route("/status", get(status))
            .route("/ready", get(readiness))
            .with_state(auth.clone())
            .finish(&auth)
            .expect("the routes are right");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        println!("{}", listener.local_addr().expect("an address").port());
        stdout().flush().expect("the bench reads it");
        axum::serve(listener, app).await.expect("it serves");
    });
}
