//! The request's head → the one credential that counts, or none.

use std::borrow::Cow;
use std::time::SystemTime;

use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::http::request::Parts;

use super::Pipeline;
use super::failure::{CredentialState, Failure};
use crate::method::is_safe;
use crate::policy::Access;
use crate::principal::Principal;
use crate::rejection::RejectionKind;
use crate::source::{Carrier, CredentialSource, Extracted, opens_web_socket};
#[cfg(feature = "test-util")]
use crate::verify::VerifiedToken;

/// The one credential that counts.
pub(super) struct Credential<'r> {
    /// The source that found it, and its index.
    pub(super) source: &'r dyn CredentialSource,
    pub(super) index: usize,
    pub(super) text: Cow<'r, str>,
    /// The time by which it is judged: that of the request, or that of its renewal.
    pub(super) now: SystemTime,
    /// What it led to when it was verified before.
    pub(super) remembered: Option<Principal>,
    /// It was issued by this very request, in place of one that expired, is missing or can't be used.
    pub(super) is_renewed: bool,
}

/// What was found in a request.
pub(super) enum Extraction<'r> {
    Nothing,
    Credential(Credential<'r>),
    /// What this source found is none.
    Invalid(&'r dyn CredentialSource, Failure),
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
        let injected = if accepts { head.extensions.get() } else { None };
        injected.map(|InjectedPrincipal(principal)| principal.token())
    }

    /// The sources of the route → the one credential that counts, or none. The first that is present decides, and
    /// an invalid one is never skipped for the next. What these other sources found is none, as their authenticators say.
    pub(super) fn extract<'r>(&self, head: &'r Parts, empty: &[usize]) -> Result<Extraction<'r>, Failure>
    where
        'a: 'r,
    {
        let mut first: Option<(usize, &dyn CredentialSource, Extracted<'r>)> = None;
        for &index in &self.policy.sources.indices {
            let Some(source) = self.engine().authentication.sources.get(index) else { continue };
            if empty.contains(&index) {
                continue;
            }
            let found = source.extract(head);
            if found == Extracted::Absent {
                continue;
            }
            if source.is_in_url() {
                self.auth.add_answer_header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            }
            let is_decided =
                first.as_ref().is_some_and(|(_, earlier, _)| earlier.carrier() == Carrier::Explicit);
            if is_decided && source.carrier() == Carrier::Ambient {
                continue;
            }
            if found == Extracted::Repeated && !self.may_do_without(source) {
                // A browser would send them again with every request.
                self.origin(head, source.carrier())?;
                self.clear(source);
                return Err(Failure::repeated(source));
            }
            match &first {
                None => first = Some((index, source, found)),
                // RFC 6750 §2: in no more than one way. A header, or a query parameter.
                Some((_, earlier, _))
                    if both_explicit(*earlier, source) && earlier.is_in_url() != source.is_in_url() =>
                {
                    let (one, other) = (earlier.name(), source.name());
                    let reason = format!("credentials were sent from both `{one}` and `{other}`");
                    return Err(Failure::new(RejectionKind::InvalidRequest, reason));
                }
                Some(_) => {}
            }
        }
        first
            .map_or(Ok(Extraction::Nothing), |(index, source, found)| self.usable(head, index, source, found))
    }

    fn usable<'r>(
        &self,
        head: &Parts,
        index: usize,
        source: &'r dyn CredentialSource,
        found: Extracted<'r>,
    ) -> Result<Extraction<'r>, Failure> {
        let invalid = |why: Cow<'static, str>| {
            Ok(Extraction::Invalid(source, Failure::invalid_token(CredentialState::Invalid, why)))
        };
        match found {
            Extracted::Present(_)
                if source.is_in_url() && !is_safe(&head.method) && !opens_web_socket(head) =>
            {
                let reason = "a credential is in the URL of a request that changes state";
                Err(Failure::new(RejectionKind::InvalidRequest, reason))
            }
            Extracted::Present(text) => {
                let is_token = self.engine().authentication.sources.scheme(index).is_none();
                let remembered = if is_token { self.engine().remembered(&text) } else { None };
                Ok(Extraction::Credential(Credential {
                    source,
                    index,
                    text,
                    now: self.now,
                    remembered,
                    is_renewed: false,
                }))
            }
            Extracted::Unusable(why) => invalid(why.into()),
            Extracted::Repeated => {
                let failure = Failure { credential: CredentialState::Invalid, ..Failure::repeated(source) };
                Ok(Extraction::Invalid(source, failure))
            }
            Extracted::Absent => Ok(Extraction::Nothing),
        }
    }

    /// On an optional route an invalid ambient credential counts as absent, and the answer clears it: its owner did not choose to
    /// send it, and would be locked out of every such page. One that may be valid later is not cleared. On other routes it stays:
    /// another instance, or another service of this host, may know it. What could not be judged is a failure everywhere.
    pub(super) fn without(
        &self,
        source: &dyn CredentialSource,
        failure: Failure,
    ) -> Result<Option<Principal>, Failure> {
        let is_judged = matches!(failure.credential, CredentialState::NotYetValid | CredentialState::Invalid);
        if !is_judged || !self.may_do_without(source) {
            return Err(failure);
        }
        let is_cleared = failure.credential == CredentialState::Invalid;
        if is_cleared {
            self.clear(source);
        }
        let (source, reason) = (source.name(), &*failure.reason);
        tracing::debug!(source, reason, is_cleared, "auth: an invalid credential counts as absent");
        Ok(None)
    }

    /// Whether an invalid credential of this source counts as absent.
    fn may_do_without(&self, source: &dyn CredentialSource) -> bool {
        self.policy.access == Access::Optional && source.carrier() == Carrier::Ambient
    }

    fn clear(&self, source: &dyn CredentialSource) {
        source.clearing_cookies().into_iter().for_each(|cookie| self.auth.set_cookie(cookie));
    }
}

fn both_explicit(one: &dyn CredentialSource, other: &dyn CredentialSource) -> bool {
    one.carrier() == Carrier::Explicit && other.carrier() == Carrier::Explicit
}
