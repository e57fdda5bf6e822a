//! A page on another origin than the service, in a real browser: the script and the settings of the guide's page on it. Chromium resolves
//! every name below `localhost` to the loopback address, and takes `Secure` cookies from there. It needs Chromium and its driver, which
//! `bash tests/run` installs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use auth_runtime::routing::{get, post};
use auth_runtime::session::routes::{AttemptLimit, TokenRoutes};
use auth_runtime::testing::TestClock;
use auth_runtime::{Auth, Principal, Router, auth};
use auth_tests_browser::{Browser, Driver};
use axum::Extension;
use axum::extract::Request;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method};
use axum::middleware::map_request;
use axum::response::{Html, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_http::cors::CorsLayer;

use crate::support::people::{People, issuer};

const GUIDE: &str = include_str!("../../docs/guide/single_page_app.md");
/// The service's address in the guide's script.
const API: &str = "https://api.example.com";

/// How often a request changed something.
type Changes = Arc<AtomicUsize>;

#[auth(source = ["bearer", "cookie"])]
async fn me(user: Principal) -> String {
    user.subject().to_owned()
}

#[auth(source = ["bearer", "cookie"])]
async fn change(Extension(changes): Extension<Changes>) -> String {
    format!("change {}", changes.fetch_add(1, Ordering::SeqCst) + 1)
}

#[auth(source = "cookie")]
async fn chat(user: Principal, upgrade: WebSocketUpgrade) -> Response {
    let hello = user.subject().to_owned();
    upgrade.on_upgrade(async move |mut socket| {
        let _ = socket.send(Message::text(hello)).await;
    })
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

struct Shop {
    clock: TestClock,
    changes: Changes,
    refreshes: Arc<AtomicUsize>,
    /// The service's own origin.
    api: String,
    /// The port of the pages. Which of them the service trusts is decided by their names.
    pages: u16,
}

impl Shop {
    async fn start() -> Self {
        let ((api, api_port), (pages, pages_port)) = (listen().await, listen().await);
        let origin = format!("http://api.shop.localhost:{api_port}");
        let html = format!("<p>page</p><script>{}</script>", script_of_the_guide().replace(API, &origin));
        let pages_app = axum::Router::new()
            .route("/", axum::routing::get(async || Html(html)))
            .route("/login", axum::routing::get(async || Html("<p>log in here</p>")));
        tokio::spawn(async move { axum::serve(pages, pages_app).await.unwrap() });

        let (clock, changes, refreshes) = (TestClock::new(), Changes::default(), Arc::default());
        let shop = Self { clock, changes, refreshes, api: origin, pages: pages_port };
        let app = shop.service().into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(api, app).await.unwrap() });
        shop
    }

    /// As in the guide, with routes more for the page that has tokens.
    fn service(&self) -> axum::Router {
        let (people, page) = (People::default(), self.page("app.shop"));
        let auth = Auth::builder()
            .clock(self.clock.clone())
            .token_issuer(issuer(&people))
            .trust_origin(&page)
            .build()
            .unwrap();
        let tokens = auth.tokens().unwrap();
        let login = TokenRoutes::cookies(tokens.clone(), people.clone())
            .limit_per_account(AttemptLimit::new(3, Duration::from_secs(60)));
        let cookies = Router::new()
            .route("/me", get(me))
            .route("/change", post(change).put(change))
            .route("/chat", get(chat))
            .nest("/auth", login.router());
        let cors = CorsLayer::new()
            .allow_origin(page.parse::<HeaderValue>().unwrap())
            .allow_credentials(true)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers([CONTENT_TYPE])
            .expose_headers([RETRY_AFTER, WWW_AUTHENTICATE]);
        let tokens = Router::new()
            .route("/tokens/me", get(me))
            .nest("/tokens/auth", TokenRoutes::json(tokens, people).router());
        let cors_of_tokens = CorsLayer::new()
            .allow_origin(self.page("app.other").parse::<HeaderValue>().unwrap())
            .allow_headers([AUTHORIZATION, CONTENT_TYPE]);
        let cookies: axum::Router = cookies.finish(&auth).unwrap();
        let tokens: axum::Router = tokens.finish(&auth).unwrap();
        let refreshes = Arc::clone(&self.refreshes);
        let count = move |request: Request| {
            let is_one = request.method() == Method::POST && request.uri().path() == "/auth/refresh";
            refreshes.fetch_add(usize::from(is_one), Ordering::SeqCst);
            async { request }
        };
        let app = cookies.layer(cors).merge(tokens.layer(cors_of_tokens));
        app.layer(Extension(Arc::clone(&self.changes))).layer(map_request(count))
    }

    fn page(&self, name: &str) -> String {
        format!("http://{name}.localhost:{}", self.pages)
    }

    fn changes(&self) -> usize {
        self.changes.load(Ordering::SeqCst)
    }

    async fn open(&self, browser: &Browser, page: &str) {
        browser.open(&self.page(page)).await;
        browser.see("page").await;
    }

    /// What an expression of the page's script is worth, `"blocked"` where the browser lets no script see the answer.
    async fn value(&self, browser: &Browser, expression: &str) -> Value {
        let api = &self.api;
        let script = format!(
            "const API = '{api}'; return (async () => {expression})().catch(error => {{ \
             if (!(error instanceof TypeError)) throw error; return 'blocked'; }})"
        );
        browser.script(&script).await
    }
}

