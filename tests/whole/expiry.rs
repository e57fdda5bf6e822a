//! Many revocations of all kinds come and go: what has expired is given back, in the store and in memory, and nothing
//! else is.
//!
//! Two clocks: the engine's is set by hand, and tokio's is paused, so that it goes on by itself whenever all tasks wait. So
//! it is the engine's own work in the background that is seen here, and no time passes.

use std::time::{Duration, SystemTime};

use auth_runtime::clock::Clock as _;
use auth_runtime::revocation::Revocation;
use auth_runtime::routing::get;
use auth_runtime::store::{LogCursor, MemoryStore, RedbStore, RefreshTokenStore, RevocationLog};
use auth_runtime::testing::{TestAuth, TestUser, log_entry};
use auth_runtime::{Router, auth};

use crate::support::get_as;

/// A hundred thousand, and a million in `.ci/nightly`.
fn all_revocations() -> u64 {
    auth_tests_random::times(100_000).into()
}

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

/// As long as the engine must have seen a time before it believes it, and more.
const A_WHILE: Duration = Duration::from_secs(15 * 60);

/// What has expired is kept for the leeway: a clock of another instance may be behind.
const LEEWAY: Duration = Duration::from_secs(60);

/// An entry is kept for a day and the leeway, and in memory on to the end of a twelfth of that: an even hour of the test's clock.
fn engine(store: impl RevocationLog + RefreshTokenStore) -> TestAuth {
    let lifetime = Duration::from_secs(DAY) - 2 * LEEWAY;
    TestAuth::with(|builder| builder.leeway(LEEWAY).max_token_lifetime(lifetime).store(store))
}

#[auth]
async fn guarded() {}

/// How a request with a new token of this `jti` is answered.
async fn status(test: &TestAuth, id: u64) -> u16 {
    let app = Router::new().route("/", get(guarded)).finish(test.auth()).unwrap();
    get_as(&app, test, &TestUser::new("alice").claim("jti", id.to_string()), "/").await.status.as_u16()
}

/// Each third is of a token, of a session, of a user up to `bound`.
fn revocation(id: u64, bound: SystemTime) -> Revocation {
    let (issuer, name) = ("https://issuer.test".to_owned(), id.to_string());
    match id % 3 {
        0 => Revocation::Token { issuer, token_id: name },
        1 => Revocation::Session { issuer, session_id: name },
        _ => Revocation::User { issuer, subject: name, issued_at_or_before: bound },
    }
}

#[tokio::test(start_paused = true)]
async fn revocations_expire_as_they_come() {
    let all = all_revocations();
    const MINUTES: u64 = 2 * DAY / 60;
    let store = MemoryStore::new();
    let test = engine(store.clone());
    let (revocations, clock) = (test.auth().revocations(), test.clock());
    let (mut ends, mut most) = (Vec::new(), 0);
    for minute in 0..MINUTES {
        let now = clock.now();
        for id in minute * all / MINUTES..(minute + 1) * all / MINUTES {
            // Up to half a day ahead, in no order: a user's entry is kept for longer.
            let bound = now + Duration::from_secs(id * 7919 % (12 * HOUR));
            revocations.revoke(revocation(id, bound)).await.unwrap();
            // Of another issuer, whose clock may be a minute ahead.
            let last = if id % 3 == 2 { bound.max(now + Duration::from_secs(60)) } else { now };
            ends.push(last + Duration::from_secs(DAY));
        }
        most = most.max(store.revocations());
        clock.advance(Duration::from_secs(60));
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    assert!((most as u64) < all * 6 / 10, "{most} entries were stored at a time");

    // Now is an even hour. A second and the leeway later, what is in memory until then has ended too.
    let mut bytes = revocations.status().bytes;
    for (seconds, of_the_last) in [(61, 401), (12 * HOUR, 401), (24 * HOUR, 200)] {
        clock.advance(Duration::from_secs(seconds));
        tokio::time::sleep(A_WHILE).await;
        let (before, held) = (clock.now() - LEEWAY, revocations.status());
        let living = ends.iter().filter(|&&end| end >= before).count();
        assert_eq!((store.revocations(), held.entries, held.cursor), (living, living, all));
        assert!(held.bytes < bytes, "{} bytes after {bytes}", held.bytes);
        bytes = held.bytes;
        assert_eq!(status(&test, 0).await, 200, "of what was revoked two days ago");
        assert_eq!(status(&test, all - 1).await, of_the_last, "after {seconds} seconds");
    }
    assert_eq!((store.revocations(), bytes), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn revocations_in_a_file_expire() {
    let all = all_revocations();
    let directory = tempfile::tempdir().unwrap();
    let store = RedbStore::open(directory.path().join("store")).unwrap();
    let test = engine(store.clone());
    let (revocations, start) = (test.auth().revocations(), test.clock().now());
    // Over one day; those of an hour in no order.
    let end = |id: u64| start + Duration::from_secs(id * 23 * HOUR / all + id * 7919 % HOUR);
    for batch in 0..all / 5000 {
        let ids = batch * 5000..(batch + 1) * 5000;
        let logged = |id| log_entry(revocation(id, start), end(id), id);
        store.append(ids.map(logged).collect()).await.unwrap();
    }
    test.auth().start().await.unwrap();
    let before = revocations.status();
    assert_eq!((before.entries as u64, before.cursor), (all, all));

    test.clock().advance(Duration::from_secs(12 * HOUR + 1) + LEEWAY);
    test.auth().start().await.unwrap();
    let before_drop = test.clock().now() - LEEWAY;
    revocations.drop_expired().await.unwrap();
    let living: Vec<u64> = (0..all).filter(|&id| end(id) >= before_drop).collect();
    let held = revocations.status();
    assert_eq!((held.entries, held.cursor), (living.len(), all));
    assert!(held.bytes < before.bytes * 2 / 3, "{} bytes after {}", held.bytes, before.bytes);
    for id in (0..all).step_by(all as usize / 1000).filter(|id| id % 3 == 0) {
        let expected = if end(id) >= before_drop { 401 } else { 200 };
        assert_eq!(status(&test, id).await, expected, "{id}");
    }
    let read = async |after| store.read(after, 4096).await.unwrap().page().unwrap();
    let mut page = read(LogCursor::START).await;
    let mut stored = Vec::new();
    while !page.entries.is_empty() {
        stored.append(&mut page.entries);
        page = read(page.cursor).await;
    }
    let expected = living.into_iter().map(|id| log_entry(revocation(id, start), end(id), id));
    assert!(stored.into_iter().eq(expected), "the file holds others than the living");
}
