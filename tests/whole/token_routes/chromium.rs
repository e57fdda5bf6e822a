//! What a real browser does with the cookies. It needs Chromium and its driver, which `bash tests/run` installs.

use auth_runtime::source::CookieTooLarge;
use auth_tests_browser::{Browser, Driver};
use axum::extract::Path;

use super::*;

/// Sets a cookie `big` whose name and value have so many bytes.
#[auth(public)]
async fn big(Path(bytes): Path<usize>) -> Response {
    let value = "x".repeat(bytes - "big".len());
    ([("set-cookie", format!("big={value}; Path=/"))], "set").into_response()
}

async fn serve(build: fn(AuthBuilder) -> AuthBuilder) -> (Shop, String) {
    let insecure = |builder: AuthBuilder| build(builder.dangerously_use_insecure_cookies());
    let mut shop = Shop::new(Delivery::Cookies, insecure, |routes| routes);
    let big: axum::Router = Router::new().route("/big/{bytes}", get(big)).finish(&shop.auth).unwrap();
    shop.app = shop.app.merge(big);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let app = shop.app.clone();
    tokio::spawn(async move {
        axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await.unwrap();
    });
    (shop, origin)
}

/// Logs in as a page does, and returns the status of the answer.
async fn log_in(browser: &Browser, name: &str, remember: bool) -> Value {
    let mut sent = credentials(name);
    sent["remember"] = remember.into();
    let script = format!(
        "return fetch('/auth/login', {{ method: 'POST', headers: {{ 'content-type': 'application/json' }}, \
         body: JSON.stringify({sent}) }}).then(answer => answer.status)"
    );
    browser.script(&script).await
}

/// What Chromium does where RFC 6265bis §5.6 says so, without which the next test would show nothing.
#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn a_browser_drops_a_cookie_over_the_limit_without_a_word() {
    let ((_shop, origin), driver) = (serve(|builder| builder).await, Driver::start());
    let browser = driver.browser().await;
    let limit = CookieTooLarge::LIMIT;
    for (bytes, held) in [(limit, limit), (limit + 1, limit), (100, 100), (limit + 1, 100)] {
        browser.open(&format!("{origin}/big/{bytes}")).await;
        browser.see("set").await;
        let cookies = browser.cookies().await;
        let value = cookies["big"]["value"].as_str().unwrap();
        assert_eq!(value.len() + "big".len(), held, "after a cookie of {bytes} bytes");
    }
}

/// The second user has more roles than fit into a cookie.
#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn a_second_user_never_sees_the_page_of_the_first() {
    let driver = Driver::start();
    for build in [|builder: AuthBuilder| builder, AuthBuilder::renew_transparently] {
        let (shop, origin) = serve(build).await;
        let browser = driver.browser().await;
        let roles: Vec<_> = (0..120).map(|number| format!("a-role-with-30-characters-{number:04}")).collect();
        shop.people.set("bob", &roles.iter().map(String::as_str).collect::<Vec<_>>());

        browser.open(&format!("{origin}/page")).await;
        assert_eq!(log_in(&browser, "alice", true).await, 200);
        browser.open(&format!("{origin}/")).await;
        browser.see("alice").await;

        assert_eq!(log_in(&browser, "bob", true).await, 500);
        assert!(browser.cookies().await.is_empty());
        browser.open(&format!("{origin}/")).await;
        browser.see("stranger").await;
        browser.open(&format!("{origin}/who")).await;
        assert_eq!(browser.status().await, 401);
        // Not by a renewal either, where the refresh cookie is sent to this path.
        let refreshed = "return fetch('/auth/refresh', { method: 'POST' }).then(answer => answer.status)";
        assert_eq!(browser.script(refreshed).await, 400);

        // With fewer roles it is the second user's page.
        shop.people.set("bob", &["clerk"]);
        assert_eq!(log_in(&browser, "bob", true).await, 200);
        browser.open(&format!("{origin}/")).await;
        browser.see("bob").await;
    }
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn the_cookies_of_a_user_that_is_not_remembered_end_with_the_browser() {
    let ((shop, origin), driver) = (serve(AuthBuilder::renew_transparently).await, Driver::start());
    shop.people.ask_to_remember();
    let browser = driver.browser().await;
    browser.open(&format!("{origin}/page")).await;
    for remember in [true, false] {
        assert_eq!(log_in(&browser, "alice", remember).await, 200);
        let cookies = browser.cookies().await;
        assert_eq!(cookies.keys().collect::<Vec<_>>(), ["access_token", "refresh_token"]);
        for cookie in cookies.values() {
            // WebDriver names the time at which a cookie ends, and none for a cookie that ends with the browser.
            assert_eq!(cookie.get("expiry").is_some_and(|expiry| !expiry.is_null()), remember, "{cookie}");
        }
    }
}