/// The script that the guide's page shows, as it is.
fn script_of_the_guide() -> &'static str {
    let (_, script) = GUIDE.split_once("```js\n").unwrap();
    let (script, rest) = script.split_once("```\n").unwrap();
    assert!(
        script.contains(API) && !rest.contains("```js"),
        "the guide's page has one script, which names {API}"
    );
    script
}

const STATUS: &str = ".then(answer => answer.status)";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn the_page_of_the_guide_logs_in_refreshes_and_logs_out() {
    let (shop, driver) = (Shop::start().await, Driver::start());
    let browser = driver.browser().await;
    shop.open(&browser, "app.shop").await;
    assert_eq!(shop.value(&browser, "(await login('alice', 'wrong')).status").await, 400);
    assert_eq!(shop.value(&browser, "(await login('alice', 'password of alice')).status").await, 200);
    assert_eq!(shop.value(&browser, "document.cookie").await, "", "no script sees a token");
    assert_eq!(shop.value(&browser, "(await request('/me')).text()").await, "alice");
    for method in ["POST", "PUT"] {
        let changed = format!("(await request('/change', {{ method: '{method}' }})).status");
        assert_eq!(shop.value(&browser, &changed).await, 200, "{method}");
    }
    assert_eq!(shop.changes(), 2);

    // Two requests that find their token expired: one refresh, and both are answered.
    shop.clock.advance(Duration::from_secs(2 * 60 * 60));
    let both = "Promise.all(['/me', '/me'].map(async path => (await request(path)).text()))";
    assert_eq!(shop.value(&browser, both).await, json!(["alice", "alice"]));
    assert_eq!(shop.refreshes.load(Ordering::SeqCst), 1);

    let socket = "new Promise((done, failed) => { const socket = new WebSocket(API.replace('http', 'ws') + '/chat'); \
                  socket.onmessage = message => done(message.data); socket.onerror = () => done('refused'); })";
    assert_eq!(shop.value(&browser, socket).await, "alice");
    shop.open(&browser, "neighbor.shop").await;
    assert_eq!(shop.value(&browser, socket).await, "refused");

    // Another load of the page is still logged in, until the logout.
    shop.open(&browser, "app.shop").await;
    assert_eq!(shop.value(&browser, "(await request('/me')).text()").await, "alice");
    assert_eq!(shop.value(&browser, "(await logout()).status").await, 204);
    assert_eq!(shop.value(&browser, "(await request('/me')).status").await, 401);
    browser.see("log in here").await;
    assert_eq!(browser.url().await, shop.page("app.shop") + "/login");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn the_page_can_read_why_and_when_to_try_again() {
    let (shop, driver) = (Shop::start().await, Driver::start());
    let browser = driver.browser().await;
    shop.open(&browser, "app.shop").await;
    let challenge = "(await fetch(API + '/me', { credentials: 'include' })).headers.get('www-authenticate')";
    let challenge = shop.value(&browser, challenge).await;
    assert!(challenge.as_str().unwrap().starts_with("Bearer"), "{challenge}");
    for attempt in 0..3 {
        let status = shop.value(&browser, "(await login('alice', 'wrong')).status").await;
        assert_eq!(status, 400, "{attempt}");
    }
    let waiting =
        "login('alice', 'wrong').then(answer => [answer.status, answer.headers.get('retry-after')])";
    assert_eq!(shop.value(&browser, waiting).await, json!([429, "60"]));
}

/// Its requests carry the cookies, because it is of the same site.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn another_page_of_the_site_changes_nothing_and_reads_nothing() {
    let (shop, driver) = (Shop::start().await, Driver::start());
    let browser = driver.browser().await;
    shop.open(&browser, "app.shop").await;
    assert_eq!(shop.value(&browser, "(await login('alice', 'password of alice')).status").await, 200);

    shop.open(&browser, "neighbor.shop").await;
    for blocked in [
        "(await request('/me')).text()",
        "(await request('/change', { method: 'POST' })).text()",
        "(await request('/change', { method: 'PUT' })).text()",
        "(await login('alice', 'password of alice')).status",
        "(await request('/auth/refresh', { method: 'POST' })).status",
    ] {
        assert_eq!(shop.value(&browser, blocked).await, "blocked", "{blocked}");
    }
    browser.cookies_sent().await;
    let unread =
        "(await fetch(API + '/change', { method: 'POST', credentials: 'include', mode: 'no-cors' })).type";
    assert_eq!(shop.value(&browser, unread).await, "opaque");
    let sent = browser.cookies_sent().await;
    assert!(sent.iter().any(|cookies| cookies.contains("__Host-access_token=")), "{sent:?}");

    let form = "{ const form = document.createElement('form'); form.method = 'post'; form.action = API + '/change'; \
                form.id = 'form'; form.innerHTML = '<button>send</button>'; document.body.append(form); }";
    shop.value(&browser, form).await;
    browser.cookies_sent().await;
    browser.click("#form button").await;
    assert_eq!(browser.status().await, 403);
    let sent = browser.cookies_sent().await;
    assert!(sent.iter().any(|cookies| cookies.contains("__Host-access_token=")), "{sent:?}");
    assert_eq!(shop.changes(), 0);

    shop.open(&browser, "app.shop").await;
    assert_eq!(
        shop.value(&browser, "(await request('/change', { method: 'POST' })).text()").await,
        "change 1"
    );
}

