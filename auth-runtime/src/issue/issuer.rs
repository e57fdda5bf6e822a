//! What tokens are made with, and for how long.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde_json::{Map, Value};

use super::refresh_token::{RefreshKey, RefreshKeys};
use super::subject::{DynSubjectStore, SubjectStore};
use crate::error::{ConfigErrors, KeysError};
use crate::jose::{Key, SigningKey};
use crate::verify::{JwtVerifier, TrustedIssuer};

const MAX_GRACE: Duration = Duration::from_secs(60);

/// Names of the header that are not the application's to fill.
const RESERVED_HEADERS: &[&str] = &["typ", "alg", "kid", "crit", "b64", "jku", "jwk", "x5u", "x5c"];

/// The service's own issuer of tokens: access tokens after RFC 9068, and refresh tokens that are rotated on every use
/// (RFC 9700 §4.14.2). The engine that it is given to accepts its tokens, of the type `at+jwt` alone.
///
/// ```
/// use auth_runtime::Auth;
/// use auth_runtime::session::{RefreshKey, SigningKey, TokenIssuer};
/// use auth_runtime::verify::Algorithm;
/// # use auth_runtime::session::{BoxError, Subject, SubjectStore};
/// # struct Users;
/// # impl SubjectStore for Users {
/// #     async fn subject(&self, id: &str) -> Result<Option<Subject>, BoxError> {
/// #         Ok(Some(Subject::new(id)))
/// #     }
/// # }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
///
/// let issuer = TokenIssuer::new("https://shop.example", "orders", SigningKey::generate(Algorithm::EdDSA)?, Users)
///     .refresh_key(RefreshKey::generate()?); // in production both keys come from where secrets are kept
/// let auth = Auth::builder().token_issuer(issuer).build()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "give it to `Auth::builder().token_issuer(..)`"]
pub struct TokenIssuer {
    name: String,
    audience: Vec<String>,
    client_id: Option<String>,
    keys: SigningKeys,
    refresh_keys: Vec<RefreshKey>,
    access_lifetime: Duration,
    refresh_lifetime: Duration,
    family_lifetime: Duration,
    grace: Duration,
    headers: Map<String, Value>,
    subjects: Box<dyn DynSubjectStore>,
}

impl TokenIssuer {
    /// An issuer of this name (`iss`), for the service of this name (`aud`), which signs with `keys`: a [`SigningKey`], or
    /// [`SigningKeys`]. `subjects` tells of the users at every refresh.
    pub fn new(
        name: impl Into<String>,
        audience: impl Into<String>,
        keys: impl Into<SigningKeys>,
        subjects: impl SubjectStore,
    ) -> Self {
        Self {
            name: name.into(),
            audience: vec![audience.into()],
            client_id: None,
            keys: keys.into(),
            refresh_keys: Vec::new(),
            access_lifetime: Duration::from_secs(15 * 60),
            refresh_lifetime: Duration::from_secs(14 * 24 * 60 * 60),
            family_lifetime: Duration::from_secs(90 * 24 * 60 * 60),
            grace: Duration::from_secs(10),
            headers: Map::new(),
            subjects: Box::new(subjects),
        }
    }

    /// A key for refresh tokens. The first that is given makes them; those behind it are recognised too.
    ///
    /// To change keys, first give every instance the new key behind the old one, then in front of it: an instance that does not
    /// know a token's key takes the token for forged.
    pub fn refresh_key(mut self, key: RefreshKey) -> Self {
        self.refresh_keys.push(key);
        self
    }

    /// How long an access token is good. Default 15 minutes.
    pub fn access_lifetime(mut self, lifetime: Duration) -> Self {
        self.access_lifetime = lifetime;
        self
    }

    /// How long a refresh token is good if it is not used. Default 14 days.
    pub fn refresh_lifetime(mut self, lifetime: Duration) -> Self {
        self.refresh_lifetime = lifetime;
        self
    }

    /// How long a login lasts at most, however often it is refreshed. Default 90 days.
    pub fn family_lifetime(mut self, lifetime: Duration) -> Self {
        self.family_lifetime = lifetime;
        self
    }

    /// How long after its use a refresh token may come again and gets the very same successor, as long as that was not used
    /// itself: two tabs, or an answer that was lost on the way. Default 10 seconds; 0 turns it off. Whatever comes later is
    /// taken for theft, and ends the login.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// A further service that the tokens are for (`aud`).
    pub fn also_for(mut self, audience: impl Into<String>) -> Self {
        self.audience.push(audience.into());
        self
    }

    /// The `client_id` of the tokens (RFC 9068 §2.2). Default: this service's name.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// A further field of the tokens' header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// What the engine's verifier is told.
    pub(crate) fn as_trusted(&self) -> TrustedIssuer {
        let mut trusted = TrustedIssuer::new(&self.name).token_types(["at+jwt"]);
        // The first is this service; the others are for others to accept.
        if let Some(own) = self.audience.first() {
            trusted = trusted.audience(own);
        }
        self.keys.accepted().into_iter().fold(trusted, TrustedIssuer::key)
    }

