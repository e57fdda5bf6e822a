//! What waiting for the end of a credential takes: memory for each waiter, and what one revocation wakes.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin waiters`, with `-- NUMBER` for another number of them than 100,000. Each is
//! a `principal.ended()` of its own user, session and token, as of a socket. Bytes are counted by the allocator, and wake-ups by the waker.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use auth_runtime::Principal;
use auth_runtime::streams::{EndReason, Ended};
use auth_runtime::testing::{TestAuth, TestUser};

/// More would be more than a socket with small buffers takes.
const MOST_BYTES: usize = 2560;

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn poll(ended: &mut Ended, waker: &Waker) -> Poll<EndReason> {
    Pin::new(ended).poll(&mut Context::from_waker(waker))
}

fn main() {
    let number: usize = std::env::args().nth(1).map_or(100_000, |text| text.parse().expect("a number"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(measure(number));
}

/// Nothing in it waits, so that no other task runs and wakes a waiter.
async fn measure(number: usize) {
    let test = TestAuth::new();
    let principals: Vec<Principal> = (0..number)
        .map(|n| test.principal(&TestUser::new(format!("user {n}")).claim("sid", format!("session {n}"))))
        .collect();
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));

    let mut waiters: Vec<Ended> = Vec::new();
    let waiting = allocation_counter::measure(|| {
        waiters.reserve_exact(number);
        for principal in &principals {
            let mut ended = principal.ended();
            assert!(poll(&mut ended, &waker).is_pending());
            waiters.push(ended);
        }
    });
    let bytes = usize::try_from(waiting.bytes_current).expect("more than before") / number;
    println!("{number} waiters: {bytes} bytes each, in {} allocations", waiting.count_total / number as u64);

    let revoked = allocation_counter::measure(|| {
        let revocations = test.auth().revocations();
        let mut revoking = std::pin::pin!(revocations.revoke_session(&principals[number / 2]));
        let done = revoking.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(done, Poll::Ready(Ok(true))));
    });
    let woken = wakes.0.load(Ordering::Relaxed);
    println!("one revocation woke {woken} of them, in {} allocations", revoked.count_total);
    let ended = waiters.iter_mut().filter(|ended| ended.reason().is_none()).filter_map(|ended| match poll(ended, &waker) {
        Poll::Ready(reason) => Some(reason),
        Poll::Pending => None,
    });
    let ended: Vec<EndReason> = ended.collect();
    println!("and ended {}: {:?}", ended.len(), ended.first());

    let dropped = allocation_counter::measure(|| drop(waiters));
    let left = waiting.bytes_current + dropped.bytes_current;
    println!("dropped: {left} bytes are left");
    assert_eq!((woken, ended.len()), (1, 1), "a revocation wakes its own waiter alone");
    assert!(bytes <= MOST_BYTES, "a waiter takes more than {MOST_BYTES} bytes");
}
