//! Tokio's time is paused where it matters. One place, unless a test says otherwise.

use std::task::Poll;

use tokio::task::JoinHandle;
use tokio::time::{Instant, advance, sleep};

use super::*;

type Entering = JoinHandle<Result<Place, TokenFailure>>;

const OWN_NETWORK: TokenFailure = TokenFailure::TooManyAttempts(RETRY_AFTER);

fn queue(at_once: usize) -> Arc<LoginQueue> {
    Arc::new(LoginQueue::new(at_once))
}

fn origin(queue: &LoginQueue, account: &str, from: &str) -> LoginOrigin {
    queue.origin(&AccountKey::of(account.into()), from.parse().unwrap())
}

/// A request that enters, after it has run as far as it can.
async fn entering(queue: &Arc<LoginQueue>, account: &str, from: &str) -> Entering {
    let origin = origin(queue, account, from);
    let queue = Arc::clone(queue);
    let request = tokio::spawn(async move { queue.enter(origin).await });
    settle().await;
    request
}

/// Lets every task run as far as it can.
async fn settle() {
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
}

async fn failure(request: Entering) -> TokenFailure {
    assert!(request.is_finished());
    request.await.unwrap().err().unwrap()
}

async fn place(request: Entering) -> Place {
    assert!(request.is_finished());
    request.await.unwrap().unwrap()
}

/// Free places, and how many wait.
fn numbers(queue: &LoginQueue) -> (usize, usize) {
    let state = queue.places.lock();
    (state.free, state.waiting.len())
}

