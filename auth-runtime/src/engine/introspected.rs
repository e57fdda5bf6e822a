//! The callers of tokens that their issuer is asked about (RFC 7662), with what is remembered of its answers.

mod admission;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use self::admission::Admission;
use super::{CredentialHash, CredentialHasher, Engine};
use crate::clock::{Throttle, unix_seconds};
use crate::load_cache::{Answer, Answers, Bounds, LoadCache, LoadError, Loaded};
use crate::principal::Principal;
use crate::rejection::{CallerError, CallerErrorKind};
use crate::revocation::{SubjectCache, Subjects};
use crate::verify::{Inquiry, IntrospectionError};

/// How many tokens are remembered that are active, and how many that are not.
const ENTRIES: usize = 10_000;

/// How long a token that is not accepted, or of which the answer can't be read, is remembered at most: a client may send it again and again.
const REFUSED: Duration = Duration::from_secs(10);

/// How many requests may wait for their turn or for an answer. Who may ask is decided by [`Admission`].
const AT_ONCE: usize = 1024;

/// How often the log says that tokens are not asked about.
const SAID_EVERY: Duration = Duration::from_secs(30);

/// What is remembered of tokens that their issuer was asked about.
#[derive(Debug)]
pub(crate) struct IntrospectedTokens {
    /// `None` is a token that is not active.
    remembered: LoadCache<CredentialHash, Principal>,
    rejected: Rejected,
    admission: Admission,
    not_asked: Throttle,
    hasher: CredentialHasher,
}

/// Tokens that are active, and that are not accepted here; and those of which the issuer's answer can't be read.
type Rejected = Answers<CredentialHash, NotAccepted>;

/// Why a token is not accepted.
#[derive(Clone, Debug)]
struct NotAccepted {
    kind: CallerErrorKind,
    why: Arc<str>,
}

impl NotAccepted {
    fn of(error: &IntrospectionError) -> Self {
        Self { kind: kind_of(Some(error)), why: error.to_string().into() }
    }

    /// What is answered to a token whose issuer is not asked again.
    fn again(&self) -> CallerError {
        let reason = format!("{} (the issuer was asked less than {} s ago)", self.why, REFUSED.as_secs());
        caller_error(self.kind, reason)
    }
}

