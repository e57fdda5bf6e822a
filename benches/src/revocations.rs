//! What revocations take of memory and time.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin revocations`, with `-- NUMBER` for another number of them
//! than 10,000,000. Bytes are counted by the allocator; the most at one moment counts too, since a table that grows
//! stands twice for a while.

use std::collections::BTreeSet;
use std::task::{Context, Poll, Waker};
use std::time::{Instant, SystemTime};

use auth_runtime::Auth;
use auth_runtime::revocation::Revocation;
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};

const ISSUER: &str = "https://id.example.com";

fn revocation(number: u64) -> Revocation {
    let (issuer, id) = (ISSUER.to_owned(), format!("{:022}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
    match number % 3 {
        0 => Revocation::Token { issuer, token_id: id },
        1 => Revocation::Session { issuer, session_id: id },
        _ => Revocation::User { issuer, subject: id, issued_at_or_before: SystemTime::now() },
    }
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
                assert!(matches!(done, Poll::Ready(Ok(()))));
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
}

fn ratio(bytes: i64, entries: i64) -> f64 {
    bytes as f64 / entries as f64
}
