//! The process that the tests of `two_processes` start: `URL SECONDS`, where the clock is ahead by so many seconds. It prints the address that
//! it listens on, writes its log to the standard error, and ends when its standard input is closed: also if the test is killed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the test that started it fails when it panics")]

use std::io::{Read as _, Write as _, stderr, stdin, stdout};

use auth_tests::instances::Instance;
use tracing_subscriber::filter::LevelFilter;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, clock_ahead] = &arguments[..] else { panic!("write `URL SECONDS`, not {arguments:?}") };
    tracing_subscriber::fmt().with_max_level(LevelFilter::WARN).with_ansi(false).with_writer(stderr).init();
    std::thread::spawn(|| {
        let _ = stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let instance = Instance::start(url, clock_ahead.parse().unwrap()).await;
    let line = format!("{}\n", instance.address());
    stdout().write_all(line.as_bytes()).unwrap();
    instance.serve().await;
}
