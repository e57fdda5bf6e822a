//! Callers by their credentials alone: what the pipeline and [`Auth::verify`](super::Auth::verify) have in common.

use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::FutureExt as _;

use super::{Engine, KeysOf};
use crate::clock::unix_seconds;
use crate::policy::{Decision, Facts, Rule};
use crate::principal::{Principal, TOKENS};
use crate::rejection::{CallerError, CallerErrorKind};
use crate::verify::{TextKind, VerifiedToken, VerifyError};

/// What the token of a caller is.
const OF_CALLERS: (KeysOf, TextKind) = (KeysOf::Issuers, TextKind::Access);

impl Engine {
    /// The cache → what this token led to when it was verified before.
    pub(crate) fn remembered(&self, token: &str) -> Option<Principal> {
        self.authentication.token_cache.get(token)
    }

    /// The caller of a token that was verified before → the same, if the token still counts and its keys need not be fetched anew.
    pub(crate) fn still_counts(
        self: &Arc<Self>,
        remembered: Principal,
        now: SystemTime,
    ) -> Option<Principal> {
        self.check_remembered(&remembered, now).ok()?;
        (!remembered.token().key_is_overdue(|| self.age_time())).then_some(remembered)
    }

    /// A token → the caller that it is of, by its signature; `None` where something must be waited for: keys, or what its issuer answers.
    pub(crate) fn caller_at_once(
        self: &Arc<Self>,
        token: &str,
        remembered: Option<&Principal>,
        now: SystemTime,
    ) -> Option<Result<Principal, CallerError>> {
        #[cfg(feature = "introspection")]
        if remembered.is_none()
            && let Some((_, introspected)) = self.inquiry(token)
        {
            return self.caller_by_answer(token, introspected, now);
        }
        match self.caller_of_token(token, remembered, now) {
            Err(refused) if refused.is_of_unknown_key() => self.without_new_keys(token, refused, now),
            Ok(caller) if caller.token().key_is_overdue(|| self.age_time()) => None,
            decided => Some(decided),
        }
    }

    /// A token that may be of a key that is not known here → why it is refused; `None` where its issuer's keys must be waited for.
    #[cold]
    fn without_new_keys(
        self: &Arc<Self>,
        token: &str,
        refused: CallerError,
        now: SystemTime,
    ) -> Option<Result<Principal, CallerError>> {
        let at = self.age_time();
        if self.would_wait_for_keys(OF_CALLERS, token, at) {
            return None;
        }
        let judge = || self.caller_of_token(token, None, now);
        self.with_new_keys(OF_CALLERS, token, at, refused, judge).now_or_never()
    }

