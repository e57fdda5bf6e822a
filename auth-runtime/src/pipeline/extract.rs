//! The request's head → the one credential that counts, or none.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::http::request::Parts;

use super::Pipeline;
use super::failure::{CredentialState, Failure};
use crate::engine::Verified;
use crate::policy::Access;
use crate::principal::Principal;
use crate::rejection::RejectionKind;
use crate::source::{Carrier, CredentialSource, Extracted};
#[cfg(feature = "test-util")]
use crate::verify::VerifiedToken;

/// The one credential that counts.
pub(super) struct Credential<'r> {
    /// The source that found it.
    pub(super) source: &'r dyn CredentialSource,
    pub(super) text: Cow<'r, str>,
    /// The time by which it is judged: that of the request, or that of its renewal.
    pub(super) now: SystemTime,
    /// What it led to when it was verified before.
    pub(super) remembered: Option<Arc<Verified>>,
    /// It was issued by this very request, in place of one that expired.
    pub(super) is_renewed: bool,
}

/// The principal that a test put into the request.
#[cfg(feature = "test-util")]
#[derive(Clone, Debug)]
pub(crate) struct InjectedPrincipal(pub(crate) Principal);

impl<'a> Pipeline<'a> {
    /// The token of the principal that a test put into the request, for an engine that accepts it.
    #[cfg(feature = "test-util")]
    pub(super) fn injected<'r>(&self, head: &'r Parts) -> Option<&'r VerifiedToken> {
        let accepts = self.engine().authentication.accepts_injected_principals;
        let InjectedPrincipal(principal) = head.extensions.get().filter(|_| accepts)?;
        Some(principal.token())
    }

    /// The sources of the route → the one credential that counts, or none. The first that is present decides, and
    /// an invalid one is never skipped for the next.
    pub(super) fn extract<'r>(&self, head: &'r Parts) -> Result<Option<Credential<'r>>, Failure>
    where
        'a: 'r,
    {
        let mut first: Option<(&dyn CredentialSource, Extracted<'r>)> = None;
        for &index in self.policy.sources() {
            let Some(source) = self.engine().authentication.sources.get(index) else { continue };
            let found = source.extract(head);
            if found == Extracted::Absent {
                continue;
            }
            if source.is_in_url() {
                self.auth.add_answer_header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            }
            if found == Extracted::Repeated {
                // On every route: a browser would send them again with every request.
                self.clear_ambient(source);
                return Err(Failure::repeated(source));
            }
            match &first {
                None => first = Some((source, found)),
                // RFC 6750 §2: in no more than one way. A header, or a query parameter.
                Some((earlier, _))
                    if both_explicit(*earlier, source) && earlier.is_in_url() != source.is_in_url() =>
                {
                    let (one, other) = (earlier.name(), source.name());
                    let reason = format!("credentials were sent from both `{one}` and `{other}`");
                    return Err(Failure::new(RejectionKind::InvalidRequest, reason));
                }
                Some(_) => {}
            }
        }
        first.map_or(Ok(None), |(source, found)| self.usable(head, source, found))
    }

    fn usable<'r>(
        &self,
        head: &Parts,
        source: &'r dyn CredentialSource,
        found: Extracted<'r>,
    ) -> Result<Option<Credential<'r>>, Failure> {
        match found {
            Extracted::Present(_) if source.is_in_url() && !head.method.is_safe() => {
                let reason = "a credential is in the URL of a request that changes state";
                Err(Failure::new(RejectionKind::InvalidRequest, reason))
            }
            Extracted::Present(text) => {
                let remembered = self.remembered(&text);
                Ok(Some(Credential { source, text, now: self.now, remembered, is_renewed: false }))
            }
            Extracted::Unusable(why) => {
                self.clear(source);
                Err(Failure::invalid_token(CredentialState::Undetermined, why))
            }
            _ => Ok(None),
        }
    }

    /// On an optional route the answer clears an ambient credential that is invalid, expired or revoked; one that expired or was
    /// revoked counts as absent: its owner did not choose to send it, and would be locked out of every such page. On other
    /// routes it stays: another instance, or another service of this host, may know it.
    pub(super) fn without(
        &self,
        credential: &Credential<'_>,
        failure: Failure,
    ) -> Result<Option<Principal>, Failure> {
        if credential.is_renewed || failure.credential == CredentialState::Undetermined {
            return Err(failure);
        }
        self.clear(credential.source);
        let ambient = credential.source.carrier() == Carrier::Ambient;
        match failure.credential {
            CredentialState::Expired | CredentialState::Revoked
                if ambient && self.policy.access == Access::Optional =>
            {
                Ok(None)
            }
            _ => Err(failure),
        }
    }

    fn clear(&self, source: &dyn CredentialSource) {
        if self.policy.access == Access::Optional {
            self.clear_ambient(source);
        }
    }

    fn clear_ambient(&self, source: &dyn CredentialSource) {
        source.clearing_cookies().into_iter().for_each(|cookie| self.auth.set_cookie(cookie));
    }
}

fn both_explicit(one: &dyn CredentialSource, other: &dyn CredentialSource) -> bool {
    one.carrier() == Carrier::Explicit && other.carrier() == Carrier::Explicit
}
