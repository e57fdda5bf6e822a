//! What two instances of a service and their store cost: how soon a logout in one is enforced in the other, what a start with a million
//! entries takes, how many logouts and refreshes a store acknowledges, and what guarded requests ask it.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin instances`, on Linux, with PostgreSQL and Redis installed (`bash tests/run`
//! installs them). `-- PART`, `-- STORE` or both choose some of it: `logout`, `start`, `operations` or `hot-path`; `postgres` or `redis`. The
//! instances are processes of this program, and everything goes over loopback.
//!
//! It fails, and says which, if a goal is missed.

mod client;
mod goals;
mod hot_path;
mod instance;
mod logout;
mod operations;
mod service;
mod start;

use std::process::ExitCode;
use std::time::Instant;

use auth_runtime::session::SigningKey;
use auth_runtime::verify::Algorithm;
use tokio::runtime::Runtime;

use crate::goals::{Durations, Goals};
use crate::instance::Instance;
use benches::servers::{self, ENTRIES, FULL, Kind, Server};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Logout,
    Start,
    Operations,
    HotPath,
}

const PARTS: [(&str, Part); 4] = [
    ("logout", Part::Logout),
    ("start", Part::Start),
    ("operations", Part::Operations),
    ("hot-path", Part::HotPath),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let ["serve", kind, url, namespace, woken] =
        arguments.iter().map(String::as_str).collect::<Vec<_>>()[..]
    {
        service::serve(Kind::of(kind).expect("a store"), url, namespace, woken == "woken");
        return ExitCode::SUCCESS;
    }
    let (mut parts, mut kinds) = (Vec::new(), Vec::new());
    for argument in &arguments {
        let part = PARTS.iter().find(|(name, _)| name == argument);
        match (part, Kind::of(argument)) {
            (Some((_, part)), _) => parts.push(*part),
            (None, Some(kind)) => kinds.push(kind),
            (None, None) => {
                eprintln!("usage: instances [logout|start|operations|hot-path].. [postgres|redis]..");
                return ExitCode::FAILURE;
            }
        }
    }
    if parts.is_empty() {
        parts.extend(PARTS.map(|(_, part)| part));
    }
    if kinds.is_empty() {
        kinds.extend(Kind::ALL);
    }
    let goals = Runtime::new().expect("a runtime").block_on(measure(&parts, &kinds));
    for missed in &goals.missed {
        println!("FAILED: {missed}");
    }
    if goals.missed.is_empty() {
        println!("all goals are met");
    }
    if goals.missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Part by part, so that the stores are beside each other.
async fn measure(parts: &[Part], kinds: &[Kind]) -> Goals {
    let key = SigningKey::generate_pem(Algorithm::EdDSA).expect("a key");
    let mut goals = Goals::default();
    let mut servers = Vec::new();
    for kind in kinds {
        servers.push(Server::start(*kind).await);
    }
    for server in &servers {
        println!("{}", server.version().await);
    }
    if parts.contains(&Part::Start) || parts.contains(&Part::Logout) {
        for server in &servers {
            let began = Instant::now();
            servers::fill(server.place(FULL, true).connect().await.log()).await;
            server.settle().await;
            let took = began.elapsed().as_secs_f64();
            println!(
                "{}: {ENTRIES} entries were appended in {took:.1} s, 1000 at a time",
                server.kind().name()
            );
        }
    }
    for part in parts {
        println!();
        match part {
            Part::Logout => logouts(&servers, &key, &mut goals),
            Part::Start => starts(&servers, &key, &mut goals).await,
            Part::Operations => {
                println!("operations a second: {}", operations::explanation());
                println!("{}", operations::header());
                for server in &servers {
                    operations::measure(server, &mut goals).await;
                }
            }
            Part::HotPath => {
                println!("what the server is asked while one instance answers guarded requests");
                for server in &servers {
                    hot_path::measure(server, &key, &mut goals).await;
                }
            }
        }
    }
    goals
}

fn logouts(servers: &[Server], key: &str, goals: &mut Goals) {
    println!("from a logout that A has acknowledged to the first 401 of B, {} times, in ms", logout::LOGOUTS);
    println!("{:<28}{}", "", Durations::header());
    for server in servers {
        let first = Instance::start(&server.place(FULL, true), key);
        let woken = Instance::start(&server.place(FULL, true), key);
        let name = server.kind().name();
        logout::measure_woken(&first, &woken, &format!("{name}, woken up"), goals);
        drop(woken);
        let other = Instance::start(&server.place(FULL, false), key);
        logout::measure_not_woken(&first, &other, &format!("{name}, not woken up"), goals);
    }
}

async fn starts(servers: &[Server], key: &str, goals: &mut Goals) {
    println!("start of an instance; memory in MB");
    println!("{}\n{}", start::header_above(), start::header());
    for server in servers {
        start::measure(server, key, goals);
    }
    println!("\nguarded requests of {} connections, in ms", start::CONNECTIONS);
    println!("{:<28}{}{:>10}", "", Durations::header(), "requests");
    for server in servers {
        start::measure_replay(server, key, goals).await;
    }
}
