//! What a refused caller learns, what the log and the audit hook learn, and what a rendering hook can do.

mod errors;
mod own;

use std::sync::{Arc, Mutex};

use auth_runtime::audit::AuditEvent;
use auth_runtime::rejection::RejectionKind;
use auth_runtime::routing::{get, post};
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Claims, Principal, RequestAuth, Router, SameOrigin, auth, check};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use tower::ServiceExt as _;

use crate::captured_log::CapturedLog;
use crate::support::flaky::FlakyStore;
use crate::support::{get_as, request, send, watched};

#[auth]
async fn any_caller() {}

#[auth(roles = ["admin"])]
async fn by_role() {}

#[auth(scopes = ["article:read", "article:write"])]
async fn by_scope() {}

#[auth(scopes = ["a"], roles = ["b"])]
async fn by_scope_and_role() {}

#[auth(max_age = "5m")]
async fn fresh() {}

#[auth(acr = ["mfa", "hw"])]
async fn strong() {}

#[auth(max_age = "1h", acr = ["mfa"])]
async fn fresh_and_strong() {}

#[auth(any(roles = ["admin"], all(scopes = ["ops"], max_age = "5m")))]
async fn admin_or_fresh() {}

#[auth(public)]
async fn open() {}

#[auth(optional)]
async fn optional() {}

#[auth(check = unlucky, roles = ["lucky"])]
async fn checked() {}

#[check]
async fn unlucky(user: &Principal, parts: axum::http::Method) -> Result<bool, &'static str> {
    if parts == "POST" && user.subject() == "alice" { Err("the dice are gone") } else { Ok(false) }
}

fn routes() -> Router {
    Router::new()
        .route("/any", get(any_caller).post(any_caller))
        .route("/role", get(by_role))
        .route("/scope", get(by_scope))
        .route("/both", get(by_scope_and_role))
        .route("/fresh", get(fresh))
        .route("/strong", get(strong))
        .route("/step-up", get(fresh_and_strong))
        .route("/either", get(admin_or_fresh))
        .route("/open", get(open))
        .route("/optional", get(optional))
        .route("/typed", get(typed))
        .route("/checked/{id}", post(checked))
}

const AUTH_TIME: i64 = 1_800_000_000;

