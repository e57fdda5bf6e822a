//! API keys, in each store.

use std::hint::black_box;
use std::time::Duration;

use auth_runtime::api_key::{ApiKeyOptions, ApiKeys};
use auth_runtime::routing::get;
use auth_runtime::store::{ApiKeyStore, MemoryStore, RefreshTokenStore, RevocationLog};
use auth_runtime::{Auth, Principal, Router, auth};
use axum::extract::Request;
use bench_harness::report::Report;
use bench_harness::turns::{Variant, take_turns};
use benches::requests::{answer, requests};
use benches::servers::{Kind, Server, StoreHandle};
use tokio::runtime::Runtime;

use crate::{CONTROL, PLAIN, plain_app, table};

const ROUNDS: usize = 100;
const REQUESTS: usize = 100;

/// How many keys of a round are seen for the first time.
const FIRST_SEEN: usize = 20;

const HEADER: &str = "x-api-key";

#[auth(source = "api_key", scopes = ["orders:read"])]
async fn guarded(caller: Principal) -> &'static str {
    black_box(caller.subject());
    "ok"
}

/// A store, and the keys in it.
struct Stored {
    name: &'static str,
    app: axum::Router,
    keys: Vec<String>,
    _auth: Auth,
}

pub fn report(write: bool) {
    let mut report = Report::begin("api-keys", env!("CARGO_MANIFEST_DIR"), &["axum", "sqlx", "redis"], write);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut servers = Vec::new();
    let stored = runtime.block_on(async {
        let mut stored = vec![Stored::of("memory", MemoryStore::new()).await];
        for kind in Kind::ALL {
            let server = Server::start(kind).await;
            report.line(server.version().await);
            stored.push(match server.place("keys", true).connect().await {
                StoreHandle::Postgres(store) => Stored::of(kind.name(), store).await,
                StoreHandle::Redis(store) => Stored::of(kind.name(), store).await,
            });
            servers.push(server);
        }
        stored
    });
    let same = |name: String, app: axum::Router, key: &str| {
        let key = key.to_owned();
        batches(&runtime, name, REQUESTS, app, move || requests(REQUESTS, HEADER, &key))
    };
    let plain = |name: &str| same(name.to_owned(), plain_app(), &stored[0].keys[0]);
    let mut others = Vec::new();
    for Stored { name, app, keys, .. } in &stored {
        let (known, first_seen) = keys.split_first().expect("keys");
        others.push(same(format!("{name}, known"), app.clone(), known));
        let mut first_seen = first_seen.chunks(FIRST_SEEN);
        let next = move || {
            let keys = first_seen.next().expect("there are keys for each round");
            keys.iter().flat_map(|key| requests(1, HEADER, key)).collect()
        };
        others.push(batches(&runtime, format!("{name}, first seen"), FIRST_SEEN, app.clone(), next));
    }
    let times = take_turns([plain(PLAIN), plain(CONTROL)], others, ROUNDS);
    report.table(&table(&times));
    report.guard(&times);
    report.finish();
}

/// Requests one after the other, on the runtime that the connections to the stores are served on.
fn batches<'a>(
    runtime: &'a Runtime,
    name: String,
    count: usize,
    mut app: axum::Router,
    requests: impl FnMut() -> Vec<Request> + 'a,
) -> Variant<'a> {
    Variant::prepared(name, count, requests, move |requests| runtime.block_on(answer(&mut app, requests)))
}

impl Stored {
    async fn of<S>(name: &'static str, store: S) -> Self
    where
        S: ApiKeyStore + RevocationLog + RefreshTokenStore + Clone,
    {
        let engine = || {
            // Longer than the bench takes, so that a known key stays known.
            let keys = ApiKeys::in_header(HEADER)
                .prefix("acme_live")
                .store(store.clone())
                .cache_for(Duration::from_secs(3600));
            Auth::builder().api_keys(keys).store(store.clone()).build().expect("an engine")
        };
        let makes = engine();
        makes.start().await.expect("the log is read");
        let mut keys = Vec::new();
        // One is known, and the round that warms up counts as well.
        for number in 0..=(ROUNDS + 1) * FIRST_SEEN {
            let options = ApiKeyOptions::new().scopes(["orders:read"]);
            let key = makes.api_keys().expect("keys").create(&format!("owner {number}"), options).await;
            keys.push(key.expect("a key").text().to_owned());
        }
        // Another process, which has not seen them.
        let auth = engine();
        auth.start().await.expect("the log is read");
        let app = Router::new().route("/", get(guarded)).finish(&auth).expect("a router");
        Self { name, app, keys, _auth: auth }
    }
}
