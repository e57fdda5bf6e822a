//! A cache of what is loaded from elsewhere and can change there: answers of authenticators, keys, users.
//!
//! **Bounds.** In entries, and in time: each load says for how long its answer counts, up to a maximum. That there is none is
//! remembered apart, with bounds of its own, so that a caller that makes up keys can't push out what others use. At most
//! [`MAX_IN_FLIGHT`] loads run at a time; a further one fails at once, so that a slow store does not gather requests.
//!
//! **One load at a time.** Who asks for a key that is being loaded waits for that load. A load is run by one of those who wait, and
//! not by a task of its own: it may borrow from its request, and it ends with it. If that request is dropped or panics, the next
//! that waits loads by itself. An error is answered to all who wait, and never remembered. An answer that must not be remembered
//! belongs to its request alone, since it may depend on more than the key: who waited for it loads by itself.
//!
//! **Forgetting.** [`LoadCache::forget`] evicts, and counts. A load that began before has an answer from before: it is not
//! remembered if the count has changed, and who asks afterwards does not wait for it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::hash::{Hash, RandomState};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::BoxError;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{Equivalent, UnitWeighter};
use tokio::sync::{OnceCell, Semaphore};

#[cfg(test)]
mod tests;

/// How many loads of one cache may run at a time.
pub(crate) const MAX_IN_FLIGHT: usize = 64;

/// A cache of what is loaded. A clone of a value must be cheap, such as one of an `Arc`.
pub(crate) struct LoadCache<K, V> {
    found: Answers<K, V>,
    /// Keys for which there is no value.
    missing: Answers<K, ()>,
    state: Mutex<State<K, V>>,
    in_flight: Semaphore,
}

/// The bounds of one kind of answers. With 0 entries, or no time, none is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) entries: usize,
    /// A load may say less.
    pub(crate) longest: Duration,
}

/// What a load answers.
#[derive(Clone, Debug)]
pub(crate) struct Loaded<V> {
    value: Option<V>,
    remember_for: Duration,
}

impl<V> Loaded<V> {
    /// There is a value, or none. It is remembered for this time; one that is not remembered is not shared either.
    pub(crate) fn new(value: Option<V>, remember_for: Duration) -> Self {
        Self { value, remember_for }
    }
}

/// Why nothing was loaded.
#[derive(Clone, Debug)]
pub(crate) enum LoadError {
    /// The load failed.
    Failed(Arc<dyn Error + Send + Sync>),
    /// It was not tried: [`MAX_IN_FLIGHT`] others are running.
    Busy,
}

/// Answers of one kind.
struct Answers<K, T> {
    /// `None`: none is remembered.
    entries: Option<Cache<K, Answer<T>, UnitWeighter, RandomState>>,
    longest: Duration,
}

#[derive(Clone)]
struct Answer<T> {
    value: T,
    /// By the clock of the callers.
    expires_at: Duration,
}

struct State<K, V> {
    /// How often something was forgotten.
    epoch: u64,
    flights: HashMap<K, Flight<V>>,
}

/// A load that is running.
struct Flight<V> {
    outcome: Arc<OnceCell<Outcome<V>>>,
    /// Before it began.
    epoch: u64,
    waiting: usize,
}

/// What a load means for those who waited for it.
#[derive(Clone)]
enum Outcome<V> {
    Answer(Option<V>),
    Failed(Arc<dyn Error + Send + Sync>),
    /// It belongs to the one who loaded.
    NotShared,
}

impl<K: Hash + Eq + Clone, V: Clone> LoadCache<K, V> {
    pub(crate) fn new(found: Bounds, missing: Bounds) -> Self {
        Self {
            found: Answers::new(found),
            missing: Answers::new(missing),
            state: Mutex::new(State { epoch: 0, flights: HashMap::new() }),
            in_flight: Semaphore::new(MAX_IN_FLIGHT),
        }
    }

