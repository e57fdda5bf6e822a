//! What an operator sees of the view of revocations.

use std::time::{Duration, SystemTime};

/// The state of the view of revocations.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationStatus {
    /// The number of revocations in the view.
    pub entries: usize,
    /// The memory that they take, in bytes.
    pub bytes: usize,
    /// The number of the last entry of the store's log that is in the view; 0 without a store.
    pub cursor: u64,
    /// How often, since the start, the store's log was another one than before: the store was restored from an older state, a replica
    /// took over that lacked its last writes, or its data was lost. Revocations may be lost then that another process had recorded which
    /// has ended since.
    pub other_histories: u32,
    /// When the view was last known to hold the whole log; `None` if it never was. Without a store it is the current time.
    pub confirmed_at: Option<SystemTime>,
    /// How old the view is: by the clock, or by the time that has passed, whichever is more. `None` if it was never complete. Requests
    /// with a credential are rejected with 503 where it is more than [`max_staleness`](crate::AuthBuilder::max_staleness).
    pub age: Option<Duration>,
    /// How far the store's clock is ahead of this process's, in milliseconds; `None` if the store has no clock of its own. Set both by
    /// NTP if they differ by seconds.
    pub store_ahead_ms: Option<i64>,
    /// Whether the store can be written, as far as is known within the last second: by a test, or by the writes since the last one that
    /// failed. If not, what needs a write is answered 503 (a login, a logout, mostly a refresh), and other requests are served. Without a
    /// store it is `true`.
    pub writable: bool,
    /// Whether everything is served: the store can be written, and the view is complete, understood, and not older than
    /// `max_staleness`. If the view is older, requests with a credential are rejected with 503.
    pub ready: bool,
    /// Why the store's log is not read, or why the last read of the store or the last write to it failed, as a text for the log;
    /// `None` if it is read and nothing failed.
    pub failure: Option<String>,
}
