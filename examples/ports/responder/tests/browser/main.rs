//! The pages as a user sees them: the real program, and a real browser.
//!
//! It needs Chromium and its driver, which `bash tests/run` installs.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::{Command, Stdio};

use auth_tests_browser::{Browser, Driver};
use auth_tests_tools::Program;
use tempfile::TempDir;

const NAMES: [&str; 2] = ["access_token", "refresh_token"];

struct App {
    /// Killed when it is dropped.
    _program: Program,
    origin: String,
}

impl App {
    fn start_on(port: &str, data: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_port-responder"));
        command.args(["--port", port, "--data"]).arg(data).stderr(Stdio::null());
        let program = Program::start(&mut command, "Ctrl-C ends it.");
        let line = program.lines().iter().find(|line| line.starts_with("Open ")).unwrap();
        let origin = line["Open ".len()..].split_once("/dashboard").unwrap().0.to_owned();
        Self { _program: program, origin }
    }

    fn start(data: &Path) -> Self {
        Self::start_on("0", data)
    }

    fn port(&self) -> &str {
        self.origin.rsplit(':').next().unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

async fn fill_in(browser: &Browser, name: &str, password: &str) {
    browser.write("#username", name).await;
    browser.write("#password", password).await;
    browser.click("form button").await;
}

async fn theme(browser: &Browser) -> String {
    browser.script("return document.documentElement.dataset.theme").await.as_str().unwrap().to_owned()
}

/// The values of all cookies, as the browser has them.
async fn cookies(browser: &Browser) -> Vec<String> {
    let cookies = browser.cookies().await;
    assert_eq!(cookies.keys().collect::<Vec<_>>(), NAMES);
    cookies.values().map(|cookie| cookie["value"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn a_login_leads_to_the_page_that_was_asked_for() {
    let (data, driver) = (TempDir::new().unwrap(), Driver::start());
    let (app, browser) = (App::start(data.path()), driver.browser().await);
    browser.open(&app.url("/dashboard")).await;
    browser.see("Log in").await;
    assert_eq!(browser.url().await, app.url("/login?return_to=%2Fdashboard"));
    assert_eq!(browser.label("#username").await, "Name");
    assert_eq!(browser.label("#password").await, "Password");
    browser.screenshot(env!("CARGO_TARGET_TMPDIR"), "responder-form").await;

    fill_in(&browser, "alice", "builder").await;
    browser.see("Wrong name or password.").await;
    assert!(browser.cookies().await.is_empty());
    fill_in(&browser, "alice", "wonderland").await;
    browser.see("Welcome, alice").await;
    assert_eq!(browser.url().await, app.url("/dashboard"));
    browser.see("Water the plants").await;
    browser.screenshot(env!("CARGO_TARGET_TMPDIR"), "responder-dashboard").await;

    browser.open(&app.url("/admin/users")).await;
    browser.see("You may not do this here.").await;
    assert_eq!(browser.status().await, 403);
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn the_theme_stays_and_is_in_no_cookie() {
    let (data, driver) = (TempDir::new().unwrap(), Driver::start());
    let (app, here, there) = (App::start(data.path()), driver.browser().await, driver.browser().await);
    for browser in [&here, &there] {
        browser.open(&app.url("/login")).await;
        fill_in(browser, "alice", "wonderland").await;
        browser.see("Welcome, alice").await;
    }
    let before = cookies(&here).await;
    here.click("form[action='/dashboard/theme'] button").await;
    here.see("Light theme").await;
    assert_eq!(theme(&here).await, "dark");
    assert_eq!(cookies(&here).await, before, "nothing of it is in a cookie");
    here.screenshot(env!("CARGO_TARGET_TMPDIR"), "responder-dark").await;

    let port = app.port().to_owned();
    drop(app);
    let app = App::start_on(&port, data.path());
    here.reload().await;
    here.see("Light theme").await;
    assert_eq!(theme(&here).await, "dark", "after a restart");
    // As the browser itself does when the token expires: the next one has nothing of it, either.
    here.delete_cookie("access_token").await;
    here.reload().await;
    here.see("Light theme").await;
    assert_eq!(theme(&here).await, "dark", "after a renewal");
    there.open(&app.url("/dashboard")).await;
    there.see("Dark theme").await;
    assert_eq!(theme(&there).await, "light", "another session of the same user");
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn a_logout_is_a_button_and_no_link() {
    let (data, driver) = (TempDir::new().unwrap(), Driver::start());
    let (app, browser) = (App::start(data.path()), driver.browser().await);
    browser.open(&app.url("/login")).await;
    fill_in(&browser, "alice", "wonderland").await;
    browser.see("Welcome, alice").await;

    browser.open(&app.url("/auth/logout")).await;
    assert_eq!(browser.status().await, 405);
    browser.open(&app.url("/dashboard")).await;
    browser.see("Welcome, alice").await;
    browser.click("form[action='/auth/logout'] button").await;
    browser.see("Log in").await;
    assert!(browser.cookies().await.is_empty());
    browser.back().await;
    browser.see("Log in").await;
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn a_new_account_is_logged_in() {
    let (data, driver) = (TempDir::new().unwrap(), Driver::start());
    let (app, browser) = (App::start(data.path()), driver.browser().await);
    browser.open(&app.url("/signup")).await;
    fill_in(&browser, "alice", "teapot").await;
    browser.see("Somebody has this name. Choose another one.").await;
    fill_in(&browser, "carol", "teapot").await;
    browser.see("Welcome, carol").await;
    assert_eq!(browser.url().await, app.url("/dashboard"));
}

/// Swagger UI: each operation of the document, and a request that it sends.
#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn the_documents_are_a_page_that_sends_requests() {
    let (data, driver) = (TempDir::new().unwrap(), Driver::start());
    let (app, browser) = (App::start(data.path()), driver.browser().await);
    browser.open(&app.url("/docs")).await;
    assert_eq!(browser.url().await, app.url("/docs/"));
    for path in ["/api/figures", "/api/protected"] {
        browser.element(&format!(".opblock-summary-path[data-path='{path}']")).await;
    }
    browser.screenshot(env!("CARGO_TARGET_TMPDIR"), "responder-docs").await;

    browser.click(".opblock-summary-path[data-path='/api/figures']").await;
    browser.click(".try-out__btn").await;
    browser.click(".execute").await;
    browser.element(".live-responses-table .response-col_status").await;
    let shown = browser.script("return document.querySelector('.live-responses-table').textContent").await;
    let shown = shown.as_str().unwrap();
    assert!(shown.contains("401") && shown.contains("Invalid or missing API key or token"), "{shown}");
}
