//! For the tests of a port: a running service, and what it answers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

pub mod log;

use axum::Router;
use reqwest::header::{HeaderMap, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tempfile::TempDir;

use crate::{listen, serve};

/// A service at a port that the system chose. It ends with the test that started it.
#[derive(Debug)]
pub struct Service {
    origin: String,
    client: Client,
    folder: TempDir,
}

/// What a client sees of an answer.
#[derive(Debug)]
#[non_exhaustive]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as text.
    pub body: String,
}

impl Service {
    /// Serves this router. The folder of its data is deleted with the service.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn start(app: Router, folder: TempDir) -> Self {
        let listener = listen(0).await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(serve(listener, app));
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { origin, client, folder }
    }

    /// Where it is: scheme, address and port.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The folder of its data.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// A request to it, to which a test adds headers and a body.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.origin))
    }

    /// What it answers this request.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn send(&self, request: RequestBuilder) -> Reply {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Reply { status, headers, body: answer.text().await.unwrap() }
    }

    /// What it answers a `GET` with this access token.
    pub async fn get(&self, path: &str, token: Option<&str>) -> Reply {
        self.send(with_token(self.request(Method::GET, path), token)).await
    }

    /// What it answers a `POST` of this JSON with this access token.
    pub async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Reply {
        self.send(with_token(self.request(Method::POST, path), token).json(body)).await
    }
}

impl Reply {
    /// The body, as JSON.
    ///
    /// # Panics
    /// If it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// A text in a field of the body, such as `access_token`.
    ///
    /// # Panics
    /// If it has none.
    #[track_caller]
    pub fn text(&self, field: &str) -> String {
        let json = self.json();
        json.get(field).and_then(Value::as_str).unwrap_or_else(|| panic!("no {field}: {self:#?}")).to_owned()
    }

    /// The cookies that it sets, as they are written.
    ///
    /// # Panics
    /// If one is no text.
    pub fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap()).collect()
    }

    /// The header `Cookie` with which a browser sends them back.
    pub fn cookies(&self) -> String {
        let pairs = self.set_cookies().into_iter().filter_map(|cookie| cookie.split(';').next());
        // Without a value it is cleared.
        pairs.filter(|pair| !pair.ends_with('=')).collect::<Vec<_>>().join("; ")
    }
}

fn with_token(request: RequestBuilder, token: Option<&str>) -> RequestBuilder {
    match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    }
}
