//! What `with_state` is given must be what the function takes, and the body is the handler's.
use auth_runtime::authenticator;
use auth_runtime::authenticator::{BoxError, Subject};
use axum::extract::State;

#[derive(Clone)]
struct Db;

#[authenticator]
async fn asks(_: &str, State(_): State<Db>) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

#[authenticator]
async fn reads_the_body(_: &str, body: String) -> Result<Subject, BoxError> {
    Ok(Subject::new(body))
}

fn main() {
    let _ = asks::with_state(());
    let _ = reads_the_body::with_state(());
}
