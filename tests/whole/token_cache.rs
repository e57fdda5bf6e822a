//! Remembered tokens: an engine with a cache says what one without says, also while keys change and tokens are revoked.

mod taken_away;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::clock::Clock as _;
use auth_runtime::revocation::Revocation;
use auth_runtime::routing::get;
use auth_runtime::session::{SigningKey, SigningKeys};
use auth_runtime::testing::{TestAuth, TestClock, TestUser};
use auth_runtime::verify::{Algorithm, ClaimRule, TrustedIssuer};
use auth_runtime::{Auth, Principal, Router, auth};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::support::people::{AUDIENCE, ISSUER, People, issuer, signing_key};
use crate::support::{Reply, request, send};

#[auth(roles = ["admin"])]
async fn who(user: Principal) -> String {
    user.subject().to_owned()
}

fn app(auth: &Auth) -> axum::Router {
    Router::new().route("/", get(who)).finish(auth).unwrap()
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

async fn ask(app: &axum::Router, token: &str) -> Reply {
    send(app, request("GET", "/", &[("authorization", &format!("Bearer {token}"))])).await
}

/// What the tokens of the two tests below are revoked by.
fn revocation(issuer: &str, kind: usize, id: &str, now: i64) -> Revocation {
    let (issuer, id) = (issuer.to_owned(), id.to_owned());
    match kind % 3 {
        0 => Revocation::Token { issuer, token_id: id },
        1 => Revocation::Session { issuer, session_id: id },
        _ => {
            let issued_at_or_before = UNIX_EPOCH + Duration::from_secs(now.unsigned_abs());
            Revocation::User { issuer, subject: id, issued_at_or_before }
        }
    }
}

fn seconds_of(clock: &TestClock) -> i64 {
    i64::try_from(clock.now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

#[derive(Clone, Debug)]
struct Description {
    /// At first only the key 1 is accepted.
    key: u8,
    is_whole: bool,
    is_admin: bool,
    good_from: i64,
    good_for: i64,
    user: u8,
}

#[derive(Clone, Debug)]
enum Step {
    Ask(usize),
    /// Signs with this key, and accepts the one after it too.
    Rotate(u8),
    /// By `jti`, `sid` or `sub`.
    Revoke(usize, usize),
    Wait(u64),
}

fn tokens_and_steps() -> impl Strategy<Value = (Vec<Description>, Vec<Step>)> {
    let key = prop_oneof![3 => Just(1_u8), 2 => Just(2), 1 => Just(3)];
    let good_from = prop_oneof![4 => Just(0), 1 => Just(20_i64)];
    let good_for = prop::sample::select(vec![40_i64, 100, 400]);
    let (whole, admin) = (prop::bool::weighted(0.9), prop::bool::weighted(0.7));
    let description = (key, whole, admin, good_from, good_for, 0..3_u8).prop_map(
        |(key, is_whole, is_admin, good_from, good_for, user)| Description {
            key,
            is_whole,
            is_admin,
            good_from,
            good_for,
            user,
        },
    );
    let step = prop_oneof![
        30 => (0..6_usize).prop_map(Step::Ask),
        2 => (1..4_u8).prop_map(Step::Rotate),
        1 => (0..3_usize, 0..6_usize).prop_map(|(kind, of)| Step::Revoke(kind, of)),
        2 => (1..15_u64).prop_map(Step::Wait),
    ];
    (vec(description, 6), vec(step, 1..80))
}

#[test]
fn with_and_without_it_every_answer_is_the_same() {
    let met = std::cell::Cell::new([0_u32; 3]);
    let runtime = runtime();
    auth_tests_random::runner(26)
        .run(&tokens_and_steps(), |(descriptions, steps)| {
            let clock = TestClock::new();
            let engine = |entries, bytes| {
                let builder = Auth::builder().token_issuer(issuer(&People::default())).clock(clock.clone());
                let auth = builder.leeway(Duration::ZERO).token_cache(entries, bytes).build().unwrap();
                (app(&auth), auth)
            };
            let engines = [engine(0, 0), engine(4, 1 << 20)];
            let start = seconds_of(&clock);
            let sign = |(index, description): (usize, &Description)| {
                let claims = json!({
                    "iss": ISSUER, "aud": AUDIENCE, "sub": format!("{}", description.user),
                    "jti": format!("{index}"), "sid": format!("{}", index % 3),
                    "iat": start, "nbf": start + description.good_from, "exp": start + description.good_for,
                    "roles": if description.is_admin { ["admin"] } else { ["other"] },
                });
                let mut token = signing_key(description.key).sign(&claims).unwrap();
                if !description.is_whole {
                    let end = token.pop().unwrap();
                    token.push(if end == 'A' { 'E' } else { 'A' });
                }
                token
            };
            let tokens: Vec<_> = descriptions.iter().enumerate().map(sign).collect();
            for step in &steps {
                match step {
                    Step::Ask(index) => {
                        let [without, with] = engines.each_ref().map(|(app, _)| {
                            let reply = runtime.block_on(ask(app, &tokens[*index]));
                            (reply.status.as_u16(), reply.header("www-authenticate").to_owned(), reply.body)
                        });
                        prop_assert_eq!(&without, &with);
                        let mut counts = met.get();
                        counts[[200, 401, 403].iter().position(|known| *known == with.0).unwrap()] += 1;
                        met.set(counts);
                    }
                    Step::Rotate(key) => {
                        let next = signing_key(key + 1).verifying_key();
                        for (_, auth) in &engines {
                            let keys = SigningKeys::new(signing_key(*key)).also_accept(next.clone());
                            auth.tokens().unwrap().rotate_keys(keys).unwrap();
                        }
                    }
                    Step::Revoke(kind, of) => {
                        let id = if *kind == 0 { *of } else { of % 3 };
                        for (_, auth) in &engines {
                            let revocation = revocation(ISSUER, *kind, &id.to_string(), seconds_of(&clock));
                            runtime.block_on(auth.revocations().revoke(revocation)).unwrap();
                        }
                    }
                    Step::Wait(time) => clock.advance(Duration::from_secs(*time)),
                }
            }
            Ok(())
        })
        .unwrap();
    let met = met.get();
    assert!(
        met.iter().all(|count| *count > auth_tests_random::times(10)),
        "{met:?} answers with 200, 401 and 403"
    );
}

#[tokio::test]
async fn one_of_two_entries_is_right_for_a_hundred_tokens() {
    let test = TestAuth::with(|builder| builder.token_cache(2, 1 << 20));
    let app = app(test.auth());
    let users = (0..100).map(|n| (format!("user-{n}"), if n % 3 == 0 { "other" } else { "admin" }));
    let sign =
        |(name, role): (String, &'static str)| (test.token(&TestUser::new(&name).roles([role])), name, role);
    let tokens: Vec<_> = users.map(sign).collect();
    for (token, name, role) in tokens.iter().chain(&tokens) {
        for _ in 0..2 {
            let reply = ask(&app, token).await;
            if *role == "admin" {
                assert_eq!((reply.status.as_u16(), &reply.body), (200, name));
            } else {
                assert_eq!(reply.status, 403);
            }
        }
    }
}

#[tokio::test]
async fn a_predicate_is_asked_every_time() {
    let calls = Arc::new(AtomicUsize::new(0));
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let counted = Arc::clone(&calls);
    let paid = ClaimRule::satisfies(move |plan| plan == "paid" && counted.fetch_add(1, Ordering::SeqCst) < 5);
    let issuer = TrustedIssuer::new(ISSUER).audience(AUDIENCE).key(key.verifying_key()).claim("plan", paid);
    let clock = TestClock::new();
    let app = app(&Auth::builder().issuer(issuer).clock(clock.clone()).build().unwrap());
    let exp = seconds_of(&clock) + 60;
    let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": exp, "roles": ["admin"], "plan": "paid"});
    let token = key.sign(&claims).unwrap();
    for number in 0..8 {
        assert_eq!(ask(&app, &token).await.status.as_u16(), if number < 5 { 200 } else { 401 });
        assert_eq!(calls.load(Ordering::SeqCst), number + 1);
    }
}
