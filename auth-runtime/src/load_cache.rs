//! A cache of what is loaded from elsewhere and can change there: answers of authenticators, keys, users.
//!
//! **Bounds.** In entries, and in time: each load says for how long its answer counts, up to a maximum. That there is none is
//! remembered apart, with bounds of its own, so that a caller that makes up keys can't push out what others use. At most
//! [`MAX_IN_FLIGHT`] loads run at a time, unless another number is set; a further one fails at once, so that a slow store does not gather
//! requests.
//!
//! **One load at a time.** Who asks for a key that is being loaded waits for that load. A load is run by one of those who wait, and
//! not by a task of its own: it may borrow from its request, and it ends with it. If that request is dropped or panics, the next
//! that waits loads by itself. An error is answered to all who wait, and never remembered. An answer that must not be remembered
//! belongs to its request alone, since it may depend on more than the key: who waited for it loads by itself.
//!
//! **Forgetting.** [`LoadCache::forget`] evicts, and is noted with a number while loads run. A load that began before may have an answer
//! from before. If what was forgotten concerns its key, who asks afterwards does not wait for it. A key does not always say what its
//! value is about, so the load is compared with the notes once more at its end, with its value: if one concerns it, it is not
//! remembered, and does not answer those who asked after that one. Other loads are not disturbed, however much is forgotten.

mod answers;

use std::collections::{HashMap, VecDeque};
use std::error::Error;
use std::fmt;
use std::hash::Hash;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::BoxError;
use quick_cache::Equivalent;
use tokio::sync::{OnceCell, Semaphore};

pub(crate) use self::answers::{Answer, Answers, Bounds};

#[cfg(test)]
mod tests;

/// How many loads of one cache may run at a time.
pub(crate) const MAX_IN_FLIGHT: usize = 64;

/// How much that was forgotten is noted at a time. If there is more, all of it counts for the loads that began before.
const MAX_NOTES: usize = 256;

/// A cache of what is loaded. Each caller gets a clone of the value, so it should be one that allocates nothing, such as an `Arc`.
pub(crate) struct LoadCache<K, V> {
    found: Answers<K, V>,
    /// Keys for which there is no value.
    missing: Answers<K, ()>,
    state: Mutex<State<K, V>>,
    in_flight: Semaphore,
    /// What is loaded, in messages.
    what: Box<str>,
    max_in_flight: usize,
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
    /// It was not tried: so many others of these are running.
    Busy(usize, Box<str>),
}

struct State<K, V> {
    /// How often something was forgotten.
    epoch: u64,
    /// What was forgotten lately: the last has the number `epoch`. It is empty while nothing is loaded.
    notes: VecDeque<Arc<IsForgotten<K, V>>>,
    /// How many loads run.
    loading: usize,
    flights: HashMap<K, Flight<V>>,
}

type IsForgotten<K, V> = dyn Fn(&K, Option<&V>) -> bool + Send + Sync;

/// A load that others may wait for, until it has answered or does not count for later requests.
struct Flight<V> {
    outcome: Arc<FlightOutcome<V>>,
    waiting: usize,
}

type FlightOutcome<V> = OnceCell<Outcome<V>>;

/// What a load means for those who waited for it.
#[derive(Clone)]
enum Outcome<V> {
    Answer {
        value: Option<V>,
        /// The number of the first that was forgotten while it was loaded, and concerns it.
        forgotten_by: Option<u64>,
    },
    Failed(Arc<dyn Error + Send + Sync>),
    /// It belongs to the one who loaded.
    NotShared,
}

impl<K: Hash + Eq + Clone, V: Clone> LoadCache<K, V> {
    /// `what` is loaded, in messages.
    pub(crate) fn new(what: impl Into<Box<str>>, found: Bounds, missing: Bounds) -> Self {
        Self {
            what: what.into(),
            max_in_flight: MAX_IN_FLIGHT,
            found: Answers::new(found),
            missing: Answers::new(missing),
            state: Mutex::new(State {
                epoch: 0,
                notes: VecDeque::new(),
                loading: 0,
                flights: HashMap::new(),
            }),
            in_flight: Semaphore::new(MAX_IN_FLIGHT),
        }
    }

