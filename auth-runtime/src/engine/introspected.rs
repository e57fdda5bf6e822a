//! The callers of tokens that their issuer is asked about (RFC 7662), with what is remembered of its answers.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{CredentialHash, CredentialHasher, Engine};
use crate::clock::unix_seconds;
use crate::load_cache::{Bounds, LoadCache, LoadError, Loaded};
use crate::principal::Principal;
use crate::rejection::{CallerError, CallerErrorKind};
use crate::revocation::{SubjectCache, Subjects};
use crate::verify::{Inquiry, IntrospectionError};

/// How many tokens are remembered that are active, and how many that are not.
const ENTRIES: usize = 10_000;

/// How long a token that is not active is remembered at most: a client may send it again and again.
const INACTIVE: Duration = Duration::from_secs(10);

/// What is remembered of tokens that their issuer was asked about.
#[derive(Debug)]
pub(crate) struct IntrospectedTokens {
    /// `None` is a token that is not active.
    remembered: LoadCache<CredentialHash, Principal>,
    hasher: CredentialHasher,
}

impl IntrospectedTokens {
    /// `cache_for` is how long an active token is remembered.
    ///
    /// # Errors
    /// If the system has no random bytes.
    pub(super) fn new(cache_for: Duration) -> Result<Self, String> {
        let bounds = |longest| Bounds { entries: ENTRIES, longest };
        Ok(Self {
            remembered: LoadCache::new(bounds(cache_for), bounds(cache_for.min(INACTIVE))),
            hasher: CredentialHasher::new()?,
        })
    }
}

impl Engine {
    /// The issuer that is to be asked about this token, and what is remembered of its answers; `None`: the token is verified here.
    pub(crate) fn inquiry(&self, token: &str) -> Option<(Inquiry<'_>, &IntrospectedTokens)> {
        let introspected = self.authentication.introspected.as_deref()?;
        Some((self.authentication.jwt.inquiry(token)?, introspected))
    }

    /// A token that its issuer is asked about → the caller that it is of: what is remembered, or else the issuer; times; revocation view.
    pub(crate) async fn caller_by_inquiry(
        self: &Arc<Self>,
        token: &str,
        (inquiry, introspected): (Inquiry<'_>, &IntrospectedTokens),
        now: SystemTime,
    ) -> Result<Principal, CallerError> {
        self.check_view(now)?;
        let (hash, monotonic) = (introspected.hasher.hash(token), self.monotonic());
        let known = match introspected.remembered.get(&hash, monotonic) {
            Some(known) => known,
            None => {
                let load = self.inquire(token, &inquiry, now);
                introspected.remembered.load(hash, monotonic, load).await.map_err(|error| failed(&error))?
            }
        };
        let inactive = "the issuer says that the token is not active";
        let principal = known.ok_or_else(|| CallerError::new(CallerErrorKind::Invalid, inactive))?;
        self.check_times(&principal, now)?;
        self.check_not_revoked(&principal, None, now)?;
        Ok(principal)
    }

    async fn inquire(
        self: &Arc<Self>,
        token: &str,
        inquiry: &Inquiry<'_>,
        now: SystemTime,
    ) -> Result<Loaded<Principal>, axum::BoxError> {
        // Before the issuer is asked: what is forgotten from now on may concern its answer.
        let watch = self.watch();
        let Some(verified) = inquiry.ask(token, now).await? else {
            return Ok(Loaded::new(None, INACTIVE));
        };
        let may_be_remembered = verified.may_be_remembered;
        let principal = Principal::identify(verified, &self.authorization.vocabulary, Some(watch))
            .map_err(|unidentified| IntrospectionError::Unidentified(unidentified.0))?;
        // RFC 7662 §4: not past its `exp`.
        let end = principal.token().claims.expires_at.unwrap_or(i64::MAX);
        let remaining = u64::try_from(end.saturating_sub(unix_seconds(now))).unwrap_or(0);
        let remember_for = inquiry.cache_for().min(Duration::from_secs(remaining));
        Ok(Loaded::new(Some(principal), if may_be_remembered { remember_for } else { Duration::ZERO }))
    }
}

fn failed(error: &LoadError) -> CallerError {
    let kind = match error {
        LoadError::Failed(error) => match error.downcast_ref() {
            Some(IntrospectionError::Rejected(_) | IntrospectionError::Unidentified(_)) => {
                CallerErrorKind::Invalid
            }
            Some(IntrospectionError::Unavailable(_)) | None => CallerErrorKind::Unavailable,
        },
        LoadError::Busy => CallerErrorKind::Unavailable,
    };
    CallerError::new(kind, error.to_string())
}

impl SubjectCache for IntrospectedTokens {
    fn forget(&self, subjects: &Arc<Subjects>) {
        let subjects = Arc::clone(subjects);
        self.remembered.forget(move |_, caller| {
            caller.is_some_and(|caller| subjects.contain(caller.issuer_and_subject()))
        });
    }

    fn longest(&self) -> Duration {
        self.remembered.longest()
    }
}
