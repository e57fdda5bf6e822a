//! Who may send security events, and about whose subjects.

use std::fmt;
use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};

use crate::clock::ThrottleByText;
use crate::error::ConfigErrors;
use crate::verify::{JwtVerifier, SessionIds, TrustedIssuer};

/// The least length of the value of `Authorization`.
const MIN_AUTHORIZATION_BYTES: usize = 32;

/// Whether the `state` of a verification event is one that was asked for.
type ExpectsState = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// A transmitter of security event tokens (RFC 8417), which it pushes (RFC 8935) to
/// [`security_events`](crate::provider_logout::security_events).
///
/// It need not be an issuer of tokens. It has a name, keys and an audience of its own, and speaks of the subjects of those issuers that it
/// is allowed to, and of no others.
///
/// ```
/// use auth_runtime::Auth;
/// use auth_runtime::provider_logout::SecurityEventTransmitter;
/// use auth_runtime::verify::TrustedIssuer;
/// # use auth_runtime::session::SigningKey;
/// # use auth_runtime::verify::Algorithm;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (key, other) = (SigningKey::generate(Algorithm::ES256)?, SigningKey::generate(Algorithm::ES256)?);
/// # let (tokens_key, events_key) = (key.verifying_key(), other.verifying_key());
/// # let from_a_secret_store = "Bearer 4eCVm9gVpGyDzHqGv9bXwQkXJm3nQYwz".to_owned();
/// let events = TrustedIssuer::new("https://events.example.com") // `iss` of its security event tokens
///     .audience("https://shop.example/security-events")
///     .key(events_key);
/// let transmitter = SecurityEventTransmitter::new(events)
///     .subjects_of("https://id.example.com")
///     .authorization_header(from_a_secret_store);
/// let auth = Auth::builder()
///     .issuer(TrustedIssuer::new("https://id.example.com").audience("shop").key(tokens_key))
///     .security_event_transmitter(transmitter)
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "pass it to `Auth::builder().security_event_transmitter(..)`"]
pub struct SecurityEventTransmitter {
    issuer: TrustedIssuer,
    subjects_of: Vec<String>,
    authorization: Option<String>,
    expects_state: Option<ExpectsState>,
}

impl SecurityEventTransmitter {
    /// Returns a transmitter whose tokens are of this issuer: its name, its keys, the audience that they must have, and further rules for
    /// their claims. Its tokens are security event tokens alone: none of them is accepted as an access token.
    ///
    /// Its keys are given, or fetched as those of an issuer of tokens are: the `jwks_uri` of a transmitter's metadata is for
    /// `jwks_url` (feature `jwks`), or for [`jwks_from`](TrustedIssuer::jwks_from).
    pub fn new(issuer: TrustedIssuer) -> Self {
        Self { issuer, subjects_of: Vec::new(), authorization: None, expects_state: None }
    }

    /// Allows it to end sessions of the subjects of this issuer, which is one of the engine's: that of a
    /// [`TrustedIssuer`], or the engine's own [`TokenIssuer`](crate::session::TokenIssuer). An event about a subject of another issuer is
    /// answered `access_denied`.
    pub fn subjects_of(mut self, issuer: impl Into<String>) -> Self {
        self.subjects_of.push(issuer.into());
        self
    }

    /// Requires that each push has the header `Authorization` with this value, such as `Bearer ` and a random text: the
    /// `authorization_header` that the stream was registered with (Shared Signals Framework 1.0 §6.1.1). It is compared in constant time.
    /// A push without it is answered `authentication_failed`.
    ///
    /// Without this, the signature alone proves who sends. With it, strangers can't have signatures verified either, and if every transmitter
    /// has it, they can't have a body read.
    pub fn authorization_header(mut self, value: impl Into<String>) -> Self {
        self.authorization = Some(value.into());
        self
    }

    /// Sets what decides whether the `state` of a verification event is one that was asked for (Shared Signals Framework 1.0 §8.1.4.1). For
    /// another one the answer is `invalid_state`, and nothing of the token counts. An event without `state` was not asked for: the
    /// transmitter sends it by itself, and it is acknowledged.
    ///
    /// Asking for a verification is yours to do, as is registering the stream (§8.1.4.2). Any instance of the service may get the event:
    /// with several, let the `state` be one that each can recognize, such as an HMAC of its first part under a secret that all have. If the
    /// function panics, the answer is 500.
    ///
    /// Without this every `state` is acknowledged, and a line in the log has it.
    pub fn verification_state(mut self, is_expected: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.expects_state = Some(Arc::new(is_expected));
        self
    }
}

/// Without the value of `Authorization`.
impl fmt::Debug for SecurityEventTransmitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityEventTransmitter")
            .field("issuer", &self.issuer)
            .field("subjects_of", &self.subjects_of)
            .finish_non_exhaustive()
    }
}

/// The transmitters of an engine.
#[derive(Debug)]
pub(crate) struct Transmitters {
    /// Of their tokens, which are no access tokens.
    pub(crate) verifier: JwtVerifier,
    all: Vec<Transmitter>,
    /// What is said of texts that can't be applied, though their signature is valid: who has one can send it as often as it likes.
    pub(crate) inapplicable: ThrottleByText,
}

