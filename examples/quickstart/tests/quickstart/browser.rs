//! The quickstart's pages in a browser.

use auth_tests_browser::Driver;

use super::Quickstart;

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
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

/// WCAG 2.2 §1.4.3: 4.5 to 1, for every text that is shown.
#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn the_access_table_can_be_read_in_light_and_dark() {
    let quickstart = Quickstart::start();
    let driver = Driver::start();
    let browser = driver.browser().await;
    let mut backgrounds = Vec::new();
    for scheme in ["light", "dark"] {
        browser.prefer_colours(scheme).await;
        browser.open(&format!("{}/access", quickstart.origin)).await;
        browser.see("15 of 15 routes").await;
        browser.screenshot(env!("CARGO_TARGET_TMPDIR"), &format!("quickstart-access-{scheme}")).await;
        let worst = browser.script(WORST_CONTRAST).await;
        assert!(worst["ratio"].as_f64().unwrap() >= 4.5, "{scheme}: {worst}");
        assert!(worst["texts"].as_u64().unwrap() > 100, "{worst}");
        backgrounds.push(worst["page"].as_f64().unwrap());
    }
    assert!(backgrounds[0] > 0.8 && backgrounds[1] < 0.2, "luminance of the page: {backgrounds:?}");
}

/// The smallest contrast of a text with what lies behind it.
const WORST_CONTRAST: &str = r"
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const behind = element => {
        const layers = [];
        for (let at = element; at; at = at.parentElement) layers.unshift(getComputedStyle(at).backgroundColor);
        const dark = matchMedia('(prefers-color-scheme: dark)').matches;
        return [dark ? '#121212' : '#ffffff', ...layers];
    };
    const luminance = layers => {
        canvas.clearRect(0, 0, 1, 1);
        for (const layer of layers) { canvas.fillStyle = layer; canvas.fillRect(0, 0, 1, 1); }
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(value => {
            const part = value / 255;
            return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    let worst = { ratio: 21, texts: 0, page: luminance(behind(document.body)) };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || !element.getClientRects().length) continue;
        const layers = behind(element);
        const [back, text] = [luminance(layers), luminance([...layers, getComputedStyle(element).color])];
        const ratio = (Math.max(back, text) + 0.05) / (Math.min(back, text) + 0.05);
        worst.texts += 1;
        if (ratio < worst.ratio) Object.assign(worst, { ratio, text: texts.currentNode.data.trim() });
    }
    return worst;
";

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
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
