//! What a start with a million entries takes, and what a replay of them takes of the requests that are served meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::goals::{Durations, Goals};
use crate::instance::{Instance, log_in};
use benches::servers::{ENTRIES, FULL, Server, entry};

/// What an entry may take of the most memory that the process had, above that of one without entries.
const BYTES_AN_ENTRY: f64 = 64.0;

/// How many connections send requests, with pauses.
pub const CONNECTIONS: usize = 4;

/// The pause between two requests of one: that the latency is measured, and not how much the instance can do.
const PAUSE: Duration = Duration::from_millis(1);

/// How long requests are measured before.
const BEFORE: Duration = Duration::from_secs(3);

/// What 99 of 100 requests may take during a replay.
const ALMOST_ALL: Duration = Duration::from_millis(20);

/// Starts one instance without entries, and one with a million.
pub fn measure(server: &Server, key: &str, goals: &mut Goals) {
    let label = server.kind().name();
    let empty = Instance::start(&server.place("empty", true), key);
    let full = Instance::start(&server.place(FULL, true), key);
    let [(before, before_most), (now, most)] =
        [&empty, &full].map(|instance| (instance.memory("VmRSS"), instance.memory("VmHWM")));
    let status = full.status();
    let entries = status.number("entries");
    let each = |bytes: u64| bytes as f64 / entries as f64;
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    println!(
        "{label:<10}{:>10}{:>12.2}{:>12.2}{:>10.1}{:>10.1}{:>10.1}{:>10.1}{:>16.1}",
        entries,
        empty.ready_after.as_secs_f64(),
        full.ready_after.as_secs_f64(),
        megabytes(before_most),
        megabytes(most),
        each(now.saturating_sub(before)),
        each(most.saturating_sub(before_most)),
        each(status.number("bytes")),
    );
    goals.expect(entries >= ENTRIES, || format!("start: {label}: the view has {entries} entries"));
    let each = each(most.saturating_sub(before_most));
    goals.expect(each <= BYTES_AN_ENTRY, || {
        format!("start: {label}: {each:.1} bytes an entry, and at most {BYTES_AN_ENTRY} is the goal")
    });
}

/// The names of the columns of [`measure`].
pub fn header() -> String {
    format!(
        "{:<10}{:>10}{:>12}{:>12}{:>10}{:>10}{:>10}{:>10}{:>16}",
        "", "entries", "ready [s]", "ready [s]", "VmHWM", "VmHWM", "VmRSS", "VmHWM", "status().bytes"
    )
}

/// The names of the columns that are above.
pub fn header_above() -> String {
    format!(
        "{:<10}{:>10}{:>12}{:>12}{:>10}{:>10}{:>36}",
        "", "", "empty", "full", "empty", "full", "bytes an entry"
    )
}

/// Has an instance find another history, and sends requests to it while it reads all entries again.
pub async fn measure_replay(server: &Server, key: &str, goals: &mut Goals) {
    let label = server.kind().name();
    let place = server.place(FULL, true);
    let instance = Instance::start(&place, key);
    // The bench appends the entry that is lost: an instance would append it again.
    let store = place.connect().await;
    let cursor = instance.status().number("cursor");
    store.append(vec![entry(ENTRIES)]).await;
    instance.wait_until("the entry is read", |status| status.number("cursor") == cursor + 1);
    let (token, _) = log_in(&mut instance.client(), "replay");

    let before = requests(&instance, &token, || {
        let began = Instant::now();
        thread::sleep(BEFORE);
        (began, Instant::now())
    });
    let mut took = Duration::ZERO;
    server.lose_last_entry(FULL).await;
    let during = requests(&instance, &token, || {
        instance.wait_until("another history is found", |status| status.number("other_histories") == 1);
        let began = Instant::now();
        instance.wait_until("the log is read again", |status| status.number("cursor") >= cursor);
        took = began.elapsed();
        (began, Instant::now())
    });
    println!("{:<28}{}{:>10}", format!("{label}, before"), before.row(), before.count());
    println!(
        "{:<28}{}{:>10}",
        format!("{label}, replay of {:.1} s", took.as_secs_f64()),
        during.row(),
        during.count()
    );
    goals.at_most(&format!("replay: {label}, p99 of requests"), during.percentile(99), ALMOST_ALL);
}

/// How long the requests took that were sent in the time that `work` returns. All are answered 200.
fn requests(instance: &Instance, token: &str, work: impl FnOnce() -> (Instant, Instant)) -> Durations {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..CONNECTIONS).map(|_| scope.spawn(|| send(&mut instance.client(), token, &is_over))).collect();
        let (from, to) = work();
        is_over.store(true, Ordering::Relaxed);
        let requests = threads.into_iter().flat_map(|thread| thread.join().expect("a thread"));
        let in_time = requests.filter(|(sent, _)| (from..to).contains(sent));
        Durations::new(in_time.map(|(_, took)| took).collect())
    })
}

/// Sends requests, with pauses. Returns when each was sent, and how long it took.
fn send(client: &mut Client, token: &str, is_over: &AtomicBool) -> Vec<(Instant, Duration)> {
    let mut requests = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let sent = Instant::now();
        let status = client.guarded(token);
        requests.push((sent, sent.elapsed()));
        assert_eq!(status, 200, "during a replay, too");
        thread::sleep(PAUSE);
    }
    requests
}