    /// What is remembered of this key: a value, or that there is none. Neither waits nor allocates.
    ///
    /// `now` is the time of a clock that nobody can set ([`Clock::monotonic`](crate::clock::Clock::monotonic)), here and below.
    pub(crate) fn get<Q>(&self, key: &Q, now: Duration) -> Option<Option<V>>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.found.get(key, now).map(Some).or_else(|| self.missing.get(key, now).map(|()| None))
    }

    /// What is remembered of this key, or else what the load answers. `load` is not polled if another load of the key answers.
    ///
    /// What is loaded counts from `now` on, which must be a time before `load` asks.
    pub(crate) async fn load<F>(&self, key: K, now: Duration, load: F) -> Result<Option<V>, LoadError>
    where
        F: Future<Output = Result<Loaded<V>, BoxError>>,
    {
        let mut load = pin!(load);
        if !self.found.remembers() {
            return self.load_alone(&key, now, load).await;
        }
        let seat = match self.board(&key, now) {
            Ok(known) => return Ok(known),
            Err(seat) => seat,
        };
        let mut own = None;
        let run = async {
            let answer = self.run(&key, now, load.as_mut()).await;
            let outcome = match &answer {
                Ok(loaded) if self.time(loaded).is_zero() => Outcome::NotShared,
                Ok(loaded) => Outcome::Answer(loaded.value.clone()),
                Err(LoadError::Failed(error)) => Outcome::Failed(Arc::clone(error)),
                // The next tries by itself.
                Err(LoadError::Busy) => return Err(LoadError::Busy),
            };
            own = Some(answer);
            Ok(outcome)
        };
        let outcome = seat.outcome.get_or_try_init(|| run).await.cloned();
        drop(seat);
        match (own, outcome?) {
            (Some(answer), _) => Ok(answer?.value),
            (None, Outcome::Answer(value)) => Ok(value),
            (None, Outcome::Failed(error)) => Err(LoadError::Failed(error)),
            (None, Outcome::NotShared) => self.load_alone(&key, now, load).await,
        }
    }

    /// What the load answers, whatever is remembered, and without anyone who waits for it. It is remembered as any other.
    pub(crate) async fn load_alone<F>(&self, key: &K, now: Duration, load: F) -> Result<Option<V>, LoadError>
    where
        F: Future<Output = Result<Loaded<V>, BoxError>>,
    {
        Ok(self.run(key, now, load).await?.value)
    }

    /// Forgets what `is_forgotten` says, of the keys with their values and of those for which there is none, and all that is being
    /// loaded.
    pub(crate) fn forget(&self, is_forgotten: impl Fn(&K, Option<&V>) -> bool) {
        // First: what is remembered before it is evicted below, and nothing from before is remembered after it.
        self.state().epoch += 1;
        self.missing.retain(|key, ()| !is_forgotten(key, None));
        // Last: where its destructors run.
        self.found.retain(|key, value| !is_forgotten(key, Some(value)));
    }

    /// The longest time that it remembers.
    pub(crate) fn longest(&self) -> Duration {
        self.found.longest.max(self.missing.longest)
    }

    /// Runs a load, if it is not one too many, and remembers its answer.
    async fn run<F>(&self, key: &K, now: Duration, load: F) -> Result<Loaded<V>, LoadError>
    where
        F: Future<Output = Result<Loaded<V>, BoxError>>,
    {
        let _turn = self.in_flight.try_acquire().map_err(|_| LoadError::Busy)?;
        let epoch = self.state().epoch;
        let loaded = load.await.map_err(|error| LoadError::Failed(Arc::from(error)))?;
        self.remember(key, now, epoch, &loaded);
        Ok(loaded)
    }

    fn remember(&self, key: &K, now: Duration, epoch: u64, loaded: &Loaded<V>) {
        let time = self.time(loaded);
        // Dropped after the lock is released: a destructor of a value may be the application's.
        let evicted;
        let state = self.state();
        if time.is_zero() || state.epoch != epoch {
            return;
        }
        let expires_at = now.saturating_add(time);
        evicted = match &loaded.value {
            Some(value) => {
                self.missing.remove(key);
                self.found.insert(key.clone(), Answer { value: value.clone(), expires_at })
            }
            None => {
                self.missing.insert(key.clone(), Answer { value: (), expires_at });
                [self.found.remove(key), None]
            }
        };
        // Held until here, so that nothing is forgotten between the comparison and the insertion.
        drop(state);
        drop(evicted);
    }

    /// For how long it is remembered.
    fn time(&self, loaded: &Loaded<V>) -> Duration {
        let longest = if loaded.value.is_some() { self.found.longest } else { self.missing.longest };
        loaded.remember_for.min(longest)
    }

    /// What was remembered meanwhile, or a seat in the flight of this key.
    fn board(&self, key: &K, now: Duration) -> Result<Option<V>, Seat<'_, K, V>> {
        let mut state = self.state();
        if let Some(known) = self.get(key, now) {
            return Ok(known);
        }
        let epoch = state.epoch;
        let outcome = match state.flights.get_mut(key) {
            Some(flight) if flight.epoch == epoch => {
                flight.waiting += 1;
                Arc::clone(&flight.outcome)
            }
            // A flight of before is for those who are in it.
            _ => {
                let outcome = Arc::new(OnceCell::new());
                let flight = Flight { outcome: Arc::clone(&outcome), epoch, waiting: 1 };
                state.flights.insert(key.clone(), flight);
                outcome
            }
        };
        Err(Seat { cache: self, key: key.clone(), outcome })
    }
}

