//! Where a real browser goes. It needs Chromium and its driver, which `bash tests/run` installs.

use auth_tests_browser::Driver;
use axum::extract::RawQuery;
use axum::response::{Html, Redirect};

use super::*;

#[auth(public)]
async fn start() -> Html<&'static str> {
    Html("<p>start</p>")
}

#[auth]
async fn never() {}

#[auth(public)]
async fn form(return_to: ReturnTo) -> Html<String> {
    Html(format!(r#"<p>form</p><a id="in" href="/back?return_to={}">in</a>"#, urlencoded(return_to.as_str())))
}

#[auth(public)]
async fn back(return_to: ReturnTo) -> ReturnTo {
    return_to
}

/// As a service that checks nothing.
#[auth(public)]
async fn unchecked(RawQuery(query): RawQuery) -> Redirect {
    let query = query.unwrap_or_default();
    let (_, to) = url::form_urlencoded::parse(query.as_bytes()).next().unwrap();
    Redirect::to(&to)
}

fn urlencoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn serve(app: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    host
}

#[tokio::test]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn a_browser_goes_to_the_login_and_back_and_nowhere_else() {
    let test = TestAuth::with(|builder| pages(builder).redirect_to_login("/login"));
    let routes = Router::new()
        .route("/", get(start))
        .route("/account", get(never))
        .route("/login", get(form))
        .route("/back", get(back))
        .route("/unchecked", get(unchecked));
    let host = serve(routes.finish(test.auth()).unwrap()).await;
    let evil = serve(axum::Router::new().fallback(|| async { Html("<p>evil</p>") })).await;
    let (driver, origin) = (Driver::start(), format!("http://{host}"));
    let browser = driver.browser().await;

    browser.open(&format!("{origin}/account?x=a%20b&y=1")).await;
    browser.see("form").await;
    assert_eq!(browser.url().await, format!("{origin}/login?return_to=%2Faccount%3Fx%3Da%2520b%26y%3D1"));
    browser.click("#in").await;
    // The way back is guarded, and no user is logged in.
    browser.see("form").await;
    assert_eq!(browser.url().await, format!("{origin}/login?return_to=%2Faccount%3Fx%3Da%2520b%26y%3D1"));
    let fetched = browser.script("return fetch('/account').then(answer => answer.status)").await;
    assert_eq!(fetched, 401, "a script is not redirected");

    // Each leads elsewhere where nothing is checked, or the case would show nothing.
    for spelling in
        ["//HOST/", "/\\HOST/", "\\\\HOST/", "/\t/HOST/", "http:HOST/", " //HOST/", "http://x@HOST/"]
    {
        let way = urlencoded(&spelling.replace("HOST", &evil));
        let checked_by_http = spelling.contains('\t');
        if !checked_by_http && spelling != "http:HOST/" {
            browser.open(&format!("{origin}/unchecked?return_to={way}")).await;
            browser.see("evil").await;
        }
        browser.open(&format!("{origin}/back?return_to={way}")).await;
        browser.see("start").await;
        assert_eq!(browser.url().await, format!("{origin}/"), "{spelling:?}");
    }
}
