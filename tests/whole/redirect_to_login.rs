//! Browsers without a login are sent to the login page, and no other caller is.

mod chromium;
mod return_to;

use std::sync::{Arc, Mutex};

use auth_runtime::rejection::{Rejection, RejectionKind};
use auth_runtime::routing::{get, post};
use auth_runtime::source::Query;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
use auth_runtime::{Auth, AuthBuilder, LoginPage, ReturnTo, Router, auth, rule};
use axum::http::request::Parts;
use axum::response::IntoResponse as _;

use crate::support::{Reply, request, send};

pub(crate) const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

#[auth]
async fn account() {}

#[auth(roles = ["admin"])]
async fn admin() {}

#[auth(max_age = "5m")]
async fn fresh() {}

#[auth(public)]
async fn login_page(return_to: ReturnTo) -> String {
    return_to.to_string()
}

fn routes() -> Router {
    let nested = Router::new().route("/inner", get(account));
    Router::new()
        .route("/account", get(account).post(account).put(account).delete(account))
        .route("/account/{id}", get(account))
        .route("/admin", get(admin))
        .route("/fresh", get(fresh))
        .route("/optional", get(optional))
        .route("/by-cookie", post(by_cookie))
        .route("/by-header", get(by_header))
        .route("/login", get(login_page))
        .nest("/nested", nested)
}

#[auth(source = "cookie")]
async fn by_cookie() {}

#[auth(source = "bearer")]
async fn by_header() {}

#[auth(optional)]
async fn optional(return_to: Option<ReturnTo>) -> String {
    return_to.map_or("none".into(), |return_to| return_to.to_string())
}

/// A service of pages: its routes take the cookie, too.
fn pages(builder: AuthBuilder) -> AuthBuilder {
    builder.default_sources(["bearer", "cookie"])
}

fn app(page: impl Into<LoginPage>) -> (axum::Router, TestAuth) {
    let page = page.into();
    let test = TestAuth::with(|builder| pages(builder).redirect_to_login(page));
    (routes().finish(test.auth()).unwrap(), test)
}

async fn ask(app: &axum::Router, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    let headers: Vec<_> = headers.iter().copied().chain([HTML]).collect();
    send(app, request(method, path, &headers)).await
}

#[tokio::test]
async fn a_page_is_answered_with_the_way_to_the_login_and_back() {
    let (app, _) = app("/login");
    for (path, location) in [
        ("/account", "/login?return_to=%2Faccount"),
        ("/account?x=1&y=a%20b", "/login?return_to=%2Faccount%3Fx%3D1%26y%3Da%2520b"),
        (
            "/account/%C3%A9?q=%2F%2Fevil.example",
            "/login?return_to=%2Faccount%2F%25C3%25A9%3Fq%3D%252F%252Fevil.example",
        ),
        ("/nested/inner?x", "/login?return_to=%2Fnested%2Finner%3Fx"),
        // What `ReturnTo` would not accept is left out.
        ("/account/%5cevil.example", "/login"),
        ("/account/..", "/login"),
    ] {
        let reply = ask(&app, "GET", path, &[]).await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (303, location), "{path}");
        assert!(!reply.headers.contains_key("www-authenticate"), "a redirect asks for no credential");
        assert_eq!(reply.header("cache-control"), "no-store");
        if location.contains('?') {
            assert_eq!(send(&app, request("GET", location, &[])).await.body, path, "and the page reads it");
        }
    }
    let head = ask(&app, "HEAD", "/account", &[]).await;
    assert_eq!((head.status.as_u16(), head.header("location")), (303, "/login?return_to=%2Faccount"));
}

#[tokio::test]
async fn a_return_path_that_is_too_long_is_left_out() {
    let (app, _) = app("/login");
    for (length, is_there) in [(2048, true), (2049, false)] {
        let path = format!("/account?{}", "x".repeat(length - "/account?".len()));
        let location = ask(&app, "GET", &path, &[]).await.header("location").to_owned();
        assert_eq!(location != "/login", is_there, "{length}");
        assert!(location.len() < 2100);
    }
}

#[tokio::test]
async fn a_form_that_lost_its_session_leads_to_the_login_without_a_way_back() {
    let (app, _) = app("/login");
    let form = ask(&app, "POST", "/account?step=2", &[("sec-fetch-mode", "navigate")]).await;
    assert_eq!((form.status.as_u16(), form.header("location")), (303, "/login"));
    for method in ["PUT", "DELETE"] {
        assert_eq!(ask(&app, method, "/account", &[]).await.status, 401, "{method}");
    }
}

#[tokio::test]
async fn who_asks_for_data_gets_the_401_of_before() {
    let (app, _) = app("/login");
    let table: &[&[(&str, &str)]] = &[
        &[],
        &[("accept", "*/*")],
        &[("accept", "application/json")],
        &[("accept", "application/json, text/html;q=0.9")],
        &[HTML, ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")],
        &[HTML, ("sec-fetch-mode", "same-origin")],
        &[HTML, ("x-requested-with", "XMLHttpRequest")],
        &[HTML, ("upgrade", "websocket"), ("connection", "upgrade")],
    ];
    for headers in table {
        let reply = send(&app, request("GET", "/account", headers)).await;
        assert_eq!(reply.status, 401, "{headers:?}");
        assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"restricted\"");
        assert_eq!(reply.header("content-type"), "application/problem+json");
        assert!(!reply.headers.contains_key("location"));
    }
}

