//! What a request takes of a server's processor, over loopback: hyper, axum and the kernel, with the gate and without. The servers take turns.

use bench_harness::report::{Report, Table};
use bench_harness::servers::{self, Server};
use bench_harness::turns::{Variant, take_turns};
use tokio::runtime::{Builder, Runtime};

use super::variants;

const ROUNDS: usize = 30;

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// The server of one variant.
pub fn serve(variant: &'static str) {
    servers::serve(&runtime(), async |listener| axum::serve(listener, variants::of(variant).router).await.expect("a server"));
}

pub fn report(write: bool) {
    let crates = ["axum", "hyper", "jsonwebtoken"];
    let mut report = Report::begin("request-server", env!("CARGO_MANIFEST_DIR"), &crates, write);
    let runtime = runtime();
    let variant = |name: &'static str| {
        let (header, value) = variants::of(name).headers.swap_remove(0);
        let mut server = Server::start(&["serve", name], &format!("{header}: {value}"));
        let runtime = &runtime;
        Variant::measured(name, move || server.round(runtime))
    };
    let others = ["by-hand", "public", "known"].map(variant).into();
    let times = take_turns(["plain", "plain-control"].map(variant), others, ROUNDS);
    let mut table = Table::new(["", "a request [µs on a core]", "requests ÷ those of plain"]);
    for name in times.names() {
        table.row([name.to_owned(), times.each(name).micros().text(2), times.ratio("plain", name).text(3)]);
    }
    report.table(&table);
    report.guard(&times);
    report.finish();
}