    /// A token → the caller that it is of: by its signature, or by what its issuer answers.
    pub(crate) fn caller_of<'r>(
        self: &'r Arc<Self>,
        token: &'r str,
        remembered: Option<&'r Principal>,
        now: SystemTime,
    ) -> Pin<Box<dyn Future<Output = Result<Principal, CallerError>> + Send + 'r>> {
        Box::pin(async move {
            #[cfg(feature = "introspection")]
            if remembered.is_none()
                && let Some(inquiry) = self.inquiry(token)
            {
                return self.caller_by_inquiry(token, inquiry, now).await;
            }
            self.caller_of_token_with_new_keys(token, remembered, now).await
        })
    }

    /// Whether an issuer is asked about some of its tokens.
    #[cfg(feature = "openapi")]
    pub(crate) fn introspects(&self) -> bool {
        #[cfg(feature = "introspection")]
        let introspects = self.authentication.introspected.is_some();
        #[cfg(not(feature = "introspection"))]
        let introspects = false;
        introspects
    }

    /// A token → the caller that it is of: the signature and the names in it, unless it is remembered; times; revocation view.
    pub(crate) fn caller_of_token(
        self: &Arc<Self>,
        token: &str,
        remembered: Option<&Principal>,
        now: SystemTime,
    ) -> Result<Principal, CallerError> {
        match remembered {
            Some(remembered) => self.check_remembered(remembered, now).map(|()| remembered.clone()),
            None => self.caller_of_new_token(token, now),
        }
    }

    fn check_remembered(
        self: &Arc<Self>,
        remembered: &Principal,
        now: SystemTime,
    ) -> Result<(), CallerError> {
        self.check_key(remembered)?;
        self.check_times(remembered, now)?;
        let known_until = remembered.not_revoked_at();
        let epoch = self.check_not_revoked(remembered, known_until, now)?;
        if known_until != Some(epoch) {
            remembered.set_not_revoked_at(epoch);
        }
        Ok(())
    }

    // Apart from what a token that is remembered needs, so that this is in few lines of the processor's cache.
    #[inline(never)]
    fn caller_of_new_token(self: &Arc<Self>, token: &str, now: SystemTime) -> Result<Principal, CallerError> {
        let jwt = &self.authentication.jwt;
        let verified =
            jwt.verify(token).map_err(|error| invalid(error, |error| jwt.origin_of(token, error)))?;
        let may_be_remembered = verified.may_be_remembered;
        let principal = self.identify(verified)?;
        self.check_key(&principal)?;
        self.check_times(&principal, now)?;
        let epoch = self.check_not_revoked(&principal, None, now)?;
        if may_be_remembered {
            principal.set_not_revoked_at(epoch);
            self.authentication.token_cache.insert(token, principal.clone());
        }
        Ok(principal)
    }

    /// The same, where the key of the token may be one that has yet to be fetched.
    async fn caller_of_token_with_new_keys(
        self: &Arc<Self>,
        token: &str,
        remembered: Option<&Principal>,
        now: SystemTime,
    ) -> Result<Principal, CallerError> {
        match self.caller_of_token(token, remembered, now) {
            Err(refused) if refused.is_of_unknown_key() => {
                let judge = || self.caller_of_token(token, None, now);
                self.with_new_keys(OF_CALLERS, token, self.age_time(), refused, judge).await
            }
            Ok(caller) if caller.token().key_is_overdue(|| self.age_time()) => {
                self.with_overdue_keys(KeysOf::Issuers, token, || self.caller_of_token(token, None, now))
                    .await
            }
            decided => decided,
        }
    }

    /// The key that verified the token → it is still a key of its issuer, as far as is known.
    pub(crate) fn check_key(&self, principal: &Principal) -> Result<(), CallerError> {
        let token = principal.token();
        if token.key_is_withdrawn() {
            let reason = "the key that verified the token is no longer a key of its issuer";
            return Err(CallerError::new(CallerErrorKind::Revoked, reason));
        }
        if token.key_is_too_old(|| self.age_time()) {
            let reason = "the keys of the token's issuer were last fetched more than 24 hours ago: see the log for the provider's error";
            return Err(CallerError::new(CallerErrorKind::Unavailable, reason));
        }
        Ok(())
    }

    /// Verified claims → the caller that they are of.
    pub(crate) fn identify(self: &Arc<Self>, token: VerifiedToken) -> Result<Principal, CallerError> {
        Principal::identify(token, &self.authorization.vocabulary, Some(self.watch()))
            .map_err(|unidentified| CallerError::new(CallerErrorKind::Invalid, unidentified.0))
    }

    /// A caller that was accepted before, and a rule that a router declares → it still counts, and satisfies the rule.
    pub(super) fn require(self: &Arc<Self>, principal: &Principal, rule: &Rule) -> Result<(), CallerError> {
        let now = self.now();
        self.check_key(principal)?;
        if principal.scheme() == TOKENS {
            self.check_times(principal, now)?;
            self.check_not_revoked(principal, None, now)?;
        } else {
            check_expiry(principal, now)?;
            self.check_view(now)?;
            self.check_not_forgotten(principal)?;
        }
        let leeway = self.authentication.limits.leeway;
        let facts = Facts { principal, path: &[], now: unix_seconds(now), leeway, is_negated: false };
        match self.authorization.decide_declared(rule, &facts) {
            Some(Decision::Allow) => Ok(()),
            Some(Decision::Deny { reason, remedy }) => Err(CallerError::denied(reason, remedy)),
            None => Err(CallerError::new(
                CallerErrorKind::Misconfigured,
                format!(
                    "the rule `{rule}` is decided outside of a request, and no router that was finished with this engine declares it: write \
                     `.declares(\"name\", &RULE)` behind the handlers of its route, as in `get(socket).declares(..)`, or on the router"
                ),
            )),
        }
    }

    /// `exp`, `nbf`, `iat` → the credential is valid now.
    pub(super) fn check_times(&self, principal: &Principal, now: SystemTime) -> Result<(), CallerError> {
        let claims = principal.token().claims();
        let checked = self.authentication.limits.check_times(claims, unix_seconds(now));
        checked.map_err(|error| invalid(error, |_| String::new()))
    }

    /// Revocation view → it is fresh, and the credential, its session and its user are not revoked. Returns the epoch up to which this is
    /// so. `known_until` is the epoch up to which it is known.
    pub(super) fn check_not_revoked(
        self: &Arc<Self>,
        principal: &Principal,
        known_until: Option<u64>,
        now: SystemTime,
    ) -> Result<u64, CallerError> {
        self.check_view(now)?;
        let view = self.revocations.state.view();
        // Before the view is asked: what is revoked from now on changes it.
        let epoch = view.epoch();
        if known_until != Some(epoch) && view.is_revoked(&principal.token_identity()) {
            let reason = "the token, its session, its user or its issuer was revoked";
            return Err(CallerError::new(CallerErrorKind::Revoked, reason));
        }
        Ok(epoch)
    }

    /// The caller of an authenticator or of an API key → it was judged after what was last forgotten of its subject: its credential may
    /// have ended.
    fn check_not_forgotten(&self, principal: &Principal) -> Result<(), CallerError> {
        let (issuer, subject) = principal.issuer_and_subject();
        let view = self.revocations.state.view();
        if principal.watch().is_some_and(|watch| view.is_forgotten_since(watch.forgotten, issuer, subject)) {
            let reason =
                "its subject was forgotten since the credential was judged: verify the credential again";
            return Err(CallerError::new(CallerErrorKind::Revoked, reason));
        }
        Ok(())
    }

    /// Revocation view → it is fresh enough to decide by.
    pub(crate) fn check_view(self: &Arc<Self>, now: SystemTime) -> Result<(), CallerError> {
        self.check_fresh(now)
            .map_err(|error| CallerError::new(CallerErrorKind::Unavailable, error.to_string()))
    }
}