impl<K, V> LoadCache<K, V> {
    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that loads, or waits for the load. It is left by dropping it, also by a panic.
struct Seat<'c, K: Hash + Eq, V> {
    cache: &'c LoadCache<K, V>,
    key: K,
    outcome: Arc<OnceCell<Outcome<V>>>,
}

impl<K: Hash + Eq, V> Drop for Seat<'_, K, V> {
    fn drop(&mut self) {
        let mut state = self.cache.state();
        let Some(flight) = state.flights.get_mut(&self.key) else { return };
        if !Arc::ptr_eq(&flight.outcome, &self.outcome) {
            return;
        }
        flight.waiting -= 1;
        if flight.waiting == 0 || flight.outcome.initialized() {
            state.flights.remove(&self.key);
        }
    }
}

impl<K: Hash + Eq + Clone, T: Clone> Answers<K, T> {
    fn new(bounds: Bounds) -> Self {
        let Bounds { entries, longest } = bounds;
        let is_on = entries > 0 && !longest.is_zero();
        Self {
            entries: is_on.then(|| {
                let (hasher, lifecycle) = (RandomState::new(), DefaultLifecycle::default());
                Cache::with(entries, entries as u64, UnitWeighter, hasher, lifecycle)
            }),
            longest: if is_on { longest } else { Duration::ZERO },
        }
    }

    fn remembers(&self) -> bool {
        self.entries.is_some()
    }

    fn get<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q, now: Duration) -> Option<T> {
        let answer = self.entries.as_ref()?.get(key)?;
        (now < answer.expires_at).then_some(answer.value)
    }

    /// Returns what it replaced or evicted.
    fn insert(&self, key: K, answer: Answer<T>) -> [Option<(K, Answer<T>)>; 2] {
        let mut evicted = [None, None];
        if let Some(entries) = &self.entries {
            entries.insert_with_lifecycle(key, answer, &mut evicted);
        }
        evicted
    }

    fn remove(&self, key: &K) -> Option<(K, Answer<T>)> {
        self.entries.as_ref()?.remove(key)
    }

    fn retain(&self, is_retained: impl Fn(&K, &T) -> bool) {
        let Some(entries) = &self.entries else { return };
        // They are dropped where nothing is locked.
        let evicted = RefCell::new(Vec::new());
        entries.retain(|key, answer| {
            let is_retained = is_retained(key, &answer.value);
            if !is_retained {
                evicted.borrow_mut().push(answer.clone());
            }
            is_retained
        });
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Busy => write!(
                f,
                "{MAX_IN_FLIGHT} loads were running already: see why what they ask answers slowly or not at all"
            ),
        }
    }
}

impl Error for LoadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => error.source(),
            Self::Busy => None,
        }
    }
}

/// Keys and values are not printed: they may be secrets, or personal data.
impl<K, V> fmt::Debug for LoadCache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let free = self.in_flight.available_permits();
        f.debug_struct("LoadCache").field("free", &free).finish_non_exhaustive()
    }
}
