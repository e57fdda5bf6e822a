//! Remembered tokens: an engine with a cache says what one without says, also while keys change and tokens are revoked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::clock::Clock as _;
use auth_runtime::revocation::Revocation;
use auth_runtime::routing::get;
use auth_runtime::testing::{TestAuth, TestClock, TestUser};
use auth_runtime::tokens::{SigningKey, SigningKeys};
use auth_runtime::verify::{
    Algorithm, ClaimRule, TokenClaims, TrustedIssuer, VerifiedToken, Verifier, VerifyError,
};
use auth_runtime::{Auth, Principal, Router, auth};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
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
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

async fn ask(app: &axum::Router, token: &str) -> Reply {
    send(app, request("GET", "/", &[("authorization", &format!("Bearer {token}"))])).await
}

const OTHER: &str = "https://id.test";

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
    let config = Config { cases: 256, failure_persistence: None, ..Config::default() };
    let met = std::cell::Cell::new([0; 3]);
    let runtime = runtime();
    TestRunner::new(config)
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
    assert!(met.iter().all(|count| *count > 300), "{met:?} answers with 200, 401 and 403");
}

/// Tokens that are taken away one after the other, while others ask with them.
struct Lane {
    texts: Vec<String>,
    /// Set when the call that takes the token away has returned.
    gone: Vec<AtomicBool>,
    /// How often each was good; how often it was asked with after it was gone.
    good: Vec<AtomicUsize>,
    asked_after: Vec<AtomicUsize>,
    current: AtomicUsize,
}

/// How many tokens each lane has.
const TOKENS: usize = 1000;
const SENDERS: usize = 3;
/// More requests than this, of each sender, mean that something hangs.
const MOST: usize = 200 * TOKENS;

impl Lane {
    fn new(sign: impl Fn(usize) -> String) -> Self {
        let counters = || (0..TOKENS).map(|_| AtomicUsize::new(0)).collect();
        Self {
            texts: (0..TOKENS).map(sign).collect(),
            gone: (0..TOKENS).map(|_| AtomicBool::new(false)).collect(),
            good: counters(),
            asked_after: counters(),
            current: AtomicUsize::new(0),
        }
    }

    fn is_done(&self) -> bool {
        self.current.load(Ordering::Acquire) == TOKENS
    }

    /// Asks with the token whose turn it is. Whether it was good though it was gone before it was sent.
    fn ask(&self, runtime: &Runtime, app: &axum::Router) -> bool {
        let current = self.current.load(Ordering::Acquire).min(TOKENS - 1);
        let was_gone = self.gone[current].load(Ordering::Acquire);
        let good = runtime.block_on(ask(app, &self.texts[current])).status == 200;
        self.good[current].fetch_add(usize::from(good), Ordering::AcqRel);
        self.asked_after[current].fetch_add(usize::from(was_gone), Ordering::AcqRel);
        was_gone && good
    }

    fn take_away(&self, senders: &AtomicUsize, take: impl Fn(usize)) {
        let wait_for = |count: &AtomicUsize, least| {
            while count.load(Ordering::Acquire) < least && senders.load(Ordering::Acquire) > 0 {
                thread::yield_now();
            }
        };
        for index in 0..TOKENS {
            wait_for(&self.good[index], 2);
            take(index);
            self.gone[index].store(true, Ordering::Release);
            wait_for(&self.asked_after[index], SENDERS);
            self.current.store(index + 1, Ordering::Release);
        }
    }
}

#[test]
fn what_was_taken_away_is_never_good_again() {
    let clock = TestClock::new();
    let key = |number: usize| {
        let secret = [number.to_le_bytes(); 4].concat();
        SigningKey::secret(Algorithm::HS256, &secret).unwrap().with_id(number.to_string())
    };
    // The keys of one issuer change. The tokens of the other are revoked, and one key is good for all of them.
    let other = TrustedIssuer::new(OTHER).audience(AUDIENCE).key(key(0).verifying_key());
    let builder = Auth::builder().token_issuer(issuer(&People::default())).issuer(other);
    let auth = builder.clock(clock.clone()).token_cache(4, 1 << 20).build().unwrap();
    let (app, tokens, now) = (app(&auth), auth.tokens().unwrap(), seconds_of(&clock));
    tokens.rotate_keys(key(0)).unwrap();
    let claims = |issuer: &str, id: usize| {
        let id = id.to_string();
        json!({
            "iss": issuer, "aud": AUDIENCE, "sub": id, "jti": id, "sid": id, "roles": ["admin"],
            "iat": now, "exp": now + 60,
        })
    };
    let by_key = Lane::new(|index| key(index).sign(&claims(ISSUER, index)).unwrap());
    let by_revocation = Lane::new(|index| key(0).sign(&claims(OTHER, index)).unwrap());
    let (senders, wrong) = (AtomicUsize::new(SENDERS), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..SENDERS {
            scope.spawn(|| {
                let (runtime, lanes) = (runtime(), [&by_key, &by_revocation]);
                for number in 0..MOST {
                    if lanes.iter().all(|lane| lane.is_done()) {
                        break;
                    }
                    wrong.fetch_add(usize::from(lanes[number % 2].ask(&runtime, &app)), Ordering::AcqRel);
                }
                senders.fetch_sub(1, Ordering::AcqRel);
            });
        }
        scope.spawn(|| by_key.take_away(&senders, |index| tokens.rotate_keys(key(index + 1)).unwrap()));
        let runtime = runtime();
        by_revocation.take_away(&senders, |index| {
            let revocation = revocation(OTHER, index, &index.to_string(), now);
            runtime.block_on(auth.revocations().revoke(revocation)).unwrap();
        });
    });
    assert_eq!(wrong.into_inner(), 0, "tokens were good that had been taken away");
    for lane in [by_key, by_revocation] {
        assert!(lane.good.iter().all(|count| count.load(Ordering::Acquire) >= 2));
    }
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

/// Takes any token, and counts them.
#[derive(Clone, Debug, Default)]
struct Counting {
    calls: Arc<AtomicUsize>,
    generation: Option<Arc<AtomicU64>>,
}

impl Verifier for Counting {
    fn verify(&self, token: &str) -> Result<VerifiedToken, VerifyError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let claims = json!({"sub": token, "exp": 1_800_000_060, "roles": ["admin"]});
        TokenClaims::from_json(claims.to_string().as_bytes()).map(VerifiedToken::new)
    }

    fn generation(&self) -> Option<u64> {
        Some(self.generation.as_ref()?.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn a_verifier_of_ones_own_is_asked_again_when_its_number_has_grown() {
    let number = Arc::new(AtomicU64::new(0));
    for (generation, expected) in
        [(None, [1, 2, 3, 4, 5, 6]), (Some(Arc::clone(&number)), [1, 1, 1, 2, 2, 2])]
    {
        let verifier = Counting { generation, ..Counting::default() };
        let calls = Arc::clone(&verifier.calls);
        let app = app(&Auth::builder().verifier(verifier).clock(TestClock::new()).build().unwrap());
        for (turn, expected) in expected.into_iter().enumerate() {
            if turn == 3 {
                number.fetch_add(1, Ordering::SeqCst);
            }
            assert_eq!(ask(&app, "alice").await.body, "alice");
            assert_eq!(calls.load(Ordering::SeqCst), expected, "in turn {turn}");
        }
    }
}