/// The cookies are not sent from there, and it has tokens in place of them.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium and ChromeDriver: bash tests/run"]
async fn a_page_of_another_site_has_tokens() {
    let (shop, driver) = (Shop::start().await, Driver::start());
    let browser = driver.browser().await;
    shop.open(&browser, "app.shop").await;
    assert_eq!(shop.value(&browser, "(await login('alice', 'password of alice')).status").await, 200);

    shop.open(&browser, "app.other").await;
    browser.cookies_sent().await;
    assert_eq!(shop.value(&browser, "(await request('/me')).status").await, "blocked");
    let unread =
        "(await fetch(API + '/change', { method: 'POST', credentials: 'include', mode: 'no-cors' })).type";
    assert_eq!(shop.value(&browser, unread).await, "opaque");
    let sent = browser.cookies_sent().await;
    assert!(sent.len() >= 2 && sent.iter().all(String::is_empty), "{sent:?}");
    assert_eq!(shop.changes(), 0);

    let with_a_token = format!(
        "{{ const body = JSON.stringify({{ username: 'alice', password: 'password of alice' }}); \
         const headers = {{ 'Content-Type': 'application/json' }}; \
         const made = await fetch(API + '/tokens/auth/login', {{ method: 'POST', headers, body }}); \
         const token = (await made.json()).access_token; \
         return fetch(API + '/tokens/me', {{ headers: {{ Authorization: 'Bearer ' + token }} }}){STATUS}; }}"
    );
    assert_eq!(shop.value(&browser, &with_a_token).await, 200);
}
