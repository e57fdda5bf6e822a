//! Which tokens their issuer is asked about, where more arrive than it can be asked about: everyone can make tokens up.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::engine::CredentialHash;
use crate::load_cache::{Answer, Answers, Bounds};

/// How many tokens are asked about at a time.
const AT_ONCE: usize = 64;

/// How many of these may be tokens that were never active here. The others are for callers that are known.
const NEW_AT_ONCE: usize = 32;

/// How long a token that was active waits for its turn.
const WAIT: Duration = Duration::from_secs(1);

/// How many tokens are remembered that were active.
const KNOWN: usize = 32_768;

/// How many new tokens that are not active may be asked about at once, and how often another one after that: 1,000, and 100 a second.
const BURST: Duration = Duration::from_secs(10);
const EACH: Duration = Duration::from_millis(10);

/// For how long no new token is asked about after the issuer has said that it is asked too often.
const PAUSE: Duration = Duration::from_secs(5);

/// Which tokens their issuer is asked about.
#[derive(Debug)]
pub(super) struct Admission {
    /// Tokens that were active when they were last asked about, until they expire.
    known: Answers<CredentialHash, ()>,
    all: Semaphore,
    new: Semaphore,
    /// When all that was asked about in vain is paid for, at [`EACH`].
    paid_at: Mutex<Duration>,
}

/// The turn of a token. It is over when this is dropped.
pub(super) struct Turn<'a> {
    _of_all: SemaphorePermit<'a>,
    _of_new: Option<SemaphorePermit<'a>>,
}

impl Admission {
    pub(super) fn new() -> Self {
        Self {
            known: Answers::new(Bounds { entries: KNOWN, longest: Duration::MAX }),
            all: Semaphore::new(AT_ONCE),
            new: Semaphore::new(NEW_AT_ONCE),
            paid_at: Mutex::default(),
        }
    }

    /// Waits for the turn of a token that was active, and does not wait for one that never was. `now` is of the monotonic clock,
    /// here and below.
    ///
    /// # Errors
    /// Why it is not asked about now.
    pub(super) async fn admit(&self, token: &CredentialHash, now: Duration) -> Result<Turn<'_>, String> {
        if self.is_known(token, now) {
            let turn = timeout(WAIT, self.all.acquire()).await;
            let of_all = turn.ok().and_then(Result::ok).ok_or_else(|| {
                format!("{AT_ONCE} tokens were being asked about for {} s: it answers slowly", WAIT.as_secs())
            })?;
            return Ok(Turn { _of_all: of_all, _of_new: None });
        }
        if self.paid_at() > now.saturating_add(BURST) {
            return Err("too many tokens are sent that are not active, or it answers that it is asked too often, so tokens that were \
                        not active before are asked about more slowly"
                .to_owned());
        }
        let of_new = self.new.try_acquire().ok();
        let permits = of_new.and_then(|of_new| Some((of_new, self.all.try_acquire().ok()?)));
        let (of_new, of_all) = permits.ok_or_else(|| {
            format!("{NEW_AT_ONCE} tokens that were not active before are being asked about")
        })?;
        Ok(Turn { _of_all: of_all, _of_new: Some(of_new) })
    }

    pub(super) fn is_known(&self, token: &CredentialHash, now: Duration) -> bool {
        self.known.get(token, now).is_some()
    }

    /// A token is active, and expires in this time.
    pub(super) fn is_active(&self, token: CredentialHash, remaining: Duration, now: Duration) {
        self.known.insert(token, Answer { value: (), expires_at: now.saturating_add(remaining) });
    }

    /// A token was asked about in vain: it is not active, is not for this service, or there was no answer.
    pub(super) fn was_in_vain(&self, token: &CredentialHash, is_inactive: bool, now: Duration) {
        if is_inactive {
            self.known.remove(token);
        }
        if !self.is_known(token, now) {
            let mut paid_at = self.paid_at.lock().unwrap_or_else(PoisonError::into_inner);
            *paid_at = (*paid_at).max(now).saturating_add(EACH);
        }
    }

    /// The issuer says that it is asked too often.
    pub(super) fn pause(&self, now: Duration) {
        let mut paid_at = self.paid_at.lock().unwrap_or_else(PoisonError::into_inner);
        *paid_at = (*paid_at).max(now.saturating_add(BURST).saturating_add(PAUSE));
    }

    fn paid_at(&self) -> Duration {
        *self.paid_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
