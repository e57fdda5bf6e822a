use auth_runtime::authenticator;
use auth_runtime::authenticator::{BoxError, Subject};
use auth_runtime::{Claims, Principal};

#[authenticator]
fn not_async(_: &str) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

#[authenticator]
async fn no_credential() -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

#[authenticator]
async fn credential_by_value(_: String) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

#[authenticator]
async fn generic<T: Sync>(_: &str) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

#[authenticator]
async fn opaque(_: &str, _: impl Sized) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

#[authenticator]
async fn lifetimes_are_fine<'c>(_: &'c str) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

#[authenticator]
async fn credential_that_may_be_absent(#[cfg(all())] _: &str) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

#[authenticator]
async fn of_callers(
    _: &str,
    _: Principal,
    _: Option<auth_runtime::Principal>,
    _: Claims<u8>,
) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

#[authenticator(source = "partner")]
async fn arguments(_: &str) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

#[authenticator]
struct NoFunction;

struct App;

impl App {
    #[authenticator]
    async fn method(&self, _: &str) -> Result<Subject, BoxError> {
        Ok(Subject::new("a"))
    }

    #[authenticator]
    async fn associated(_: &str) -> Result<Subject, BoxError> {
        Ok(Subject::new("a"))
    }
}

fn main() {
    let _ = no_credential::with_state(());
}
