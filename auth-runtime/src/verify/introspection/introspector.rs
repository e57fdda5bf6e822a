//! The request, and the form of its answer.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::BoxError;
use axum::http::HeaderValue;
use form_urlencoded::Serializer;
use tokio::time::timeout;

use super::Introspection;
use super::client::ClientAuthentication;
use crate::clock::unix_seconds;
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

/// How often the log says that the issuer refuses this service, in seconds.
const COMPLAINT_INTERVAL: i64 = 60;

/// What asks an issuer about tokens.
#[derive(Debug)]
pub(crate) struct Introspector {
    place: Place,
    http: HttpClient,
    client: ClientAuthentication,
    /// The issuer's name.
    pub(in crate::verify) issuer: Box<str>,
    pub(crate) cache_for: Duration,
    pub(in crate::verify) includes_jwts: bool,
    pub(in crate::verify) accepts_missing_issuer: bool,
    /// When the log last said that the issuer refuses this service, in seconds since the epoch.
    complained_at: AtomicI64,
}

/// Where the issuer is asked.
#[derive(Debug)]
enum Place {
    Configured(Endpoint),
    /// The metadata of the issuer names it. What was found counts until nothing is found there.
    Discovered(MetadataUrls, Mutex<Option<Endpoint>>),
}

/// Why a token is not accepted.
#[derive(Debug)]
pub(crate) enum IntrospectionError {
    /// The issuer can't be asked now.
    Unavailable(String),
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
        let client = client.map_err(|objection| object(objection.into())).ok().cloned();
        let place = match (&introspection.endpoint, issuer) {
            (Some(url), _) => {
                Endpoint::parse_for_secrets(url).map(Place::Configured).map_err(&mut object).ok()
            }
            (None, Some(issuer)) => {
                let urls = MetadataUrls::of(issuer, false).map_err(&mut object).ok();
                urls.map(|urls| Place::Discovered(urls, Mutex::default()))
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
            cache_for: introspection.cache_for,
            includes_jwts: introspection.includes_jwts,
            accepts_missing_issuer: introspection.accepts_missing_issuer,
            complained_at: AtomicI64::new(i64::MIN),
        })
    }

    /// What the issuer says of this token: its claims, as the text of a JSON object; `None` if it is not active.
    ///
    /// # Errors
    /// If the issuer can't be asked, or answers something else.
    pub(in crate::verify) async fn ask(
        &self,
        token: &str,
        now: SystemTime,
    ) -> Result<Option<Vec<u8>>, IntrospectionError> {
        let unavailable = |what: String| IntrospectionError::Unavailable(what);
        let (form, authorization) = self
            .form(token, now)
            .map_err(|error| unavailable(format!("this service can't prove who it is: {error}")))?;
        let answer = timeout(PATIENCE, self.post(form, authorization, now)).await;
        let document = answer.unwrap_or_else(|_| {
            Err(unavailable(format!("there was no answer within {} s", PATIENCE.as_secs())))
        })?;
        match is_active(&document.body) {
            Some(true) => Ok(Some(document.body)),
            Some(false) => Ok(None),
            None => Err(unavailable(
                "the answer is not one strict JSON object with `active`, which is `true` or `false` (RFC 7662 §2.2)".into(),
            )),
        }
    }

    async fn post(
        &self,
        form: String,
        authorization: Option<HeaderValue>,
        now: SystemTime,
    ) -> Result<Document, IntrospectionError> {
        let endpoint =
            self.endpoint().await.map_err(|error| IntrospectionError::Unavailable(error.to_string()))?;
        self.http.post_form(&endpoint, form, authorization).await.map_err(|error| {
            self.complain(&error, now);
            if let (Place::Discovered(_, found), true) = (&self.place, error.is_not_found()) {
                *found.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
            IntrospectionError::Unavailable(error.to_string())
        })
    }

    /// Where the issuer is asked: as configured, or as its metadata says.
    async fn endpoint(&self) -> Result<Endpoint, BoxError> {
        let (urls, found) = match &self.place {
            Place::Configured(endpoint) => return Ok(endpoint.clone()),
            Place::Discovered(urls, found) => (urls, found),
        };
        let known = found.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known {
            return Ok(known);
        }
        let endpoint = introspection_endpoint(&self.http, &self.issuer, urls).await?;
        *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(endpoint.clone());
        Ok(endpoint)
    }

    /// The request (RFC 7662 §2.1): its body, and its header `Authorization`.
    fn form(&self, token: &str, now: SystemTime) -> Result<(String, Option<HeaderValue>), SignError> {
        let mut form = Serializer::new(String::new());
        form.append_pair("token", token).append_pair("token_type_hint", "access_token");
        let authorization = self.client.prove(&mut form, &self.issuer, now)?;
        Ok((form.finish(), authorization))
    }

    /// If the issuer refuses this service itself, every token is answered 503 until somebody changes the configuration.
    fn complain(&self, error: &FetchError, now: SystemTime) {
        let is_refusal = matches!(error.status().map(|status| status.as_u16()), Some(400 | 401 | 403));
        let now = unix_seconds(now);
        let last = self.complained_at.load(Ordering::Relaxed);
        if !is_refusal || now.saturating_sub(last) < COMPLAINT_INTERVAL {
            return;
        }
        self.complained_at.store(now, Ordering::Relaxed);
        tracing::error!(
            issuer = &*self.issuer,
            client = ?self.client,
            %error,
            "auth: the issuer does not answer this service what its tokens mean: the client id, its secret or key, or the method of its \
             authentication is not what the issuer has, or the issuer does not let this client introspect tokens"
        );
    }
}

/// What `active` of an answer is; `None` if the answer is not one strict JSON object that has it.
fn is_active(answer: &[u8]) -> Option<bool> {
    let members = json::members(answer)?;
    let (_, active) = members.into_iter().find(|(name, _)| name == "active")?;
    match active.get() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

impl fmt::Display for IntrospectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(what) => write!(f, "the issuer can't be asked what a token means: {what}"),
            Self::Rejected(error) => write!(f, "by the issuer's answer about it, {error}"),
            Self::Unidentified(why) => write!(f, "by the issuer's answer about it, {why}"),
        }
    }
}

impl std::error::Error for IntrospectionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unavailable(_) | Self::Unidentified(_) => None,
            Self::Rejected(error) => Some(error),
        }
    }
}
