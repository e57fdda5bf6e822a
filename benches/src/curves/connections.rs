//! By the connections of a server: what a request takes of its processor.

use bench_harness::plot::Axis;
use bench_harness::servers::{self, Server};
use bench_harness::turns::{Variant, take_turns};
use tokio::runtime::{Builder, Runtime};

use super::curve::Figures;
use super::services::{Service, by_hand, issuer, plain, roles, this, token};

const ROUNDS: usize = 11;
const REQUESTS: usize = 4_096;

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn service(name: &str) -> Service {
    let tokens = vec![token(0, &roles(2))];
    match name {
        "plain" | "plain again" => plain(),
        "by hand" => by_hand(tokens),
        "this" => this(issuer(), tokens),
        _ => panic!("{name} is no service"),
    }
}

pub fn serve(name: &str) {
    let router = service(name).0.router;
    servers::serve(&runtime(), async |listener| axum::serve(listener, router).await.expect("a server"));
}

pub fn report(write: bool) {
    let runtime = runtime();
    let mut figures = Figures::new("connections", "connections", write);
    let header = format!("authorization: Bearer {}", token(0, &roles(2)));
    for connections in [1, 4, 16, 64, 256] {
        let variant = |name| {
            let mut server = Server::start(&["serve", name], &header);
            let runtime = &runtime;
            Variant::measured(name, move || server.round_of(runtime, connections, REQUESTS))
        };
        let times = take_turns(
            ["plain", "plain again"].map(variant),
            ["this", "by hand"].map(variant).into(),
            ROUNDS,
        );
        let values = ["plain", "this", "by hand"].map(|name| (name, times.each(name).micros()));
        figures.add(connections, values.into(), times.objection());
    }
    figures.finish(
        "A request over loopback, by the connections of the server",
        Axis::linear("µs a request on a core of the server"),
    );
}
