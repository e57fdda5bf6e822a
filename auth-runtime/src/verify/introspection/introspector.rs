//! The request, and the form of its answer.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use axum::http::HeaderValue;
use form_urlencoded::Serializer;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::Introspection;
use super::client::ClientAuthentication;
use crate::clock::Throttle;
use crate::error::ConfigErrors;
use crate::http_client::{Document, Endpoint, FetchError, HttpClient};
use crate::jose::SignError;
use crate::verify::VerifyError;
use crate::verify::discovery::{MetadataUrls, introspection_endpoint};
use crate::verify::json;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest time that an answer is remembered.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// How often the log says why the issuer can't be asked.
const SAID_EVERY: Duration = Duration::from_secs(60);

/// How long after its address was not found it is looked for again.
const COOL_DOWN: Duration = Duration::from_secs(5);

/// How long the metadata may take when it is read again: the rest of the time is for the question.
const REREAD_PATIENCE: Duration = Duration::from_secs(2);

/// How long an address counts that the metadata names.
const FOUND_FOR: Duration = Duration::from_secs(60 * 60);

/// What asks an issuer about tokens.
#[derive(Debug)]
pub(crate) struct Introspector {
    place: Place,
    http: HttpClient,
    client: ClientAuthentication,
    /// The issuer's name.
    pub(in crate::verify) issuer: Box<str>,
    /// `aud` of its client's JWT.
    audience: Box<str>,
    pub(crate) cache_for: Duration,
    pub(in crate::verify) includes_jwts: bool,
    pub(in crate::verify) accepts_missing_issuer: bool,
    failures: Throttle,
    /// Failures to read the metadata again.
    rereads: Throttle,
}

/// Where the issuer is asked.
#[derive(Debug)]
enum Place {
    Configured(Endpoint),
    /// The metadata of the issuer names it. What was found counts for an hour, or until nothing is found there.
    Discovered(Box<MetadataUrls>, Mutex<Discovered>),
}

/// Where the metadata says that the issuer is asked.
#[derive(Debug)]
enum Discovered {
    /// It was not looked for.
    Unknown,
    /// There, and when the metadata is read again.
    At(Endpoint, Duration),
    /// It was not found: when it was looked for, and why.
    Failed(Duration, String),
}

/// Why a token is not accepted.
#[derive(Debug)]
pub(crate) enum IntrospectionError {
    /// The issuer can't be asked now.
    Unavailable(String),
    /// The issuer answers that it is asked too often.
    TooOften(String),
    /// The answer about this token can't be read. The next one about it is likely to be the same.
    Unreadable(String),
    /// The issuer says that the token is active, and it is not for this service, or not what is accepted here.
    Rejected(VerifyError),
    /// The answer names no caller, for this reason.
    Unidentified(Cow<'static, str>),
}

impl Introspector {
    /// What asks the issuer of this name; `None` after an error.
    pub(in crate::verify) fn new(
        issuer: Option<&str>,
        label: &str,
        introspection: &Introspection,
        errors: &mut ConfigErrors,
    ) -> Option<Self> {
        let mut object = |what: String| errors.push(format!("{label}: `introspection`: {what}"));
        if introspection.cache_for > LONGEST {
            object("`cache_for` is more than 1 hour, and a token that is revoked at the issuer is accepted for so long: set less".into());
        }
        if issuer.is_none() {
            object("its issuer has no name, so no answer could be shown to be of it: name it with `TrustedIssuer::new`".into());
        }
        let client = match introspection.clients.as_slice() {
            [client] => client.objection().map_or(Ok(client), Err),
            [] => Err(
                "nothing proves to the issuer who this service is, and it answers no other client (RFC 7662 §2.1): call \
                 `.client_secret_basic(id, secret)`, `.client_secret_post(id, secret)` or `.private_key_jwt(id, key)`",
            ),
            _ => Err(
                "more than one client authentication is set, and a request has one (RFC 6749 §2.3): keep one of the calls",
            ),
        };
        if introspection.assertion_audience.is_some()
            && !introspection.clients.iter().any(ClientAuthentication::signs)
        {
            object("`assertion_audience` is called, and no JWT is signed: call `.private_key_jwt(id, key)` too, or leave it out".into());
        }
        let client = client.map_err(|objection| object(objection.into())).ok().cloned();
        let place = match (&introspection.endpoint, issuer) {
            (Some(url), _) => {
                Endpoint::parse_for_secrets(url).map(Place::Configured).map_err(&mut object).ok()
            }
            (None, Some(issuer)) => {
                let urls = MetadataUrls::of(issuer, false).map_err(&mut object).ok();
                urls.map(|urls| Place::Discovered(Box::new(urls), Mutex::new(Discovered::Unknown)))
            }
            (None, None) => None,
        };
        let http =
            HttpClient::new().map_err(|error| object(format!("there is no HTTP client: {error}"))).ok();
        Some(Self {
            place: place?,
            http: http?,
            client: client?,
            issuer: issuer?.into(),
            audience: introspection.assertion_audience.as_deref().or(issuer)?.into(),
            cache_for: introspection.cache_for,
            includes_jwts: introspection.includes_jwts,
            accepts_missing_issuer: introspection.accepts_missing_issuer,
            failures: Throttle::default(),
            rereads: Throttle::default(),
        })
    }