    pub(crate) fn prepare(
        self,
        jwt: Arc<JwtVerifier>,
        longest_access: Duration,
        renews_transparently: bool,
        errors: &mut ConfigErrors,
    ) -> IssuerState {
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX / 4);
        if self.access_lifetime.as_secs() == 0 || self.access_lifetime > longest_access {
            errors.push(format!(
                "the access lifetime is {} s: it must be 1 s at least, and {} s (`max_token_lifetime`) at most, or the \
                 engine would refuse its own tokens",
                self.access_lifetime.as_secs(),
                longest_access.as_secs()
            ));
        }
        if self.refresh_lifetime < self.access_lifetime || self.family_lifetime < self.refresh_lifetime {
            errors.push(format!(
                "the lifetimes of access token ({} s), refresh token ({} s) and family ({} s) must not shrink in this order",
                self.access_lifetime.as_secs(),
                self.refresh_lifetime.as_secs(),
                self.family_lifetime.as_secs()
            ));
        }
        if self.grace > MAX_GRACE {
            errors.push(format!(
                "the grace period is {} s, and 60 s is the most: a thief has as long to go unnoticed",
                self.grace.as_secs()
            ));
        }
        if self.refresh_keys.is_empty() {
            errors.push(
                "the token issuer has no refresh key: call `.refresh_key(RefreshKey::new(\"2026\", secret))`",
            );
        }
        if self.audience.iter().any(String::is_empty) {
            errors.push("an audience of the token issuer is empty: name the service");
        }
        for name in self.headers.keys().filter(|name| RESERVED_HEADERS.contains(&name.as_str())) {
            errors.push(format!(
                "the header field `{name}` is the library's to write, or no verifier's to trust"
            ));
        }
        let refresh_keys = RefreshKeys::new(&self.name, &self.refresh_keys, errors);
        IssuerState {
            client_id: self.client_id.or_else(|| self.audience.first().cloned()).unwrap_or_default(),
            name: self.name,
            audience: self.audience,
            signing: ArcSwap::from_pointee(self.keys.signing),
            refresh_keys,
            access_lifetime: seconds(self.access_lifetime),
            refresh_lifetime: seconds(self.refresh_lifetime),
            family_lifetime: seconds(self.family_lifetime),
            grace: seconds(if renews_transparently && !self.grace.is_zero() {
                self.grace.max(MAX_GRACE)
            } else {
                self.grace
            }),
            headers: self.headers,
            subjects: self.subjects,
            jwt,
            rotating: Mutex::new(()),
        }
    }
}

/// Redacted.
impl fmt::Debug for TokenIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenIssuer").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The key that signs, and those that are accepted beside it: before it, so that its tokens stay good until they expire,
/// and after it, so that who reads the key set knows the next key before the first token of it comes.
///
/// A key without an id gets its thumbprint (RFC 7638) for one, unless it is a secret.
#[derive(Clone, Debug)]
#[must_use]
pub struct SigningKeys {
    pub(super) signing: SigningKey,
    also_accepted: Vec<Key>,
}

impl SigningKeys {
    /// One key.
    pub fn new(signing: SigningKey) -> Self {
        Self { signing: signing.with_thumbprint(), also_accepted: Vec::new() }
    }

    /// A key whose tokens are accepted too: [`SigningKey::verifying_key`] of the one before, or of the next.
    pub fn also_accept(mut self, key: Key) -> Self {
        self.also_accepted.push(key.with_thumbprint());
        self
    }

    fn accepted(&self) -> Vec<Key> {
        std::iter::once(self.signing.verifying_key()).chain(self.also_accepted.iter().cloned()).collect()
    }
}

impl From<SigningKey> for SigningKeys {
    fn from(key: SigningKey) -> Self {
        Self::new(key)
    }
}

/// A token issuer, as part of an engine. Times are in seconds.
pub(crate) struct IssuerState {
    pub(crate) name: String,
    pub(crate) audience: Vec<String>,
    pub(crate) client_id: String,
    pub(crate) signing: ArcSwap<SigningKey>,
    pub(crate) refresh_keys: RefreshKeys,
    pub(crate) access_lifetime: i64,
    pub(crate) refresh_lifetime: i64,
    pub(crate) family_lifetime: i64,
    pub(crate) grace: i64,
    pub(crate) headers: Map<String, Value>,
    pub(crate) subjects: Box<dyn DynSubjectStore>,
    jwt: Arc<JwtVerifier>,
    rotating: Mutex<()>,
}

impl IssuerState {
    pub(crate) fn issuer(&self) -> &str {
        &self.name
    }

    pub(crate) fn jwt(&self) -> &JwtVerifier {
        &self.jwt
    }

    pub(crate) fn has_grace(&self) -> bool {
        self.grace > 0
    }

    /// Accepts the new keys first, and signs with the new one then: no token is signed that would not be accepted.
    pub(crate) fn rotate(&self, keys: SigningKeys) -> Result<(), KeysError> {
        let _one_at_a_time = self.rotating.lock().unwrap_or_else(PoisonError::into_inner);
        let mut errors = ConfigErrors::default();
        self.jwt.replace_keys(&self.name, &keys.accepted(), &mut errors);
        errors.check::<KeysError>()?;
        self.signing.store(Arc::new(keys.signing));
        Ok(())
    }
}

impl fmt::Debug for IssuerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuerState").field("name", &self.name).finish_non_exhaustive()
    }
}