    /// The same, where so many loads may run at a time.
    #[cfg(feature = "introspection")]
    pub(crate) fn at_once(self, max_in_flight: usize) -> Self {
        Self { in_flight: Semaphore::new(max_in_flight), max_in_flight, ..self }
    }

    /// What is remembered of this key: a value, or that there is none. Neither waits nor allocates.
    ///
    /// `now` is the time of a monotonic clock ([`Clock::monotonic`](crate::clock::Clock::monotonic)), here and below.
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
        loop {
            let seat = match self.board(&key, now) {
                Ok(known) => return Ok(known),
                Err(seat) => seat,
            };
            let mut own = None;
            let run = async {
                let answer = self.run(&key, now, Some(&seat.outcome), load.as_mut()).await;
                let outcome = match &answer {
                    Ok((loaded, _)) if self.time(loaded).is_zero() => Outcome::NotShared,
                    Ok((loaded, forgotten_by)) => {
                        Outcome::Answer { value: loaded.value.clone(), forgotten_by: *forgotten_by }
                    }
                    Err(LoadError::Failed(error)) => Outcome::Failed(Arc::clone(error)),
                    // The next tries by itself.
                    Err(LoadError::Busy(..)) => return Err(self.busy()),
                };
                own = Some(answer);
                Ok(outcome)
            };
            let outcome = seat.outcome.get_or_try_init(|| run).await.cloned();
            let asked_at = seat.epoch;
            drop(seat);
            return match (own, outcome?) {
                (Some(answer), _) => Ok(answer?.0.value),
                // It was forgotten before this caller asked.
                (None, Outcome::Answer { forgotten_by: Some(number), .. }) if number <= asked_at => continue,
                (None, Outcome::Answer { value, .. }) => Ok(value),
                (None, Outcome::Failed(error)) => Err(LoadError::Failed(error)),
                (None, Outcome::NotShared) => self.load_alone(&key, now, load).await,
            };
        }
    }

    /// What the load answers, whatever is remembered, and without anyone who waits for it. It is remembered as any other.
    pub(crate) async fn load_alone<F>(&self, key: &K, now: Duration, load: F) -> Result<Option<V>, LoadError>
    where
        F: Future<Output = Result<Loaded<V>, BoxError>>,
    {
        Ok(self.run(key, now, None, load).await?.0.value)
    }

    /// Forgets what `is_forgotten` says, of the keys with their values and of those for which there is none. It is also asked about
    /// keys that are being loaded, without a value, and about what they led to.
    pub(crate) fn forget(&self, is_forgotten: impl Fn(&K, Option<&V>) -> bool + Send + Sync + 'static) {
        let is_forgotten: Arc<IsForgotten<K, V>> = Arc::new(is_forgotten);
        {
            // First: what is remembered before it is evicted below, and nothing from before is remembered after it.
            let mut state = self.state();
            state.epoch += 1;
            if state.loading > 0 {
                state.notes.push_back(Arc::clone(&is_forgotten));
                if state.notes.len() > MAX_NOTES {
                    state.notes.pop_front();
                }
            }
            // They answer those who wait already.
            state.flights.retain(|key, _| !is_forgotten(key, None));
        }
        self.missing.retain(|key, ()| !is_forgotten(key, None));
        // Last: where its destructors run.
        self.found.retain(|key, value| !is_forgotten(key, Some(value)));
    }

    /// The longest time that it remembers.
    pub(crate) fn longest(&self) -> Duration {
        self.found.longest.max(self.missing.longest)
    }

    /// Runs a load, if it is not one too many, and remembers its answer, unless it was forgotten meanwhile: then the number of that is
    /// returned too. When it returns an answer, no other caller can join the load.
    async fn run<F>(
        &self,
        key: &K,
        now: Duration,
        flight: Option<&Arc<FlightOutcome<V>>>,
        load: F,
    ) -> Result<(Loaded<V>, Option<u64>), LoadError>
    where
        F: Future<Output = Result<Loaded<V>, BoxError>>,
    {
        let _turn = self.in_flight.try_acquire().map_err(|_| self.busy())?;
        let loading = Loading::begin(self);
        let loaded = load.await.map_err(|error| LoadError::Failed(Arc::from(error)))?;
        // Dropped after the lock is released: a destructor of a value may be the application's.
        let mut evicted = [None, None];
        let mut state = self.state();
        let forgotten_by = state.forgotten_by(loading.epoch, key, loaded.value.as_ref());
        if forgotten_by.is_none() {
            evicted = self.remember(key, now, &loaded);
        }
        if flight
            .is_some_and(|own| state.flights.get(key).is_some_and(|known| Arc::ptr_eq(&known.outcome, own)))
        {
            state.flights.remove(key);
        }
        // Held until here, so that nothing is forgotten between the comparison and the insertion.
        drop(state);
        drop(evicted);
        Ok((loaded, forgotten_by))
    }

    /// Returns what it replaced or evicted.
    fn remember(&self, key: &K, now: Duration, loaded: &Loaded<V>) -> [Option<(K, Answer<V>)>; 2] {
        let time = self.time(loaded);
        if time.is_zero() {
            return [None, None];
        }
        let expires_at = now.saturating_add(time);
        match &loaded.value {
            Some(value) => {
                self.missing.remove(key);
                self.found.insert(key.clone(), Answer { value: value.clone(), expires_at })
            }
            None => {
                self.missing.insert(key.clone(), Answer { value: (), expires_at });
                [self.found.remove(key), None]
            }
        }
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
        let flight = state.flights.entry(key.clone()).or_default();
        flight.waiting += 1;
        let outcome = Arc::clone(&flight.outcome);
        Err(Seat { cache: self, key: key.clone(), outcome, epoch })
    }
}