    /// What the issuer says of this token: its claims; `None` if it is not active. `monotonic` is of a clock
    /// that can't be set.
    ///
    /// # Errors
    /// If the issuer can't be asked, or answers something else. The log says so.
    pub(in crate::verify) async fn ask(
        &self,
        token: &str,
        now: SystemTime,
        monotonic: Duration,
    ) -> Result<Option<json::Document>, IntrospectionError> {
        let answer = timeout(PATIENCE, self.post(token, now, monotonic)).await;
        let answer = answer.unwrap_or_else(|_| {
            let what = format!("{} did not answer within {} s", self.shown(), PATIENCE.as_secs());
            Err(IntrospectionError::Unavailable(what))
        });
        let answer = answer.and_then(|answer| match active(answer.body) {
            Some((true, claims)) => Ok(Some(claims)),
            Some((false, _)) => Ok(None),
            None => Err(IntrospectionError::Unreadable(format!(
                "the answer of {} is not one strict JSON object with `active`, which is `true` or `false` (RFC 7662 §2.2)",
                self.shown()
            ))),
        });
        answer.inspect_err(|error| self.log(error, monotonic))
    }

    async fn post(
        &self,
        token: &str,
        now: SystemTime,
        monotonic: Duration,
    ) -> Result<Document, IntrospectionError> {
        let unavailable = IntrospectionError::Unavailable;
        let (form, authorization) = self
            .form(token, now)
            .map_err(|error| unavailable(format!("this service can't prove who it is: {error}")))?;
        let endpoint = self.endpoint(monotonic).await.map_err(unavailable)?;
        match self.http.post_form(&endpoint, form, authorization).await {
            Ok(document) => Ok(document),
            Err(error) => Err(self.failed(&error).await),
        }
    }

    /// Why the issuer can't be asked, and what to do about it.
    async fn failed(&self, error: &FetchError) -> IntrospectionError {
        match error.status().map(|status| status.as_u16()) {
            Some(400 | 401 | 403) => IntrospectionError::Unavailable(format!(
                "{error}, so it does not answer this service ({:?}): the client id, its secret or key, or the method of its authentication \
                 is not what the issuer has, or the issuer does not let this client introspect tokens, or the clock of this service is \
                 wrong, for its JWT is valid for 60 s",
                self.client
            )),
            Some(429) => IntrospectionError::TooOften(error.to_string()),
            _ => {
                if let (Place::Discovered(_, found), true) = (&self.place, error.is_not_found()) {
                    *found.lock().await = Discovered::Unknown;
                }
                IntrospectionError::Unavailable(error.to_string())
            }
        }
    }

