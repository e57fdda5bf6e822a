//! Without `with_state`, and without the attribute.
use auth_runtime::Auth;
use auth_runtime::authenticator;
use auth_runtime::authenticator::{BoxError, Subject};
use auth_runtime::source::CredentialPlace;

#[authenticator]
async fn partner(_: &str) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

async fn plain(_: &str) -> Result<Subject, BoxError> {
    Ok(Subject::new("a"))
}

fn main() {
    let place = CredentialPlace::header("X-Own");
    let _ = Auth::builder().authenticator("own", place.clone(), partner);
    let _ = Auth::builder().authenticator("own", place.clone(), plain::with_state(()));
    let _ = Auth::builder().authenticator_with("own", place, partner, ());
}
