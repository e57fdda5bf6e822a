//! The panel in a real browser, which `bash tests/run` installs.

use auth_tests_browser::{Browser, Driver};
use serde_json::json;
use tempfile::TempDir;

use crate::Started;

async fn fill_in(browser: &Browser, name: &str, password: &str) {
    browser.script("for (const id of ['username', 'password']) document.getElementById(id).value = ''").await;
    browser.write("#username", name).await;
    browser.write("#password", password).await;
    browser.click("#login button").await;
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn the_panel_shows_a_ticket_of_another_client_and_says_when_its_agent_has_logged_out() {
    let (folder, driver) = (TempDir::new().unwrap(), Driver::start());
    let (started, browser) = (Started::start(folder.path()), driver.browser().await);
    browser.open(&started.url("/panel")).await;
    browser.see("Log in as an agent.").await;
    fill_in(&browser, "alice", "builder").await;
    browser.see("Wrong name or password.").await;
    fill_in(&browser, "alice", "wonderland").await;
    browser.see("You are alice.").await;
    browser.screenshot(env!("CARGO_TARGET_TMPDIR"), "port-panther-panel").await;

    let cookies = browser.cookies().await;
    assert_eq!(cookies.keys().collect::<Vec<_>>(), ["access_token", "refresh_token"]);
    assert_eq!(browser.script("return document.cookie").await, "", "no script reads them");

    // What another client writes is text.
    let bob = started.log_in("bob", "builder").await;
    let title = "<b>No</b> ink";
    assert_eq!(started.post("/tickets", &bob, json!({ "title": title })).await, 201);
    browser.see(&format!("bob: {title}")).await;

    // An access cookie that has expired is renewed by the request of the page.
    browser.delete_cookie("access_token").await;
    browser.reload().await;
    browser.see("You are alice.").await;

    let alice = started.log_in("alice", "wonderland").await;
    assert_eq!(started.post("/auth/logout-everywhere", &alice, json!({})).await, 204);
    browser.see("You were logged out.").await;
    browser.element("#login:not([hidden])").await;
    // The answer has cleared the access cookie. The next one clears the refresh cookie, which renews nothing.
    browser.reload().await;
    browser.see("Log in as an agent.").await;
    assert!(browser.cookies().await.is_empty());
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn a_customer_sees_no_panel_and_the_button_logs_out() {
    let (folder, driver) = (TempDir::new().unwrap(), Driver::start());
    let (started, browser) = (Started::start(folder.path()), driver.browser().await);
    browser.open(&started.url("/panel")).await;
    fill_in(&browser, "bob", "builder").await;
    browser.see("Only agents see the desk.").await;
    browser.click("#logout").await;
    browser.see("Log in as an agent.").await;
    assert!(browser.cookies().await.is_empty());
}

/// In place of the service, which is not down for a test: the page's requests to this path are answered with this status, as often as `times`.
async fn answer(browser: &Browser, path: &str, status: u16, times: u8) {
    let script = format!(
        "const real = window.fetch; let left = {times}; window.fetch = (path, options) => path === '{path}' && left-- > 0 \
         ? Promise.resolve(new Response('{{}}', {{ status: {status} }})) : real(path, options)"
    );
    browser.script(&script).await;
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn a_service_that_does_not_answer_is_no_stranger_and_no_wrong_password() {
    let (folder, driver) = (TempDir::new().unwrap(), Driver::start());
    let (started, browser) = (Started::start(folder.path()), driver.browser().await);
    browser.open(&started.url("/panel")).await;
    browser.see("Log in as an agent.").await;
    for (status, shown) in [(503, "The desk does not answer. Please wait."), (400, "Wrong name or password.")]
    {
        answer(&browser, "/web/auth/login", status, 1).await;
        fill_in(&browser, "alice", "wonderland").await;
        browser.see(shown).await;
    }
    // The login succeeds, and then the service does not answer who has logged in, for one time.
    answer(&browser, "/", 503, 1).await;
    fill_in(&browser, "alice", "wonderland").await;
    browser.see("The desk does not answer. Please wait.").await;
    browser.see("You are alice.").await;
}

/// Somebody guesses bob's password by the login for programs; the page has the other one.
#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn the_page_says_that_there_were_too_many_attempts() {
    let (folder, driver) = (TempDir::new().unwrap(), Driver::start());
    let (started, browser) = (Started::start(folder.path()), driver.browser().await);
    for _ in 0..10 {
        assert_eq!(started.guess("bob", "a guess").await, 400);
    }
    browser.open(&started.url("/panel")).await;
    browser.see("Log in as an agent.").await;
    fill_in(&browser, "bob", "builder").await;
    browser.see("Too many attempts. Try again later.").await;
    assert!(browser.cookies().await.is_empty());
}
