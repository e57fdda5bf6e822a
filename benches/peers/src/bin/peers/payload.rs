//! What a request takes by the size of the payload: this library, by hand, and the fastest peers.

use bench_harness::plot::{Axis, Line, Plot};
use bench_harness::report::{Report, Table};
use bench_peers::key::{Algorithm, Key};
use bench_peers::peers::{BY_HAND, CRATES, FROM_FN, OWN, THIS, THIS_WITH_FULL_CACHE, THIS_WITHOUT_CACHE};
use tokio::runtime::Runtime;

use super::measure::{Candidate, Tokens, candidates, times};

const SIZES: [usize; 6] = [350, 600, 1_000, 2_000, 4_000, 8_000];
const ROUNDS: usize = 61;

pub fn report(runtime: &Runtime, write: bool) {
    let mut report = Report::begin("peers-payload", env!("CARGO_MANIFEST_DIR"), &CRATES, write);
    let key = Key::new(Algorithm::Hs256);
    for tokens in [Tokens::New, Tokens::Known] {
        let own: &[&str] = match tokens {
            Tokens::New => &[THIS, THIS_WITH_FULL_CACHE, THIS_WITHOUT_CACHE, BY_HAND, FROM_FN],
            Tokens::Known => &[THIS, BY_HAND, FROM_FN],
        };
        let candidates = with_the_fastest(3, own, &key, runtime, tokens);
        curves(&mut report, &candidates, &key, runtime, tokens);
    }
    report.finish();
}

/// Some of these, which are no peers, and so many of the peers that take least with a small payload.
pub fn with_the_fastest(
    count: usize,
    own: &[&str],
    key: &Key,
    runtime: &Runtime,
    tokens: Tokens,
) -> Vec<Candidate> {
    let (mut all, _) = candidates(key, runtime);
    let times = times(&all, key, runtime, tokens, 600, 31);
    let above = |candidate: &Candidate| times.above(candidate.peer.name, candidate.peer.base).median;
    all.sort_by(|one, other| above(one).total_cmp(&above(other)));
    let mut peers = 0;
    all.retain(|candidate| {
        let is_peer = !OWN.contains(&candidate.peer.name);
        peers += usize::from(is_peer);
        if is_peer { peers <= count } else { own.contains(&candidate.peer.name) }
    });
    all
}

fn curves(report: &mut Report, candidates: &[Candidate], key: &Key, runtime: &Runtime, tokens: Tokens) {
    let what = match tokens {
        Tokens::New => "new",
        Tokens::Known => "known",
    };
    let mut lines: Vec<Line> = candidates
        .iter()
        .map(|candidate| Line { name: candidate.peer.name.to_owned(), points: Vec::new() })
        .collect();
    let head = [format!("{what} HS256 tokens [µs above plain]")];
    let head = head.into_iter().chain(SIZES.map(|size| format!("{size} B")));
    let mut rows: Vec<Vec<String>> =
        candidates.iter().map(|candidate| vec![candidate.peer.name.to_owned()]).collect();
    let mut objections = Vec::new();
    for size in SIZES {
        let times = times(candidates, key, runtime, tokens, size, ROUNDS);
        for ((candidate, line), row) in candidates.iter().zip(&mut lines).zip(&mut rows) {
            let above = times.above(candidate.peer.name, candidate.peer.base).micros();
            line.points.push((size as f64 / 1e3, above.median));
            row.push(format!("{:.2}", above.median));
        }
        objections.extend(times.objection().map(|objection| format!("at {size} B, {objection}")));
    }
    let mut table = Table::new(head);
    rows.into_iter().for_each(|row| table.row(row));
    report.table(&table);
    objections.into_iter().for_each(|objection| report.line(objection));
    report.line("");
    let plot = Plot {
        title: format!(
            "A request with {} HS256 token, by its payload",
            if what == "new" { "a new" } else { "a known" }
        ),
        x: Axis::logarithmic("payload [KB]"),
        y: Axis::logarithmic("µs a request above plain axum"),
        lines,
    };
    report.plot(&format!("peers-payload-{what}"), plot);
}