    /// Where the issuer is asked: as configured, or as its metadata says. That is fetched by one request at a time, and not again at once
    /// where it failed. When it is read again, other requests go on with what it said before, and so do all while it can't be read.
    async fn endpoint(&self, now: Duration) -> Result<Endpoint, String> {
        let (urls, found) = match &self.place {
            Place::Configured(endpoint) => return Ok(endpoint.clone()),
            Place::Discovered(urls, found) => (urls, found),
        };
        let mut found = found.lock().await;
        let known = match &mut *found {
            Discovered::At(endpoint, read_again) if now < *read_again => return Ok(endpoint.clone()),
            Discovered::At(endpoint, read_again) => {
                // Also if this request is given up meanwhile.
                *read_again = now.saturating_add(COOL_DOWN);
                Some(endpoint.clone())
            }
            Discovered::Failed(at, why) if now < at.saturating_add(COOL_DOWN) => return Err(why.clone()),
            Discovered::Failed(..) | Discovered::Unknown => None,
        };
        if let Some(known) = known {
            drop(found);
            return Ok(self.read_again(urls, known, now).await);
        }
        // If this request is given up meanwhile.
        *found = Discovered::Failed(now, format!("the metadata of `{}` is not answered", self.issuer));
        match introspection_endpoint(&self.http, &self.issuer, urls).await {
            Ok(endpoint) => {
                *found = Discovered::At(endpoint.clone(), now.saturating_add(FOUND_FOR));
                Ok(endpoint)
            }
            Err(error) => {
                *found = Discovered::Failed(now, error.to_string());
                Err(error.to_string())
            }
        }
    }

    /// The address that the metadata names now, or the one from before where it can't be read.
    async fn read_again(&self, urls: &MetadataUrls, known: Endpoint, now: Duration) -> Endpoint {
        let read = timeout(REREAD_PATIENCE, introspection_endpoint(&self.http, &self.issuer, urls)).await;
        let failure = match read {
            Ok(Ok(endpoint)) => {
                if let Place::Discovered(_, found) = &self.place {
                    *found.lock().await = Discovered::At(endpoint.clone(), now.saturating_add(FOUND_FOR));
                }
                return endpoint;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("its metadata takes longer than {} s", REREAD_PATIENCE.as_secs()),
        };
        if let Some(count) = self.rereads.note(now, SAID_EVERY) {
            tracing::warn!(
                issuer = &*self.issuer,
                count,
                error = failure,
                "auth: the metadata of an issuer can't be read again: its tokens are introspected where it said before"
            );
        }
        known
    }

    /// What is asked, in messages.
    pub(in crate::verify) fn shown(&self) -> String {
        match &self.place {
            Place::Configured(endpoint) => {
                let mut url = endpoint.url().clone();
                url.set_query(None);
                url.into()
            }
            Place::Discovered(..) => format!("the introspection endpoint of `{}`", self.issuer),
        }
    }

    /// Everyone can send a token, so this is no error for each.
    fn log(&self, error: &IntrospectionError, now: Duration) {
        if let Some(count) = self.failures.note(now, SAID_EVERY) {
            tracing::error!(issuer = &*self.issuer, count, %error, "auth: opaque tokens are answered 503");
        }
    }

    /// The request (RFC 7662 §2.1): its body, and its header `Authorization`.
    fn form(&self, token: &str, now: SystemTime) -> Result<(String, Option<HeaderValue>), SignError> {
        let mut form = Serializer::new(String::new());
        form.append_pair("token", token).append_pair("token_type_hint", "access_token");
        let authorization = self.client.prove(&mut form, &self.audience, now)?;
        Ok((form.finish(), authorization))
    }
}

/// What `active` of an answer is, and all that it says; `None` if the answer is not one strict JSON object that has it.
fn active(answer: Vec<u8>) -> Option<(bool, json::Document)> {
    let document = json::Document::read(answer)?;
    let active = document.root().get("active")?.as_bool()?;
    Some((active, document))
}

impl IntrospectionError {
    /// Whether the issuer has answered, and the token is not accepted.
    pub(crate) fn is_rejection(&self) -> bool {
        matches!(self, Self::Rejected(_) | Self::Unidentified(_))
    }

    /// Whether the issuer has answered, and nothing can be known from it.
    pub(crate) fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable(_))
    }

    pub(crate) fn is_asked_too_often(&self) -> bool {
        matches!(self, Self::TooOften(_))
    }
}

impl fmt::Display for IntrospectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(what) | Self::TooOften(what) | Self::Unreadable(what) => {
                write!(f, "the issuer can't be asked what a token means: {what}")
            }
            Self::Rejected(error) => write!(f, "by the issuer's answer about it, {error}"),
            Self::Unidentified(why) => write!(f, "by the issuer's answer about it, {why}"),
        }
    }
}

impl std::error::Error for IntrospectionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unavailable(_) | Self::TooOften(_) | Self::Unreadable(_) | Self::Unidentified(_) => None,
            Self::Rejected(error) => Some(error),
        }
    }
}
