//! The quickstart's pages in a browser.

use auth_tests_browser::Driver;

use super::Quickstart;

#[tokio::test]
async fn the_access_table_is_filtered_by_keyboard_and_by_role() {
    let quickstart = Quickstart::start();
    let driver = Driver::start();
    let browser = driver.browser().await;
    browser.open(&format!("{}/access", quickstart.origin)).await;
    browser.see("15 of 15 routes").await;
    browser.screenshot(env!("CARGO_TARGET_TMPDIR"), "quickstart-access").await;
    assert_eq!(browser.label("#path").await, "Path");
    assert_eq!(browser.label("main").await, "Access table");
    // Typing filters.
    browser.write("#path", "/ORG").await;
    browser.see("1 of 15 routes").await;
    browser.write("#path", "\u{e009}a\u{e000}\u{e003}").await; // Ctrl+A, Backspace
    browser.see("15 of 15 routes").await;
    // What a viewer can't call is gone, and so are the other columns.
    browser.write("#role", "viewer").await;
    browser.see("14 of 15 routes").await;
    let columns = "return [...document.querySelectorAll('thead th[data-column]:not([hidden])')].map(th => th.textContent)";
    assert_eq!(browser.script(columns).await, serde_json::json!(["viewer"]));
    let admin = "return [...document.querySelectorAll('tbody tr:not([hidden]) th')].some(th => th.textContent === '/admin')";
    assert_eq!(browser.script(admin).await, false);
    browser.screenshot(env!("CARGO_TARGET_TMPDIR"), "quickstart-access-of-a-viewer").await;
}

#[tokio::test]
async fn swagger_ui_shows_the_lock_and_calls_a_guarded_route() {
    let quickstart = Quickstart::start();
    let line = quickstart.lines.iter().find(|line| line.contains("Bearer ")).unwrap();
    let token = line.split("Bearer ").nth(1).unwrap().split('\'').next().unwrap();
    let driver = Driver::start();
    let browser = driver.browser().await;
    browser.open(&format!("{}/docs/", quickstart.origin)).await;

    let admin = "#operations-default-admin";
    browser.element(&format!("{admin} .authorization__btn")).await;
    let locks = browser
        .script("return document.querySelectorAll('#operations-default-home .authorization__btn').length")
        .await;
    assert_eq!(locks, 0, "a public route has no lock");
    browser.click(".auth-wrapper .authorize").await;
    browser.write("#auth-bearer-value", token).await;
    browser.click(".auth-btn-wrapper .authorize").await;
    browser.click(".auth-btn-wrapper .btn-done").await;
    browser.click(&format!("{admin} .opblock-summary-control")).await;
    browser.element(&format!("{admin} .opblock-description p")).await;
    let told = format!("return document.querySelector('{admin} .opblock-description').textContent.trim()");
    assert_eq!(browser.script(&told).await, "Who: not (role suspended); and role admin.");
    browser.click(&format!("{admin} .try-out__btn")).await;
    browser.click(&format!("{admin} .execute")).await;
    browser.element(&format!("{admin} .live-responses-table .response-col_status")).await;
    let status = format!(
        "return document.querySelector('{admin} .live-responses-table tbody .response-col_status').textContent.trim()"
    );
    assert_eq!(browser.script(&status).await, "200");
    browser.screenshot(env!("CARGO_TARGET_TMPDIR"), "quickstart-swagger").await;
}