/// Each status with its one body, its challenge, and nothing else that depends on the reason.
#[tokio::test]
async fn statuses_and_challenges() {
    let test = TestAuth::with(|builder| builder.realm("the \"shop\""));
    let app = routes().finish(test.auth()).unwrap();
    let alice = TestUser::new("alice");
    let logged_in = |seconds_ago: i64| TestUser::new("alice").claim("auth_time", AUTH_TIME - seconds_ago);
    let realm = r#"Bearer realm="the \"shop\"""#;
    for (user, path, status, challenge) in [
        (Some(&alice), "/role", 403, r#", error="insufficient_scope""#),
        (Some(&alice), "/scope", 403, r#", error="insufficient_scope", scope="article:read article:write""#),
        // a wider token would not do
        (Some(&alice), "/both", 403, r#", error="insufficient_scope""#),
        (Some(&alice), "/fresh", 401, r#", error="insufficient_user_authentication", max_age="300""#),
        (Some(&logged_in(300)), "/fresh", 200, ""),
        (
            Some(&logged_in(301)),
            "/fresh",
            401,
            r#", error="insufficient_user_authentication", max_age="300""#,
        ),
        // a login in the future, by more than clocks differ, has no age
        (Some(&logged_in(-60)), "/fresh", 200, ""),
        (
            Some(&logged_in(-61)),
            "/fresh",
            401,
            r#", error="insufficient_user_authentication", max_age="300""#,
        ),
        (Some(&alice), "/strong", 401, r#", error="insufficient_user_authentication", acr_values="mfa hw""#),
        (Some(&TestUser::new("alice").claim("acr", "hw")), "/strong", 200, ""),
        (
            Some(&alice),
            "/step-up",
            401,
            r#", error="insufficient_user_authentication", max_age="3600", acr_values="mfa""#,
        ),
        (Some(&alice), "/either", 403, r#", error="insufficient_scope", scope="ops""#),
        (
            Some(&TestUser::new("alice").scopes(["ops"])),
            "/either",
            401,
            r#", error="insufficient_user_authentication", max_age="300""#,
        ),
        (None, "/role", 401, ""),
    ] {
        let reply = match user {
            Some(user) => get_as(&app, &test, user, path).await,
            None => send(&app, request("GET", path, &[])).await,
        };
        assert_eq!(reply.status.as_u16(), status, "{user:?} {path}");
        if status == 200 {
            continue;
        }
        assert_eq!(reply.header("www-authenticate"), format!("{realm}{challenge}"), "{user:?} {path}");
        assert_eq!(reply.header("content-type"), "application/problem+json");
        assert_eq!(reply.header("cache-control"), "no-store");
        let title = reply.status.canonical_reason().unwrap();
        assert_eq!(reply.body, format!(r#"{{"type":"about:blank","title":"{title}","status":{status}}}"#));
    }
}

#[tokio::test]
async fn revocations_that_were_never_read_are_503() {
    let store = FlakyStore::default();
    store.set_broken(true);
    let test = TestAuth::with(|builder| builder.store(store.clone()));
    let app = routes().finish(test.auth()).unwrap();
    for path in ["/any", "/optional"] {
        let reply = get_as(&app, &test, &TestUser::new("alice"), path).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(reply.header("retry-after"), "5");
        assert!(!reply.headers.contains_key("www-authenticate"));
        assert!(!reply.body.contains("fire"));
    }
    // Who sends nothing needs no store.
    assert_eq!(send(&app, request("GET", "/optional", &[])).await.status, 200);
    let user = TestUser::new("alice").principal();
    assert!(test.auth().revocations().revoke_user(&user).await.unwrap_err().to_string().contains("on fire"));
}

type Log = Arc<Mutex<Vec<String>>>;

fn audited(log: &Log) -> TestAuth {
    let log = Arc::clone(log);
    TestAuth::with(move |builder| {
        builder.audit(move |event: &AuditEvent<'_>| {
            let decision = match event.rejection {
                None => "allowed".to_owned(),
                Some(kind) => format!("rejected {} {}", kind.status().as_u16(), kind.code().unwrap_or("-")),
            };
            let who = event.principal.map_or("-", Principal::subject);
            let (method, route, handler) = (event.method.unwrap(), event.route, event.handler);
            log.lock()
                .unwrap()
                .push(format!("{who} {method} {route} {handler}: {decision}: {}", event.reason));
        })
    })
}

#[tokio::test]
async fn one_audit_event_a_decision() {
    let log = Log::default();
    let test = audited(&log);
    let app = routes().finish(test.auth()).unwrap();
    let bearer = format!("Bearer {}", test.token(&TestUser::new("alice").roles(["viewer", "lucky"])));
    let with_token = [("authorization", bearer.as_str())];
    for (method, path, headers, expected) in [
        (
            "GET",
            "/any",
            &with_token[..],
            Some("alice GET /any whole::rejections::any_caller: allowed: the rule is satisfied"),
        ),
        (
            "GET",
            "/any",
            &[],
            Some("- GET /any whole::rejections::any_caller: rejected 401 -: no credential was sent"),
        ),
        (
            "GET",
            "/role",
            &with_token,
            Some(
                "alice GET /role whole::rejections::by_role: rejected 403 insufficient_scope: needs role admin; has viewer, lucky",
            ),
        ),
        (
            "POST",
            "/checked/5",
            &with_token,
            Some(
                "alice POST /checked/{id} whole::rejections::checked: rejected 503 -: check whole::rejections::unlucky failed: the dice are gone",
            ),
        ),
        (
            "GET",
            "/any",
            &[("authorization", "Bearer x.y.z")],
            Some(
                "- GET /any whole::rejections::any_caller: rejected 401 invalid_token: malformed token: a part is not canonical base64url",
            ),
        ),
        (
            "GET",
            "/optional",
            &[],
            Some("- GET /optional whole::rejections::optional: allowed: the rule is satisfied"),
        ),
        ("GET", "/open", &with_token, None),
        ("GET", "/nowhere", &with_token, None),
        ("PUT", "/any", &with_token, None),
    ] {
        send(&app, request(method, path, headers)).await;
        let events = std::mem::take(&mut *log.lock().unwrap());
        assert_eq!(
            events.iter().map(String::as_str).collect::<Vec<_>>(),
            expected.into_iter().collect::<Vec<_>>()
        );
    }
}

#[tokio::test]
async fn no_secret_reaches_the_log() {
    let captured = CapturedLog::start(tracing::Level::TRACE);
    let log = Log::default();
    let test = audited(&log);
    let app = routes().finish(test.auth()).unwrap();
    let token = test.token(&TestUser::new("alice"));
    let parts: Vec<&str> = token.split('.').collect();
    let (bearer, cookie) = (format!("Bearer {token}x"), format!("__Host-access_token={token}"));
    for (path, headers) in [
        ("/role", [("authorization", bearer.as_str()), ("cookie", cookie.as_str())]),
        ("/any", [("authorization", &format!("Bearer {token}")), ("cookie", "a=b")]),
        ("/role", [("authorization", &format!("Bearer {token}")), ("cookie", "a=b")]),
    ] {
        send(&app, request("GET", path, &headers)).await;
    }
    let mut text = captured.take();
    drop(captured);
    assert_eq!(text.lines().count(), 3, "one tracing event a decision:\n{text}");
    text.push_str(&log.lock().unwrap().join("\n"));
    text.push_str(&format!("{:?} {test:?}", test.auth()));
    for part in parts {
        assert!(!text.contains(part), "{part} is in\n{text}");
    }
}

#[auth]
async fn typed(_: Claims<u8>) {}

#[tokio::test]
async fn an_outer_layer_reads_the_decision() {
    let test = TestAuth::new();
    let app = routes().finish(test.auth()).unwrap();
    let bearer = format!("Bearer {}", test.token(&TestUser::new("alice")));
    for (path, headers, expected) in [
        ("/any", vec![("authorization", bearer.as_str())], Some((Some("alice"), 200))),
        ("/role", vec![("authorization", bearer.as_str())], Some((Some("alice"), 403))),
        // refused behind the gate, by an extractor of this library
        ("/typed", vec![("authorization", bearer.as_str())], Some((Some("alice"), 401))),
        ("/any", vec![], Some((None, 401))),
        ("/open", vec![], Some((None, 200))),
        ("/nowhere", vec![], None),
    ] {
        let decided = watched(&app, request("GET", path, &headers)).await.1;
        let principal = decided.as_ref().and_then(RequestAuth::principal);
        let found = decided.filter(RequestAuth::is_decided).map(|decided| {
            let status = decided.rejection().map_or(200, |kind| kind.status().as_u16());
            (principal.as_ref().map(Principal::subject), status)
        });
        assert_eq!(found, expected, "{path}");
    }
}

async fn rendered(hook: fn() -> Response) -> crate::support::Reply {
    let test = TestAuth::with(|builder| {
        builder.render_rejections(move |rejection, head: &Parts| {
            assert_eq!((rejection.kind(), rejection.code()), (RejectionKind::Unauthenticated, None));
            assert_eq!((rejection.status(), head.uri.path()), (StatusCode::UNAUTHORIZED, "/any"));
            hook()
        })
    });
    let app = routes().finish(test.auth()).unwrap();
    send(&app, request("GET", "/any", &[])).await
}

#[tokio::test]
async fn a_hook_renders_a_refusal_and_cannot_make_a_success_of_it() {
    for (hook, status) in [
        ((|| "own words".into_response()) as fn() -> Response, 401),
        (|| (StatusCode::NO_CONTENT, "").into_response(), 401),
        (|| (StatusCode::NOT_MODIFIED, "").into_response(), 401),
        (|| (StatusCode::SWITCHING_PROTOCOLS, "").into_response(), 401),
        (|| (StatusCode::NOT_FOUND, "own words").into_response(), 404),
        (|| axum::response::Redirect::to("/login").into_response(), 303),
    ] {
        let reply = rendered(hook).await;
        assert_eq!(reply.status.as_u16(), status);
        let has_challenge = status == 401;
        assert_eq!(
            reply.header("www-authenticate"),
            if has_challenge { "Bearer realm=\"restricted\"" } else { "" }
        );
    }
    let own =
        rendered(|| ([("www-authenticate", "Basic"), ("x-own", "1")], "own words").into_response()).await;
    assert_eq!(own.headers.get_all("www-authenticate").iter().count(), 1);
    assert_eq!((own.header("x-own"), &*own.body), ("1", "own words"));
}

#[auth(public)]
async fn log_in(_: SameOrigin, body: String) -> String {
    body
}

#[tokio::test]
async fn no_other_site_logs_its_visitors_in() {
    let test = TestAuth::with(|builder| builder.trust_origin("https://app.example"));
    let app = Router::new().route("/login", post(log_in)).finish(test.auth()).unwrap();
    for (headers, expected) in [
        (vec![], 200),
        (vec![("origin", "https://shop.example")], 200),
        (vec![("origin", "https://app.example"), ("sec-fetch-site", "cross-site")], 200),
        (vec![("origin", "https://evil.example")], 403),
        (vec![("sec-fetch-site", "cross-site")], 403),
    ] {
        let headers: Vec<_> = headers.into_iter().chain([("host", "shop.example")]).collect();
        assert_eq!(
            send(&app, request("POST", "/login", &headers)).await.status.as_u16(),
            expected,
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn a_misconfigured_service_is_reported_as_any_rejection() {
    let log = Log::default();
    let test = audited(&log);
    let other = TestAuth::with(|builder| {
        builder.render_rejections(|rejection, _| {
            assert_eq!(rejection.kind(), RejectionKind::Misconfigured);
            "own words".into_response()
        })
    });
    let app = routes().layer(other.auth().layer()).finish(test.auth()).unwrap();
    let reply = send(&app, request("GET", "/any", &[])).await;
    assert_eq!((reply.status.as_u16(), &*reply.body), (500, "own words"));
    assert_eq!(reply.header("cache-control"), "no-store");

    let app = routes().layer(test.auth().layer()).finish(other.auth()).unwrap();
    assert_eq!(send(&app, request("GET", "/any", &[])).await.status, 500);
    let events = log.lock().unwrap().join("\n");
    assert!(
        events.starts_with("- GET /any [unknown]: rejected 500 -: a guarded route can't be served"),
        "{events}"
    );
}
