//! Rejections of the application's own: from wherever they come, they are answered as the gate's.

use std::convert::Infallible;
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};

use auth_runtime::rejection::Rejection;
use auth_runtime::{AuthBuilder, rule};
use axum::BoxError;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Path, Request};
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::middleware::{Next, from_fn, map_response};
use tower::{Layer as _, service_fn};

use super::*;
use crate::support::Reply;

/// The rejection of this name.
fn named(name: &str) -> Rejection {
    match name {
        "unauthenticated" => Rejection::unauthenticated("the second factor is missing"),
        "forbidden" => Rejection::forbidden("it is a Sunday"),
        _ => Rejection::hidden(),
    }
}

struct AppError(BoxError);

impl<E: Into<BoxError>> From<E> for AppError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        match self.0.downcast::<Rejection>() {
            Ok(rejection) => rejection.into_response(),
            Err(_) => StatusCode::IM_A_TEAPOT.into_response(),
        }
    }
}

struct Extracted;

impl<S: Send + Sync> FromRequestParts<S> for Extracted {
    type Rejection = Rejection;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let Path(name) = Path::<String>::from_request_parts(head, state).await.unwrap();
        Err(named(&name))
    }
}

#[auth]
async fn handler(Path(name): Path<String>) -> Result<(), Rejection> {
    Err(named(&name))
}

#[auth]
async fn extractor(_: Extracted) {}

#[auth]
async fn boxed(Path(name): Path<String>) -> Result<(), AppError> {
    Err(named(&name))?
}

#[auth(public)]
async fn public(Path(name): Path<String>) -> Rejection {
    named(&name)
}

#[auth(optional)]
async fn optional_own(Path(name): Path<String>) -> Rejection {
    named(&name)
}

#[auth]
async fn entered() {}

/// Of a route: a middleware in front of the gate.
async fn middleware(Path(name): Path<String>, _: Request, _: Next) -> Rejection {
    named(&name)
}

fn own_routes() -> Router {
    let service = service_fn(|request: Request| async move {
        let name = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        Ok::<_, Infallible>(named(&name).into_response())
    });
    Router::new()
        .route("/middleware/{name}", get(entered))
        .route_layer(from_fn(middleware))
        .route("/handler/{name}", get(handler))
        .route("/extractor/{name}", get(extractor))
        .route("/boxed/{name}", get(boxed))
        .route("/public/{name}", get(public))
        .route("/optional/{name}", get(optional_own))
        .nest_service("/service", (service, rule!()))
}

