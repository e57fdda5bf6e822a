//! Tokens that the issuer is asked about (RFC 7662): opaque ones, which mean nothing to any other service.
//!
//! | file | what |
//! |---|---|
//! | `client` | how this service proves to the issuer who it is |
//! | `introspector` | the request, and the form of its answer |

mod client;
mod introspector;

use std::fmt;
use std::time::Duration;

use self::client::ClientAuthentication;
pub(crate) use self::introspector::IntrospectionError;
pub(super) use self::introspector::Introspector;
use crate::jose::SigningKey;

/// How an issuer is asked what its opaque tokens mean: OAuth 2.0 Token Introspection (RFC 7662). For
/// [`TrustedIssuer::introspection`](super::TrustedIssuer::introspection).
///
/// ```
/// use auth_runtime::verify::{Introspection, TrustedIssuer};
///
/// # let secret = "";
/// let issuer = TrustedIssuer::new("https://id.example.com")
///     .audience("orders")
///     .introspection(
///         Introspection::at("https://id.example.com/oauth2/introspect").client_secret_basic("orders", secret),
///     );
/// # let _ = issuer;
/// ```
///
/// **Which tokens.** Those that are no JWT: not three parts joined by dots, or five, of which the first is a header. JWTs are verified with the
/// keys of their issuer, as without introspection, and are not sent to an issuer; with [`include_jwts`](Self::include_jwts) those of this issuer are
/// introspected too, and encrypted ones. A token never chooses a weaker check by its form: each of the two decides alone about the tokens that it gets, and
/// accepts only what its issuer vouches for.
///
/// **What is required of the answer.** `active` is `true`. `iss` is the name of the issuer, `aud` names this service, and `exp`, `nbf`, `iat` and the
/// lifetime are within the limits of the engine, all as in a JWT: `exp` must be there, since a revocation is kept for no longer than
/// [`max_token_lifetime`](crate::AuthBuilder::max_token_lifetime). `token_type`, if it is there, is `Bearer`, and `token_use` is `access_token` or `access`, so that
/// a refresh token is none. A token that is bound to a key (`cnf`) is rejected. Roles, scopes, permissions and the subject are in the claims that the
/// [`TrustedIssuer`](super::TrustedIssuer) names. The caller has the issuer's name as its issuer, as with a JWT of the same user.
///
/// **How late a revocation at the issuer arrives.** A token that is active is remembered for [`cache_for`](Self::cache_for), 60 seconds by default, and
/// never past its `exp`: a token that is revoked at the issuer is accepted for so long. One that is not active is remembered for 10
/// seconds at most. What is revoked here ([`Revocations`](crate::revocation::Revocations)) counts at once. A socket or stream is not introspected again: it ends at `exp`,
/// or with a revocation here.
///
/// **If the issuer can't be asked,** does not answer within 5 seconds, or answers anything but 200 and JSON, the request is answered 503. Tokens that are
/// remembered are accepted as before. The log has an error with the reason, once a minute.
///
/// **A flood of made-up tokens** keeps no caller out whose token was active before, as long as the issuer answers: 64 tokens are asked about at a
/// time, of which 32 at most were never active here. Of those, 1,000 that turn out not to be active are asked about at once, and then 100
/// a second; others are answered 503, and all of them for 5 seconds after the issuer has answered 429.
///
/// Only this address is asked, and that of the issuer's metadata, over https (http on this machine); no redirect is followed, and an answer has at most 512 KiB. Signed answers
/// (RFC 9701) are not supported.
#[derive(Clone)]
#[must_use = "pass it to `TrustedIssuer::introspection`"]
pub struct Introspection {
    /// `None`: the metadata of the issuer names it.
    endpoint: Option<String>,
    /// Each call of a method that sets it adds one.
    clients: Vec<ClientAuthentication>,
    cache_for: Duration,
    /// `aud` of a client's JWT; `None`: the name of the issuer.
    assertion_audience: Option<String>,
    includes_jwts: bool,
    accepts_missing_issuer: bool,
}

