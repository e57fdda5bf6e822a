//! An authenticator with what is remembered of its answers.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::BoxError;
use axum::http::request::Parts;

use super::{CredentialHash, CredentialHasher};
use crate::authenticator::{Authentication, DynAuthenticator};
use crate::load_cache::{Bounds, LoadCache, LoadError, Loaded};
use crate::principal::{Principal, Unidentified};
use crate::rejection::{Rejection, RejectionKind};
use crate::revocation::{SubjectCache, Subjects};
use crate::verify::VerifiedToken;

/// How many answers of one authenticator are remembered.
const ENTRIES: usize = 10_000;

/// The longest time that an answer is remembered.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// An authenticator with what is remembered of its answers.
#[derive(Debug)]
pub(crate) struct Scheme {
    name: String,
    authenticator: Arc<dyn DynAuthenticator>,
    remembered: LoadCache<CredentialHash, Judgement>,
    /// Whether the last answer was one to remember. If not, a request does not wait for that to another one of the same credential, which
    /// is likely not to be one for both. It decides nothing else: only an answer that is remembered is ever that to two requests.
    is_worth_waiting: AtomicBool,
    hasher: CredentialHasher,
}

/// What an authenticator said of a credential.
#[derive(Clone, Debug)]
pub(crate) enum Judgement {
    Caller(Principal),
    Absent,
    Invalid(Cow<'static, str>),
    /// The authenticator rejected the request itself, for this reason.
    Rejected(RejectionKind, Arc<str>),
    /// The authenticator returned a caller that can't be one.
    Impossible(Arc<str>),
}

impl Scheme {
    /// # Errors
    /// If the system has no random bytes.
    pub(crate) fn new(name: String, authenticator: Arc<dyn DynAuthenticator>) -> Result<Self, String> {
        let none = Bounds { entries: 0, longest: Duration::ZERO };
        let what = format!("answers of the authenticator `{name}`");
        Ok(Self {
            name,
            authenticator,
            remembered: LoadCache::new(what, Bounds { entries: ENTRIES, longest: LONGEST }, none),
            is_worth_waiting: AtomicBool::new(true),
            hasher: CredentialHasher::new()?,
        })
    }

    #[cfg(feature = "openapi")]
    pub(crate) fn authenticator(&self) -> &dyn DynAuthenticator {
        &*self.authenticator
    }

    /// What is remembered of the credential with this hash. `now` is monotonic, here and below.
    pub(crate) fn remembered(&self, hash: &CredentialHash, now: Duration) -> Option<Judgement> {
        self.remembered.get(hash, now)?
    }

    /// What the authenticator says of this credential, which has this hash, of a request with this head.
    ///
    /// # Errors
    /// If it can't be asked now, or fails.
    pub(crate) async fn ask(
        &self,
        credential: &str,
        hash: CredentialHash,
        head: &Parts,
        now: Duration,
        identify: impl Fn(VerifiedToken) -> Result<Principal, Unidentified>,
    ) -> Result<Judgement, LoadError> {
        let load = async {
            let answer = match self.authenticator.authenticate(credential, head).await {
                Ok(answer) => answer,
                Err(error) => return Ok(Loaded::new(Some(rejected(error)?), Duration::ZERO)),
            };
            let (judgement, remember_for) = match answer {
                Authentication::Absent => (Judgement::Absent, Duration::ZERO),
                Authentication::Invalid(why) => (Judgement::Invalid(why), Duration::ZERO),
                Authentication::Authenticated(caller) => {
                    let remember_for = caller.remember_for;
                    self.is_worth_waiting.store(!remember_for.is_zero(), Ordering::Relaxed);
                    match caller.into_token(&self.name).map(identify) {
                        Ok(Ok(principal)) => (Judgement::Caller(principal), remember_for),
                        Ok(Err(Unidentified(why))) => (Judgement::Invalid(why), Duration::ZERO),
                        Err(objection) => (Judgement::Impossible(objection.into()), Duration::ZERO),
                    }
                }
            };
            Ok(Loaded::new(Some(judgement), remember_for))
        };
        let judgement = match self.is_worth_waiting.load(Ordering::Relaxed) {
            true => self.remembered.load(hash, now, load).await?,
            false => self.remembered.load_alone(&hash, now, load).await?,
        };
        Ok(judgement.unwrap_or(Judgement::Absent))
    }

    pub(crate) fn hash(&self, credential: &str) -> CredentialHash {
        self.hasher.hash(credential)
    }
}

/// What an authenticator rejected a request with, if its error is a [`Rejection`].
fn rejected(error: BoxError) -> Result<Judgement, BoxError> {
    let mut rejection = error.downcast::<Rejection>()?;
    let reason = rejection.take_reason().unwrap_or_else(|| "for a reason that was reported before".into());
    Ok(Judgement::Rejected(rejection.kind(), reason.into()))
}

impl SubjectCache for Scheme {
    fn forget(&self, subjects: &Arc<Subjects>) {
        let subjects = Arc::clone(subjects);
        // The hash of a credential does not say whose it is.
        self.remembered.forget(move |_, judgement| {
            matches!(judgement, Some(Judgement::Caller(caller)) if subjects.contain(caller.issuer_and_subject()))
        });
    }

    fn longest(&self) -> Duration {
        self.remembered.longest()
    }
}
