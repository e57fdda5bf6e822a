use auth_runtime::authenticator;
use auth_runtime::authenticator::{BoxError, Subject};

#[authenticator]
async fn answers_text(_: &str) -> &'static str {
    "yes"
}

#[authenticator]
async fn answers_no_result(_: &str) -> Option<Subject> {
    None
}

#[authenticator]
async fn answers_no_caller(_: &str) -> Result<bool, BoxError> {
    Ok(true)
}

struct NoError;

#[authenticator]
async fn error_without_text(_: &str) -> Result<Subject, NoError> {
    Ok(Subject::new("a"))
}

fn main() {}
