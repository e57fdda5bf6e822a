//! A process that starts with a file of a million revocations.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use auth_runtime::Auth;
use auth_runtime::session::SigningKey;
use auth_runtime::store::RedbStore;
use auth_runtime::verify::Algorithm;
use bench_harness::report::{Report, Table};
use bench_harness::turns::Spread;
use benches::cpu;
use benches::issuer::issuer;
use benches::servers::{ENTRIES, fill};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

const ROUNDS: usize = 7;

/// Starts processes, and says what they took.
pub fn report(write: bool) {
    let mut report = Report::begin("start-revocations", env!("CARGO_MANIFEST_DIR"), &["redb"], write);
    let folder = tempfile::tempdir().expect("a folder");
    let [empty, full] = ["empty.redb", "full.redb"].map(|name| folder.path().join(name));
    let filled = Runtime::new().expect("a runtime").block_on(async {
        RedbStore::open(&empty).expect("a store");
        let began = Instant::now();
        fill(Arc::new(RedbStore::open(&full).expect("a store"))).await;
        began.elapsed()
    });
    // All clones of the store are dropped, so that the file is closed.
    report.line(format!("{ENTRIES} entries were appended in {:.1} s, 1000 at a time", filled.as_secs_f64()));
    let mut rows = [(&empty, "empty", Vec::new()), (&full, "full", Vec::new())];
    for _ in 0..ROUNDS {
        for (file, _, started) in &mut rows {
            started.push(start(file));
        }
    }
    let mut table = Table::new([
        "",
        "file [MB]",
        "entries",
        "open [s]",
        "read [s]",
        "on cores [s]",
        "most memory [MB]",
        "view [B an entry]",
    ]);
    for (file, name, started) in rows {
        let spread = |member: &str, scale: f64, decimals: usize| {
            Spread::of(started.iter().map(|started| number(started, member) * scale).collect()).text(decimals)
        };
        let last = started.last().expect("a round");
        let entries = number(last, "entries");
        let view =
            if entries > 0.0 { format!("{:.1}", number(last, "bytes") / entries) } else { String::new() };
        table.row([
            name.to_owned(),
            format!("{:.0}", fs::metadata(file).expect("a file").len() as f64 / 1e6),
            format!("{entries:.0}"),
            spread("opened", 1.0, 2),
            spread("read", 1.0, 2),
            spread("on_cores", 1.0, 2),
            spread("memory", 1e-6, 1),
            view,
        ]);
    }
    report.table(&table);
    report.finish();
}

fn number(started: &Value, member: &str) -> f64 {
    started[member].as_f64().expect("a number")
}

/// What a process says that has started with this file.
fn start(file: &Path) -> Value {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program).arg("read").arg(file).output().expect("this program starts again");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The process: opens the file, reads the log, prints what that took, and ends.
pub fn read(file: &Path) {
    let key = SigningKey::generate_pem(Algorithm::EdDSA).expect("a key");
    let (began, before) = (Instant::now(), cpu::of_process());
    let store = RedbStore::open(file).expect("a store");
    let opened = began.elapsed();
    Runtime::new().expect("a runtime").block_on(async {
        let auth = Auth::builder().token_issuer(issuer(&key)).store(store).build().expect("an engine");
        auth.start().await.expect("the log is read");
        let (elapsed, on_cores) = (began.elapsed(), cpu::of_process() - before);
        let status = auth.revocations().status();
        let seconds = |duration: Duration| duration.as_secs_f64();
        let said = json!({
            "opened": seconds(opened), "read": seconds(elapsed - opened), "on_cores": seconds(on_cores),
            "memory": most_memory(), "entries": status.entries, "bytes": status.bytes,
        });
        println!("{said}");
    });
}

/// In bytes.
fn most_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
    line.trim().strip_suffix(" kB").and_then(|value| value.parse::<u64>().ok()).expect("a size") * 1024
}