#[tokio::test]
async fn every_answer_says_what_it_depends_on() {
    let (app, test) = app("/login");
    for accept in [HTML.1, "*/*"] {
        let reply = send(&app, request("GET", "/account", &[("accept", accept)])).await;
        let vary: Vec<_> = reply.headers.get_all("vary").iter().collect();
        for name in ["accept", "sec-fetch-mode", "sec-fetch-dest", "x-requested-with", "authorization"] {
            assert!(vary.iter().any(|value| *value == name), "{accept} {name} {vary:?}");
        }
    }
    let bearer = format!("Bearer {}", test.token(&TestUser::new("alice")));
    let reply = ask(&app, "GET", "/account", &[("authorization", &bearer)]).await;
    assert_eq!((reply.status.as_u16(), reply.header("vary")), (200, "authorization, cookie"));
}

#[tokio::test]
async fn every_401_and_no_403_is_redirected() {
    let (app, test) = app("/login");
    let bearer = format!("Bearer {}", test.token(&TestUser::new("alice")));
    for (path, authorization, status) in [
        ("/admin", &*bearer, 403),
        ("/fresh", &bearer, 303),
        ("/account", "Bearer x.y.z", 303),
        ("/optional", "Bearer x.y.z", 303),
    ] {
        let reply = ask(&app, "GET", path, &[("authorization", authorization)]).await;
        assert_eq!(reply.status.as_u16(), status, "{path} {authorization}");
        assert_eq!(reply.headers.contains_key("location"), status == 303);
    }
    // A page of another site sent a form, with the browser's cookie.
    let cookie = format!("__Host-access_token={}", test.token(&TestUser::new("alice")));
    let foreign =
        [("cookie", cookie.as_str()), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    let reply = ask(&app, "POST", "/by-cookie", &foreign).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (403, ""));
}

#[tokio::test]
async fn the_page_and_its_parameter_can_be_named() {
    for (page, location) in [
        (LoginPage::at("/sign-in").return_parameter("next"), "/sign-in?next=%2Faccount"),
        (LoginPage::at("/sign-in?lang=de"), "/sign-in?lang=de&return_to=%2Faccount"),
        (LoginPage::at("/sign-in").return_parameter("n=x&y"), "/sign-in?n%3Dx%26y=%2Faccount"),
        (LoginPage::from("/sign-in".to_owned()), "/sign-in?return_to=%2Faccount"),
    ] {
        let (app, _) = app(page);
        let reply = ask(&app, "GET", "/account", &[]).await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (303, location));
        let way_back = location.replace("/sign-in", "/optional");
        assert_eq!(send(&app, request("GET", &way_back, &[])).await.body, "/account", "{way_back}");
    }
}

#[tokio::test]
async fn the_hook_renders_what_is_not_redirected() {
    let test = TestAuth::with(|builder| {
        let hook = |rejection: &Rejection, _: &Parts| (rejection.status(), "own words").into_response();
        pages(builder).redirect_to_login("/login").render_rejections(hook)
    });
    let app = routes().finish(test.auth()).unwrap();
    let bearer = format!("Bearer {}", test.token(&TestUser::new("alice")));
    assert_eq!(ask(&app, "GET", "/account", &[]).await.status, 303);
    let program = send(&app, request("GET", "/account", &[])).await;
    assert_eq!((program.status.as_u16(), &*program.body), (401, "own words"));
    let forbidden = ask(&app, "GET", "/admin", &[("authorization", &bearer)]).await;
    assert_eq!((forbidden.status.as_u16(), &*forbidden.body), (403, "own words"));
}

#[tokio::test]
async fn a_redirect_is_reported_as_the_rejection_that_it_is() {
    let kinds: Arc<Mutex<Vec<_>>> = Arc::default();
    let events = Arc::clone(&kinds);
    let test = TestAuth::with(move |builder| {
        pages(builder)
            .redirect_to_login("/login")
            .audit(move |event| events.lock().unwrap().push(event.rejection))
    });
    let app = routes().finish(test.auth()).unwrap();
    assert_eq!(ask(&app, "GET", "/account", &[]).await.status, 303);
    assert_eq!(*kinds.lock().unwrap(), [Some(RejectionKind::Unauthenticated)]);
}

/// Where `finish` can't see the page, as on a plain router, the request for it is not redirected to itself.
#[tokio::test]
async fn the_login_page_is_never_redirected() {
    let test = TestAuth::with(|builder| pages(builder).redirect_to_login("/in/login?x"));
    let plain = axum::Router::new()
        .route("/login", axum::routing::get(account))
        .route("/other", axum::routing::get(account))
        .layer(test.auth().layer());
    let app = axum::Router::new().nest("/in", plain);
    for (path, status) in [("/in/login", 401), ("/in/login?return_to=%2Fx", 401), ("/in/other", 303)] {
        assert_eq!(ask(&app, "GET", path, &[]).await.status.as_u16(), status, "{path}");
    }
}

