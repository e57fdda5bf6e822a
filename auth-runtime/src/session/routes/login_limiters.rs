//! What limits the login attempts of an engine. All of its login routes count together: otherwise a service with a login for browsers and
//! one for programs would allow twice as many guesses.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::account::{Account, AccountKey};
use super::limits::LoginLimits;
use super::login_queue::LoginQueue;
use crate::engine::Engine;
use crate::store::{AttemptLimit, AttemptStore};

/// The settings of login routes that limit attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LimiterSettings {
    pub(super) per_account: AttemptLimit,
    pub(super) per_address: AttemptLimit,
    pub(super) per_ipv6_site: AttemptLimit,
    pub(super) logins_at_once: usize,
}

/// What limits the attempts of the login routes that have these settings.
pub(super) struct LoginLimiter {
    settings: LimiterSettings,
    limits: LoginLimits,
    pub(super) queue: LoginQueue,
}

/// The limiters of an engine, each with settings of its own, and the store in which all of its instances count.
#[derive(Debug, Default)]
pub(super) struct LimitersOfEngine {
    limiters: Mutex<Vec<Arc<LoginLimiter>>>,
    store: OnceLock<Arc<dyn AttemptStore>>,
}

impl LimitersOfEngine {
    pub(super) fn of(engine: &Engine) -> Arc<Self> {
        let limiters = engine.sessions.login_limiters.get_or_init(|| Arc::new(Self::default()));
        // It is the only type that is ever put there.
        Arc::clone(limiters).downcast().unwrap_or_default()
    }

    /// The store of routes that were given none: the first that others were given.
    pub(super) fn store(&self) -> Option<&Arc<dyn AttemptStore>> {
        self.store.get()
    }

    /// Some routes count in this store.
    pub(super) fn note_store(&self, store: &Arc<dyn AttemptStore>) {
        // The first one stays.
        let _ = self.store.set(Arc::clone(store));
    }

    /// The limiter of these settings. Routes with the same settings have the same one.
    pub(super) fn with(&self, settings: LimiterSettings) -> Arc<LoginLimiter> {
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(limiter) = limiters.iter().find(|limiter| limiter.settings == settings) {
            return Arc::clone(limiter);
        }
        let limiter = Arc::new(LoginLimiter::new(settings));
        limiters.push(Arc::clone(&limiter));
        limiter
    }

    /// Counts a login attempt by the limits of a limiter. One that they allow also uses up an attempt of each of the others.
    ///
    /// # Errors
    /// How long to wait, as of [`LoginLimits::attempt`].
    pub(super) fn attempt(
        &self,
        limiter: &Arc<LoginLimiter>,
        account: Account<'_>,
        address: IpAddr,
    ) -> Result<AccountKey, Duration> {
        let account = AccountKey::of(account);
        limiter.limits.attempt(&account, address)?;
        let limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        for other in limiters.iter().filter(|other| !Arc::ptr_eq(other, limiter)) {
            // Where none is left, none is used up.
            let _ = other.limits.attempt(&account, address);
        }
        Ok(account)
    }
}

impl LoginLimiter {
    fn new(settings: LimiterSettings) -> Self {
        let LimiterSettings { per_account, per_address, per_ipv6_site, logins_at_once } = settings;
        let limits = LoginLimits::new(per_account, per_address, per_ipv6_site);
        Self { settings, limits, queue: LoginQueue::new(logins_at_once) }
    }
}

impl fmt::Debug for LoginLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginLimiter")
            .field("settings", &self.settings)
            .field("limits", &self.limits)
            .field("queue", &self.queue)
            .finish()
    }
}
