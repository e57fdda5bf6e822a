//! Credentials that an authenticator judges.

use axum::http::request::Parts;

use super::extract::Credential;
use super::failure::{CredentialState, Failure};
use super::{Pipeline, Principal};
use crate::authenticator::{Authentication, DynAuthenticator};
use crate::clock::unix_seconds;
use crate::rejection::RejectionKind;

/// The longest credential that an authenticator is asked about, in bytes.
const MAX_CREDENTIAL_BYTES: usize = 16 * 1024;

impl Pipeline<'_> {
    /// The authenticator → the caller; `None` if it says that there is no credential.
    pub(super) async fn ask(
        &self,
        authenticator: &dyn DynAuthenticator,
        head: &Parts,
        credential: &Credential<'_>,
    ) -> Result<Option<Principal>, Failure> {
        let invalid = |why| Failure::invalid_token(CredentialState::Invalid, why);
        if credential.text.len() > MAX_CREDENTIAL_BYTES {
            return Err(invalid("the credential is longer than 16 KiB".into()));
        }
        self.fresh(credential)?;
        let scheme = credential.source.name();
        let caller = match authenticator.authenticate(&credential.text, head).await {
            Ok(Authentication::Authenticated(caller)) => caller,
            Ok(Authentication::Absent) => return Ok(None),
            Ok(Authentication::Invalid(why)) => return Err(invalid(why)),
            Err(error) => {
                let reason = format!("the authenticator `{scheme}` failed: {error}");
                return Err(Failure::new(RejectionKind::Unavailable, reason));
            }
        };
        let token = caller.into_token(scheme).map_err(|objection| {
            let reason =
                format!("the authenticator `{scheme}` returned a caller that can't be one: {objection}");
            Failure::new(RejectionKind::Misconfigured, reason)
        })?;
        let principal = self.identify(token)?;
        let expires_at = principal.token().claims.expires_at;
        if expires_at.is_some_and(|expires_at| unix_seconds(self.now) >= expires_at) {
            return Err(invalid("the credential has expired, as its authenticator says".into()));
        }
        Ok(Some(principal))
    }
}
