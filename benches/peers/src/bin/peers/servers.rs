//! What a request takes of a server's processor, over loopback: hyper, axum and the kernel, with a known HS256 token.

use bench_harness::report::{Report, Table};
use bench_harness::servers::{self, Server};
use bench_harness::turns::{Variant, take_turns};
use bench_peers::key::{Algorithm, Key};
use bench_peers::peers::{BY_HAND, CONTROL, CRATES, FROM_FN, PLAIN, THIS, named};
use bench_peers::tokens::{Form, claims, credential};
use tokio::runtime::Runtime;

use super::measure::Tokens;
use super::payload::with_the_fastest;

const ROUNDS: usize = 41;

/// The server of one peer.
pub fn serve(runtime: &Runtime, peer: &str) {
    let key = Key::new(Algorithm::Hs256);
    let app = named(peer).app(&key, runtime).expect("it verifies HS256");
    servers::serve(runtime, |listener| app.serve(listener));
}

pub fn report(runtime: &Runtime, write: bool) {
    let mut report = Report::begin("peers-servers", env!("CARGO_MANIFEST_DIR"), &CRATES, write);
    let key = Key::new(Algorithm::Hs256);
    let peers = with_the_fastest(2, &[THIS, BY_HAND, FROM_FN], &key, runtime, Tokens::Known);
    let variant = |name: &'static str, form: Form| {
        let credential = credential(&key, &claims(form, 600), 0);
        let header = format!("authorization: {}", credential.to_str().expect("text"));
        let mut server = Server::start(&["serve", name], &header);
        Variant::measured(name, move || server.round(runtime))
    };
    let others = peers.iter().map(|candidate| variant(candidate.peer.name, candidate.peer.form)).collect();
    let times =
        take_turns([variant(PLAIN, Form::Keycloak), variant(CONTROL, Form::Keycloak)], others, ROUNDS);
    report.line(format!("{ROUNDS} rounds in turns; median [10th to 90th percentile]"));
    let mut table = Table::new(["", "a request [µs on a core]", "requests ÷ those of plain"]);
    for name in times.names() {
        table.row([name.to_owned(), times.each(name).micros().text(2), times.ratio(PLAIN, name).text(3)]);
    }
    report.table(&table);
    report.guard(&times);
    report.finish();
}
