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
    // The routes that a viewer may not call are hidden, and so are the other columns.
    browser.write("#role", "viewer").await;
    browser.see("14 of 15 routes").await;
    let columns = "return [...document.querySelectorAll('thead th[data-column]:not([hidden])')].map(th => th.textContent)";
    assert_eq!(browser.script(columns).await, serde_json::json!(["viewer"]));
    let admin = "return [...document.querySelectorAll('tbody tr:not([hidden]) th')].some(th => th.textContent === '/admin')";
    assert_eq!(browser.script(admin).await, false);
    browser.screenshot(env!("CARGO_TARGET_TMPDIR"), "quickstart-access-of-a-viewer").await;
}

/// One scroll bar, no strip below the table, and the first verdict in view: on a desktop, on a phone, and in a low window.
#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn the_access_table_fits_its_window() {
    let quickstart = Quickstart::start();
    let driver = Driver::start();
    let browser = driver.browser().await;
    for (width, height) in [(1280, 800), (400, 800), (1280, 320)] {
        browser.resize(width, height).await;
        for role in ["all", "viewer"] {
            browser.open(&format!("{}/access", quickstart.origin)).await;
            browser.write("#role", role).await;
            browser.see(if role == "all" { "15 of 15 routes" } else { "14 of 15 routes" }).await;
            let name = format!("quickstart-access-{width}x{height}-{role}");
            browser.screenshot(env!("CARGO_TARGET_TMPDIR"), &name).await;
            let layout = browser.script(LAYOUT).await;
            let expected = serde_json::json!({
                "scrolled": if (width, height) == (1280, 800) { ["MAIN"] } else { ["HTML"] },
                "isWiderThanTheWindow": false,
                "reachesTheBottom": true,
                "headingIsAligned": true,
                "verdictIsInView": true,
            });
            assert_eq!(layout, expected, "{name}");
        }
    }
}

/// What scrolls, and where things are.
const LAYOUT: &str = r"
    const shown = selector => [...document.querySelectorAll(selector)].find(element => element.getClientRects().length);
    const left = element => element.getBoundingClientRect().left + parseFloat(getComputedStyle(element).paddingLeft);
    const page = document.scrollingElement;
    const scrolls = element => element === page || ['auto', 'scroll'].includes(getComputedStyle(element).overflowY);
    const overflows = element => element.scrollHeight > element.clientHeight || element.scrollWidth > element.clientWidth;
    const verdict = shown('tbody td[data-column]').getBoundingClientRect();
    return {
        scrolled: [...document.querySelectorAll('*')].filter(element => scrolls(element) && overflows(element)).map(element => element.tagName),
        isWiderThanTheWindow: page.scrollWidth > innerWidth,
        reachesTheBottom: shown('main').getBoundingClientRect().bottom >= innerHeight,
        headingIsAligned: left(shown('h1')) === left(shown('tbody .method')),
        verdictIsInView: verdict.right <= innerWidth && verdict.bottom <= innerHeight,
    };
";

/// WCAG 2.2 §1.4.3: 4.5 to 1, for every text that is shown.
#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn the_access_table_can_be_read_in_light_and_dark() {
    let quickstart = Quickstart::start();
    let driver = Driver::start();
    let browser = driver.browser().await;
    let mut backgrounds = Vec::new();
    for (scheme, width) in [("light", 1280), ("light", 400), ("dark", 1280), ("dark", 400)] {
        browser.prefer_colors(scheme).await;
        browser.resize(width, 800).await;
        browser.open(&format!("{}/access", quickstart.origin)).await;
        browser.see("15 of 15 routes").await;
        let name = format!("quickstart-access-{width}-{scheme}");
        browser.screenshot(env!("CARGO_TARGET_TMPDIR"), &name).await;
        let worst = browser.script(WORST_CONTRAST).await;
        assert!(worst["ratio"].as_f64().unwrap() >= 4.5, "{name}: {worst}");
        assert!(worst["texts"].as_u64().unwrap() > 100, "{worst}");
        backgrounds.push(worst["page"].as_f64().unwrap());
    }
    let (light, dark) = backgrounds.split_at(2);
    let is_as_preferred = light.iter().all(|page| *page > 0.8) && dark.iter().all(|page| *page < 0.2);
    assert!(is_as_preferred, "luminance of the page: {backgrounds:?}");
}

/// The smallest contrast of a text with its background.
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
    let token = quickstart.token();
    let driver = Driver::start();
    let browser = driver.browser().await;
    browser.open(&format!("{}/docs/", quickstart.origin)).await;

    let admin = "#operations-Company-admin";
    browser.element(&format!("{admin} .authorization__btn")).await;
    let locks = browser
        .script("return document.querySelectorAll('#operations-Greetings-home .authorization__btn').length")
        .await;
    assert_eq!(locks, 0, "a public route has no lock");
    browser.click(".auth-wrapper .authorize").await;
    browser.write("#auth-bearer-value", &token).await;
    browser.click(".auth-btn-wrapper .authorize").await;
    browser.click(".auth-btn-wrapper .btn-done").await;
    browser.click(&format!("{admin} .opblock-summary-control")).await;
    browser.element(&format!("{admin} .opblock-description p")).await;
    let told = format!("return document.querySelector('{admin} .opblock-description').textContent.trim()");
    assert_eq!(browser.script(&told).await, "Who: role admin, and not role suspended.");
    browser.click(&format!("{admin} .try-out__btn")).await;
    browser.click(&format!("{admin} .execute")).await;
    browser.element(&format!("{admin} .live-responses-table .response-col_status")).await;
    let status = format!(
        "return document.querySelector('{admin} .live-responses-table tbody .response-col_status').textContent.trim()"
    );
    assert_eq!(browser.script(&status).await, "200");
    browser.screenshot(env!("CARGO_TARGET_TMPDIR"), "quickstart-swagger").await;
}
