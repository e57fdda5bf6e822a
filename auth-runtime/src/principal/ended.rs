//! The end of a credential, as a future.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use super::Principal;

/// Why a credential no longer counts: what [`Principal::ended`] completes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// It has expired.
    Expired,
    /// It was revoked: the token, its session, or all tokens of its user, such as by a logout.
    Revoked,
    /// The key that verified it is no longer one of its issuer's.
    KeyWithdrawn,
    /// Whether it still counts is unknown: the view of revocations has been older than
    /// [`max_staleness`](crate::AuthBuilder::max_staleness) for 2 seconds, the store does not answer, or the clock was set back to before it was
    /// issued. The caller may try again later.
    Unavailable,
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "the credential has expired",
            Self::Revoked => "the credential was revoked",
            Self::KeyWithdrawn => "the key that verified the credential was withdrawn",
            Self::Unavailable => "whether the credential still counts is unknown",
        })
    }
}

impl std::error::Error for EndReason {}

/// A future that completes when a credential no longer counts, from [`Principal::ended`]. Once it has completed, it returns the same
/// reason whenever it is polled.
#[must_use = "a future does nothing unless it is polled"]
pub struct Ended {
    principal: Principal,
    while_session_lasts: bool,
    state: State,
}

enum State {
    New,
    Watching(EndedFuture),
    Ended(EndReason),
    /// No engine made the principal.
    Never,
}

/// The future of [`CredentialWatch::ended`].
pub(crate) type EndedFuture = Pin<Box<dyn Future<Output = EndReason> + Send>>;

/// What knows when credentials end: the engine.
pub(crate) trait CredentialWatch: Send + Sync {
    /// Completes when the credential of `principal` no longer counts. With `while_session_lasts`, a refresh of its session prolongs it.
    fn ended(self: Arc<Self>, principal: Principal, while_session_lasts: bool) -> EndedFuture;
}

impl Ended {
    pub(super) fn of(principal: Principal) -> Self {
        Self { principal, while_session_lasts: false, state: State::New }
    }

    /// Goes on after the token has expired, if its session was refreshed: until the newest access token of the session expires, and so
    /// on. Revocation, logout and the end of the session complete the future all the same.
    ///
    /// At the expiry, the engine looks at the session's row in the store, since another instance may have refreshed it. While the store
    /// does not answer it tries again every second, for as long as [`max_staleness`](crate::AuthBuilder::max_staleness), and then
    /// completes with [`EndReason::Unavailable`]. It is for sessions of the engine's own
    /// [`TokenIssuer`](crate::session::TokenIssuer): other credentials end when they expire.
    ///
    /// The roles, scopes and permissions of the [`Principal`] stay those of the token that it came with, even if they were taken from the
    /// user since. To take a right away before the session ends, revoke the user's tokens.
    pub fn while_session_lasts(mut self) -> Self {
        self.while_session_lasts = true;
        // If it was polled before, it begins anew.
        if matches!(self.state, State::Watching(_)) {
            self.state = State::New;
        }
        self
    }

    /// Returns the reason, if the future has completed.
    #[must_use]
    pub fn reason(&self) -> Option<EndReason> {
        match self.state {
            State::Ended(reason) => Some(reason),
            _ => None,
        }
    }

    /// Returns a future of the same, for another task.
    #[cfg(feature = "ws")]
    pub(crate) fn again(&self) -> Self {
        Self { state: State::New, principal: self.principal.clone(), ..*self }
    }

    fn start(&self) -> State {
        match self.principal.watch() {
            None => State::Never,
            Some(watch) => match Weak::upgrade(watch) {
                Some(engine) => {
                    State::Watching(engine.ended(self.principal.clone(), self.while_session_lasts))
                }
                // Nothing revokes any longer, and nothing says what was revoked elsewhere.
                None => State::Ended(EndReason::Unavailable),
            },
        }
    }
}

impl Future for Ended {
    type Output = EndReason;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<EndReason> {
        if matches!(self.state, State::New) {
            self.state = self.start();
        }
        let reason = match &mut self.state {
            State::Watching(future) => std::task::ready!(future.as_mut().poll(context)),
            State::Ended(reason) => *reason,
            State::New | State::Never => return Poll::Pending,
        };
        self.state = State::Ended(reason);
        Poll::Ready(reason)
    }
}

impl From<&Principal> for Ended {
    fn from(principal: &Principal) -> Self {
        principal.ended()
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ended")
            .field("principal", &self.principal)
            .field("while_session_lasts", &self.while_session_lasts)
            .field("reason", &self.reason())
            .finish_non_exhaustive()
    }
}
