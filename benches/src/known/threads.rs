//! By the number of threads that answer requests with the same token.

use std::sync::Barrier;
use std::thread::{self, available_parallelism};
use std::time::Instant;

use axum::Router;
use bench_harness::report::{Report, Table};
use bench_harness::turns::Spread;
use benches::requests::{answer_at_once, requests};

use crate::{bearer, guarded_app, plain_app};

const THREADS: [usize; 3] = [1, 2, 4];
const ROUNDS: usize = 100;

/// How many requests each thread has made before it answers them. They fit into a cache.
const REQUESTS: usize = 500;

/// How often it does so in a round. All threads begin together each time.
const BATCHES: usize = 30;

/// What two threads reach, of what they reach on plain axum.
const GOAL: f64 = 0.98;

/// By how much the two plain apps may differ, or the goal can't be told from noise.
const MOST_NOISE: f64 = 0.02;

pub fn report(write: bool) {
    let mut report = Report::begin("known-threads", env!("CARGO_MANIFEST_DIR"), &["axum"], write);
    let cores = available_parallelism().expect("Linux").get();
    let threads: Vec<usize> = THREADS.into_iter().filter(|threads| *threads <= cores).collect();
    let bearer = bearer(0);
    let apps = [plain_app(), plain_app(), guarded_app()];
    // For each number of threads, the rounds of each app.
    let mut rates = vec![[const { Vec::new() }; 3]; threads.len()];
    for round in 0..=ROUNDS {
        for (threads, rates) in threads.iter().zip(&mut rates) {
            for step in 0..apps.len() {
                let index = (round + step) % apps.len();
                let rate = rate(&apps[index], *threads, &bearer);
                // The first is to warm up.
                if round > 0 {
                    rates[index].push(rate);
                }
            }
        }
    }
    let head = [
        "threads",
        "plain [1/s]",
        "known [1/s]",
        "plain × one",
        "known × one",
        "known ÷ plain",
        "control ÷ plain",
    ];
    let (mut table, mut is_noisy) = (Table::new(head), false);
    for (threads, of_threads) in threads.iter().zip(&rates) {
        let rate = |app: usize| Spread::of(of_threads[app].clone()).text(0);
        let scaling = |app: usize| quotients(&of_threads[app], &rates[0][app]);
        let against = |app: usize| Spread::of(quotients(&scaling(app), &scaling(0)));
        let times = |app: usize| Spread::of(scaling(app)).text(2);
        table.row([
            threads.to_string(),
            rate(0),
            rate(2),
            times(0),
            times(2),
            against(2).text(3),
            against(1).text(3),
        ]);
        is_noisy |= (against(1).median - 1.0).abs() > MOST_NOISE;
        if *threads == 2 {
            let reached = against(2).median;
            let met = if reached >= GOAL { "met" } else { "missed" };
            report.line(format!("two threads reach {reached:.3} of what they reach on plain axum; the goal of at least {GOAL} is {met}"));
        }
    }
    report.table(&table);
    if is_noisy {
        let most = MOST_NOISE * 100.0;
        report.line(format!("the plain apps differ by more than {most:.0} %: the machine is too busy, and the figures do not count"));
    }
    report.finish();
}

/// Of each round.
fn quotients(ones: &[f64], others: &[f64]) -> Vec<f64> {
    ones.iter().zip(others).map(|(one, other)| one / other).collect()
}

/// Requests a second of all threads together, each with a clone of the app as a connection has.
fn rate(app: &Router, threads: usize, bearer: &str) -> f64 {
    let barrier = Barrier::new(threads);
    let batches: Vec<Vec<(Instant, Instant)>> = thread::scope(|scope| {
        let answer = || scope.spawn(|| answer_batches(app.clone(), &barrier, bearer));
        let threads: Vec<_> = (0..threads).map(|_| answer()).collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread")).collect()
    });
    let took = |batch: usize| {
        let began = batches.iter().map(|batches| batches[batch].0).min().expect("a thread");
        let ended = batches.iter().map(|batches| batches[batch].1).max().expect("a thread");
        (ended - began).as_secs_f64()
    };
    (threads * BATCHES * REQUESTS) as f64 / (0..BATCHES).map(took).sum::<f64>()
}

/// When each batch was begun, and when it was answered.
fn answer_batches(mut app: Router, barrier: &Barrier, bearer: &str) -> Vec<(Instant, Instant)> {
    let batch = |_| {
        let requests = requests(REQUESTS, "authorization", bearer);
        barrier.wait();
        let began = Instant::now();
        answer_at_once(&mut app, requests);
        (began, Instant::now())
    };
    (0..BATCHES).map(batch).collect()
}
