//! The client that asks identity providers. Every answer is bounded: in time, in size, in its type; and no redirect is followed.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

#[cfg(feature = "introspection")]
use axum::http::HeaderValue;
use axum::http::{HeaderMap, StatusCode, header};
use http_cache_semantics::{CacheOptions, CachePolicy};
use mime::Mime;
use reqwest::redirect::Policy;
use reqwest::{Client, Request, Response, Url};

/// How long an answer may take, from the connection to its last byte.
const WHOLE: Duration = Duration::from_secs(10);
/// How long a connection may take.
const CONNECTION: Duration = Duration::from_secs(3);
/// How long an answer may be, in bytes.
const MAX_BYTES: usize = 512 * 1024;

/// A client with its connections. A clone shares them.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient(Client);

/// An address that may be asked: https, or http on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint(Url);

/// A JSON document that was answered with 200.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) body: Vec<u8>,
    /// For how long it may be used, as its HTTP headers say (RFC 9111 §4.2); `None`: they say nothing.
    pub(crate) fresh_for: Option<Duration>,
}

/// Why there is no document.
#[derive(Debug)]
pub(crate) struct FetchError {
    /// What was asked, without query.
    url: String,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    Request(reqwest::Error),
    Status(StatusCode),
    Redirected(String),
    Type(String),
    Encoded(String),
    TooLong,
}

impl Endpoint {
    /// Reads an address. Without `allow_http`, http is for this machine alone.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead.
    pub(crate) fn parse(text: &str, allow_http: bool) -> Result<Self, String> {
        let or = "replace the keys: write `https://..`, or call `TrustedIssuer::dangerously_allow_http()`";
        Self::read(text, allow_http, or)
    }

    /// Reads an address that secrets are sent to: http is for this machine alone.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    #[cfg(feature = "introspection")]
    pub(crate) fn parse_for_secrets(text: &str) -> Result<Self, String> {
        Self::read(text, false, "read the tokens, and what proves who this service is: write `https://..`")
    }

    /// `danger` is what everyone could do without https, and what to write instead.
    fn read(text: &str, allow_http: bool, danger: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("`{text}` is no URL: {error}"))?;
        let is_secure = match url.scheme() {
            "https" => true,
            "http" => allow_http || is_loopback(&url),
            _ => false,
        };
        if !is_secure {
            return Err(format!("`{text}` is not https, so everyone on the network could {danger}"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a URL of a provider contains a user name or a password, which would be logged: leave them out".into());
        }
        if url.fragment().is_some() {
            return Err(format!("`{text}` has a fragment (`#..`), which is never sent: leave it out"));
        }
        Ok(Self(url))
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }
}

/// Whether only processes of this machine can answer.
fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or(host == "localhost", |address| address.is_loopback())
}

impl HttpClient {
    /// A client that trusts the certificates that the system trusts.
    ///
    /// # Errors
    /// If the system's certificates can't be read.
    pub(crate) fn new() -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(CONNECTION)
            .timeout(WHOLE)
            .user_agent(concat!("auth-runtime/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self(client))
    }

    /// Fetches a JSON document.
    pub(crate) async fn get(&self, endpoint: &Endpoint) -> Result<Document, FetchError> {
        let request = self.0.get(endpoint.0.clone()).header(header::ACCEPT, "application/json").build();
        self.send(endpoint, request).await
    }

    /// Posts a form, whose text is encoded already, and returns the JSON document that answers it.
    #[cfg(feature = "introspection")]
    pub(crate) async fn post_form(
        &self,
        endpoint: &Endpoint,
        form: String,
        authorization: Option<HeaderValue>,
    ) -> Result<Document, FetchError> {
        let mut request = self
            .0
            .post(endpoint.0.clone())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        self.send(endpoint, request.build()).await
    }

    async fn send(
        &self,
        endpoint: &Endpoint,
        request: reqwest::Result<Request>,
    ) -> Result<Document, FetchError> {
        let mut url = endpoint.0.clone();
        url.set_query(None);
        let failed = |problem| FetchError { url: url.clone().into(), problem };
        let of_request = |error: reqwest::Error| failed(Problem::Request(error.without_url()));
        let request = request.map_err(of_request)?;
        let asked = CacheRequest { url: request.url().clone(), headers: request.headers().clone() };
        let mut response = self.0.execute(request).await.map_err(of_request)?;
        check(&response).map_err(failed)?;
        let fresh_for = asked.fresh_for(&response);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(of_request)? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(failed(Problem::TooLong));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Document { body, fresh_for })
    }
}