/// When its authenticator says that it expires → the credential is valid now. Only a token is of a clock that may differ.
pub(crate) fn check_expiry(principal: &Principal, now: SystemTime) -> Result<(), CallerError> {
    let expires_at = principal.token().claims().expires_at;
    if expires_at.is_some_and(|expires_at| unix_seconds(now) >= expires_at) {
        let reason = "the credential has expired, as its authenticator says";
        return Err(CallerError::new(CallerErrorKind::Expired, reason));
    }
    Ok(())
}

/// `origin` says where the token is from.
pub(super) fn invalid(error: VerifyError, origin: impl FnOnce(&VerifyError) -> String) -> CallerError {
    if matches!(error, VerifyError::UnknownKey | VerifyError::AlgorithmNotAllowed | VerifyError::BadSignature)
    {
        return CallerError::of_unknown_key(format!("{error}{}", origin(&error)));
    }
    let kind = match error {
        VerifyError::Expired => CallerErrorKind::Expired,
        VerifyError::NotYetValid | VerifyError::IssuedInTheFuture => CallerErrorKind::NotYetValid,
        _ => CallerErrorKind::Invalid,
    };
    CallerError::new(kind, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{CallerErrorKind, VerifyError, invalid};

    #[test]
    fn only_a_token_that_is_too_early_may_be_valid_later() {
        for (error, expected) in [
            (VerifyError::Malformed("it is"), CallerErrorKind::Invalid),
            (VerifyError::UnknownKey, CallerErrorKind::Invalid),
            (VerifyError::BadSignature, CallerErrorKind::Invalid),
            (VerifyError::Expired, CallerErrorKind::Expired),
            (VerifyError::NotYetValid, CallerErrorKind::NotYetValid),
            (VerifyError::IssuedInTheFuture, CallerErrorKind::NotYetValid),
            (VerifyError::LifetimeTooLong, CallerErrorKind::Invalid),
            (VerifyError::MissingClaim("exp"), CallerErrorKind::Invalid),
        ] {
            let shown = error.to_string();
            assert_eq!(invalid(error, |_| String::new()).kind(), expected, "{shown}");
        }
    }
}
