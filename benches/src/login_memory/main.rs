//! What a flood of wrong logins takes of memory, and whether other users can log in meanwhile: a release build of the quickstart,
//! over loopback. Run it with `cargo run --release --manifest-path benches/Cargo.toml --bin login-memory`, on Linux.
//!
//! `-- --server PATH` measures another binary of the quickstart, such as one of an older commit, and builds none.
//!
//! It fails if the most memory that the server held is above base + workers × 19 MiB + 25 MB, or if a login with the right password
//! is not answered 200 while the flood lasts.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use benches::quickstart::client::{get, log_in};
use benches::quickstart::server::{Folder, Server, build, megabytes};

/// Wrong logins that are sent at the same time: more than the server lets wait.
const AT_ONCE: u64 = 320;

/// How many wrong logins there are at least. They go on for as long as right logins are sent.
const WRONG: u64 = 2_000;

/// How many wrong logins there are at most.
const MOST_WRONG: u64 = 20_000;

/// The addresses that wrong logins come from at the same time.
const ADDRESSES: u64 = 64;

/// After so many attempts of each, other addresses follow: the limit by address allows 50.
const ATTEMPTS_OF_AN_ADDRESS: u64 = 40;

/// How long a client that was answered 429 or 503 waits. With none, the flood would be of answers 429.
const PAUSE: Duration = Duration::from_millis(100);

/// Right logins, of two users: each has 10 attempts.
const RIGHT: u64 = 12;

/// One hash with the default parameters: 19 MiB.
const A_HASH: u64 = 19 << 20;

/// What else the server may need: connections, sessions, the allocator.
const MARGIN: u64 = 25_000_000;

/// The answers to logins, by their status.
#[derive(Default)]
struct Answers {
    by_status: [AtomicU64; 6],
}

const STATUSES: [&str; 6] = ["200", "400", "429", "503", "other", "no answer"];

impl Answers {
    fn count(&self, answer: std::io::Result<u16>) {
        let index = match answer {
            Ok(200) => 0,
            Ok(400) => 1,
            Ok(429) => 2,
            Ok(503) => 3,
            Ok(_) => 4,
            Err(_) => 5,
        };
        self.by_status[index].fetch_add(1, Ordering::Relaxed);
    }

    fn of(&self, status: &str) -> u64 {
        let index = STATUSES.iter().position(|name| *name == status).unwrap();
        self.by_status[index].load(Ordering::Relaxed)
    }

    fn text(&self) -> String {
        let all = STATUSES.iter().map(|status| (self.of(status), status)).filter(|(count, _)| *count > 0);
        all.map(|(count, status)| format!("{count} × {status}")).collect::<Vec<_>>().join(", ")
    }
}

fn main() -> ExitCode {
    let folder = Folder::create("login-memory");
    let server = Server::start(&binary(), &folder.0, drop);
    assert_eq!(get(server.port, "/").unwrap().status, 200, "the first page");
    let base = server.memory("VmRSS").unwrap();
    println!("base: {} MB after the first request", megabytes(base));

    let (wrong, right) = (Answers::default(), Answers::default());
    let began = Instant::now();
    let (first, slowest_later) = flood(&server, &wrong, &right);
    let seconds = began.elapsed().as_secs_f64();
    let (peak, after) = (server.memory("VmHWM").unwrap(), server.memory("VmRSS").unwrap());
    let workers = thread::available_parallelism().map_or(1, |count| count.get() as u64).min(4);
    let bound = base + workers * A_HASH + MARGIN;

    println!(
        "wrong logins, {AT_ONCE} at once from {ADDRESSES} addresses, in {seconds:.1} s: {}",
        wrong.text()
    );
    println!(
        "right logins meanwhile, from another address: {}; the first of each user took at most {first:.1?}, later ones {slowest_later:.1?}",
        right.text()
    );
    println!("most memory: {} MB, after the flood: {} MB", megabytes(peak), megabytes(after));
    println!("bound: base + {workers} workers × 19 MiB + 25 MB = {} MB", megabytes(bound));

    let mut failed = false;
    if peak > bound {
        println!("FAILED: the server held more than the bound");
        failed = true;
    }
    if right.of("200") != RIGHT {
        println!("FAILED: a login with the right password was not answered 200");
        failed = true;
    }
    if wrong.of("400") == 0 || wrong.of("200") + wrong.of("other") + wrong.of("no answer") > 0 {
        println!("FAILED: the flood was not answered as wrong logins are, so nothing was measured");
        failed = true;
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The binary that `--server` names, or a release build of the quickstart.
fn binary() -> PathBuf {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => build(),
        [name, path] if name == "--server" => path.into(),
        _ => panic!("usage: login-memory [--server PATH]"),
    }
}

/// Sends wrong logins and, while they go on, the right ones. Returns how long the slowest of these took: of the first of each user,
/// and of those from an address from which the user has logged in.
fn flood(server: &Server, wrong: &Answers, right: &Answers) -> (Duration, Duration) {
    let (next, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let flooder = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= MOST_WRONG || (number >= WRONG && done.load(Ordering::Relaxed)) {
                return;
            }
            let answer = log_in(server.port, flooding_address(number), &format!("user{number}"), "wrong")
                .map(|answer| answer.status);
            if matches!(answer, Ok(429 | 503)) {
                thread::sleep(PAUSE);
            }
            wrong.count(answer);
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            thread::Builder::new().stack_size(128 << 10).spawn_scoped(scope, flooder).unwrap();
        }
        while next.load(Ordering::Relaxed) < AT_ONCE * 2 {
            thread::sleep(PAUSE);
        }
        let (mut first, mut later) = (Duration::ZERO, Duration::ZERO);
        for number in 0..RIGHT {
            let (user, password) = if number % 2 == 0 { ("alice", "wonderland") } else { ("bob", "builder") };
            let began = Instant::now();
            let answer = log_in(server.port, Ipv4Addr::new(127, 9, 9, 9), user, password);
            right.count(answer.map(|answer| answer.status));
            let slowest = if number < 2 { &mut first } else { &mut later };
            *slowest = began.elapsed().max(*slowest);
        }
        assert!(next.load(Ordering::Relaxed) < MOST_WRONG, "the flood ended before the right logins");
        done.store(true, Ordering::Relaxed);
        (first, later)
    })
}

/// 64 addresses in turns, and then the next 64.
fn flooding_address(number: u64) -> Ipv4Addr {
    let [.., third, fourth] =
        (number % ADDRESSES + number / (ADDRESSES * ATTEMPTS_OF_AN_ADDRESS) * ADDRESSES).to_be_bytes();
    Ipv4Addr::new(127, 1, third, fourth)
}
