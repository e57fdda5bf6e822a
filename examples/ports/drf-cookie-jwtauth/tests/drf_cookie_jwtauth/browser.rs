//! The pages in a real browser, which `bash tests/run` installs.

use auth_tests_browser::{Browser, Driver};
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

use crate::Started;

async fn fill_in(browser: &Browser, name: &str, password: &str) {
    browser.element("#login:not([hidden])").await;
    browser.script("for (const id of ['username', 'password']) document.getElementById(id).value = ''").await;
    browser.write("#username", name).await;
    browser.write("#password", password).await;
    browser.click("#login button").await;
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn a_user_logs_in_and_saves_a_link_and_logs_out() {
    let (folder, driver) = (TempDir::new().unwrap(), Driver::start());
    let (started, browser) = (Started::start(folder.path()), driver.browser().await);
    browser.open(&started.url("/")).await;
    browser.see("Log in to see your links.").await;
    fill_in(&browser, "bob", "wonderland").await;
    browser.see("Wrong name or password.").await;
    fill_in(&browser, "bob", "builder").await;
    browser.see("You are bob.").await;
    browser.see("Packets by pigeon").await;
    browser.element("#staff[hidden]").await;

    let cookies = browser.cookies().await;
    assert_eq!(cookies.keys().collect::<Vec<_>>(), ["access_token", "refresh_token"]);
    for cookie in cookies.values() {
        let get = |name: &str| cookie.get(name).cloned().unwrap_or_default();
        assert_eq!(
            (get("httpOnly"), get("sameSite"), get("path")),
            (json!(true), json!("Strict"), json!("/"))
        );
        assert!(cookie.get("expiry").is_none(), "it ends with the browser: {cookie}");
    }
    assert_eq!(browser.script("return document.cookie").await, "", "no script reads them");

    // What a user writes is text.
    browser.write("#url", "https://pigeon.example/").await;
    browser.write("#title", "<b>Pigeons</b> with priority").await;
    browser.click("#save button").await;
    browser.see("<b>Pigeons</b> with priority").await;
    browser.write("#url", "javascript:alert(1)").await;
    browser.write("#title", "Click me").await;
    browser.click("#save button").await;
    browser.see("This address cannot be saved.").await;
    browser.click("#links button").await;
    browser.element("#links li:nth-child(3):last-child").await;
    browser.screenshot(env!("CARGO_TARGET_TMPDIR"), "port-drf-cookie-jwtauth-list").await;

    // An access cookie that has expired is renewed by the request of the page.
    browser.delete_cookie("access_token").await;
    browser.reload().await;
    browser.see("You are bob.").await;
    assert_eq!(browser.cookies().await.len(), 2);

    browser.click("#logout").await;
    browser.see("Log in to see your links.").await;
    assert!(browser.cookies().await.is_empty());
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn staff_sees_the_sessions_on_a_page_and_ends_them_there() {
    let (folder, driver) = (TempDir::new().unwrap(), Driver::start());
    let (started, browser) = (Started::start(folder.path()), driver.browser().await);
    let [phone, desk] = [started.log_in("bob", "builder").await, started.log_in("bob", "builder").await];
    let is_logged_in =
        async |cookies: &str| started.status(Method::GET, "/saved", cookies, None).await == 200;

    // The page sends to the form, and the form back.
    browser.open(&started.url("/staff")).await;
    fill_in(&browser, "alice", "wonderland").await;
    browser.see("alice (this session)").await;
    browser.see("bob").await;
    browser.screenshot(env!("CARGO_TARGET_TMPDIR"), "port-drf-cookie-jwtauth-staff").await;
    let of_bob = "//tr[td='bob'][td/button]";
    let click = async |button: &str| {
        let script = format!(
            "document.evaluate(\"{of_bob}//button[.='{button}']\", document, null, 9, null).singleNodeValue.click()"
        );
        browser.script(&script).await;
    };

    assert!(is_logged_in(&phone).await && is_logged_in(&desk).await);
    click("End").await;
    browser.element("#revocations tr:nth-child(1)").await;
    assert!(is_logged_in(&phone).await != is_logged_in(&desk).await, "one of the two");
    click("Log out everywhere").await;
    browser.element("#revocations tr:nth-child(2)").await;
    assert!(!is_logged_in(&phone).await && !is_logged_in(&desk).await);
    browser.see("alice (this session)").await;

    // Who is no staff is not let in, wherever the login is.
    browser.open(&started.url("/")).await;
    browser.click("#logout").await;
    browser.see("Log in to see your links.").await;
    fill_in(&browser, "bob", "builder").await;
    browser.see("You are bob.").await;
    browser.open(&started.url("/staff")).await;
    assert_eq!(browser.status().await, 403);
}