impl Introspection {
    /// Returns the introspection at this address, which is the issuer's `introspection_endpoint`.
    pub fn at(url: impl Into<String>) -> Self {
        Self::new(Some(url.into()))
    }

    /// Returns the introspection at the `introspection_endpoint` of the issuer's metadata (RFC 8414 §2), which is where
    /// [`TrustedIssuer::discover`](super::TrustedIssuer::discover) finds it. It is fetched with the first token that is introspected, and again
    /// after an hour or if nothing is found at that address. While it can't be read again, the address from before counts.
    pub fn discovered() -> Self {
        Self::new(None)
    }

    fn new(endpoint: Option<String>) -> Self {
        Self {
            endpoint,
            clients: Vec::new(),
            cache_for: Duration::from_secs(60),
            assertion_audience: None,
            includes_jwts: false,
            accepts_missing_issuer: false,
        }
    }

    /// Proves who this service is with a secret in the header `Authorization` (`client_secret_basic`, RFC 6749 §2.3.1).
    pub fn client_secret_basic(mut self, client_id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.clients.push(ClientAuthentication::basic(client_id.into(), secret.into()));
        self
    }

    /// Proves who this service is with a secret in the body (`client_secret_post`, RFC 6749 §2.3.1), for an issuer that does not take it in a
    /// header.
    pub fn client_secret_post(mut self, client_id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.clients.push(ClientAuthentication::post(client_id.into(), secret.into()));
        self
    }

    /// Proves who this service is with a JWT that it signs (`private_key_jwt`, OpenID Connect Core 1.0 §9, RFC 7523 §2.2). The issuer
    /// has the public key.
    ///
    /// Each request has a JWT of its own. It expires after 60 seconds, and its `aud` is the name of the issuer alone, so that no other server
    /// can use it (draft-ietf-oauth-rfc7523bis §4).
    pub fn private_key_jwt(mut self, client_id: impl Into<String>, key: SigningKey) -> Self {
        self.clients.push(ClientAuthentication::private_key_jwt(client_id.into(), key));
        self
    }

    /// Sets the `aud` of the JWTs of [`private_key_jwt`](Self::private_key_jwt), for an issuer that does not accept its own name there: most
    /// of these want the URL of their token endpoint or of this endpoint.
    pub fn assertion_audience(mut self, audience: impl Into<String>) -> Self {
        self.assertion_audience = Some(audience.into());
        self
    }

    /// Sets for how long a token that is active is remembered. Default 60 seconds, at most 1 hour; 0 asks for every request.
    ///
    /// A token that is revoked at the issuer is accepted for so long.
    pub fn cache_for(mut self, duration: Duration) -> Self {
        self.cache_for = duration;
        self
    }

    /// Introspects the JWTs of this issuer too, in place of verifying them with keys: a revocation at the issuer then counts for them as
    /// well, and encrypted tokens are introspected. Keys of the issuer are then for its logout tokens alone
    /// (`logout_audience`), and an error without these.
    pub fn include_jwts(mut self) -> Self {
        self.includes_jwts = true;
        self
    }

    /// Accepts an answer without `iss`, which RFC 7662 §2.2 leaves to the issuer. The caller then has the name of this issuer.
    ///
    /// What is lost: where the endpoint answers for several issuers, the tokens of all of them are accepted as this one's. It is right
    /// where the endpoint is this issuer's alone.
    pub fn dangerously_accept_missing_issuer(mut self) -> Self {
        self.accepts_missing_issuer = true;
        self
    }
}

impl Introspection {
    /// Whether JWTs are introspected too.
    pub(super) fn includes_jwts(&self) -> bool {
        self.includes_jwts
    }
}

/// Prints no secret.
impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection")
            .field("clients", &self.clients)
            .field("cache_for", &self.cache_for)
            .field("includes_jwts", &self.includes_jwts)
            .finish_non_exhaustive()
    }
}
