//! Browsers, driven by W3C WebDriver (<https://www.w3.org/TR/webdriver2/>), which is JSON over HTTP.
//!
//! `CHROMEDRIVER` and `CHROME` name a driver and a browser; without them it is `chromedriver`, and the browser that it finds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use auth_tests_servers::free_port;
use base64::Engine as _;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

const INSTALL: &str = "This test needs Chromium and ChromeDriver. `bash tests/run` installs them on Debian and runs this test; \
                       others are named by the variables CHROME and CHROMEDRIVER.";

/// What WebDriver calls an element's id.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A running ChromeDriver; ended, with its browsers, when dropped.
#[derive(Debug)]
pub struct Driver {
    process: Child,
    port: u16,
    client: reqwest::Client,
    /// The home of its browsers, and their profiles.
    home: TempDir,
}

/// A browser with a profile of its own.
#[derive(Debug)]
pub struct Browser {
    session: String,
    client: reqwest::Client,
}

impl Driver {
    /// Starts one.
    pub fn start() -> Self {
        let home = TempDir::new().unwrap();
        let program = std::env::var_os("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
        let port = free_port();
        let mut process = Command::new(&program)
            // At port 0 it takes one of IPv4, and ends if a connection has it in IPv6.
            .arg(format!("--port={port}"))
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|error| panic!("{} can't be started: {error}. {INSTALL}", program.display()));
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut said = Vec::new();
        while said.last().is_none_or(|line: &String| !line.contains("started successfully on port")) {
            said.push(lines.next().unwrap_or_else(|| {
                panic!("{} ended without listening at port {port}: {said:?}", program.display())
            }));
        }
        let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().unwrap();
        Self { process, port, client, home }
    }

