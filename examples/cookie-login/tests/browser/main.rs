//! The example as its user sees it: the real server, and a real browser.
//!
//! It needs Chromium and its driver, which `bash tests/run` installs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod app;
mod foreign;
mod gate;

use std::os::unix::fs::PermissionsExt as _;

use reqwest::header::{ACCEPT, COOKIE};
use reqwest::redirect::Policy;
use tempfile::TempDir;

use crate::app::App;
use auth_tests_browser::{Browser, Driver};

const NAMES: [&str; 2] = ["access_token", "refresh_token"];

async fn fill_in(browser: &Browser, name: &str, password: &str) {
    browser.write("#username", name).await;
    browser.write("#password", password).await;
    browser.click("form button").await;
}

async fn log_in(browser: &Browser, app: &App, name: &str, password: &str) {
    browser.open(&app.url("/")).await;
    fill_in(browser, name, password).await;
    browser.see(&format!("Hello, {name}")).await;
}

/// The values of both cookies.
async fn tokens(browser: &Browser) -> [String; 2] {
    let cookies = browser.cookies().await;
    NAMES.map(|name| cookies[name]["value"].as_str().unwrap().to_owned())
}

/// A client that is not a browser, or that has stolen the cookies of a browser.
fn by_hand() -> reqwest::Client {
    reqwest::Client::builder().redirect(Policy::none()).build().unwrap()
}

