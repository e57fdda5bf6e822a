//! What the login routes of an engine share: otherwise a service with a login for browsers and one for programs would allow twice as many
//! guesses.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use super::limits::{LimitSettings, LoginLimits};
use crate::engine::Engine;
use crate::store::AttemptStore;

/// The limits of the login routes of an engine, and the store in which all of its instances count.
#[derive(Debug, Default)]
pub(super) struct LimitsOfEngine {
    /// Each with settings of its own.
    limits: Mutex<Vec<(LimitSettings, Weak<LoginLimits>)>>,
    store: OnceLock<Arc<dyn AttemptStore>>,
}

impl LimitsOfEngine {
    pub(super) fn of(engine: &Engine) -> Arc<Self> {
        let limits = engine.sessions.login_limits.get_or_init(|| Arc::new(Self::default()));
        // It is the only type that is ever put there.
        Arc::clone(limits).downcast().unwrap_or_default()
    }

    /// Those of routes with these settings, which count together.
    pub(super) fn with(&self, settings: LimitSettings) -> Arc<LoginLimits> {
        let mut all = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.iter().find(|(known, _)| *known == settings);
        if let Some(limits) = found.and_then(|(_, limits)| limits.upgrade()) {
            return limits;
        }
        all.retain(|(_, limits)| limits.strong_count() > 0);
        let limits = Arc::new(LoginLimits::new(settings));
        all.push((settings, Arc::downgrade(&limits)));
        limits
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
}
