//! What changes state does so for no safe method, which a page of any site can make a browser send.

use auth_runtime::routing::any;
use auth_runtime::session::routes::LoginError;

use super::*;

/// Handlers for every method, each of which calls a function of the endpoints.
macro_rules! handlers {
    ($($name:ident: [$($rule:tt)*],)*) => {
        $(
            #[auth($($rule)*)]
            async fn $name(Extension(endpoints): Extension<TokenEndpoints<People>>, request: Request) -> Response {
                endpoints.$name(request).await
            }
        )*
    };
}

handlers! {
    log_in: [public],
    refresh: [public],
    log_out: [public],
    log_out_everywhere: [source = ["bearer", "cookie"]],
    revoke: [source = ["bearer", "cookie"]],
    introspect: [source = ["bearer", "cookie"]],
    end_other_sessions: [source = ["bearer", "cookie"]],
}

#[auth(source = ["bearer", "cookie"])]
async fn end_session(Extension(endpoints): Extension<TokenEndpoints<People>>, request: Request) -> Response {
    endpoints.end_session(request, "id").await
}

#[auth(source = ["bearer", "cookie"])]
async fn end_user_session(
    Extension(endpoints): Extension<TokenEndpoints<People>>,
    request: Request,
) -> Response {
    endpoints.end_user_session(request, "alice", "id").await
}

#[auth(source = ["bearer", "cookie"])]
async fn end_user_sessions(
    Extension(endpoints): Extension<TokenEndpoints<People>>,
    request: Request,
) -> Response {
    endpoints.end_user_sessions(request, "alice").await
}

#[auth(public)]
async fn attempt(
    Extension(endpoints): Extension<TokenEndpoints<People>>,
    head: axum::http::request::Parts,
) -> Result<StatusCode, LoginError> {
    endpoints.attempt(&head, "alice").await.map(|_| StatusCode::NO_CONTENT)
}

/// The functions whose ready routes are mounted for `DELETE`.
const OF_SESSIONS: [&str; 4] =
    ["/end_session", "/end_other_sessions", "/end_user_session", "/end_user_sessions"];

const PATHS: [&str; 6] = ["/log_in", "/refresh", "/log_out", "/log_out_everywhere", "/revoke", "/introspect"];

/// The functions on a router that mounts them for every method, and two sessions of alice: as cookies, and as a bearer token.
async fn app(delivery: Delivery) -> (Auth, axum::Router, String, String) {
    let people = People::default();
    let auth = Auth::builder().token_issuer(issuer(&people)).build().unwrap();
    let tokens = auth.tokens().unwrap();
    let routes = || match delivery {
        Delivery::Cookies => TokenRoutes::cookies(tokens.clone(), people.clone()),
        _ => TokenRoutes::json(tokens.clone(), people.clone()),
    };
    let app = Router::new()
        .route("/log_in", any(log_in))
        .route("/refresh", any(refresh))
        .route("/log_out", any(log_out))
        .route("/log_out_everywhere", any(log_out_everywhere))
        .route("/revoke", any(revoke))
        .route("/introspect", any(introspect))
        .route("/end_session", any(end_session))
        .route("/end_other_sessions", any(end_other_sessions))
        .route("/end_user_session", any(end_user_session))
        .route("/end_user_sessions", any(end_user_sessions))
        .route("/attempt", any(attempt))
        .route("/who", get(who))
        .layer(Extension(routes().endpoints()))
        .layer(MockConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4711))))
        .finish(&auth)
        .unwrap();
    let issued = tokens.issue(&people.find("alice").unwrap().unwrap()).await.unwrap();
    let cookies = format!(
        "__Host-access_token={}; __Secure-refresh_token={}",
        issued.access_token, issued.refresh_token
    );
    let issued = tokens.issue(&people.find("alice").unwrap().unwrap()).await.unwrap();
    (auth, app, cookies, format!("Bearer {}", issued.access_token))
}

#[tokio::test]
async fn a_safe_method_is_405_and_changes_nothing() {
    for delivery in [Delivery::Cookies, Delivery::Json] {
        let (_auth, app, cookies, bearer) = app(delivery).await;
        let credentials = [("cookie", cookies.as_str()), ("authorization", bearer.as_str())];
        for path in PATHS.into_iter().chain(OF_SESSIONS).chain(["/attempt"]) {
            let allow = if OF_SESSIONS.contains(&path) { "DELETE" } else { "POST" };
            for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
                for credential in credentials {
                    let mut sent = request(method, path, &[credential, ("content-type", "application/json")]);
                    let all = json!({ "username": "alice", "password": "password of alice", "token": &bearer[7..] });
                    *sent.body_mut() = Body::from(all.to_string());
                    let reply = send(&app, sent).await;
                    assert_eq!(
                        (reply.status.as_u16(), reply.header("allow")),
                        (405, allow),
                        "{method} {path}"
                    );
                    assert!(set_cookies(&reply).is_empty(), "{method} {path}");
                    if method != "HEAD" {
                        assert_eq!(body(&reply), json!({ "error": "invalid_request" }));
                    }
                }
            }
        }
        for credential in credentials {
            assert_eq!(send(&app, request("GET", "/who", &[credential])).await.status, 200);
        }
    }
}

/// Every other method passes this check, and not the check of the origin.
#[tokio::test]
async fn another_method_is_served_to_a_page_of_this_origin_alone() {
    let (_auth, app, cookies, bearer) = app(Delivery::Cookies).await;
    for method in ["POST", "PUT", "PATCH", "DELETE", "QUERY"] {
        for path in PATHS.into_iter().chain(OF_SESSIONS) {
            for credential in [("cookie", cookies.as_str()), ("authorization", bearer.as_str())] {
                let foreign = [credential, ("origin", "https://evil.example"), ("host", "shop.test")];
                let reply = send(&app, request(method, path, &foreign)).await;
                assert_eq!(reply.status, 403, "{method} {path} {}", credential.0);
            }
        }
    }
    assert_eq!(send(&app, request("DELETE", "/log_out", &[("cookie", &cookies)])).await.status, 204);
    assert_eq!(send(&app, request("GET", "/who", &[("cookie", &cookies)])).await.status, 401);
}

/// The ready routes are mounted for one method.
#[tokio::test]
async fn the_ready_routes_serve_post_alone() {
    let shop = Shop::cookies();
    let cookies = cookie_header(&shop.log_in("alice").await);
    for path in ["/auth/login", "/auth/refresh", "/auth/logout", "/auth/logout-everywhere"] {
        for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
            let reply = send(&shop.app, request(method, path, &[("cookie", &cookies)])).await;
            assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "POST"), "{method} {path}");
        }
    }
    assert_eq!(shop.who(&[("cookie", &cookies)]).await, 200);
}