const KINDS: [(&str, u16, &str, &str); 3] = [
    ("unauthenticated", 401, r#"Bearer realm="restricted""#, "401 -: the second factor is missing"),
    (
        "forbidden",
        403,
        r#"Bearer realm="restricted", error="insufficient_scope""#,
        "403 insufficient_scope: it is a Sunday",
    ),
    ("hidden", 404, "", "404 -: it is hidden from the caller, or does not exist"),
];

/// Each place, with the events before the rejection.
const PLACES: [(&str, &str, &[&str]); 7] = [
    ("/handler", "handler", &["allowed: the rule is satisfied"]),
    ("/extractor", "extractor", &["allowed: the rule is satisfied"]),
    ("/boxed", "boxed", &["allowed: the rule is satisfied"]),
    ("/public", "public", &[]),
    ("/optional", "optional_own", &["allowed: the rule is satisfied"]),
    ("/middleware", "[unknown]", &[]),
    ("/service", "[service]", &["allowed: the rule is satisfied"]),
];

async fn ask(app: &axum::Router, test: &TestAuth, path: &str) -> Response {
    asked(app, test, path).await.0
}

/// The answer, and what was decided.
async fn asked(app: &axum::Router, test: &TestAuth, path: &str) -> (Response, RequestAuth) {
    let bearer = format!("Bearer {}", test.token(&TestUser::new("alice")));
    let (answer, decided) = watched(app, request("GET", path, &[("authorization", &bearer)])).await;
    (answer, decided.unwrap())
}

async fn reply(answer: Response) -> Reply {
    let (head, body) = answer.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    Reply { status: head.status, headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

#[tokio::test]
async fn from_wherever_it_comes_it_is_answered_and_reported() {
    let log = Log::default();
    let test = audited(&log);
    let app = own_routes().finish(test.auth()).unwrap();
    for (place, handler, before) in PLACES {
        for (kind, status, challenge, event) in KINDS {
            let (answer, decided) = asked(&app, &test, &format!("{place}/{kind}")).await;
            let rejection = decided.rejection().unwrap();
            assert_eq!((decided.is_decided(), rejection.status().as_u16()), (true, status), "{place} {kind}");
            let reply = reply(answer).await;
            assert_eq!(reply.status.as_u16(), status, "{place} {kind}");
            assert_eq!(reply.header("www-authenticate"), challenge, "{place} {kind}");
            assert_eq!(reply.header("cache-control"), "no-store", "{place} {kind}");
            assert_eq!(reply.header("content-type"), "application/problem+json", "{place} {kind}");
            let title = reply.status.canonical_reason().unwrap();
            assert_eq!(
                reply.body,
                format!(r#"{{"type":"about:blank","title":"{title}","status":{status}}}"#)
            );
            let events = std::mem::take(&mut *log.lock().unwrap());
            let texts: Vec<_> = events
                .iter()
                .map(|event| event.split_once(": ").unwrap().1.trim_start_matches("rejected "))
                .collect();
            let expected: Vec<_> = before.iter().copied().chain([event]).collect();
            assert_eq!(texts, expected, "{place} {kind}");
            let last = events.last().unwrap();
            assert!(last.contains(handler), "{place} {kind}: {last}");
            // A middleware in front of the gate knows no caller, and a public route does not look for one.
            let is_known = !matches!(place, "/middleware" | "/public");
            assert_eq!(last.starts_with("alice GET /"), is_known, "{place} {kind}: {last}");
        }
    }
}

#[tokio::test]
async fn the_challenge_is_that_of_the_route() {
    #[auth(source = "cookie")]
    async fn by_cookie() -> Rejection {
        Rejection::unauthenticated("it is not enough")
    }
    let test = TestAuth::with(|builder| builder.default_sources(["cookie", "bearer"]));
    let app = Router::new()
        .route("/cookie", get(by_cookie))
        .route("/public/{name}", get(public))
        .finish(test.auth())
        .unwrap();
    let cookie = format!("__Host-access_token={}", test.token(&TestUser::new("alice")));
    let of_route = send(&app, request("GET", "/cookie", &[("cookie", &cookie)])).await;
    assert_eq!(of_route.header("www-authenticate"), r#"Cookie realm="restricted""#);
    let of_default = send(&app, request("GET", "/public/unauthenticated", &[])).await;
    let challenges: Vec<_> = of_default.headers.get_all("www-authenticate").iter().collect();
    assert_eq!(challenges, [r#"Bearer realm="restricted""#, r#"Cookie realm="restricted""#]);
}

/// What the hook sees of a head that the handler has taken.
#[tokio::test]
async fn the_hook_is_called_once_with_what_is_kept_of_the_head() {
    let calls = Log::default();
    let noted = Arc::clone(&calls);
    let test = TestAuth::with(|builder| {
        builder.render_rejections(move |rejection, head| {
            let names: Vec<_> = head.headers.keys().map(HeaderName::as_str).collect();
            let line = format!("{} {} {} {names:?}", rejection.status().as_u16(), head.method, head.uri);
            noted.lock().unwrap().push(line);
            (StatusCode::GONE, [("x-own", "1")], "own words").into_response()
        })
    });
    let app = Router::new().nest("/nested", own_routes()).finish(test.auth()).unwrap();
    let bearer = format!("Bearer {}", test.token(&TestUser::new("alice")));
    let headers = [
        ("authorization", &*bearer),
        ("cookie", "a=b"),
        ("accept", "text/html"),
        ("accept", "text/plain"),
        ("sec-fetch-mode", "navigate"),
        ("x-request-id", "5"),
        ("x-other", "1"),
    ];
    let reply = send(&app, request("GET", "/nested/handler/forbidden?q=1", &headers)).await;
    assert_eq!((reply.status.as_u16(), reply.header("x-own"), &*reply.body), (410, "1", "own words"));
    assert_eq!(reply.header("www-authenticate"), "");
    assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
    let expected = r#"403 GET /nested/handler/forbidden?q=1 ["accept", "sec-fetch-mode", "x-request-id"]"#;
    assert_eq!(std::mem::take(&mut *calls.lock().unwrap()), [expected]);
    // The gate's own: once as well, with the whole head.
    assert_eq!(send(&app, request("GET", "/nested/handler/forbidden", &[])).await.status, 410);
    assert_eq!(calls.lock().unwrap().len(), 1);
}

#[auth(optional)]
async fn returns_what_it_got(user: Result<Principal, Rejection>) -> Result<String, Rejection> {
    user.map(|user| user.subject().to_owned())
}

/// A rejection that has its answer is not rendered again.
#[tokio::test]
async fn what_an_extractor_has_rendered_is_passed_on() {
    let calls = Log::default();
    let noted = Arc::clone(&calls);
    let test = TestAuth::with(|builder| {
        builder.render_rejections(move |rejection, head| {
            noted.lock().unwrap().push(head.headers.contains_key("x-other").to_string());
            rejection.problem()
        })
    });
    let app = Router::new().route("/", get(returns_what_it_got)).finish(test.auth()).unwrap();
    assert_eq!(send(&app, request("GET", "/", &[("x-other", "1")])).await.status, 401);
    assert_eq!(*calls.lock().unwrap(), ["true"]);
}

#[tokio::test]
async fn a_hook_that_panics_is_500() {
    let is_audit = Arc::new(AtomicBool::new(false));
    let armed = Arc::clone(&is_audit);
    let configure = move |builder: AuthBuilder| {
        let asked = Arc::clone(&armed);
        let builder = builder.audit(move |event| {
            assert!(event.rejection.is_none() || !armed.load(Ordering::SeqCst), "the audit hook is broken");
        });
        builder.render_rejections(move |rejection, _| {
            assert!(asked.load(Ordering::SeqCst), "the render hook is broken");
            format!("own words of {}", rejection.status().as_u16()).into_response()
        })
    };
    let test = TestAuth::with(configure);
    let app = own_routes().finish(test.auth()).unwrap();
    let log = CapturedLog::start(tracing::Level::ERROR);
    for (broken, expected, line) in [
        (
            false,
            r#"{"type":"about:blank","title":"Internal Server Error","status":500}"#,
            "the render hook is broken",
        ),
        (true, "own words of 500", "the audit hook is broken"),
    ] {
        is_audit.store(broken, Ordering::SeqCst);
        for (kind, ..) in KINDS {
            let (answer, decided) = asked(&app, &test, &format!("/handler/{kind}")).await;
            assert_eq!(decided.rejection(), Some(RejectionKind::Misconfigured));
            let reply = reply(answer).await;
            assert_eq!((reply.status.as_u16(), &*reply.body), (500, expected), "{kind}");
            assert!(log.take().contains(line), "{kind}");
        }
    }
}

#[tokio::test]
async fn without_the_layer_it_is_a_problem_document() {
    let handler = |Path(name): Path<String>| async move { named(&name) };
    let app = axum::Router::new().route("/{name}", axum::routing::get(handler));
    for (kind, status, ..) in KINDS {
        let reply = send(&app, request("GET", &format!("/{kind}"), &[])).await;
        assert_eq!(reply.status.as_u16(), status);
        let title = reply.status.canonical_reason().unwrap();
        assert_eq!(reply.body, format!(r#"{{"type":"about:blank","title":"{title}","status":{status}}}"#));
        assert_eq!(reply.header("www-authenticate"), "");
    }
}

/// What a middleware makes of the answer: headers stay, the rest is the rejection's, and a new answer is no rejection.
#[tokio::test]
async fn a_middleware_adds_headers_or_makes_a_new_answer() {
    let compressed = |mut answer: Response| async move {
        *answer.status_mut() = StatusCode::OK;
        for (name, value) in
            [("x-added", "1"), ("content-encoding", "gzip"), ("content-type", "application/gzip")]
        {
            answer.headers_mut().insert(name, value.parse().unwrap());
        }
        answer.map(|_| Body::from("compressed"))
    };
    let replaced = |answer: Response| async move { (answer.status(), "new").into_response() };
    let log = Log::default();
    let test = audited(&log);
    let app = own_routes().layer(map_response(compressed)).finish(test.auth()).unwrap();
    let changed = reply(ask(&app, &test, "/handler/forbidden").await).await;
    assert_eq!((changed.status.as_u16(), changed.header("x-added")), (403, "1"));
    assert_eq!(changed.header("content-encoding"), "");
    assert_eq!(changed.headers[CONTENT_TYPE], "application/problem+json");
    assert_eq!(changed.header("content-length"), changed.body.len().to_string());
    assert_eq!(log.lock().unwrap().len(), 2);
    let app = own_routes().layer(map_response(replaced)).finish(test.auth()).unwrap();
    let new = reply(ask(&app, &test, "/handler/forbidden").await).await;
    assert_eq!((new.status.as_u16(), &*new.body, new.header("www-authenticate")), (403, "new", ""));
    assert_eq!(log.lock().unwrap().len(), 3, "it is no rejection of this library's any more");
}

/// The layer around a service of tower's, with a body that is not axum's, and outside of axum's routes.
#[tokio::test]
async fn the_layer_takes_any_body() {
    let test = TestAuth::new();
    let text =
        service_fn(|_: Request| async { Ok::<_, Infallible>(axum::http::Response::new("text".to_owned())) });
    let answer = test.auth().layer().layer(text).oneshot(request("GET", "/", &[])).await.unwrap();
    assert_eq!(reply(answer).await.body, "text");
    let rejects = service_fn(|_: Request| async { Ok::<_, Infallible>(Rejection::hidden().into_response()) });
    for (method, body) in
        [("GET", r#"{"type":"about:blank","title":"Not Found","status":404}"#), ("HEAD", "")]
    {
        let answer = test.auth().layer().layer(rejects).oneshot(request(method, "/", &[])).await.unwrap();
        let reply = reply(answer).await;
        assert_eq!((reply.status.as_u16(), &*reply.body), (404, body));
        assert_eq!(reply.header("content-length"), if method == "HEAD" { "55" } else { "" });
    }
}

#[tokio::test]
async fn what_no_route_matches_is_answered_by_axum() {
    let test = TestAuth::new();
    let app = own_routes().finish(test.auth()).unwrap();
    for (method, path, status) in [("GET", "/nowhere", 404), ("PUT", "/handler/hidden", 405)] {
        let reply = send(&app, request(method, path, &[])).await;
        assert_eq!((reply.status.as_u16(), &*reply.body, reply.header("cache-control")), (status, "", ""));
    }
}

/// As an error it goes through `?` and a `BoxError`, and its text is no reason.
#[test]
fn it_is_an_error_whose_text_gives_no_reason() {
    let error: BoxError = named("forbidden").into();
    assert_eq!(error.to_string(), "the request is rejected with 403 Forbidden, insufficient_scope");
    assert!(error.source().is_none());
    assert_eq!(named("hidden").to_string(), "the request is rejected with 404 Not Found");
    assert!(format!("{error:?}").contains("it is a Sunday"), "for the log: {error:?}");
    let rejection = error.downcast::<Rejection>().unwrap();
    assert_eq!(rejection.kind(), RejectionKind::InsufficientScope);
    assert_eq!((named("hidden").kind(), named("hidden").code()), (RejectionKind::Hidden, None));
    let _: &dyn Error = &*rejection;
}
