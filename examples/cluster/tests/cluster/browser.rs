//! The pages in a browser.

use auth_tests_browser::Driver;

use crate::program::Cluster;

#[tokio::test]
#[ignore = "needs Redis, Chromium and ChromeDriver: bash tests/run"]
async fn a_logout_in_one_tab_is_one_in_the_tab_of_the_other_instance() {
    let cluster = Cluster::start(&[]).await;
    let [a, b] = &cluster.instances;
    let driver = Driver::start();
    let browser = driver.browser().await;
    browser.open(&format!("{a}/")).await;
    browser.see("Log in").await;
    browser.screenshot(env!("CARGO_TARGET_TMPDIR"), "cluster-login").await;
    browser.write("#username", "alice").await;
    browser.write("#password", "wonderland").await;
    browser.click("form button").await;
    browser.see("Hello, alice").await;
    browser.screenshot(env!("CARGO_TARGET_TMPDIR"), "cluster-sessions").await;
    browser.resize(400, 800).await;
    browser.screenshot(env!("CARGO_TARGET_TMPDIR"), "cluster-sessions-on-a-phone").await;
    let is_wider = "return document.documentElement.scrollWidth > innerWidth";
    assert_eq!(browser.script(is_wider).await, false, "the page is wider than the phone");
    let first = browser.tabs().await.remove(0);

    // The other instance knows the session without a login of its own.
    browser.script(&format!("window.open('{b}/')")).await;
    let second = browser.tabs().await.into_iter().find(|tab| *tab != first).unwrap();
    browser.switch_to(&second).await;
    browser.see("Hello, alice").await;
    assert_eq!(browser.script("return document.querySelector('#instance').textContent").await, "B");
    browser.see("this session").await;

    browser.switch_to(&first).await;
    browser.click("form[action='/auth/logout'] button").await;
    browser.see("Log in").await;
    browser.switch_to(&second).await;
    browser.reload().await;
    browser.see("Log in").await;
    assert_eq!(browser.url().await, format!("{b}/login?return_to=%2F"));
    assert!(browser.cookies().await.is_empty());
}
