//! What a check has loaded comes to its handler, once, and to no other one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use auth_runtime::rejection::Rejection;
use auth_runtime::routing::get;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Checked, Principal, Router, auth, check};
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use tower::ServiceExt as _;

use crate::captured_log::CapturedLog;
use crate::support::get_as;

/// It can't be cloned, and counts how often it was read.
#[derive(Debug)]
struct Article {
    owner: &'static str,
    id: u64,
}

#[derive(Clone, Default)]
struct Articles(Arc<AtomicUsize>);

impl Articles {
    fn read(&self, id: u64) -> Option<Article> {
        self.0.fetch_add(1, Ordering::SeqCst);
        (id < 10).then_some(Article { owner: if id.is_multiple_of(2) { "alice" } else { "bob" }, id })
    }
}

#[check]
async fn owns(
    user: &Principal,
    Path(id): Path<u64>,
    State(articles): State<Articles>,
) -> Result<Checked<Article>, Rejection> {
    let article = articles.read(id).ok_or_else(Rejection::hidden)?;
    if article.owner == user.subject() {
        Ok(Checked(article))
    } else {
        Err(Rejection::forbidden("another's"))
    }
}

#[auth(check = owns)]
async fn article(Checked(article): Checked<Article>) -> String {
    format!("{} of {}", article.id, article.owner)
}

type Outcome<T> = Result<T, std::io::Error>;

#[check]
async fn may_read(
    user: &Principal,
    Path(id): Path<u64>,
    State(articles): State<Articles>,
) -> Outcome<Option<Checked<Article>>> {
    Ok(articles.read(id).filter(|article| article.owner == user.subject()).map(Checked))
}

#[auth(check = may_read)]
async fn readable(
    user: Principal,
    #[cfg(not(any()))] auth_runtime::Checked(article): auth_runtime::Checked<Article>,
    #[cfg(any())] _: Checked<NoSuchType>,
) -> String {
    format!("{} reads {}", user.subject(), article.id)
}

#[check]
async fn knows(user: &Principal, Path(id): Path<u64>) -> Option<Checked<(u64, Vec<String>)>> {
    (id < 10).then(|| Checked((id, vec![user.subject().to_owned()])))
}

#[auth(check = knows)]
async fn pair(Checked((id, names)): Checked<(u64, Vec<String>)>) -> String {
    format!("{id} {names:?}")
}

/// A handler need not take it.
#[auth(check = knows)]
async fn without() -> &'static str {
    "without"
}

/// Neither the compiler nor `#[auth]` sees that this is one.
type Alias = Checked<(u64, Vec<String>)>;

#[auth(check = knows)]
async fn by_alias(Checked((id, _)): Alias) -> String {
    id.to_string()
}

/// Passes its request on to a handler without a gate.
async fn unguarded(Checked((id, _)): Checked<(u64, Vec<String>)>) -> String {
    id.to_string()
}

async fn pass_on(request: Request) -> Response {
    axum::Router::new().fallback(unguarded).oneshot(request).await.unwrap()
}

#[auth(check = knows)]
async fn passes_on(request: Request) -> Response {
    pass_on(request).await
}

#[auth(check = knows)]
async fn takes_and_passes_on(Checked((id, _)): Checked<(u64, Vec<String>)>, request: Request) -> Response {
    assert!(id < 10);
    pass_on(request).await
}

/// A copy of the head from before it is taken.
#[auth(check = knows)]
async fn copies_and_passes_on(head: Parts, Checked((id, _)): Checked<(u64, Vec<String>)>) -> Response {
    assert!(id < 10);
    pass_on(Request::from_parts(head, axum::body::Body::empty())).await
}

fn app(test: &TestAuth, articles: &Articles) -> axum::Router {
    Router::new()
        .route("/article/{id}", get(article))
        .route("/readable/{id}", get(readable))
        .route("/pair/{id}", get(pair))
        .route("/without/{id}", get(without))
        .route("/alias/{id}", get(by_alias))
        .route("/passed/{id}", get(passes_on))
        .route("/taken/{id}", get(takes_and_passes_on))
        .route("/copied/{id}", get(copies_and_passes_on))
        .with_state(articles.clone())
        .finish(test.auth())
        .unwrap()
}

#[tokio::test]
async fn the_handler_takes_what_its_check_has_loaded() {
    let test = TestAuth::new();
    let articles = Articles::default();
    let app = app(&test, &articles);
    for (path, status, body, reads) in [
        ("/article/2", 200, "2 of alice", 1),
        ("/article/3", 403, "", 1),
        ("/article/12", 404, "", 1),
        ("/article/x", 403, "", 0),
        ("/readable/4", 200, "alice reads 4", 1),
        ("/readable/5", 403, "", 1),
        ("/readable/15", 403, "", 1),
        ("/pair/7", 200, "7 [\"alice\"]", 0),
        ("/pair/17", 403, "", 0),
        ("/without/7", 200, "without", 0),
    ] {
        let before = articles.0.load(Ordering::SeqCst);
        let reply = get_as(&app, &test, &TestUser::new("alice"), path).await;
        assert_eq!(reply.status.as_u16(), status, "{path}");
        assert_eq!(articles.0.load(Ordering::SeqCst) - before, reads, "{path}: no row is read twice");
        if status == 200 {
            assert_eq!(reply.body, body, "{path}");
        }
    }
}

/// It goes to the handler whose own arguments name it, and nowhere else.
#[tokio::test]
async fn nothing_else_finds_it() {
    let test = TestAuth::new();
    let app = app(&test, &Articles::default());
    let log = CapturedLog::start(tracing::Level::ERROR);
    for path in ["/alias/7", "/passed/7", "/taken/7", "/copied/7"] {
        let reply = get_as(&app, &test, &TestUser::new("alice"), path).await;
        assert_eq!(reply.status.as_u16(), 500, "{path}: {}", reply.body);
        let lines = log.take();
        assert!(
            lines.contains(
                "no check hands over a value here: write `Checked<..>` as an argument of the function"
            ),
            "{path}: {lines}"
        );
    }
}

/// A unit test calls the handler with a value of its own.
#[tokio::test]
async fn a_handler_can_be_called() {
    let alice = Article { owner: "alice", id: 2 };
    assert_eq!(article(auth_runtime::Authorized::for_test(), Checked(alice)).await, "2 of alice");
}
