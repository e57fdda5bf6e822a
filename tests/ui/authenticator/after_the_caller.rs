use auth_runtime::authenticator::{BoxError, Subject};
use auth_runtime::rejection::Rejection;
use auth_runtime::session::SessionData;
use auth_runtime::users::TakesUser;
use auth_runtime::{Caller, Checked, Claims, Principal, User, authenticator};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

struct Account;

struct Tenant;

impl<S: Sync> FromRequestParts<S> for Tenant {
    type Rejection = Rejection;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Rejection> {
        Ok(Self)
    }
}

impl TakesUser for Tenant {
    type User = Account;
}

type Alias = Principal;

#[authenticator]
async fn user(_: &str, _: User<Account>) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

#[authenticator]
async fn perhaps_user(_: &str, _: Option<User<Account>>) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

#[authenticator]
async fn built_on_user(_: &str, _: Tenant) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

#[authenticator]
async fn caller(_: &str, _: Caller) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

#[authenticator]
async fn checked(_: &str, _: Checked<Account>) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

#[authenticator]
async fn principal(_: &str, _: Alias) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

#[authenticator]
async fn claims(_: &str, _: Option<Claims<u32>>, _: axum::http::Method) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

#[authenticator]
async fn session(_: &str, _: Option<SessionData>) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

fn main() {}