impl<K, V> State<K, V> {
    /// The number of the first that was forgotten since this epoch and concerns this key or its value.
    fn forgotten_by(&self, since: u64, key: &K, value: Option<&V>) -> Option<u64> {
        let forgotten = usize::try_from(self.epoch.saturating_sub(since)).unwrap_or(usize::MAX);
        // The first of them may no longer be noted.
        let Some(earlier) = self.notes.len().checked_sub(forgotten) else { return Some(since + 1) };
        let notes = self.notes.iter().skip(earlier);
        (since + 1..).zip(notes).find_map(|(number, concerns)| concerns(key, value).then_some(number))
    }
}

impl<V> Default for Flight<V> {
    fn default() -> Self {
        Self { outcome: Arc::default(), waiting: 0 }
    }
}

impl<K, V> LoadCache<K, V> {
    fn busy(&self) -> LoadError {
        LoadError::Busy(self.max_in_flight, self.what.clone())
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A load that is running. It ends by dropping it, also by a panic.
struct Loading<'c, K, V> {
    cache: &'c LoadCache<K, V>,
    /// Before it began.
    epoch: u64,
}

impl<'c, K, V> Loading<'c, K, V> {
    fn begin(cache: &'c LoadCache<K, V>) -> Self {
        let mut state = cache.state();
        state.loading += 1;
        Self { cache, epoch: state.epoch }
    }
}

impl<K, V> Drop for Loading<'_, K, V> {
    fn drop(&mut self) {
        let mut state = self.cache.state();
        state.loading -= 1;
        if state.loading == 0 {
            state.notes.clear();
        }
    }
}

/// One that loads, or waits for the load. It is left by dropping it, also by a panic.
struct Seat<'c, K: Hash + Eq, V> {
    cache: &'c LoadCache<K, V>,
    key: K,
    outcome: Arc<FlightOutcome<V>>,
    /// When it was taken.
    epoch: u64,
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

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Busy(count, what) => write!(
                f,
                "{count} loads of {what} were running already: see why what they ask answers slowly or not at all"
            ),
        }
    }
}

impl Error for LoadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => error.source(),
            Self::Busy(..) => None,
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
