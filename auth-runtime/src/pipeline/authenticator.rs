//! Credentials that an authenticator judges.

use axum::http::request::Parts;

use super::extract::Credential;
use super::failure::{CredentialState, Failure};
use super::{Pipeline, Principal};
use crate::clock::unix_seconds;
use crate::engine::{Judgement, Scheme};
use crate::rejection::RejectionKind;

/// The longest credential that an authenticator is asked about, in bytes.
const MAX_CREDENTIAL_BYTES: usize = 16 * 1024;

impl Pipeline<'_> {
    /// What is remembered, or else the authenticator → the caller; `None` if there is no credential.
    pub(super) async fn judge(
        &self,
        scheme: &Scheme,
        head: &Parts,
        credential: &Credential<'_>,
    ) -> Result<Option<Principal>, Failure> {
        if credential.text.len() > MAX_CREDENTIAL_BYTES {
            return Err(invalid("the credential is longer than 16 KiB"));
        }
        self.fresh(credential)?;
        let now = self.engine().monotonic();
        let judgement = match scheme.remembered(&credential.text, now) {
            Some(judgement) => judgement,
            // In a box, so that the future of a request with a token is not larger for it.
            None => Box::pin(self.ask(scheme, head, credential)).await?,
        };
        let name = credential.source.name();
        match judgement {
            Judgement::Caller(principal) if self.has_expired(&principal) => {
                Err(invalid("the credential has expired, as its authenticator says"))
            }
            Judgement::Caller(principal) => Ok(Some(principal)),
            Judgement::Absent => Ok(None),
            Judgement::Invalid(why) => Err(Failure::invalid_token(CredentialState::Invalid, why)),
            Judgement::Impossible(why) => {
                let reason = format!("the authenticator `{name}` returned a caller that can't be one: {why}");
                Err(Failure::new(RejectionKind::Misconfigured, reason))
            }
        }
    }

    async fn ask(
        &self,
        scheme: &Scheme,
        head: &Parts,
        credential: &Credential<'_>,
    ) -> Result<Judgement, Failure> {
        let vocabulary = &self.engine().authorization.vocabulary;
        let now = self.engine().monotonic();
        let asked =
            scheme.ask(&credential.text, head, now, |token| Principal::identify(token, vocabulary)).await;
        asked.map_err(|error| {
            let name = credential.source.name();
            Failure::new(RejectionKind::Unavailable, format!("the authenticator `{name}` failed: {error}"))
        })
    }

    fn has_expired(&self, principal: &Principal) -> bool {
        let expires_at = principal.token().claims.expires_at;
        expires_at.is_some_and(|expires_at| unix_seconds(self.now) >= expires_at)
    }
}

fn invalid(why: &'static str) -> Failure {
    Failure::invalid_token(CredentialState::Invalid, why)
}
