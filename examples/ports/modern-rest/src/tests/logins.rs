//! Logins, refreshes and logouts, in forms of our own.

use auth_runtime::auth;
use auth_runtime::routing::{patch, post};
use auth_runtime::session::routes::{LoginVerifier, PasswordCredentials};
use auth_runtime::session::{Subject, TokenService};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use reqwest::header::COOKIE;

use super::*;
use crate::forms::Login;

#[tokio::test]
async fn a_login_answers_a_pair_in_a_form_of_our_own() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let (email, password) = credentials("ben");
    let sent = json!({ "email": email, "password": password });
    let reply = running.service.post("/api/auth", None, &sent).await;
    let body = reply.json();
    assert_eq!(reply.status, 201);
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&body), ["auth"]);
    assert_eq!(fields(&body["auth"]), ["access", "refresh"]);
    assert_eq!(reply.headers["cache-control"], "no-store");
    assert!(running.accepts(&pair(&reply).access).await);
    Ok(())
}

#[tokio::test]
async fn a_login_has_a_body_of_our_own() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let (email, password) = credentials("ben");
    for (sent, status) in [
        (json!({ "email": email, "password": password }), 201),
        (json!({ "email": email.to_uppercase(), "password": password }), 201),
        (json!({ "username": email, "password": password }), 400),
        (json!({ "email": email }), 400),
        (json!({ "email": email, "password": 1 }), 400),
        (json!([]), 400),
        (json!({ "email": email, "password": "Blueberry" }), 401),
        (json!({ "email": "nobody@new.example", "password": password }), 401),
        (json!({ "email": "ina@new.example", "password": "raspberry" }), 401),
    ] {
        assert_eq!(running.service.post("/api/auth", None, &sent).await.status, status, "{sent}");
    }
    // Attempts are counted by the email, in whichever case.
    let wrong = json!({ "email": "Ana@New.example", "password": "x" });
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(running.service.post("/api/auth", None, &wrong).await.status);
    }
    assert!(statuses.starts_with(&[401]) && statuses.ends_with(&[429]), "{statuses:?}");
    let right = json!({ "email": "ana@new.example", "password": "pineapple" });
    assert_eq!(running.service.post("/api/auth", None, &right).await.status, 429);
    Ok(())
}

#[tokio::test]
async fn a_refresh_has_a_body_of_our_own() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let ben = running.log_in("ben").await;
    for (sent, status) in [
        (json!({ "refresh_token": ben.refresh }), 400),
        (json!({}), 400),
        (json!({ "refresh": ben.refresh }), 200),
    ] {
        assert_eq!(running.service.post("/api/auth/refresh", None, &sent).await.status, status, "{sent}");
    }
    let next = pair(&running.refresh(&running.log_in("ben").await).await);
    assert!(running.accepts(&next.access).await);
    Ok(())
}

#[tokio::test]
async fn a_refresh_needs_a_refresh_token_of_an_active_user() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let ben = running.log_in("ben").await;
    let changed = format!("{}A", ben.refresh);
    for refresh in [ben.access.clone(), changed, String::new(), "x".to_owned()] {
        let sent = Pair { access: String::new(), refresh };
        assert_eq!(running.refresh(&sent).await.status, 401, "{sent:?}");
    }
    // Nor does a refresh token open anything.
    assert!(!running.accepts(&ben.refresh).await);

    let ten_days = Duration::from_hours(10 * 24);
    for (after, status) in [(ten_days - Duration::from_secs(1), 200), (ten_days, 401)] {
        let ben = running.log_in("ben").await;
        running.advance(after).await?;
        assert_eq!(running.refresh(&ben).await.status, status, "{after:?}");
    }
    let ben = running.log_in("ben").await;
    running.change("2", "update accounts set is_active = 0 where id = ?1").await?;
    assert_eq!(running.refresh(&ben).await.status, 401);
    Ok(())
}

#[tokio::test]
async fn a_used_refresh_token_ends_the_session() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let ben = running.log_in("ben").await;
    let next = pair(&running.refresh(&ben).await);
    assert!(next.refresh != ben.refresh && running.accepts(&next.access).await);
    // For some seconds the same successor is issued again: an answer may be lost.
    assert_eq!(pair(&running.refresh(&ben).await).refresh, next.refresh);
    running.advance(Duration::from_secs(61)).await?;
    assert_eq!(running.refresh(&ben).await.status, 401);
    assert!(!running.accepts(&next.access).await, "one of the two who have it is a thief");
    assert_eq!(running.refresh(&next).await.status, 401);
    Ok(())
}

