//! Limits on how long something takes.

use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::time::timeout;

/// Waits for the work; `None` after the limit.
pub(super) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let began = Instant::now();
    let mut work = pin!(work);
    loop {
        let left = limit.saturating_sub(began.elapsed());
        if let Ok(done) = timeout(left, &mut work).await {
            return Some(done);
        }
        // Where a test has paused tokio's time, it passes at once.
        if left.is_zero() {
            return None;
        }
    }
}