impl IntrospectedTokens {
    /// `cache_for` is how long an active token is remembered.
    ///
    /// # Errors
    /// If the system has no random bytes.
    pub(super) fn new(cache_for: Duration) -> Result<Self, String> {
        let bounds = |longest| Bounds { entries: ENTRIES, longest };
        let (found, refused) = (bounds(cache_for), bounds(cache_for.min(REFUSED)));
        Ok(Self {
            remembered: LoadCache::new("introspected tokens", found, refused).at_once(AT_ONCE),
            rejected: Answers::new(refused),
            admission: Admission::new(),
            not_asked: Throttle::default(),
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
        if let Some(decided) = self.caller_by_answer(token, introspected, now) {
            return decided;
        }
        let (hash, monotonic) = (introspected.hasher.hash(token), self.age_time());
        let load = self.inquire(token, hash, &inquiry, introspected, (now, monotonic));
        let answer = introspected.remembered.load(hash, monotonic, load).await;
        self.active(answer.map_err(|error| failed(&error))?, now)
    }

    /// The same, by what its issuer has answered before; `None` if that is not remembered.
    pub(crate) fn caller_by_answer(
        self: &Arc<Self>,
        token: &str,
        introspected: &IntrospectedTokens,
        now: SystemTime,
    ) -> Option<Result<Principal, CallerError>> {
        if let Err(stale) = self.check_view(now) {
            return Some(Err(stale));
        }
        let (hash, monotonic) = (introspected.hasher.hash(token), self.age_time());
        if let Some(rejected) = introspected.rejected.get(&hash, monotonic) {
            return Some(Err(rejected.again()));
        }
        introspected.remembered.get(&hash, monotonic).map(|answer| self.active(answer, now))
    }

    /// What the issuer answered → the caller of an active token; times; revocation view.
    fn active(self: &Arc<Self>, known: Option<Principal>, now: SystemTime) -> Result<Principal, CallerError> {
        let inactive = "the issuer says that the token is not active";
        let principal = known.ok_or_else(|| CallerError::new(CallerErrorKind::Invalid, inactive))?;
        self.check_times(&principal, now)?;
        self.check_not_revoked(&principal, None, now)?;
        Ok(principal)
    }

    /// Asks about a token, if it is its turn.
    async fn inquire(
        self: &Arc<Self>,
        token: &str,
        hash: CredentialHash,
        inquiry: &Inquiry<'_>,
        introspected: &IntrospectedTokens,
        (now, monotonic): (SystemTime, Duration),
    ) -> Result<Loaded<Principal>, axum::BoxError> {
        let IntrospectedTokens { rejected, admission, not_asked, .. } = introspected;
        let turn = admission.admit(&hash, monotonic).await.map_err(|why| {
            let error = inquiry.not_asked(&why);
            if let Some(count) = not_asked.note(monotonic, SAID_EVERY) {
                tracing::warn!(count, %error, "auth: opaque tokens are answered 503, and their issuer is not asked about them");
            }
            error
        })?;
        let answered = self.ask(token, inquiry, (now, monotonic)).await;
        drop(turn);
        match &answered {
            Ok(Some((principal, _))) => {
                admission.is_active(hash, remaining(principal, now), monotonic);
            }
            Ok(None) => admission.was_in_vain(&hash, true, monotonic),
            Err(error) => {
                admission.was_in_vain(&hash, false, monotonic);
                if error.is_asked_too_often() {
                    admission.pause(monotonic);
                }
                // What can't be read depends on no rule of this service.
                if error.is_unreadable() || error.is_rejection() && inquiry.may_be_remembered() {
                    let expires_at = monotonic.saturating_add(rejected.longest);
                    rejected.insert(hash, Answer { value: NotAccepted::of(error), expires_at });
                }
            }
        }
        Ok(match answered? {
            None => Loaded::new(None, REFUSED),
            Some((principal, may_be_remembered)) => {
                // RFC 7662 §4: not past its `exp`.
                let remember_for = inquiry.cache_for().min(remaining(&principal, now));
                Loaded::new(Some(principal), if may_be_remembered { remember_for } else { Duration::ZERO })
            }
        })
    }

    /// The caller of a token that is active, and whether it may be remembered.
    async fn ask(
        self: &Arc<Self>,
        token: &str,
        inquiry: &Inquiry<'_>,
        (now, monotonic): (SystemTime, Duration),
    ) -> Result<Option<(Principal, bool)>, IntrospectionError> {
        // Before the issuer is asked: what is forgotten from now on may concern its answer.
        let watch = self.watch();
        let Some(verified) = inquiry.ask(token, now, monotonic).await? else { return Ok(None) };
        let may_be_remembered = verified.may_be_remembered;
        let principal = Principal::identify(verified, &self.authorization.vocabulary, Some(watch))
            .map_err(|unidentified| IntrospectionError::Unidentified(unidentified.0))?;
        Ok(Some((principal, may_be_remembered)))
    }
}

/// How long it is until the token of a caller expires.
fn remaining(principal: &Principal, now: SystemTime) -> Duration {
    let end = principal.token().claims().expires_at.unwrap_or(i64::MAX);
    Duration::from_secs(u64::try_from(end.saturating_sub(unix_seconds(now))).unwrap_or(0))
}

fn failed(error: &LoadError) -> CallerError {
    let cause = match error {
        LoadError::Failed(error) => error.downcast_ref(),
        LoadError::Busy(..) => None,
    };
    caller_error(kind_of(cause), error.to_string())
}

fn kind_of(error: Option<&IntrospectionError>) -> CallerErrorKind {
    let is_rejection = error.is_some_and(IntrospectionError::is_rejection);
    if is_rejection { CallerErrorKind::Invalid } else { CallerErrorKind::Unavailable }
}

fn caller_error(kind: CallerErrorKind, reason: String) -> CallerError {
    let error = CallerError::new(kind, reason);
    if kind == CallerErrorKind::Unavailable { error.provoked() } else { error }
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
