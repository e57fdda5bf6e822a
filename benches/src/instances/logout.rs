//! From a logout that one instance has acknowledged to the first answer 401 of the other one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::goals::{Durations, Goals};
use crate::instance::{Instance, log_in};

/// How many logouts are measured.
pub const LOGOUTS: usize = 200;

/// How many connections ask the other instance all the time.
const ASKING: usize = 2;

/// How many sessions end at the same time where no instance is woken up, since each takes a second.
const AT_ONCE: usize = 20;

/// How often each of these asks.
const BETWEEN: Duration = Duration::from_millis(5);

/// How often an instance reads the log that is not woken up.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// What the other instance may take with a wake-up, in the median.
const MEDIAN: Duration = Duration::from_millis(3);

/// The same, of 99 in a hundred.
const ALMOST_ALL: Duration = Duration::from_millis(20);

/// With wake-ups.
pub fn measure_woken(first: &Instance, other: &Instance, label: &str, goals: &mut Goals) {
    let (mut client, mut latencies, mut asking) = (first.client(), Vec::new(), Vec::new());
    let mut clients: Vec<Client> = (0..ASKING).map(|_| other.client()).collect();
    for number in 0..LOGOUTS {
        let (access, refresh) = log_in(&mut client, &format!("woken {number}"));
        let answered = AtomicUsize::new(0);
        thread::scope(|scope| {
            let clients = clients.iter_mut();
            let threads: Vec<_> =
                clients.map(|client| scope.spawn(|| ask(client, &access, &answered))).collect();
            while answered.load(Ordering::Relaxed) < ASKING * 3 {
                thread::yield_now();
            }
            let acknowledged = log_out(&mut client, &refresh);
            let asked = threads.into_iter().map(|thread| thread.join().expect("a thread"));
            let asked: Vec<Asked> = asked.collect();
            let refused = asked.iter().map(|asked| asked.refused).min().expect("a thread");
            latencies.push(refused.saturating_duration_since(acknowledged));
            asking.extend(asked.into_iter().flat_map(|asked| asked.requests));
        });
    }
    let (latencies, asking) = (Durations::new(latencies), Durations::new(asking));
    println!("{label:<28}{}", latencies.row());
    println!("{:<28}{}", "  a request meanwhile", asking.row());
    goals.at_most(&format!("logout: {label}, p50"), latencies.percentile(50), MEDIAN);
    goals.at_most(&format!("logout: {label}, p99"), latencies.percentile(99), ALMOST_ALL);
}

/// What one connection has seen.
struct Asked {
    refused: Instant,
    requests: Vec<Duration>,
}

/// Asks until the answer is 401.
fn ask(client: &mut Client, token: &str, answered: &AtomicUsize) -> Asked {
    let mut requests = Vec::new();
    loop {
        let sent = Instant::now();
        let status = client.guarded(token);
        let read = Instant::now();
        requests.push(read - sent);
        match status {
            200 => answered.fetch_add(1, Ordering::Relaxed),
            401 => return Asked { refused: read, requests },
            other => panic!("the answer is {other}"),
        };
        assert!(requests.len() < 1_000_000, "the logout does not reach the other instance");
    }
}

/// Returns when the answer was read.
fn log_out(client: &mut Client, refresh_token: &str) -> Instant {
    let answer = client.send("POST", "/logout", None, refresh_token);
    let read = Instant::now();
    assert_eq!(answer.status, 204, "{}", answer.body);
    read
}

/// Without wake-ups: at moments of the interval that are far from each other.
pub fn measure_not_woken(first: &Instance, other: &Instance, label: &str, goals: &mut Goals) {
    let latencies = thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE)
            .map(|thread| {
                scope.spawn(move || {
                    let (mut client, mut asking) = (first.client(), other.client());
                    let rounds = (thread..LOGOUTS).step_by(AT_ONCE);
                    rounds.map(|number| wait_for_poll(&mut client, &mut asking, number)).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a thread")).collect()
    });
    let latencies = Durations::new(latencies);
    println!("{label:<28}{}", latencies.row());
    // The log is read once more, which takes as long as after a wake-up.
    goals.at_most(&format!("logout: {label}, max"), latencies.max(), POLL_INTERVAL + ALMOST_ALL);
}

fn wait_for_poll(client: &mut Client, asking: &mut Client, number: usize) -> Duration {
    let (access, refresh) = log_in(client, &format!("not woken {number}"));
    assert_eq!(asking.guarded(&access), 200);
    // The session before ended right after a read of the log. Multiples of the golden ratio are spread evenly.
    thread::sleep(POLL_INTERVAL.mul_f64((number as f64 * 0.618).fract()));
    let acknowledged = log_out(client, &refresh);
    while asking.guarded(&access) != 401 {
        assert!(acknowledged.elapsed() < 5 * POLL_INTERVAL, "the logout does not reach the other instance");
        thread::sleep(BETWEEN);
    }
    acknowledged.elapsed()
}