#[tokio::test(start_paused = true)]
async fn a_place_is_held_until_it_is_dropped() {
    let queue = queue(2);
    let (one, two) = (entering(&queue, "a", "203.0.113.1").await, entering(&queue, "a", "203.0.113.1").await);
    let (one, two) = (place(one).await, place(two).await);
    let third = entering(&queue, "a", "203.0.113.1").await;
    assert!(!third.is_finished());
    assert_eq!(numbers(&queue), (0, 1));
    drop(one);
    settle().await;
    let third = place(third).await;
    assert_eq!(numbers(&queue), (0, 0));
    drop((two, third));
    assert_eq!(numbers(&queue), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn zero_places_count_as_one() {
    let queue = queue(0);
    assert_eq!(numbers(&queue), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_login_waits_for_five_seconds() {
    let queue = queue(1);
    let held = place(entering(&queue, "a", "203.0.113.1").await).await;
    let waits = entering(&queue, "a", "203.0.113.2").await;
    advance(Duration::from_millis(4_999)).await;
    settle().await;
    assert!(!waits.is_finished());
    advance(Duration::from_millis(1)).await;
    settle().await;
    assert_eq!(failure(waits).await, TokenFailure::Unavailable);
    assert_eq!(numbers(&queue), (0, 0));
    drop(held);
    assert_eq!(numbers(&queue), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_request_leaves_the_queue() {
    let queue = queue(1);
    let held = place(entering(&queue, "a", "203.0.113.1").await).await;
    let dropped = entering(&queue, "a", "203.0.113.2").await;
    let next = entering(&queue, "a", "203.0.113.3").await;
    dropped.abort();
    settle().await;
    assert_eq!(numbers(&queue), (0, 1));
    drop(held);
    settle().await;
    drop(place(next).await);
    assert_eq!(numbers(&queue), (1, 0));
}

/// The place is sent, and the request is dropped before it looks.
#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_as_it_gets_its_place_passes_it_on() {
    let queue = queue(1);
    let held = place(entering(&queue, "a", "203.0.113.1").await).await;
    let mut dropped = Box::pin(queue.enter(origin(&queue, "a", "203.0.113.2")));
    std::future::poll_fn(|context| {
        assert!(dropped.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    let next = entering(&queue, "a", "203.0.113.3").await;
    drop(held);
    assert_eq!(numbers(&queue), (0, 1), "it was sent to the first");
    drop(dropped);
    settle().await;
    drop(place(next).await);
    assert_eq!(numbers(&queue), (1, 0));
}

/// The request is taken out of the queue, and is dropped before the place is sent.
#[tokio::test(start_paused = true)]
async fn a_place_that_reaches_no_request_is_passed_on() {
    let queue = queue(1);
    let held = place(entering(&queue, "a", "203.0.113.1").await).await;
    let gone = |from| {
        let network = origin(&queue, "a", from).network;
        let (sender, _) = oneshot::channel();
        assert!(queue.places.lock().waiting.enter(network, false, sender).is_ok());
    };
    gone("203.0.113.2");
    gone("203.0.113.3");
    let next = entering(&queue, "a", "203.0.113.4").await;
    gone("203.0.113.5");
    assert_eq!(numbers(&queue), (0, 4));
    drop(held);
    settle().await;
    let next = place(next).await;
    assert_eq!(numbers(&queue), (0, 1));
    drop(next);
    assert_eq!(numbers(&queue), (1, 0));
}

/// Each is aborted before it waits, while it waits, or as it gets its place.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_place_is_lost_in_a_race() {
    let queue = queue(3);
    let requests: Vec<_> = (0..1_500)
        .map(|number| {
            let origin = origin(&queue, "a", &format!("203.0.113.{}", number % 40));
            let queue = Arc::clone(&queue);
            tokio::spawn(async move {
                let place = queue.enter(origin).await;
                tokio::task::yield_now().await;
                place.is_ok()
            })
        })
        .collect();
    for (number, request) in requests.iter().enumerate() {
        if number % 3 == 0 {
            request.abort();
        }
    }
    let mut entered = 0;
    for request in requests {
        entered += usize::from(request.await.unwrap_or(false));
    }
    assert!(entered > 0);
    assert_eq!(numbers(&queue), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_one_network_does_not_keep_others_out() {
    let queue = queue(16);
    let mut flood = Vec::new();
    for number in 0..300 {
        flood.push(entering(&queue, "a", &format!("2001:db8::{number:x}")).await);
    }
    assert_eq!(numbers(&queue), (0, MAX_WAITING));
    let refused = flood.split_off(16 + MAX_WAITING);
    for request in refused {
        assert_eq!(failure(request).await, OWN_NETWORK);
    }
    // the next /64, and IPv4
    let mut others = Vec::new();
    for from in ["2001:db8:0:1::1", "203.0.113.1", "203.0.113.2"] {
        others.push(entering(&queue, "a", from).await);
    }
    // The newest three of the flood gave way.
    for request in flood.split_off(16 + MAX_WAITING - 3) {
        assert_eq!(failure(request).await, OWN_NETWORK);
    }
    for (number, request) in flood.into_iter().take(4).enumerate() {
        drop(place(request).await);
        settle().await;
        assert_eq!(others.iter().filter(|request| request.is_finished()).count(), number.min(3));
    }
    for request in others {
        drop(place(request).await);
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_that_has_logged_in_goes_before_more_networks_than_wait() {
    let queue = queue(1);
    queue.remember(origin(&queue, " Alice\n", "198.51.100.1"));
    let held = place(entering(&queue, "a", "203.0.113.1").await).await;
    let mut strangers = Vec::new();
    for number in 0..MAX_WAITING {
        strangers.push(entering(&queue, "a", &format!("10.0.{}.{}", number / 250, number % 250)).await);
    }
    for (account, from) in [("alice", "198.51.100.2"), ("bob", "198.51.100.1")] {
        let stranger = entering(&queue, account, from).await;
        assert_eq!(failure(stranger).await, TokenFailure::Unavailable, "{account} from {from}");
    }
    let known = entering(&queue, "alice", "198.51.100.1").await;
    assert_eq!(failure(strangers.pop().unwrap()).await, TokenFailure::Unavailable);
    drop(held);
    settle().await;
    drop(place(known).await);
    assert_eq!(numbers(&queue).1, MAX_WAITING - 2);
}

#[tokio::test]
async fn what_is_remembered_is_bounded() {
    let queue = queue(1);
    for number in 0..MAX_KNOWN * 3 / 2 {
        queue.remember(origin(&queue, &number.to_string(), "203.0.113.1"));
    }
    assert!(queue.known.len() <= MAX_KNOWN);
    assert!(queue.known.len() > MAX_KNOWN / 2);
}

#[tokio::test(start_paused = true)]
async fn a_place_that_becomes_free_in_time_is_taken() {
    let queue = queue(1);
    let held = place(entering(&queue, "a", "203.0.113.1").await).await;
    let waits = entering(&queue, "a", "203.0.113.2").await;
    let began = Instant::now();
    sleep(Duration::from_millis(4_990)).await;
    drop(held);
    drop(waits.await.unwrap().unwrap());
    assert_eq!(began.elapsed(), Duration::from_millis(4_990));
}

#[tokio::test]
async fn neither_names_nor_addresses_are_shown() {
    let queue = queue(1);
    queue.remember(origin(&queue, "alice", "203.0.113.1"));
    let held = place(entering(&queue, "alice", "203.0.113.1").await).await;
    let waits = entering(&queue, "alice", "203.0.113.1").await;
    assert_eq!(format!("{queue:?}"), "LoginQueue { free: 0, waiting: 1, known: 1, .. }");
    drop(held);
    drop(waits.await.unwrap().unwrap());
}
