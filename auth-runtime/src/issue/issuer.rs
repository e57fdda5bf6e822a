//! What tokens are issued with, and how long they are valid.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde_json::{Map, Value};

use super::grace::{Grace, GracePeriods, MAX_GRACE, RefreshBy};
use super::header;
use super::refresh_token::{RefreshKey, RefreshKeys};
use super::session_data::{DEFAULT_MAX_SESSION_DATA, check_max};
use super::signing_keys::{SigningKeys, TokenSigner};
use super::subject::{DynSubjectStore, SubjectStore};
use crate::clock::LONGEST_LIFETIME;
use crate::error::{ConfigErrors, KeysError};
use crate::jose::SignError;
use crate::verify::{JwtVerifier, KeySet, TrustedIssuer};

/// How many sessions a user may have by default.
const MAX_SESSIONS_PER_USER: usize = 100;

/// The service's own issuer of tokens: access tokens as RFC 9068 describes them, and refresh tokens that are rotated on every use
/// (RFC 9700 §4.14.2). An engine with a token issuer accepts that issuer's tokens if their type is `at+jwt`.
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
///     .refresh_key(RefreshKey::generate()?); // in production, both keys come from where secrets are stored
/// let auth = Auth::builder().token_issuer(issuer).build()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "pass it to `Auth::builder().token_issuer(..)`"]
pub struct TokenIssuer {
    name: String,
    audience: Vec<String>,
    client_id: Option<String>,
    keys: SigningKeys,
    refresh_keys: Vec<RefreshKey>,
    access_lifetime: Duration,
    refresh_lifetime: Duration,
    session_lifetime: Duration,
    grace: Duration,
    extends_grace: bool,
    max_sessions_per_user: usize,
    max_session_data: usize,
    headers: Map<String, Value>,
    subjects: Box<dyn DynSubjectStore>,
}

