//! Which logins are verified, and in what order: verifying one takes memory and tens of milliseconds of a processor, and an anonymous
//! caller can ask for it.
//!
//! A place is held while credentials are verified. Logins without a place wait in [`FairQueue`], which is bounded and fair
//! between networks. An address from which an account has logged in before goes first.

mod fair_queue;

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use tokio::sync::oneshot;
use tokio::time::timeout;

use self::fair_queue::{FairQueue, Refused};
use super::TokenFailure;
use super::account::AccountKey;
use super::limits::network_of;

/// How many logins are verified at once, unless the application says so. A `PasswordHasher` has at least 17 places.
pub(super) const LOGINS_AT_ONCE: usize = 16;

/// How many logins wait at most.
const MAX_WAITING: usize = 256;

/// How many of them may have priority, so that there is always room for others.
const MAX_WAITING_WITH_PRIORITY: usize = 192;

/// How long a login waits at most.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// For `Retry-After` of a login that another one of the same network was refused for.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How many pairs of an account and a network are remembered.
const MAX_KNOWN: usize = 65_536;

/// The logins that are verified and those that wait.
pub(super) struct LoginQueue {
    places: Arc<Places>,
    hasher: RandomState,
    /// Hashes of an account and a network from which it has logged in. It is forgotten when the process ends.
    known: Cache<u64, (), UnitWeighter, RandomState>,
}

/// Where a login comes from.
#[derive(Clone, Copy)]
pub(super) struct LoginOrigin {
    network: IpAddr,
    /// The account and the network, as a hash with a random key.
    hash: u64,
}

impl LoginQueue {
    /// A queue that lets so many logins be verified at once, and at least one.
    pub(super) fn new(at_once: usize) -> Self {
        let hasher = RandomState::new();
        // It grows when it is filled: nothing is allocated for the capacity.
        let known =
            Cache::with(1, MAX_KNOWN as u64, UnitWeighter, hasher.clone(), DefaultLifecycle::default());
        let state =
            State { free: at_once.max(1), waiting: FairQueue::new(MAX_WAITING, MAX_WAITING_WITH_PRIORITY) };
        Self { places: Arc::new(Places(Mutex::new(state))), hasher, known }
    }

    /// Says where a login comes from: the account as the limits count it, and the network of the address.
    pub(super) fn origin(&self, account: &AccountKey, address: IpAddr) -> LoginOrigin {
        let network = network_of(address);
        LoginOrigin { network, hash: self.hasher.hash_one((account, network)) }
    }

    /// Remembers that this account has logged in from this network.
    pub(super) fn remember(&self, origin: LoginOrigin) {
        self.known.insert(origin.hash, ());
    }

    /// Waits for a place. It is held until the value is dropped. A request that is dropped while it waits leaves the queue.
    ///
    /// # Errors
    /// [`TokenFailure::TooManyAttempts`] if other logins of the same network fill the queue. [`TokenFailure::Unavailable`] if logins of
    /// other networks do, or if there was no place for 5 seconds.
    pub(super) async fn enter(&self, origin: LoginOrigin) -> Result<Place, TokenFailure> {
        let has_priority = self.known.get(&origin.hash).is_some();
        let mut waiting = match self.places.take_or_wait(origin.network, has_priority)? {
            Entered::Place(place) => return Ok(place),
            Entered::Waiting(waiting) => waiting,
        };
        match timeout(MAX_WAIT, &mut waiting.answer).await {
            Ok(Ok(answer)) => answer.map_err(TokenFailure::from),
            Ok(Err(_)) | Err(_) => Err(TokenFailure::Unavailable),
        }
    }
}

/// Numbers alone.
impl fmt::Debug for LoginQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (free, waiting) = {
            let state = self.places.lock();
            (state.free, state.waiting.len())
        };
        f.debug_struct("LoginQueue")
            .field("free", &free)
            .field("waiting", &waiting)
            .field("known", &self.known.len())
            .finish_non_exhaustive()
    }
}

impl From<Refused> for TokenFailure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::OwnNetwork => Self::TooManyAttempts(RETRY_AFTER),
            Refused::Full => Self::Unavailable,
        }
    }
}

/// What a waiting login receives.
type Answer = Result<Place, Refused>;

/// The places. No lock is held while a [`Place`] is dropped, because that takes the lock.
struct Places(Mutex<State>);

struct State {
    /// Places that no login holds. While there is one, no login waits.
    free: usize,
    waiting: FairQueue<oneshot::Sender<Answer>>,
}

enum Entered {
    Place(Place),
    Waiting(Waiting),
}

impl Places {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_or_wait(self: &Arc<Self>, network: IpAddr, has_priority: bool) -> Result<Entered, TokenFailure> {
        let (sender, answer) = oneshot::channel();
        let (ticket, displaced) = {
            let mut state = self.lock();
            if state.free > 0 {
                state.free -= 1;
                return Ok(Entered::Place(Place(Some(Arc::clone(self)))));
            }
            state.waiting.enter(network, has_priority, sender)?
        };
        let waiting = Waiting { ticket, answer, places: Arc::clone(self) };
        if let Some((displaced, why)) = displaced {
            let _ = displaced.send(Err(why));
        }
        Ok(Entered::Waiting(waiting))
    }

    /// Passes a place on to the next login that still waits.
    fn release(self: Arc<Self>) {
        let mut places = self;
        loop {
            let next = {
                let mut state = places.lock();
                let next = state.waiting.next();
                if next.is_none() {
                    state.free += 1;
                }
                next
            };
            let Some(sender) = next else { return };
            // If the request was dropped, the place comes back.
            let Err(Ok(mut place)) = sender.send(Ok(Place(Some(places)))) else { return };
            let Some(back) = place.0.take() else { return };
            places = back;
        }
    }
}

/// A login that waits. When it is dropped, it waits no more.
struct Waiting {
    ticket: u64,
    answer: oneshot::Receiver<Answer>,
    places: Arc<Places>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // Dropped after the lock: it can wake a task.
        let _left = self.places.lock().waiting.remove(self.ticket);
    }
}

/// A place among the logins that are verified. When it is dropped, the next login gets it.
#[must_use = "the place is held until this is dropped"]
pub(super) struct Place(Option<Arc<Places>>);

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(places) = self.0.take() {
            places.release();
        }
    }
}

#[cfg(test)]
mod tests;
