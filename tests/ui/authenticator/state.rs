//! What `with_state` is given must be what the function takes.
use auth_runtime::authenticator;
use auth_runtime::authenticator::{BoxError, Subject};
use axum::extract::State;

#[derive(Clone)]
struct Db;

#[authenticator]
async fn asks(_: &str, State(_): State<Db>) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

fn main() {
    let _ = asks::with_state(());
}
