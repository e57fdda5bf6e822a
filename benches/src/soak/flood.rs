//! Logins with wrong passwords, from many addresses.

use std::net::Ipv4Addr;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use benches::quickstart::client::log_in;

use crate::life::Life;
use crate::tally::Expected;

/// Wrong logins that are sent at the same time in a flood: more than the server lets wait.
const AT_ONCE: usize = 320;

/// Between floods there are this many.
const BETWEEN_FLOODS: usize = 4;

/// The addresses that wrong logins come from at the same time.
const ADDRESSES: u64 = 64;

/// After so many attempts of each, other addresses follow: the limit by address allows 50.
const ATTEMPTS_OF_AN_ADDRESS: u64 = 40;

/// How long a client of the flood waits after it was answered 429 or 503.
const PAUSE: Duration = Duration::from_millis(100);

const WRONG_LOGIN: Expected = Expected::one_of(&[400, 429, 503]);

/// 320 wrong logins at once, until this time or the end of the life.
pub(crate) fn flood(life: &Life<'_>, until: Instant) {
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            let flooder = || {
                while !life.is_killed() && Instant::now() < until {
                    if wrong_login(life, "wrong login, flood") != Some(400) {
                        thread::sleep(PAUSE);
                    }
                }
            };
            thread::Builder::new().stack_size(256 << 10).spawn_scoped(scope, flooder).unwrap();
        }
    });
}

/// A few wrong logins, until the end of the life.
pub(crate) fn between_floods(life: &Life<'_>) {
    thread::scope(|scope| {
        for _ in 0..BETWEEN_FLOODS {
            scope.spawn(|| {
                while !life.is_killed() {
                    wrong_login(life, "wrong login, a few");
                    thread::sleep(PAUSE * 4);
                }
            });
        }
    });
}

fn wrong_login(life: &Life<'_>, kind: &'static str) -> Option<u16> {
    let number = life.soak.wrong_logins.fetch_add(1, Ordering::Relaxed);
    let sent = log_in(life.port, flooding_address(number), &format!("user{number}"), "wrong");
    let answer = life.judge(kind, WRONG_LOGIN, sent)?;
    // The documented 503: the queue of logins is full, or this one has waited for 5 seconds.
    if answer.status == 503 && !answer.body.contains("temporarily_unavailable") {
        life.soak.tally.fail(format!("{kind}: a 503 that is not documented: {}", answer.body));
    }
    Some(answer.status)
}

/// 64 addresses in turns, and then the next 64.
fn flooding_address(number: u64) -> Ipv4Addr {
    let [.., third, fourth] =
        (number % ADDRESSES + number / (ADDRESSES * ATTEMPTS_OF_AN_ADDRESS) * ADDRESSES).to_be_bytes();
    Ipv4Addr::new(127, 1, third, fourth)
}