/// An application that rejects by itself is answered as the gate is: also where its router is nested, and never with a loop.
#[tokio::test]
async fn what_the_application_rejects_is_redirected_too() {
    #[auth(public)]
    async fn refuse() -> Rejection {
        Rejection::unauthenticated("the session is gone")
    }

    let test = TestAuth::with(|builder| pages(builder).redirect_to_login("/in/login"));
    let routes = Router::new().route("/page", get(refuse)).route("/login", get(refuse));
    let app = axum::Router::new().nest("/in", routes.finish(test.auth()).unwrap());
    let page = ask(&app, "GET", "/in/page?x=1", &[]).await;
    assert_eq!(
        (page.status.as_u16(), page.header("location")),
        (303, "/in/login?return_to=%2Fin%2Fpage%3Fx%3D1")
    );
    assert_eq!(send(&app, request("GET", "/in/page", &[])).await.status, 401, "a program");
    assert_eq!(ask(&app, "GET", "/in/login", &[]).await.status, 401);
    let upgrade = [("upgrade", "websocket"), ("connection", "upgrade")];
    assert_eq!(ask(&app, "GET", "/in/page", &upgrade).await.status, 401);
}

/// A login would lead back to it without end.
#[tokio::test]
async fn a_route_that_takes_no_cookie_is_no_reason_to_log_in() {
    let (app, _test) = app("/login");
    let asked = ask(&app, "GET", "/by-header", &[]).await;
    assert_eq!((asked.status.as_u16(), asked.header("location")), (401, ""));
    assert!(asked.header("www-authenticate").starts_with("Bearer"));
    assert!(!asked.header("vary").contains("sec-fetch"), "{}", asked.header("vary"));
}

/// It would be written to the log of the login page too, and be rejected again after the login.
#[tokio::test]
async fn a_url_with_a_credential_is_no_way_back() {
    let test = TestAuth::with(|builder| {
        pages(builder).redirect_to_login("/login").dangerously_allow_query_tokens(Query::new())
    });
    let app = routes().finish(test.auth()).unwrap();
    for (path, location) in [
        ("/account?access_token=x", "/login"),
        ("/account?a=b&access_token=", "/login"),
        ("/account?a=b", "/login?return_to=%2Faccount%3Fa%3Db"),
    ] {
        let reply = ask(&app, "GET", path, &[]).await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (303, location), "{path}");
    }
}

#[test]
fn a_login_page_that_needs_a_login_is_an_error() {
    let finish = |page: &str, routes: Router| {
        let test = TestAuth::with(|builder| pages(builder).redirect_to_login(page));
        routes.finish(test.auth()).map(drop).map_err(|error| error.errors().collect::<Vec<_>>().join("\n"))
    };
    let needs_a_login = "`redirect_to_login` sends browsers without a login here, and the rule needs a login: write \
                         `#[auth(public)]`, or name another page";
    for (page, place) in [
        ("/account", "GET /account ("),
        ("/account?lang=de", "GET /account ("),
        ("/account/login", "GET /account/{id} ("),
        ("/nested/inner", "GET /nested/inner ("),
    ] {
        let error = finish(page, routes()).unwrap_err();
        assert!(error.starts_with(place) && error.ends_with(needs_a_login), "{page}: {error}");
        assert!(error.contains("whole::redirect_to_login::account"), "{page}: {error}");
    }
    for page in ["/login", "/optional", "/nowhere"] {
        assert_eq!(finish(page, routes()), Ok(()), "{page}");
    }
    assert_eq!(finish("/app/account", routes()), Ok(()), "it is nested nowhere that is known");
    assert!(finish("/app/account", routes().mounted_at("/app")).is_err());
    assert!(
        finish("/login", routes().require(rule!(roles = ["admin"]))).is_err(),
        "the router around it counts"
    );
    let ask_by_post = Router::new().route("/login", post(account).get(login_page));
    assert_eq!(finish("/login", ask_by_post), Ok(()));
    let service = Router::new().nest_service("/files", (axum::Router::new(), rule!()));
    let error = finish("/files/login", service).unwrap_err();
    assert!(error.starts_with("ANY /files") && error.contains("[service]"), "{error}");
}

#[test]
fn what_can_be_no_login_page_is_an_error_of_build() {
    let build = |page: LoginPage| {
        let issuer = TrustedIssuer::new("i").audience("a").key(Key::secret(Algorithm::HS256, [7; 32]));
        pages(Auth::builder()).issuer(issuer).redirect_to_login(page).build()
    };
    for page in [
        "",
        "login",
        "//evil.example/login",
        "https://id.example/login",
        "/login#form",
        "/a/../login",
        "/log in",
    ] {
        let error = build(LoginPage::at(page)).unwrap_err().to_string();
        assert!(
            error.contains("the login page is a path of this service, such as \"/login\""),
            "{page}: {error}"
        );
    }
    let unnamed = build(LoginPage::at("/login").return_parameter("")).unwrap_err().to_string();
    assert!(unnamed.contains("needs a name"), "{unnamed}");
}
