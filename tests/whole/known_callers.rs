//! A request whose token is known is let in before the request pipeline runs. It is let in exactly where the pipeline does, and what is
//! answered and said of it is the same.

use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::audit::AuditEvent;
use auth_runtime::clock::Clock as _;
use auth_runtime::routing::{any, get, post};
use auth_runtime::session::SigningKey;
use auth_runtime::source::Query;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
use auth_runtime::{Auth, Caller, Principal, Router, auth, rule};
use axum::extract::Request;
use axum::middleware::{Next, from_fn, map_request};
use serde_json::json;
use tracing::Level;

use crate::captured_log::CapturedLog;
use crate::support::{request, watched};

#[auth]
async fn for_any_caller(user: Principal) -> String {
    user.subject().to_owned()
}

#[auth(roles = ["admin"], source = ["bearer", "cookie"])]
async fn for_admins(user: Principal) -> String {
    user.subject().to_owned()
}

#[auth(source = ["bearer", "cookie"], optional)]
async fn optional(user: Option<Principal>) -> String {
    user.map_or("-".into(), |user| user.subject().to_owned())
}

#[auth(source = "query")]
async fn in_the_url() {}

#[auth(claims(sub = path("name")))]
async fn of_the_path() {}

#[auth(public)]
async fn public() {}

fn routes() -> Router {
    let of_managers = Router::new().route("/", get(for_any_caller)).require(rule!(roles = ["manager"]));
    Router::new()
        .route("/any", get(for_any_caller))
        .route("/admins", post(for_admins))
        .route("/optional", any(optional))
        .route("/query", get(in_the_url))
        .route("/users/{name}", get(of_the_path))
        .route("/public", get(public))
        .route("/beside", (axum::routing::get(async || "beside"), rule!(roles = ["admin"])))
        .nest("/managers", of_managers)
}

const REQUESTS: [(&str, &str); 9] = [
    ("GET", "/any"),
    ("POST", "/admins"),
    ("GET", "/optional"),
    ("DELETE", "/optional"),
    ("GET", "/users/alice"),
    ("GET", "/users/bob"),
    ("GET", "/public"),
    ("GET", "/beside"),
    ("GET", "/managers"),
];

struct Tokens {
    alice: String,
    root: String,
}

type Headers = Vec<(&'static str, String)>;

impl Tokens {
    fn credentials(&self) -> Vec<Headers> {
        let Self { alice, root } = self;
        let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
        let cookie = |token: &str| ("cookie", format!("theme=dark; __Host-access_token={token}"));
        let page = |site: &str| ("sec-fetch-site", site.to_owned());
        vec![
            vec![],
            vec![bearer(alice)],
            vec![bearer(root)],
            vec![bearer(alice), bearer(alice)],
            vec![("authorization", format!("bearer   {alice} "))],
            vec![("authorization", format!("Basic {alice}"))],
            vec![bearer(&alice[..alice.len() - 1])],
            vec![bearer(&format!("{alice}A"))],
            vec![cookie(alice), page("same-origin")],
            vec![cookie(root), page("same-origin")],
            vec![cookie(root), page("cross-site")],
            vec![cookie(root), page("same-site")],
            vec![cookie(alice), cookie(alice), page("same-origin")],
            vec![bearer(alice), cookie(root), page("same-origin")],
            vec![bearer(root), cookie(alice), page("cross-site")],
            vec![bearer("made.up.token"), cookie(root), page("same-origin")],
        ]
    }
}

/// Status, headers and body of each answer, what a middleware is told of the decision, and how often the log says that it is allowed.
async fn all_answers(app: &axum::Router, tokens: &Tokens) -> Vec<String> {
    let mut answers = Vec::new();
    let in_url = format!("/query?access_token={}", tokens.alice);
    let requests = REQUESTS.into_iter().chain([("GET", &*in_url)]);
    for (method, path) in requests {
        for credential in tokens.credentials() {
            let headers: Vec<_> = credential.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let log = CapturedLog::start(Level::DEBUG);
            let (answer, decided) = watched(app, request(method, path, &headers)).await;
            let logged = log.take().matches("auth: allowed").count();
            let mut sent: Vec<_> =
                answer.headers().iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
            sent.sort();
            let status = answer.status();
            let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            let said = decided.map(|decided| {
                let subject = decided.principal().map(|user| user.subject().to_owned());
                (decided.is_decided(), subject, decided.rejection())
            });
            answers.push(format!(
                "{method} {path} {headers:?}: {status} {sent:?} {body:?} {said:?}, {logged} lines"
            ));
        }
    }
    answers
}

const SECRET: [u8; 32] = [7; 32];

/// An engine whose gates may let in by what is known, and one whose gates ask the pipeline each time, because it has an audit hook.
fn engines(clock: &TestClock) -> [Auth; 2] {
    [false, true].map(|is_heard| {
        let key = Key::secret(Algorithm::HS256, SECRET);
        let issuer = TrustedIssuer::new("https://id.example.com").audience("shop").key(key);
        let builder = Auth::builder().issuer(issuer).clock(clock.clone());
        let builder = builder.dangerously_allow_query_tokens(Query::new());
        let builder = if is_heard { builder.audit(|_: &AuditEvent<'_>| {}) } else { builder };
        builder.build().unwrap()
    })
}

fn token(clock: &TestClock, subject: &str, roles: &[&str]) -> String {
    let now = clock.now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({
        "iss": "https://id.example.com", "aud": "shop", "sub": subject, "iat": now, "exp": now + 900, "jti": subject, "roles": roles,
    });
    SigningKey::secret(Algorithm::HS256, &SECRET).unwrap().sign(&claims).unwrap()
}

#[tokio::test]
async fn what_is_known_lets_in_whom_the_pipeline_lets_in() {
    let clock = TestClock::new();
    let [known, piped] = engines(&clock);
    let tokens =
        Tokens { alice: token(&clock, "alice", &[]), root: token(&clock, "root", &["admin", "manager"]) };
    let nothing = || map_request(|request: Request| async { request });
    let baseline = routes().finish(&piped).unwrap();
    let asks = || from_fn(async |_: Caller, request: Request, next: Next| next.run(request).await);
    let apps = [
        routes(),
        routes().layer(nothing()),
        Router::new().merge(routes().layer(nothing())),
        routes().layer(asks()),
    ]
    .map(|routes| routes.finish(&known).unwrap());
    let compare = async |when: &str| {
        let expected = all_answers(&baseline, &tokens).await;
        for app in &apps {
            for _ in 0..2 {
                for (found, expected) in all_answers(app, &tokens).await.iter().zip(&expected) {
                    assert_eq!(found, expected, "{when}");
                }
            }
        }
        expected.iter().filter(|answer| answer.contains(": 200 OK")).count()
    };

    let all = compare("all tokens count").await;
    for engine in [&known, &piped] {
        let alice = engine.verify(&tokens.alice).await.unwrap();
        engine.revocations().revoke_token(&alice).await.unwrap();
    }
    let without_alice = compare("alice's token is revoked").await;
    clock.advance(Duration::from_secs(3600));
    let anonymous = compare("all tokens have expired").await;
    assert!(all > without_alice && without_alice > anonymous, "{all} {without_alice} {anonymous}");
}
