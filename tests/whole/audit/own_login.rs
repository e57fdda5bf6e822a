//! A login of the application's own is reported as the ready one is, and an administrator is named.

use auth_runtime::session::routes::{LoginError, OwnLogin, TokenEndpoints, TokenFailure};
use axum::extract::{Extension, Json};
use axum::http::request::Parts;
use axum::response::Response;

use super::*;

#[auth(public)]
async fn own(
    Extension(endpoints): Extension<TokenEndpoints<OwnLogin>>,
    head: Parts,
    Json(sent): Json<Value>,
) -> Result<Response, LoginError> {
    let attempt = endpoints.attempt(&head, "alice").await?;
    match sent["code"].as_str() {
        Some("right") => {
            attempt.succeed();
            Ok(endpoints.log_in_as(&head, Subject::new("alice")).await)
        }
        Some("busy") => Err(endpoints.fail_with(&head, TokenFailure::Unavailable)),
        _ => Err(endpoints.fail_with(&head, TokenFailure::InvalidGrant)),
    }
}

fn app(shop: &Shop, delivery: Delivery) -> axum::Router {
    let routes = match delivery {
        Delivery::Cookies => TokenRoutes::cookies(shop.tokens.clone(), OwnLogin),
        _ => TokenRoutes::json(shop.tokens.clone(), OwnLogin),
    };
    Router::new()
        .route("/own", post(own))
        .layer(Extension(routes.limit_per_account(AttemptLimit::new(5, Duration::from_secs(60))).endpoints()))
        .finish(&shop.auth)
        .unwrap()
        .layer(MockConnectInfo(SocketAddr::from((PROXY, 4711))))
}

async fn log_in(app: &axum::Router, code: &str, cookie: &str) -> Reply {
    let mut sent =
        request("POST", "/own", &[CLIENT, ("content-type", "application/json"), ("cookie", cookie)]);
    *sent.body_mut() = Body::from(json!({ "code": code }).to_string());
    send(app, sent).await
}

#[tokio::test]
async fn each_step_is_reported_with_the_address() {
    let shop = Shop::new(Delivery::Cookies, |builder| builder);
    let app = app(&shop, Delivery::Cookies);
    let log = CapturedLog::start(tracing::Level::INFO);
    for (code, status, event, line) in [
        ("wrong", 400, "login - - 198.51.100.7: 400 the credentials are wrong", "the credentials are wrong"),
        (
            "busy",
            503,
            "login - - 198.51.100.7: 503 the credentials can't be verified now",
            "can't be verified now",
        ),
        ("right", 200, "login alice sid 198.51.100.7: ok", "a user logged in"),
    ] {
        assert_eq!(log_in(&app, code, "").await.status, status);
        let events = shop.events.take();
        assert!(events.len() == 1 && events[0].starts_with(event), "{events:?}");
        let text = log.take();
        assert!(text.contains(line) && text.contains("198.51.100.7"), "{code}: {text}");
    }
    // The browser's former session ends, before the login is reported.
    let former = shop.issue("bob").await;
    assert_eq!(log_in(&app, "right", &cookies(&former)).await.status, 200);
    let events = shop.events.take();
    assert_eq!(events, ["session_end bob sid 198.51.100.7: ok", "login alice sid 198.51.100.7: ok"]);
    assert!(shop.tokens.refresh(&former.refresh_token).await.is_err());
    shop.events.take();
    assert_eq!(log_in(&app, "right", "").await.status, 200);
    assert_eq!(log_in(&app, "right", "").await.status, 429);
    let events = shop.events.take();
    let expected = "login - - 198.51.100.7: 429 there were too many attempts";
    assert_eq!(events.last().map(String::as_str), Some(expected), "{events:?}");
}

/// A login whose former session can't be ended has failed, and nothing says that it succeeded.
#[tokio::test]
async fn a_login_that_fails_at_the_end_is_one_failed_login() {
    let store = FlakyStore::default();
    let shop = Shop::new(Delivery::Cookies, |builder| builder.store(store.clone()));
    shop.auth.start().await.unwrap();
    let app = app(&shop, Delivery::Cookies);
    let former = shop.issue("bob").await;
    store.set_takes_no_revocation(true);
    let reply = log_in(&app, "right", &cookies(&former)).await;
    assert_eq!(reply.status, 503);
    assert!(
        reply
            .headers
            .get_all("set-cookie")
            .iter()
            .all(|cookie| cookie.to_str().unwrap().contains("Max-Age=0"))
    );
    let events = shop.events.take();
    assert!(!events.iter().any(|event| event.ends_with(": ok")), "{events:?}");
    assert!(
        events.last().is_some_and(|event| event.starts_with("login alice - 198.51.100.7: 503")),
        "{events:?}"
    );
    assert_eq!(shop.tokens.sessions("alice").await.unwrap().sessions, []);
}

#[tokio::test]
async fn an_administrator_is_named() {
    let actors = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&actors);
    let shop = Shop::with_hook(
        Delivery::Json,
        |builder| builder,
        Events::default(),
        move |event| {
            let (actor, subject) = (event.actor.unwrap_or("-"), event.subject.unwrap_or("-"));
            noted.lock().unwrap().push(format!("{} {subject} by {actor}", event.action.as_str()));
        },
    );
    let routes =
        TokenRoutes::json(shop.tokens.clone(), shop.people.clone()).administration(rule!(roles = ["admin"]));
    let app = Router::new().nest("/auth", routes.router()).finish(&shop.auth).unwrap();
    let root = shop.tokens.issue_access(&Subject::new("root").roles(["admin"])).unwrap();
    let bearer = format!("Bearer {root}");
    let alice = shop.tokens.issue(&Subject::new("alice")).await.unwrap();
    shop.tokens.issue(&Subject::new("alice")).await.unwrap();
    for (path, expected) in [
        (format!("/auth/users/alice/sessions/{}", alice.session_id), "session_end alice by root"),
        ("/auth/users/alice/sessions".to_owned(), "logout_everywhere alice by root"),
    ] {
        actors.lock().unwrap().clear();
        let reply = send(&app, request("DELETE", &path, &[("authorization", &bearer)])).await;
        assert_eq!(reply.status, 204, "{path}");
        let events = std::mem::take(&mut *actors.lock().unwrap());
        assert!(events.contains(&expected.to_owned()), "{events:?}");
    }
}