    /// A new browser, with an empty profile.
    pub async fn browser(&self) -> Browser {
        let profile = TempDir::new_in(self.home.path()).unwrap().keep();
        let mut arguments = vec![format!("--user-data-dir={}", profile.display())];
        arguments.extend(
            [
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--window-size=800,700",
            ]
            .map(str::to_owned),
        );
        let mut options = json!({ "args": arguments });
        // Without it ChromeDriver looks for one by itself.
        if let Ok(browser) = std::env::var("CHROME") {
            options["binary"] = browser.into();
        }
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "performance": "ALL" },
            // A search for an element waits this long for it, in milliseconds: no test sleeps.
            "timeouts": { "implicit": 30_000 },
        });
        let sessions = format!("http://127.0.0.1:{}/session", self.port);
        let body = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let made = send(&self.client, Method::POST, &sessions, Some(body)).await;
        let made = made.unwrap_or_else(|error| panic!("no browser could be started: {error}\n{INSTALL}"));
        let session = format!("{sessions}/{}", made["sessionId"].as_str().unwrap());
        Browser { session, client: self.client.clone() }
    }

    /// Asks it to end itself and its browsers.
    fn shut_down(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        write!(
            stream,
            "GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n",
            self.port
        )?;
        stream.read_to_end(&mut Vec::new()).map(drop)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if self.shut_down().is_err() {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

impl Browser {
    /// Goes to a page.
    pub async fn open(&self, url: &str) {
        self.post("/url", json!({ "url": url })).await;
    }

    /// Where it is.
    pub async fn url(&self) -> String {
        text(self.get("/url").await)
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.post("/refresh", json!({})).await;
    }

    /// Goes back.
    pub async fn back(&self) {
        self.post("/back", json!({})).await;
    }

    /// Waits for an element with exactly this text, which has quotes of one kind at most.
    pub async fn see(&self, text: &str) {
        let quote = if text.contains('"') { '\'' } else { '"' };
        self.find("xpath", &format!("//*[normalize-space()={quote}{text}{quote}]")).await;
    }

    /// Waits for an element of this CSS selector.
    pub async fn element(&self, selector: &str) -> String {
        self.find("css selector", selector).await
    }

    /// Types into an element.
    pub async fn write(&self, selector: &str, keys: &str) {
        let element = self.element(selector).await;
        self.post(&format!("/element/{element}/value"), json!({ "text": keys })).await;
    }

    /// Clicks on an element.
    pub async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.post(&format!("/element/{element}/click"), json!({})).await;
    }

    /// The name that assistive technology reads out for an element.
    pub async fn label(&self, selector: &str) -> String {
        let element = self.element(selector).await;
        text(self.get(&format!("/element/{element}/computedlabel")).await)
    }

    /// The value of a script, which is a function's body.
    pub async fn script(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// Its user prefers this color scheme, `light` or `dark`.
    pub async fn prefer_colors(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Its page has this size, in CSS pixels. A narrow one is that of a phone.
    pub async fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// The status that the page was answered with.
    pub async fn status(&self) -> Value {
        self.script("return performance.getEntriesByType('navigation')[0].responseStatus").await
    }

    /// The cookies of this page, also those that no script can read, by their names.
    pub async fn cookies(&self) -> BTreeMap<String, Value> {
        let cookies = self.get("/cookie").await;
        let cookies = cookies.as_array().unwrap().iter();
        cookies.map(|cookie| (text(cookie["name"].clone()), cookie.clone())).collect()
    }

    /// Takes a cookie away.
    pub async fn delete_cookie(&self, name: &str) {
        self.command(Method::DELETE, &format!("/cookie/{name}"), None).await;
    }

    /// The tabs, in no order that could be relied on.
    pub async fn tabs(&self) -> Vec<String> {
        self.get("/window/handles").await.as_array().unwrap().iter().cloned().map(text).collect()
    }

    /// Goes to a tab.
    pub async fn switch_to(&self, tab: &str) {
        self.post("/window", json!({ "handle": tab })).await;
    }

    /// The `Cookie` headers of the requests that were sent since the last call; empty where one had none.
    pub async fn cookies_sent(&self) -> Vec<String> {
        let log = self.post("/se/log", json!({ "type": "performance" })).await;
        let messages = log.as_array().unwrap().iter().map(|entry| entry["message"].as_str().unwrap());
        let events =
            messages.map(|message| serde_json::from_str::<Value>(message).unwrap()["message"].take());
        let sent = events.filter(|event| event["method"] == "Network.requestWillBeSentExtraInfo");
        sent.map(|event| event["params"]["headers"]["Cookie"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// For people to look at: a PNG in this folder.
    pub async fn screenshot(&self, folder: &str, name: &str) {
        let png = text(self.get("/screenshot").await);
        let png = base64::engine::general_purpose::STANDARD.decode(png).unwrap();
        std::fs::write(format!("{folder}/{name}.png"), png).unwrap();
    }

    /// A command of the DevTools protocol, by a command of ChromeDriver's own, for what WebDriver cannot do.
    async fn devtools(&self, command: &str, parameters: Value) {
        self.post("/goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await;
    }

    async fn find(&self, using: &str, value: &str) -> String {
        let body = Some(json!({ "using": using, "value": value }));
        match send(&self.client, Method::POST, &format!("{}/element", self.session), body).await {
            Ok(element) => text(element[ELEMENT].clone()),
            Err(error) => panic!("{value}: {error}\n{}\n{}", self.url().await, self.get("/source").await),
        }
    }

    async fn get(&self, path: &str) -> Value {
        self.command(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.command(Method::POST, path, Some(body)).await
    }

    async fn command(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let done = send(&self.client, method, &format!("{}{path}", self.session), body).await;
        done.unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

/// One command: its value, or the error in words.
async fn send(
    client: &reqwest::Client,
    method: Method,
    url: &str,
    body: Option<Value>,
) -> Result<Value, String> {
    let mut request = client.request(method, url);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let good = answer.status().is_success();
    let value = answer.json::<Value>().await.map_err(|error| error.to_string())?["value"].take();
    if good { Ok(value) } else { Err(format!("{}: {}", value["error"], value["message"])) }
}

fn text(value: Value) -> String {
    value.as_str().unwrap().to_owned()
}
