//! The client that asks identity providers. Every answer is bounded: in time, in size, in its type; and no redirect is followed.

mod endpoint;

use std::error::Error;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, SystemTime};

#[cfg(feature = "introspection")]
use axum::http::HeaderValue;
use axum::http::{HeaderMap, StatusCode, header};
use http_cache_semantics::{CacheOptions, CachePolicy};
use mime::Mime;
use reqwest::redirect::Policy;
use reqwest::tls::Version;
use reqwest::{Client, ClientBuilder, Request, Response, Url};
use serde::Deserialize;

pub(crate) use self::endpoint::Endpoint;
use crate::excerpt::Excerpt;
use crate::jose::MAX_DOCUMENT_BYTES;

/// How long an answer may take, from the connection to its last byte.
const WHOLE: Duration = Duration::from_secs(10);
/// How long a connection may take.
const CONNECTION: Duration = Duration::from_secs(3);

/// A client with its connections. A clone shares them.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient {
    /// By the proxy of the environment, if it names one.
    elsewhere: Client,
    /// Of this machine: without a proxy, to which plain http would carry tokens and keys.
    this_machine: Client,
}

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
    /// With `error` of its body (RFC 6749 §5.2).
    Refused(StatusCode, Excerpt),
    Redirected(Excerpt),
    Type(Excerpt),
    Encoded(Excerpt),
    TooLong,
}

impl HttpClient {
    /// A client that trusts the certificates that the system trusts.
    ///
    /// # Errors
    /// If the system's certificates can't be read.
    pub(crate) fn new() -> Result<Self, reqwest::Error> {
        // The name means this machine, whatever a resolver says. The port is that of the URL.
        let addresses = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        let addresses = addresses.map(|address| SocketAddr::new(address, 0));
        Ok(Self {
            elsewhere: builder().build()?,
            this_machine: builder().no_proxy().resolve_to_addrs("localhost", &addresses).build()?,
        })
    }

    /// Fetches a JSON document.
    pub(crate) async fn get(&self, endpoint: &Endpoint) -> Result<Document, FetchError> {
        let request = self.client(endpoint).get(endpoint.url().clone());
        self.send(endpoint, request.header(header::ACCEPT, "application/json").build()).await
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
            .client(endpoint)
            .post(endpoint.url().clone())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        self.send(endpoint, request.build()).await
    }

    fn client(&self, endpoint: &Endpoint) -> &Client {
        if endpoint.is_on_this_machine() { &self.this_machine } else { &self.elsewhere }
    }

    async fn send(
        &self,
        endpoint: &Endpoint,
        request: reqwest::Result<Request>,
    ) -> Result<Document, FetchError> {
        let mut url = endpoint.url().clone();
        url.set_query(None);
        let failed = |problem| FetchError { url: url.clone().into(), problem };
        let of_request = |error: reqwest::Error| failed(Problem::Request(error.without_url()));
        let request = request.map_err(of_request)?;
        let asked = CacheRequest { url: request.url().clone(), headers: request.headers().clone() };
        let mut response = self.client(endpoint).execute(request).await.map_err(of_request)?;
        if let Err(problem) = check(&response) {
            return Err(failed(with_code(problem, &mut response).await));
        }
        let fresh_for = asked.fresh_for(&response);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(of_request)? {
            if body.len() + chunk.len() > MAX_DOCUMENT_BYTES {
                return Err(failed(Problem::TooLong));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Document { body, fresh_for })
    }
}

/// What both clients are. No feature of `reqwest` that another crate turns on changes it: neither which TLS there is, nor that an answer is
/// taken as it was sent.
fn builder() -> ClientBuilder {
    Client::builder()
        .tls_backend_rustls()
        .tls_version_min(Version::TLS_1_2)
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(CONNECTION)
        .timeout(WHOLE)
        .user_agent(concat!("auth-runtime/", env!("CARGO_PKG_VERSION")))
}

/// Checks the head of an answer.
fn check(response: &Response) -> Result<(), Problem> {
    let text = |name| header_text(response.headers(), name);
    if response.status().is_redirection() {
        return Err(Problem::Redirected(Excerpt::new(&text(header::LOCATION))));
    }
    if response.status() != StatusCode::OK {
        return Err(Problem::Status(response.status()));
    }
    // None was asked for: what is decoded could be longer than any bound.
    let encoding = text(header::CONTENT_ENCODING);
    if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
        return Err(Problem::Encoded(Excerpt::new(&encoding)));
    }
    let of_type = text(header::CONTENT_TYPE);
    let is_json = of_type.parse::<Mime>().is_ok_and(|mime| {
        mime.type_() == mime::APPLICATION
            && (mime.subtype() == mime::JSON || mime.suffix() == Some(mime::JSON))
    });
    if is_json { Ok(()) } else { Err(Problem::Type(Excerpt::new(&of_type))) }
}

/// A status of a client that is refused → with the code that says why.
async fn with_code(problem: Problem, response: &mut Response) -> Problem {
    /// How much of the body is read.
    const MAX_BYTES: usize = 4096;
    #[derive(Deserialize)]
    struct Body {
        error: String,
    }
    let Problem::Status(status) = problem else { return problem };
    if !status.is_client_error() {
        return problem;
    }
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        if body.len() + chunk.len() > MAX_BYTES {
            return problem;
        }
        body.extend_from_slice(&chunk);
    }
    match serde_json::from_slice::<Body>(&body) {
        Ok(body) => Problem::Refused(status, Excerpt::new(&body.error)),
        Err(_) => problem,
    }
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
    pub(crate) fn status(&self) -> Option<StatusCode> {
        match self.problem {
            Problem::Status(status) | Problem::Refused(status, _) => Some(status),
            _ => None,
        }
    }

    /// Whether it may pass by itself: the server can't be reached, takes too long, or says that it fails or is asked too often.
    pub(crate) fn may_pass(&self) -> bool {
        match &self.problem {
            Problem::Request(error) => {
                error.is_connect() || error.is_timeout() || error.is_body() || error.is_decode()
            }
            _ => self
                .status()
                .is_some_and(|status| status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS),
        }
    }

    /// Whether the server answered that there is nothing at this address.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self.status(), Some(StatusCode::NOT_FOUND | StatusCode::GONE))
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
            Problem::Refused(status, code) => {
                write!(f, "{url} answered {status} with the error {code}, and not 200")
            }
            Problem::Redirected(to) => {
                write!(
                    f,
                    "{url} redirects to {to}, and no redirect is followed: configure that address if it is right"
                )
            }
            Problem::Type(of_type) => write!(
                f,
                "{url} answered with the content type {of_type}, and not with JSON (`application/json`, `application/jwk-set+json`): \
                 see what is at this address. A key set that has another type is fetched with `TrustedIssuer::jwks_from(..)`"
            ),
            Problem::Encoded(encoding) => {
                write!(f, "{url} answered with the content encoding {encoding}, and none was asked for")
            }
            Problem::TooLong => write!(f, "{url} answered with more than {MAX_DOCUMENT_BYTES} bytes"),
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
