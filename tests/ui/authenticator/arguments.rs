use auth_runtime::authenticator;
use auth_runtime::authenticator::{BoxError, Subject};
use auth_runtime::authenticator::Credential;

#[authenticator]
async fn owned(_: &Credential) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

#[authenticator]
async fn reference(_: &str, _: &axum::http::HeaderMap) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

fn main() {}
