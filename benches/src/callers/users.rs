//! Users that are remembered.

use std::hint::black_box;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::routing::get;
use auth_runtime::session::BoxError;
use auth_runtime::users::{UserCache, UserStore};
use auth_runtime::{Auth, Principal, User, auth};
use bench_harness::report::Report;
use bench_harness::turns::{Variant, take_turns};
use benches::requests::{answer, answer_at_once, requests};
use serde_json::json;

use crate::{CONTROL, PLAIN, key, plain_app, table, trusted};

const ROUNDS: usize = 300;
const REQUESTS: usize = 200;

const WITHOUT: &str = "known token";
const REMEMBERED: &str = "known token, user remembered";
const TAKEN: &str = "known token, user taken by the handler";

struct Account {
    name: String,
}

struct Accounts;

impl UserStore for Accounts {
    type User = Account;

    async fn load(&self, caller: &Principal) -> Result<Option<Account>, BoxError> {
        Ok(Some(Account { name: caller.subject().to_owned() }))
    }
}

#[auth(roles = ["admin"])]
async fn guarded(caller: Principal) -> &'static str {
    black_box(caller.subject());
    "ok"
}

#[auth(roles = ["admin"])]
async fn guarded_user(caller: Principal, User(account): User<Account>) -> &'static str {
    black_box((caller.subject(), &account.name));
    "ok"
}

pub fn report(write: bool) {
    let mut report = Report::begin("users", env!("CARGO_MANIFEST_DIR"), &["axum"], write);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _inside = runtime.enter();
    let without = Auth::builder().issuer(trusted()).build().expect("an engine");
    let cache = UserCache::new().time(Duration::from_secs(3600));
    let with =
        Auth::builder().issuer(trusted()).users(Accounts).user_cache(cache).build().expect("an engine");
    let bearer = bearer();
    let variant = |name: &str, mut app: axum::Router| {
        let requests = || requests(REQUESTS, "authorization", &bearer);
        // The first waits for its user to be loaded.
        runtime.block_on(answer(&mut app, requests()));
        Variant::prepared(name, REQUESTS, requests, move |requests| answer_at_once(&mut app, requests))
    };
    let app = |auth: &Auth, handler| {
        auth_runtime::Router::new().route("/", handler).finish(auth).expect("a router")
    };
    let pair = [variant(PLAIN, plain_app()), variant(CONTROL, plain_app())];
    let others = vec![
        variant(WITHOUT, app(&without, get(guarded))),
        variant(REMEMBERED, app(&with, get(guarded))),
        variant(TAKEN, app(&with, get(guarded_user))),
    ];
    let times = take_turns(pair, others, ROUNDS);
    report.table(&table(&times));
    for name in [REMEMBERED, TAKEN] {
        let above = times.above(name, WITHOUT).micros().signed(2);
        report.line(format!("{name}, above the same token without users: {above} µs"));
    }
    report.guard(&times);
    report.finish();
}

fn bearer() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let claims = json!({
        "iss": "https://id.example.com", "aud": "shop", "sub": "5f0c6f0e-8a9b-4c1d-9e2f-3a4b5c6d7e8f", "iat": now,
        "exp": now + 3600, "jti": "6FnIIZrnBwqZ7B9LLNNjyw", "roles": ["admin", "editor"],
    });
    format!("Bearer {}", key().sign(&claims).expect("a token"))
}
