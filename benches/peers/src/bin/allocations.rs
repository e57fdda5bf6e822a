//! How many allocations a request takes: for `peers`, which does not count them itself, since counting replaces the allocator.

use allocation_counter::measure;
use axum::http::HeaderValue;
use bench_peers::app::App;
use bench_peers::key::{Algorithm, Key};
use bench_peers::peers::{self, GUARDED, PLAIN_ROUTERS};
use bench_peers::proof;
use bench_peers::tokens::{claims, credentials};
use tokio::runtime::Runtime;

const REQUESTS: usize = 64;

fn main() {
    peers::use_aws_lc();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for algorithm in Algorithm::ALL {
        let key = Key::new(algorithm);
        for peer in PLAIN_ROUTERS.iter().chain(&GUARDED) {
            let Ok(mut app) = peer.app(&key, &runtime) else { continue };
            if proof::accepted_flaws(&mut *app, &runtime, &key, peer.form).is_err() {
                continue;
            }
            for size in [600, 2_000] {
                // Twice as many as are counted: the first are to warm up.
                let credentials = credentials(&key, &claims(peer.form, size), 0..2 * REQUESTS);
                let (first, new) = credentials.split_at(REQUESTS);
                count(&mut *app, &runtime, first);
                let new = count(&mut *app, &runtime, new);
                let known = count(&mut *app, &runtime, &vec![credentials[0].clone(); REQUESTS]);
                for (tokens, allocations) in [("New", new), ("Known", known)] {
                    println!("{} {tokens} {size} {}\t{allocations}", algorithm.name(), peer.name);
                }
            }
        }
    }
}

/// Of one request, rounded.
fn count(app: &mut dyn App, runtime: &Runtime, credentials: &[HeaderValue]) -> u64 {
    app.prepare(credentials);
    let all = measure(|| app.answer(runtime)).count_total;
    (all + credentials.len() as u64 / 2) / credentials.len() as u64
}