/// Checks the head of an answer.
fn check(response: &Response) -> Result<(), Problem> {
    let text = |name| header_text(response.headers(), name);
    if response.status().is_redirection() {
        return Err(Problem::Redirected(text(header::LOCATION)));
    }
    if response.status() != StatusCode::OK {
        return Err(Problem::Status(response.status()));
    }
    // None was asked for: what is decoded could be longer than any bound.
    let encoding = text(header::CONTENT_ENCODING);
    if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
        return Err(Problem::Encoded(encoding));
    }
    let of_type = text(header::CONTENT_TYPE);
    let is_json = of_type.parse::<Mime>().is_ok_and(|mime| {
        mime.type_() == mime::APPLICATION
            && (mime.subtype() == mime::JSON || mime.suffix() == Some(mime::JSON))
    });
    if is_json { Ok(()) } else { Err(Problem::Type(of_type)) }
}

fn header_text(headers: &HeaderMap, name: header::HeaderName) -> String {
    headers.get(name).map_or_else(String::new, |value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// What was asked, for the rules of HTTP caches.
struct CacheRequest {
    url: Url,
    headers: HeaderMap,
}

impl CacheRequest {
    fn fresh_for(&self, response: &Response) -> Option<Duration> {
        let says = |name| response.headers().contains_key(name);
        if !says(header::CACHE_CONTROL) && !says(header::EXPIRES) {
            return None;
        }
        let mut asked = axum::http::Request::get(self.url.as_str()).body(()).ok()?;
        *asked.headers_mut() = self.headers.clone();
        let mut answered = axum::http::Response::new(());
        *answered.status_mut() = response.status();
        *answered.headers_mut() = response.headers().clone();
        let now = SystemTime::now();
        let options = CacheOptions { shared: false, cache_heuristic: 0.0, ..CacheOptions::default() };
        let policy = CachePolicy::new_options(&asked, &answered, now, options);
        Some(if policy.is_storable() { policy.time_to_live(now) } else { Duration::ZERO })
    }
}

impl FetchError {
    /// The status of an answer that was not 200.
    #[cfg(feature = "introspection")]
    pub(crate) fn status(&self) -> Option<StatusCode> {
        match self.problem {
            Problem::Status(status) => Some(status),
            _ => None,
        }
    }

    /// Whether the server answered that there is nothing at this address.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self.problem, Problem::Status(StatusCode::NOT_FOUND | StatusCode::GONE))
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.url;
        match &self.problem {
            Problem::Request(error) if error.is_timeout() => {
                write!(f, "{url} did not answer within {} s", WHOLE.as_secs())
            }
            Problem::Request(error) if error.is_connect() => {
                write!(f, "{url} can't be reached")?;
                causes(f, error)
            }
            Problem::Request(error) => {
                write!(f, "{url}: {error}")?;
                causes(f, error)
            }
            Problem::Status(status) => write!(f, "{url} answered {status}, and not 200"),
            Problem::Redirected(to) => {
                write!(
                    f,
                    "{url} redirects to `{to}`, and no redirect is followed: configure that address if it is right"
                )
            }
            Problem::Type(of_type) => write!(
                f,
                "{url} answered with the content type `{of_type}`, and not with JSON (`application/json`, `application/jwk-set+json`): \
                 see what is at this address. A key set that has another type is fetched with `TrustedIssuer::jwks_from(..)`"
            ),
            Problem::Encoded(encoding) => {
                write!(f, "{url} answered with the content encoding `{encoding}`, and none was asked for")
            }
            Problem::TooLong => write!(f, "{url} answered with more than {MAX_BYTES} bytes"),
        }
    }
}

/// The causes of an error: that of a connection is in the last.
fn causes(f: &mut fmt::Formatter<'_>, error: &dyn Error) -> fmt::Result {
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(f, ": {error}")?;
        cause = error.source();
    }
    Ok(())
}

impl Error for FetchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.problem {
            Problem::Request(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn an_endpoint_is_https_or_on_this_machine() {
        for (url, allow_http, expected) in [
            ("https://id.example.com/jwks", false, true),
            ("http://id.example.com/jwks", false, false),
            ("http://id.example.com/jwks", true, true),
            ("http://127.0.0.1:80/", false, true),
            ("http://127.8.8.8/", false, true),
            ("http://[::1]:9/", false, true),
            ("http://localhost:9/", false, true),
            ("http://localhost.example.com/", false, false),
            ("http://127.0.0.1.example.com/", false, false),
            ("http://10.0.0.1/", false, false),
            ("ftp://127.0.0.1/", true, false),
            ("file:///etc/passwd", true, false),
            ("https://user:secret@id.example.com/", false, false),
            ("https://user@id.example.com/", false, false),
            ("https://id.example.com/#keys", false, false),
            ("id.example.com", false, false),
            ("", false, false),
        ] {
            let parsed = Endpoint::parse(url, allow_http);
            assert_eq!(parsed.is_ok(), expected, "{url} {parsed:?}");
            assert!(!format!("{parsed:?}").contains("secret"), "{parsed:?}");
        }
    }
}