/// A transmitter.
pub(crate) struct Transmitter {
    name: Box<str>,
    subjects_of: Vec<SubjectIssuer>,
    authorization: Option<HeaderValue>,
    expects_state: Option<ExpectsState>,
}

/// An issuer that a transmitter may speak of.
#[derive(Clone, Debug)]
pub(super) struct SubjectIssuer {
    pub(super) name: Box<str>,
    pub(super) session_ids: SessionIds,
}

impl Transmitters {
    /// Prepares them. `tokens` is the verifier of the engine's issuers. All errors are added to `errors`.
    pub(crate) fn new(
        transmitters: Vec<SecurityEventTransmitter>,
        tokens: &JwtVerifier,
        max_token_bytes: usize,
        errors: &mut ConfigErrors,
    ) -> Self {
        let mut own_errors = ConfigErrors::default();
        let issuers: Vec<TrustedIssuer> =
            transmitters.iter().map(|transmitter| transmitter.issuer.clone()).collect();
        let verifier = JwtVerifier::new(&issuers, max_token_bytes, &mut own_errors);
        let all = transmitters
            .into_iter()
            .map(|transmitter| Transmitter::new(transmitter, tokens, &mut own_errors));
        let all = all.collect();
        for error in own_errors.into_vec() {
            errors.push(format!("security event transmitter: {error}"));
        }
        Self { verifier, all, inapplicable: ThrottleByText::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether one of them admits the request, whichever its token names.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> bool {
        self.all.iter().any(|transmitter| transmitter.admits(headers))
    }

    /// Returns the transmitter of this name, which is the `iss` of its tokens.
    pub(crate) fn named(&self, name: &str) -> Option<&Transmitter> {
        self.all.iter().find(|transmitter| *transmitter.name == *name)
    }
}

impl Transmitter {
    fn new(transmitter: SecurityEventTransmitter, tokens: &JwtVerifier, errors: &mut ConfigErrors) -> Self {
        let SecurityEventTransmitter { issuer, subjects_of, authorization, expects_state } = transmitter;
        let name = issuer.exact_name().unwrap_or_default();
        if name.is_empty() {
            errors.push(
                "it has no exact name, which a push is compared with: make its issuer with `TrustedIssuer::new` and the `iss` of its tokens",
            );
        }
        if issuer.is_introspected() {
            errors.push(format!(
                "`{name}` has an `introspection`, and a security event token is verified with keys: leave it out, and give it keys"
            ));
        }
        if subjects_of.is_empty() {
            errors.push(format!(
                "`{name}` may speak of the subjects of no issuer, so its events would end nothing: call \
                 `.subjects_of(\"https://id.example.com\")` with the name of an issuer of the engine"
            ));
        }
        let known = |issuer: String| {
            let session_ids = tokens.session_ids(&issuer);
            if session_ids.is_none() {
                errors.push(format!(
                    "`{name}` may speak of the subjects of `{issuer}`, which is no issuer of this engine: add it with `.issuer(..)`, or pass \
                     the exact name of one"
                ));
            }
            Some(SubjectIssuer { name: issuer.into(), session_ids: session_ids? })
        };
        let subjects_of = subjects_of.into_iter().filter_map(known).collect();
        let authorization = authorization.and_then(|value| header_value(name, &value, errors));
        Self { name: name.into(), subjects_of, authorization, expects_state }
    }

    /// `iss` of its tokens.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the request has the value of `Authorization` that is required, once.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(expected) = &self.authorization else { return true };
        let mut sent = headers.get_all(AUTHORIZATION).iter();
        let (Some(sent), None) = (sent.next(), sent.next()) else { return false };
        aws_lc_rs::constant_time::verify_slices_are_equal(sent.as_bytes(), expected.as_bytes()).is_ok()
    }

    /// Whether a verification event may have this `state`.
    pub(super) fn expects_state(&self, state: &str) -> bool {
        self.expects_state.as_ref().is_none_or(|is_expected| is_expected(state))
    }

    pub(super) fn subjects_of(&self, issuer: &str) -> Option<&SubjectIssuer> {
        self.subjects_of.iter().find(|known| *known.name == *issuer)
    }

    /// The issuer that it speaks of, if there is one alone.
    pub(super) fn only_issuer(&self) -> Option<&SubjectIssuer> {
        match self.subjects_of.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }
}

/// Without the value of `Authorization`.
impl fmt::Debug for Transmitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transmitter")
            .field("name", &self.name)
            .field("subjects_of", &self.subjects_of)
            .finish_non_exhaustive()
    }
}

fn header_value(name: &str, value: &str, errors: &mut ConfigErrors) -> Option<HeaderValue> {
    if value.len() < MIN_AUTHORIZATION_BYTES {
        errors.push(format!(
            "`{name}`: the value of `authorization_header` has {} bytes, and must have {MIN_AUTHORIZATION_BYTES} at least: it is a secret",
            value.len()
        ));
    }
    let mut header = HeaderValue::from_str(value).ok().filter(|_| value.trim() == value);
    match &mut header {
        Some(header) => header.set_sensitive(true),
        None => errors.push(format!(
            "`{name}`: the value of `authorization_header` can't be that of a header: use visible ASCII characters, with spaces between \
             them alone"
        )),
    }
    header
}