/// Where the answer sends a browser.
fn redirect(answer: &reqwest::Response) -> &str {
    assert_eq!(answer.status(), 303);
    answer.headers()["location"].to_str().unwrap()
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn a_stranger_meets_the_form_and_a_wrong_password_gives_no_cookie() {
    let (data, driver) = (TempDir::new().unwrap(), Driver::start());
    let (app, browser) = (App::start(data.path()), driver.browser().await);

    for (path, shown) in
        [("/", "/"), ("/account", "/?return_to=%2Faccount"), ("/admin", "/?return_to=%2Fadmin")]
    {
        browser.open(&app.url(path)).await;
        browser.see("Log in").await;
        assert_eq!(browser.url().await, app.url(shown), "from {path}");
    }
    assert_eq!(browser.label("#username").await, "Name");
    assert_eq!(browser.label("#password").await, "Password");
    browser.screenshot(env!("CARGO_TARGET_TMPDIR"), "cookie-login-form").await;

    for (name, password) in [("alice", "builder"), ("mallory", "wonderland"), ("Alice", "wonderland")] {
        fill_in(&browser, name, password).await;
        browser.see("Wrong name or password.").await;
        assert!(browser.cookies().await.is_empty());
        browser.open(&app.url("/")).await;
    }

    // Ten at once, and one more every 30 seconds: on a slow machine an eleventh may come to its turn.
    let wrong = "username=bob&password=wrong";
    let mut failed = 0;
    loop {
        let form = "application/x-www-form-urlencoded";
        let request = by_hand().post(app.url("/auth/login")).header(ACCEPT, "text/html");
        let sent = request.header("content-type", form).body(wrong).send();
        match redirect(&sent.await.unwrap()) {
            "/?error=invalid_grant" => failed += 1,
            "/?error=temporarily_unavailable" => break,
            other => panic!("{other}"),
        }
    }
    assert!((10..20).contains(&failed), "{failed}");
    browser.open(&app.url("/?error=temporarily_unavailable")).await;
    browser.see("That is too much just now. Wait a minute, then try again.").await;
    assert!(browser.cookies().await.is_empty());
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn a_login_leads_to_the_page_that_was_asked_for() {
    let (data, driver) = (TempDir::new().unwrap(), Driver::start());
    let (app, browser) = (App::start(data.path()), driver.browser().await);
    browser.open(&app.url("/account")).await;
    fill_in(&browser, "alice", "builder").await;
    browser.see("Wrong name or password.").await;
    fill_in(&browser, "alice", "wonderland").await;
    browser.see("Your account").await;
    assert_eq!(browser.url().await, app.url("/account"));
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn who_logs_in_sees_what_the_rules_allow() {
    let (data, driver) = (TempDir::new().unwrap(), Driver::start());
    let (app, alice, bob) = (App::start(data.path()), driver.browser().await, driver.browser().await);

    log_in(&alice, &app, "alice", "wonderland").await;
    alice.screenshot(env!("CARGO_TARGET_TMPDIR"), "cookie-login-logged-in").await;
    let cookies = alice.cookies().await;
    assert_eq!(cookies.keys().collect::<Vec<_>>(), NAMES);
    for cookie in cookies.values() {
        assert!(
            cookie["httpOnly"] == true && cookie["sameSite"] == "Lax" && cookie["path"] == "/",
            "{cookie}"
        );
    }
    assert_eq!(alice.script("return document.cookie").await, "");
    alice.reload().await;
    alice.see("Hello, alice").await;

    log_in(&bob, &app, "bob", "builder").await;
    for (browser, path, text, status) in [
        (&alice, "/account", "alice", 200),
        (&bob, "/account", "bob", 200),
        (&alice, "/admin", "alice is an admin.", 200),
        (&bob, "/admin", "You may not do this here.", 403),
        (&alice, "/", "Hello, alice", 200),
        (&bob, "/", "Hello, bob", 200),
    ] {
        browser.open(&app.url(path)).await;
        browser.see(text).await;
        assert_eq!(browser.status().await, status, "{path}");
    }

    let page = by_hand().get(app.url("/")).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("script") && !policy.contains("unsafe")
    );
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(page.headers()[name], value);
    }
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn a_restart_ends_no_session_unless_the_keys_are_lost() {
    let (data, driver) = (TempDir::new().unwrap(), Driver::start());
    let (app, browser) = (App::start(data.path()), driver.browser().await);
    for file in ["signing.pem", "refresh.key", "logins.redb"] {
        let file = data.path().join(file).metadata().unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }

    log_in(&browser, &app, "alice", "wonderland").await;
    let port = app.port().to_owned();
    drop(app);
    let app = App::start_on(&port, data.path());
    browser.reload().await;
    browser.see("Hello, alice").await;
    browser.delete_cookie("access_token").await;
    browser.reload().await;
    browser.see("Hello, alice").await;

    // Without the keys the sessions are lost. On an optional page a cookie that can't be read counts as absent and is cleared, and its
    // user can log in again.
    drop(app);
    let other_data = TempDir::new().unwrap();
    let app = App::start_on(&port, other_data.path());
    for (path, status) in [("/", 200), ("/account", 200)] {
        browser.open(&app.url(path)).await;
        browser.see("Log in").await;
        assert_eq!(browser.status().await, status);
    }
    log_in(&browser, &app, "bob", "builder").await;
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn a_missing_access_cookie_is_renewed_by_the_request() {
    let (data, driver) = (TempDir::new().unwrap(), Driver::start());
    let (app, browser) = (App::start(data.path()), driver.browser().await);
    log_in(&browser, &app, "alice", "wonderland").await;

    let [old_access, old_refresh] = tokens(&browser).await;
    for path in ["/", "/account", "/admin"] {
        // As the browser itself does when the token expires.
        browser.delete_cookie("access_token").await;
        browser.open(&app.url(path)).await;
        assert_eq!(browser.status().await, 200, "{path}");
    }
    let [access, refresh] = tokens(&browser).await;
    assert!(access != old_access && refresh != old_refresh);
    browser.open(&app.url("/")).await;
    browser.see("Hello, alice").await;
    assert_eq!(tokens(&browser).await, [access, refresh], "no renewal that was not needed");
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn two_tabs_that_renew_at_the_same_time_stay_logged_in() {
    let (data, driver) = (TempDir::new().unwrap(), Driver::start());
    let (app, browser) = (App::start(data.path()), driver.browser().await);
    log_in(&browser, &app, "alice", "wonderland").await;
    // Through this no page is answered before both tabs have asked, each with the same refresh cookie.
    let gate = gate::serve_in_front_of(&app.origin).await;
    browser.open(&format!("{gate}/")).await;
    let first = browser.tabs().await.remove(0);
    browser.script("window.other = window.open('/account')").await;
    let second = browser.tabs().await.into_iter().find(|tab| *tab != first).unwrap();
    browser.switch_to(&second).await;
    browser.see("Your account").await;

    let [_, used] = tokens(&browser).await;
    browser.delete_cookie("access_token").await;
    browser.switch_to(&first).await;
    browser.cookies_sent().await;
    let reload_both =
        "for (const tab of [window, other]) { tab.document.body.id = 'old'; tab.location.reload(); }";
    browser.script(reload_both).await;
    for (tab, title) in [(&first, "Hello, alice"), (&second, "Your account")] {
        browser.switch_to(tab).await;
        browser.element("body:not(#old)").await;
        browser.see(title).await;
    }
    let mut sent = browser.cookies_sent().await;
    sent.retain(|cookies| *cookies == format!("refresh_token={used}"));
    assert_eq!(sent.len(), 2);

    // Both got the same successor, and it is valid.
    browser.delete_cookie("access_token").await;
    browser.open(&app.url("/")).await;
    browser.see("Hello, alice").await;
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn a_logout_ends_the_session_and_leaves_no_cookie() {
    let (data, driver) = (TempDir::new().unwrap(), Driver::start());
    let (app, browser) = (App::start(data.path()), driver.browser().await);
    log_in(&browser, &app, "alice", "wonderland").await;
    let [access, refresh] = tokens(&browser).await;
    browser.open(&app.url("/account")).await;
    browser.open(&app.url("/")).await;

    browser.click("form[action='/auth/logout'] button").await;
    browser.see("Log in").await;
    assert!(browser.cookies().await.is_empty());
    browser.back().await;
    browser.see("Log in").await;

    let (access, refresh) = (format!("access_token={access}"), format!("refresh_token={refresh}"));
    let by_hand = by_hand();
    for cookies in [format!("{access}; {refresh}"), access, refresh] {
        let get = |path: &str| by_hand.get(app.url(path)).header(COOKIE, &cookies);
        assert_eq!(get("/account").send().await.unwrap().status(), 401);
        let to_the_form = get("/account").header(ACCEPT, "text/html").send().await.unwrap();
        assert_eq!(redirect(&to_the_form), "/?return_to=%2Faccount");
        assert!(get("/").send().await.unwrap().text().await.unwrap().contains("Log in"));
        let renewed = by_hand.post(app.url("/auth/refresh")).header(COOKIE, &cookies).send().await.unwrap();
        assert_eq!(renewed.status(), 400);
    }
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn a_logout_everywhere_ends_the_sessions_of_other_browsers() {
    let (data, driver) = (TempDir::new().unwrap(), Driver::start());
    let (app, here, there) = (App::start(data.path()), driver.browser().await, driver.browser().await);
    log_in(&there, &app, "alice", "wonderland").await;
    log_in(&here, &app, "alice", "wonderland").await;

    here.click("form[action='/auth/logout-everywhere'] button").await;
    here.see("Log in").await;
    assert!(here.cookies().await.is_empty());
    there.open(&app.url("/account")).await;
    there.see("Log in").await;
    there.reload().await;
    there.see("Log in").await;
    assert!(there.cookies().await.is_empty());

    fill_in(&here, "alice", "wonderland").await;
    here.see("Hello, alice").await;
    here.open(&app.url("/account")).await;
    here.see("Your account").await;
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn a_page_of_another_origin_can_neither_log_in_nor_out() {
    let (data, driver) = (TempDir::new().unwrap(), Driver::start());
    let (app, browser) = (App::start(data.path()), driver.browser().await);
    let port = foreign::serve_page_against(&app.origin).await;
    // A page of another site, which gets no cookies (`SameSite=Lax`); and one of another port, which is the same site and
    // gets them, and is distinguished by its origin.
    let foreign_pages = [("localhost", false), ("127.0.0.1", true)];

    for (host, _) in foreign_pages {
        browser.open(&format!("http://{host}:{port}/")).await;
        browser.click("#login button").await;
        browser.see("access_denied").await;
        assert!(browser.status().await == 403 && browser.cookies().await.is_empty());
    }
    log_in(&browser, &app, "alice", "wonderland").await;
    for (host, gets_cookies) in foreign_pages {
        for form in ["#logout", "#everywhere", "#login"] {
            browser.open(&format!("http://{host}:{port}/")).await;
            browser.cookies_sent().await;
            browser.click(&format!("{form} button")).await;
            // Without a cookie the caller is anonymous: logout-everywhere redirects to the start page.
            let (text, status) = match form {
                "#everywhere" if !gets_cookies => ("Hello, alice", 200),
                "#everywhere" => ("Not allowed", 403),
                _ => ("access_denied", 403),
            };
            browser.see(text).await;
            assert_eq!(browser.status().await, status, "{form} from {host}");
            let sent = browser.cookies_sent().await;
            assert_eq!(sent[0].contains("access_token="), gets_cookies, "{form} from {host}: {sent:?}");
            browser.open(&app.url("/account")).await;
            browser.see("alice").await;
        }
    }
}
