//! What revocations take of memory and time.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin revocations`, with `-- NUMBER` for another number of them
//! than 10,000,000. Bytes are counted by the allocator; the most at one moment counts too, since a table that grows
//! stands twice for a while.
//!
//! Then a process with a store records a million. It keeps the entry of each, to append it again if the store loses it.

use std::collections::BTreeSet;
use std::mem;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Instant, SystemTime};

use auth_runtime::Auth;
use auth_runtime::revocation::Revocation;
use auth_runtime::store::{
    FamilyId, LogCursor, LogEntry, LogPage, LogRead, RefreshTokenFamily, RefreshTokenStore, RevocationLog,
    StoreFuture,
};
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
use tokio::runtime::Builder;

const ISSUER: &str = "https://id.example.com";

fn revocation(number: u64) -> Revocation {
    let (issuer, id) = (ISSUER.to_owned(), format!("{:022}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
    match number % 3 {
        0 => Revocation::Token { issuer, token_id: id },
        1 => Revocation::Session { issuer, session_id: id },
        _ => Revocation::User { issuer, subject: id, issued_at_or_before: SystemTime::now() },
    }
}

/// A store that hands over once what was appended, and keeps nothing. It has no sessions.
#[derive(Clone, Debug, Default)]
struct Passing(Arc<Mutex<(u64, Vec<LogEntry>)>>);

fn done<T: Send + 'static>(answer: T) -> StoreFuture<'static, T> {
    Box::pin(async move { Ok(answer) })
}

impl RevocationLog for Passing {
    fn append(&self, entries: Vec<LogEntry>) -> StoreFuture<'_, ()> {
        self.0.lock().expect("no panic").1.extend(entries);
        done(())
    }

    fn read(&self, after: LogCursor, _limit: usize) -> StoreFuture<'_, LogRead> {
        let mut log = self.0.lock().expect("no panic");
        let entries = mem::take(&mut log.1);
        log.0 += entries.len() as u64;
        let cursor = entries.last().map_or(after, |last| LogCursor { sequence: log.0, tag: last.tag });
        done(LogRead::Page(LogPage { entries, cursor, store_time: None }))
    }

    fn drop_expired(&self, _before: SystemTime) -> StoreFuture<'_, bool> {
        done(false)
    }
}

impl RefreshTokenStore for Passing {
    fn insert(&self, _family: RefreshTokenFamily) -> StoreFuture<'_, ()> {
        done(())
    }

    fn find(&self, _id: FamilyId) -> StoreFuture<'_, Option<RefreshTokenFamily>> {
        done(None)
    }

    fn replace(&self, _expected: u64, _family: RefreshTokenFamily) -> StoreFuture<'_, bool> {
        done(false)
    }

    fn remove(&self, _ids: Vec<FamilyId>) -> StoreFuture<'_, ()> {
        done(())
    }

    fn find_by_subject(&self, _issuer: &str, _subject: &str) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        done(Vec::new())
    }

    fn list(
        &self,
        _issuer: &str,
        _after: Option<(&str, FamilyId)>,
        _limit: usize,
    ) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        done(Vec::new())
    }

    fn drop_expired(&self, _now: SystemTime) -> StoreFuture<'_, bool> {
        done(false)
    }
}

/// What the process that recorded them holds of each, beside the view.
fn measure_recorded() {
    const RECORDED: u64 = 1_000_000;
    const BETWEEN_READS: u64 = 500;
    // The counter sees one thread.
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut recorder = None;
    let measured = allocation_counter::measure(|| {
        let _guard = runtime.enter();
        let issuer = TrustedIssuer::new(ISSUER).audience("a").key(Key::secret(Algorithm::HS256, [7; 32]));
        let auth = Auth::builder().issuer(issuer).store(Passing::default()).build().expect("an engine");
        runtime.block_on(async {
            for number in 0..RECORDED {
                if number % BETWEEN_READS == 0 {
                    auth.start().await.expect("the log is read");
                }
                auth.revocations().revoke(revocation(number)).await.expect("it is recorded");
            }
            auth.start().await.expect("the log is read");
        });
        recorder = Some(auth);
    });
    let status = recorder.as_ref().expect("an engine").revocations().status();
    let kept = measured.bytes_current - i64::try_from(status.bytes).expect("a number");
    println!(
        "recorded with a store: {} entries, of each {:.1} bytes in the view and {:.1} to append it again",
        status.entries,
        ratio(i64::try_from(status.bytes).unwrap_or(0), 1_000_000),
        ratio(kept, 1_000_000)
    );
    assert_eq!(status.entries as u64, RECORDED);
}

fn main() {
    let number: u64 = std::env::args().nth(1).map_or(10_000_000, |text| text.parse().expect("a number"));
    let issuer = TrustedIssuer::new(ISSUER).audience("a").key(Key::secret(Algorithm::HS256, [7; 32]));
    let auth = Auth::builder().issuer(issuer).build().expect("an engine");

    println!("{:>12} {:>14} {:>14} {:>14}", "revocations", "bytes an entry", "most so far", "as reported");
    let marks: BTreeSet<u64> = (1..=20).map(|step| number * step / 20).collect();
    let (mut held, mut most) = (0_i64, 0_i64);
    let mut done = 0;
    let began = Instant::now();
    for mark in marks {
        let (from, to) = (done, mark);
        let measured = allocation_counter::measure(|| {
            for number in from..to {
                // Without a store the future is done when it is first asked.
                let revocations = auth.revocations();
                let mut revoking = std::pin::pin!(revocations.revoke(revocation(number)));
                let done = revoking.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                assert!(matches!(done, Poll::Ready(Ok(true))));
            }
        });
        most = most.max(held + i64::try_from(measured.bytes_max).unwrap_or(i64::MAX));
        held += measured.bytes_current;
        done = mark;
        let status = auth.revocations().status();
        let entries = i64::try_from(status.entries).unwrap_or(i64::MAX).max(1);
        println!(
            "{done:>12} {:>14.1} {:>14.1} {:>14.1}",
            ratio(held, entries),
            ratio(most, entries),
            ratio(i64::try_from(status.bytes).unwrap_or(0), entries)
        );
    }
    let each = began.elapsed() / u32::try_from(number).unwrap_or(u32::MAX);
    println!("held: {} MB; at most: {} MB; {each:?} a revocation", held / 1_000_000, most / 1_000_000);
    assert!(number < 10_000_000 || most <= 400_000_000, "10 million must fit in 400 MB");
    measure_recorded();
}

fn ratio(bytes: i64, entries: i64) -> f64 {
    bytes as f64 / entries as f64
}