#[tokio::test]
async fn each_route_is_at_a_path_and_a_method_of_our_own() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let (first, other) = (running.log_in("ben").await, running.log_in("ben").await);
    let log_out = async |body: &Value, token: Option<&str>| {
        let request = running.service.request(Method::DELETE, "/api/auth").json(body);
        let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
        running.service.send(request).await.status
    };
    assert_eq!(log_out(&json!({ "refresh": first.refresh }), None).await, 204);
    assert!(!running.accepts(&first.access).await, "the access token of the session ends with it");
    assert_eq!(running.refresh(&first).await.status, 401);
    assert!(running.accepts(&other.access).await);

    for (method, path, status) in [
        (Method::GET, "/api/auth", 405),
        (Method::PUT, "/api/auth", 405),
        (Method::GET, "/api/auth/refresh", 405),
        (Method::POST, "/api/auth/login", 404),
        (Method::POST, "/auth/login", 404),
    ] {
        let request = running.service.request(method, path).json(&json!({}));
        assert_eq!(running.service.send(request).await.status, status, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn pages_have_their_tokens_in_cookies() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let (email, password) = credentials("ben");
    let sent = json!({ "email": email, "password": password });
    let login = running.service.post("/web/auth", None, &sent).await;
    assert_eq!(login.status, 200);
    assert!(!login.body.contains("ey"), "no token is in the body: {login:?}");
    let (set, cookies) = (login.set_cookies(), login.cookies());
    assert!(set.iter().all(|cookie| cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax")));
    assert!(
        set.iter().any(|cookie| cookie.starts_with("refresh_token=") && cookie.contains("; Path=/web/auth"))
    );

    let with = async |method: Method, path: &str, origin: &str| {
        let request = running.service.request(method, path).header(COOKIE, &cookies).header("origin", origin);
        running.service.send(request.json(&json!({ "name": "Baker", "phone": "1" }))).await.status
    };
    let own = running.service.origin();
    assert_eq!(with(Method::GET, "/api/contacts", own).await, 200);
    assert_eq!(with(Method::POST, "/api/contacts", own).await, 201);
    assert_eq!(with(Method::POST, "/api/contacts", "https://evil.example").await, 403);
    assert_eq!(with(Method::DELETE, "/web/auth", own).await, 204);
    assert_eq!(with(Method::GET, "/api/contacts", own).await, 401);
    Ok(())
}

/// The login for programs and that for pages are of the same users: a second login is no second lot of guesses.
#[tokio::test]
async fn guesses_through_both_logins_count_together() -> Result<(), BoxError> {
    let guesses = async |paths: [&str; 2]| {
        let running = Running::start().await?;
        let log_in = async |path: &str, password: &str| {
            let sent = json!({ "email": "ana@new.example", "password": password });
            running.service.post(path, None, &sent).await.status
        };
        let mut allowed = 0;
        for path in paths.into_iter().cycle().take(100) {
            match log_in(path, "x").await {
                400 | 401 => allowed += 1,
                429 => break,
                other => panic!("{path}: {other}"),
            }
        }
        for path in ["/api/auth", "/web/auth"] {
            assert_eq!(log_in(path, "pineapple").await, 429, "{path}");
        }
        Ok::<u8, BoxError>(allowed)
    };
    let alone = guesses(["/api/auth"; 2]).await?;
    assert!((2..100).contains(&alone), "{alone}");
    assert_eq!(guesses(["/api/auth", "/web/auth"]).await?, alone);
    assert_eq!(guesses(["/web/auth"; 2]).await?, alone);
    Ok(())
}

/// The first example of the page: bodies that nobody has chosen.
struct ByName(Accounts);

impl LoginVerifier for ByName {
    type Credentials = PasswordCredentials;

    async fn authenticate(&self, sent: PasswordCredentials) -> Result<Option<Subject>, BoxError> {
        self.0.authenticate(Login { email: sent.username, password: sent.password }).await
    }
}

#[tokio::test]
async fn without_forms_of_our_own_the_bodies_are_those_of_the_first_example() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let accounts = Accounts::new(running.database.clone(), PasswordHasher::with_cost(8, 1, 1)?);
    let defaults = TokenRoutes::json(running.auth.tokens()?, ByName(accounts));
    let app = Router::<()>::new().nest("/auth", defaults.router()).finish(&running.auth)?;
    let service = Service::start(app, tempfile::tempdir()?).await;
    let (email, password) = credentials("ben");
    let login = service.post("/auth/login", None, &json!({ "username": email, "password": password })).await;
    assert_eq!(login.status, 200);
    assert!(running.accepts(&login.text("access_token")).await);
    let sent = json!({ "refresh_token": login.text("refresh_token") });
    let refresh = service.post("/auth/refresh", None, &sent).await;
    assert_eq!(refresh.status, 200);
    assert!(running.accepts(&refresh.text("access_token")).await);
    assert_ne!(refresh.text("refresh_token"), login.text("refresh_token"));
    let other = json!({ "email": email, "password": password });
    assert_eq!(service.post("/auth/login", None, &other).await.status, 400);
    Ok(())
}

/// Handlers in place of the ready routes: a login by a link in a mail, and the refresh. They count no attempts.
#[auth(public)]
async fn follow_link(
    State(tokens): State<TokenService>,
    Path(link): Path<String>,
) -> axum::response::Result<String> {
    let user = if link == "sent-to-ben" { "2" } else { return Err(StatusCode::UNAUTHORIZED.into()) };
    let issued = tokens.issue(&Subject::new(user)).await.map_err(forms::not_issued)?;
    Ok(issued.refresh_token)
}

#[auth(public)]
async fn go_on(State(tokens): State<TokenService>, refresh_token: String) -> axum::response::Result<String> {
    let issued = tokens.refresh(&refresh_token).await.map_err(|_| StatusCode::UNAUTHORIZED)?;
    Ok(issued.access_token)
}

#[tokio::test]
async fn a_handler_of_our_own_logs_in_and_refreshes() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let routes = Router::new().route("/links/{link}", post(follow_link)).route("/session", patch(go_on));
    let app = routes.with_state(running.auth.tokens()?).finish(&running.auth)?;
    let service = Service::start(app, tempfile::tempdir()?).await;
    assert_eq!(service.post("/links/made-up", None, &json!({})).await.status, 401);
    let refresh = service.post("/links/sent-to-ben", None, &json!({})).await;
    assert_eq!(refresh.status, 200);
    let send = async |refresh: &str| {
        service.send(service.request(Method::PATCH, "/session").body(refresh.to_owned())).await
    };
    assert_eq!(send("made-up").await.status, 401);
    let access = send(&refresh.body).await;
    assert_eq!(running.service.get("/api/me", Some(&access.body)).await.json()["email"], "ben@new.example");
    Ok(())
}
