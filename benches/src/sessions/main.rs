//! Login, refresh and logout on each store: operations a second, and what each takes of this process on cores.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin sessions`, and `-- --write` for the README. It starts PostgreSQL and Redis
//! (`bash tests/run` installs them), with data in temporary folders, over loopback; `redb` writes to a temporary folder.
//!
//! The operations are those of `TokenService`: a login is a new session of a caller who was verified before, so the hash of a password
//! is a row of its own. The stores take turns.

mod stored;
mod work;

use std::time::Duration;

use auth_runtime::session::PasswordHasher;
use bench_harness::report::{Report, Table, arguments};
use bench_harness::turns::Spread;
use benches::cpu;
use tokio::runtime::Runtime;

use crate::stored::Stored;
use crate::work::{OPERATIONS, Work};

const ROUNDS: usize = 15;

/// How many callers there are at the same time.
const AT_ONCE: [usize; 2] = [1, 16];

/// How many passwords are hashed.
const HASHES: usize = 20;

fn main() {
    let (arguments, write) = arguments();
    assert!(arguments.is_empty(), "there is no argument but --write");
    let mut report = Report::begin("sessions", env!("CARGO_MANIFEST_DIR"), &["redb", "sqlx", "redis"], write);
    Runtime::new().expect("a runtime").block_on(async {
        let stored = Stored::all().await;
        let versions: Vec<&str> = stored.iter().filter_map(|stored| stored.version.as_deref()).collect();
        report.line(format!(
            "{}; {ROUNDS} rounds, in turns; median [10th to 90th percentile]",
            versions.join(", ")
        ));
        let mut table = Table::new(["", "1 at once [1/s]", "CPU [µs]", "16 at once [1/s]", "CPU [µs]"]);
        let [one, many] = AT_ONCE.map(|at_once| measure(&stored, at_once));
        let (one, many) = (one.await, many.await);
        for (name, taken) in &one {
            let other = many.iter().find(|(known, _)| known == name).expect("the same rows");
            let cells = [taken, &other.1].map(|taken| [taken.rate().text(0), taken.cpu().micros().text(0)]);
            table.row([name.clone()].into_iter().chain(cells.into_iter().flatten()));
        }
        report.table(&table);
        let hash = hashes().await;
        report.line(format!(
            "apart from these, a password is verified in {} ms on a core",
            hash.scaled(1e3).text(1)
        ));
    });
    report.finish();
}

/// What an operation took in each round.
#[derive(Default)]
struct Taken {
    /// Operations a second.
    rates: Vec<f64>,
    /// Seconds on cores an operation.
    cpu: Vec<f64>,
}

impl Taken {
    fn rate(&self) -> Spread {
        Spread::of(self.rates.clone())
    }

    fn cpu(&self) -> Spread {
        Spread::of(self.cpu.clone())
    }
}

/// Each row by its name, in the order of the stores.
async fn measure(stored: &[Stored], at_once: usize) -> Vec<(String, Taken)> {
    let mut rows = Vec::new();
    for stored in stored {
        rows.extend(
            OPERATIONS.map(|operation| (format!("{} {}", stored.name, operation.name()), Taken::default())),
        );
    }
    let mut work: Vec<Work> = stored.iter().map(|stored| Work::new(stored.tokens.clone(), at_once)).collect();
    // The first is to warm up, and to find how many operations fill a round.
    for round in 0..=ROUNDS {
        for (work, rows) in work.iter_mut().zip(rows.chunks_mut(OPERATIONS.len())) {
            for (operation, (_, taken)) in OPERATIONS.into_iter().zip(rows) {
                let done = work.run(operation).await;
                if round > 0 {
                    taken.rates.push(done.count / done.elapsed.as_secs_f64());
                    taken.cpu.push(done.on_cores.as_secs_f64() / done.count);
                }
            }
        }
    }
    rows
}

/// Seconds on a core that a password takes.
async fn hashes() -> Spread {
    let passwords = PasswordHasher::new().expect("a hasher");
    let stored = passwords.hash("wonderland").await.expect("a hash");
    let mut times = Vec::new();
    for _ in 0..HASHES {
        let before: Duration = cpu::of_process();
        assert!(passwords.verify("wonderland", Some(&stored)).await.expect("a comparison"));
        times.push((cpu::of_process() - before).as_secs_f64());
    }
    Spread::of(times)
}