impl TokenIssuer {
    /// Returns an issuer with this name (`iss`), for the service with this name (`aud`). It signs with `keys`, a
    /// [`SigningKey`](crate::session::SigningKey) or
    /// [`SigningKeys`]. Every refresh looks the user up in `subjects`.
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
            session_lifetime: Duration::from_secs(90 * 24 * 60 * 60),
            grace: Duration::from_secs(10),
            extends_grace: false,
            max_sessions_per_user: MAX_SESSIONS_PER_USER,
            max_session_data: DEFAULT_MAX_SESSION_DATA,
            headers: Map::new(),
            subjects: Box::new(subjects),
        }
    }

    /// Adds a key for refresh tokens. The first key makes new tokens; tokens of the other keys are accepted too.
    ///
    /// To change keys, first add the new key after the old one on every instance, then move it in front: an instance that does not
    /// know a token's key rejects the token as forged.
    pub fn refresh_key(mut self, key: RefreshKey) -> Self {
        self.refresh_keys.push(key);
        self
    }

    /// How long an access token is valid. Default: 15 minutes.
    pub fn access_lifetime(mut self, lifetime: Duration) -> Self {
        self.access_lifetime = lifetime;
        self
    }

    /// How long a refresh token is valid if it is not used. Default: 14 days.
    pub fn refresh_lifetime(mut self, lifetime: Duration) -> Self {
        self.refresh_lifetime = lifetime;
        self
    }

    /// How long a session lasts at most, however often it is refreshed. Default: 90 days.
    pub fn session_lifetime(mut self, lifetime: Duration) -> Self {
        self.session_lifetime = lifetime;
        self
    }

    /// Sets for how long a used refresh token may be sent again. The response has the same successor, as long as the successor was
    /// not used itself: two tabs may refresh at the same time, and an answer may be lost. Default: 10 seconds; 0 turns it off, and
    /// 60 seconds is the maximum. A used token that is sent later is treated as stolen and ends the session.
    ///
    /// With [`renew_transparently`](crate::AuthBuilder::renew_transparently) a renewal has 60 seconds, and a refresh by the cookie 60
    /// seconds at least, also if this is 0.
    pub fn grace_period(mut self, grace: Duration) -> Self {
        (self.grace, self.extends_grace) = (grace, false);
        self
    }

    /// Sets a grace period of more than 60 seconds, in place of [`grace_period`](Self::grace_period). It can be a third of the access
    /// lifetime at most: 5 minutes with the default of 15. After 60 seconds the successor is issued again once; when the used token
    /// is sent a further time, the session ends.
    ///
    /// What is lost: for as long, a thief who comes after the owner with a stolen refresh token gets the successor too, and this is not
    /// detected until one of the two uses it further. Every such use is reported as
    /// [`AuditAction::RefreshRepeat`](crate::audit::AuditAction::RefreshRepeat), with the address: watch them. It is right for apps
    /// on mobile networks that lose answers, and that can't try again within a minute. A transparent renewal keeps its 60 seconds.
    ///
    /// After 60 seconds, two uses at the same moment end the session too, and so does a further use after an answer that was lost again.
    pub fn dangerously_extend_grace_period(mut self, grace: Duration) -> Self {
        (self.grace, self.extends_grace) = (grace, true);
        self
    }

    /// Sets how many sessions a user may have at a time. Default: 100. A login beyond that ends the oldest session, with its access
    /// tokens. A program that logs in for each of its tasks should refresh instead, or have a user of its own with more sessions.
    /// Each login reads all sessions of its user; `usize::MAX` is for no maximum, and reads none.
    pub fn max_sessions_per_user(mut self, sessions: usize) -> Self {
        self.max_sessions_per_user = sessions;
        self
    }

    /// Sets how much [session data](crate::session::SessionData) a session may have, in bytes. Default: 4,096; 65,536 is the maximum. Each
    /// refresh reads and writes it, and each login reads that of all sessions of its user.
    pub fn max_session_data(mut self, bytes: usize) -> Self {
        self.max_session_data = bytes;
        self
    }

    /// Adds another service that the tokens are for (`aud`).
    pub fn also_for(mut self, audience: impl Into<String>) -> Self {
        self.audience.push(audience.into());
        self
    }

    /// The `client_id` of the tokens (RFC 9068 §2.2). Default: the name of this service.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// Another field of the tokens' header. The parameters that RFC 7515 §4.1 registers can't be set, such as `alg`, `kid` and `typ`.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// The issuer as the engine's verifier trusts it.
    pub(crate) fn as_trusted(&self) -> TrustedIssuer {
        let mut trusted = TrustedIssuer::new(&self.name).token_types(["at+jwt"]);
        // The first audience is this service. Tokens for the others are for other services to accept.
        if let Some(own) = self.audience.first() {
            trusted = trusted.audience(own);
        }
        // A transmitter of security events may speak of its sessions.
        #[cfg(feature = "provider-logout")]
        let trusted = trusted.access_tokens_have_sid();
        self.keys.accepted().into_iter().fold(trusted, TrustedIssuer::key)
    }

    pub(crate) fn prepare(
        self,
        jwt: Arc<JwtVerifier>,
        longest_access: Duration,
        renews_transparently: bool,
        errors: &mut ConfigErrors,
    ) -> IssuerState {
        self.check(longest_access, errors);
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX / 4);
        let refresh_keys = RefreshKeys::new(&self.name, &self.refresh_keys, errors);
        IssuerState {
            client_id: self.client_id.or_else(|| self.audience.first().cloned()).unwrap_or_default(),
            name: self.name,
            audience: self.audience,
            signing: ArcSwap::from_pointee(TokenSigner::new(self.keys.signing, &self.headers)),
            refresh_keys,
            access_lifetime: seconds(self.access_lifetime),
            refresh_lifetime: seconds(self.refresh_lifetime),
            session_lifetime: seconds(self.session_lifetime),
            grace: GracePeriods::new(self.grace, renews_transparently),
            max_sessions_per_user: self.max_sessions_per_user,
            max_session_data: self.max_session_data,
            headers: self.headers,
            subjects: self.subjects,
            jwt,
            rotating: Mutex::new(()),
        }
    }

    fn check_grace(&self, errors: &mut ConfigErrors) {
        let (seconds, longest) = (self.grace.as_secs(), self.access_lifetime / 3);
        if !self.extends_grace {
            if self.grace > MAX_GRACE {
                errors.push(format!(
                    "the grace period is {seconds} s, and the maximum is 60 s: for as long, the use of a stolen refresh token is not \
                     noticed. If clients lose answers and can't try again within a minute, call `dangerously_extend_grace_period` instead"
                ));
            }
        } else if self.grace <= MAX_GRACE {
            errors.push(format!(
                "`dangerously_extend_grace_period` is called with {seconds} s, which is not more than 60 s: call `grace_period` instead"
            ));
        } else if self.grace > longest {
            errors.push(format!(
                "the extended grace period is {seconds} s, and must be at most a third of `access_lifetime`, which is {} s: a client \
                 that has not refreshed by then has lost its access token too",
                longest.as_secs()
            ));
        }
    }

    /// Adds an error for everything that is misconfigured, apart from the keys.
    fn check(&self, longest_access: Duration, errors: &mut ConfigErrors) {
        if self.access_lifetime.as_secs() == 0 || self.access_lifetime > longest_access {
            errors.push(format!(
                "the access lifetime is {} s: it must be at least 1 s, and at most {} s (`max_token_lifetime`), since the \
                 engine would reject a longer one",
                self.access_lifetime.as_secs(),
                longest_access.as_secs()
            ));
        }
        if self.refresh_lifetime < self.access_lifetime || self.session_lifetime < self.refresh_lifetime {
            errors.push(format!(
                "`access_lifetime` ({} s), `refresh_lifetime` ({} s) and `session_lifetime` ({} s): none may be shorter than the one before it",
                self.access_lifetime.as_secs(),
                self.refresh_lifetime.as_secs(),
                self.session_lifetime.as_secs()
            ));
        }
        if self.session_lifetime > LONGEST_LIFETIME {
            errors.push(format!(
                "`session_lifetime` is {} s, and must be {} s (100 years) at most: a session must end",
                self.session_lifetime.as_secs(),
                LONGEST_LIFETIME.as_secs()
            ));
        }
        self.check_grace(errors);
        check_max(self.max_session_data, errors);
        if self.max_sessions_per_user == 0 {
            errors.push("`max_sessions_per_user` is 0, so no user could log in: it must be at least 1");
        }
        if self.refresh_keys.is_empty() {
            errors.push(
                "the token issuer has no refresh key: call `.refresh_key(RefreshKey::new(\"2026\", secret))` on it",
            );
        }
        if self.audience.iter().any(String::is_empty) {
            errors.push("an audience of the token issuer is empty: name the service");
        }
        for name in header::reserved(&self.headers) {
            errors.push(format!("the header field `{name}` {}", header::why_reserved(name)));
        }
    }
}

