//! For how long a used refresh token may be sent again.

use std::time::Duration;

use crate::store::RefreshTokenFamily;

/// For how long a successor is issued again any number of times, at most. The row of a family does not record these.
pub(crate) const MAX_GRACE: Duration = Duration::from_secs(60);

/// Who refreshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefreshBy {
    /// A client that has the refresh token, and sends it in order to refresh.
    Client,
    /// A browser that has it in a cookie: explicitly, or with any request, where tokens are renewed transparently.
    Browser { is_renewal: bool },
}

/// What a use of a refresh token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenUse {
    First,
    /// A further one, after which there may be more.
    Repeat,
    /// A further one, after which there may be none.
    LastRepeat,
    /// One that shows that the token, or its successor, was stolen.
    Reuse,
}

/// For how long a used refresh token may be sent again, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grace {
    /// Any number of times.
    any_number: i64,
    /// One time more.
    once: i64,
}

impl Grace {
    pub(super) const NONE: Self = Self { any_number: -1, once: -1 };

    fn new(period: Duration) -> Self {
        if period.as_secs() == 0 {
            return Self::NONE;
        }
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        Self { any_number: seconds(period.min(MAX_GRACE)), once: seconds(period) }
    }

    /// What it is to use the token before the one that is valid now.
    pub(crate) fn repeated_use(self, family: &RefreshTokenFamily, now: i64) -> TokenUse {
        // Also if the clock of the machine that rotated it is a little ahead.
        let age = now.saturating_sub(family.rotated_at).saturating_abs();
        if family.reissued || age > self.once.max(self.any_number) {
            TokenUse::Reuse
        } else if age > self.any_number {
            TokenUse::LastRepeat
        } else {
            TokenUse::Repeat
        }
    }
}

/// The grace periods of an issuer.
#[derive(Clone, Copy, Debug)]
pub(super) struct GracePeriods {
    configured: Grace,
    renews_transparently: bool,
}

impl GracePeriods {
    pub(super) fn new(period: Duration, renews_transparently: bool) -> Self {
        Self { configured: Grace::new(period), renews_transparently }
    }

    /// A renewal has a minute, whatever is configured: the new cookies are in the head of an answer that may be slow. So has an explicit
    /// refresh by the cookie that a renewal at the same time may have used: a thief of the cookie would ask for a page.
    pub(super) fn of(self, by: RefreshBy) -> Grace {
        match by {
            RefreshBy::Browser { is_renewal: true } => Grace::new(MAX_GRACE),
            RefreshBy::Browser { is_renewal: false } if self.renews_transparently => {
                Grace { any_number: Grace::new(MAX_GRACE).any_number, ..self.configured }
            }
            RefreshBy::Browser { .. } | RefreshBy::Client => self.configured,
        }
    }
}