/// Redacted.
impl fmt::Debug for TokenIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenIssuer").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A token issuer, as part of an engine. Times are in seconds.
pub(crate) struct IssuerState {
    pub(crate) name: String,
    pub(crate) audience: Vec<String>,
    pub(crate) client_id: String,
    signing: ArcSwap<TokenSigner>,
    pub(crate) refresh_keys: RefreshKeys,
    pub(crate) access_lifetime: i64,
    pub(crate) refresh_lifetime: i64,
    pub(crate) session_lifetime: i64,
    grace: GracePeriods,
    pub(crate) max_sessions_per_user: usize,
    pub(crate) max_session_data: usize,
    headers: Map<String, Value>,
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
        self.grace.of(RefreshBy::Client) != Grace::NONE
    }

    /// For how long a used refresh token may be sent again.
    pub(crate) fn grace(&self, by: RefreshBy) -> Grace {
        self.grace.of(by)
    }

    /// Signs an access token. `further` are fields of its header besides those of the issuer, or in place of them.
    pub(super) fn sign(
        &self,
        claims: &Map<String, Value>,
        further: Map<String, Value>,
    ) -> Result<String, SignError> {
        if further.is_empty() {
            return self.signing.load().sign(claims);
        }
        let mut header = self.headers.clone();
        header.extend(further);
        self.signing.load().sign_with(&header, claims)
    }

    /// Accepts the new keys first and signs with the new key then: no token is signed that would not be accepted.
    pub(crate) fn rotate(&self, keys: SigningKeys) -> Result<(), KeysError> {
        let _one_at_a_time = self.rotating.lock().unwrap_or_else(PoisonError::into_inner);
        let mut errors = ConfigErrors::default();
        let accepted = keys.accepted().into_iter().fold(KeySet::new(), KeySet::key);
        self.jwt.replace_keys(Some(&self.name), &accepted, &mut errors);
        errors.check::<KeysError>()?;
        self.signing.store(Arc::new(TokenSigner::new(keys.signing, &self.headers)));
        Ok(())
    }
}

impl fmt::Debug for IssuerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuerState").field("name", &self.name).finish_non_exhaustive()
    }
}
