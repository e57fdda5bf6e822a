//! The builder: one place for all that differs between deployments.
//!
//! | file | what |
//! |---|---|
//! | `assemble` | the builder → the engine, or every error of the configuration |
//! | `verification` | verifier, token issuer, bounds on times |
//! | `sources` | sources and origins |
//! | `cookies` | cookies |
//! | `login_page` | the page that browsers without a login are redirected to |
//! | `users` | the store of users, and what is remembered of them |
//! | `api_keys` | API keys |
//! | `provider_logout` | who may send security events |
//! | `rejections` | how rejections are rendered |

#[cfg(feature = "api-keys")]
mod api_keys;
mod assemble;
mod cookies;
mod login_page;
#[cfg(feature = "provider-logout")]
mod provider_logout;
mod rejections;
mod sources;
mod users;
mod verification;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use self::users::UsersConfig;
use super::TokenCache;
#[cfg(feature = "api-keys")]
use crate::api_key::ApiKeys;
use crate::audit::{AuditEvent, AuditHook};
use crate::authenticator::{
    Authentication, Authenticator, BoxError, Credential, DynAuthenticator, FunctionAuthenticator,
};
use crate::client_address::ForwardedHeader;
use crate::clock::{Clock, SystemClock};
use crate::issue::TokenIssuer;
use crate::login_page::LoginPage;
use crate::rejection::RenderHook;
use crate::source::{CookieOptions, CredentialPlace, CredentialSource, Query};
use crate::store::{RefreshTokenStore, RevocationLog};
use crate::verify::TrustedIssuer;
use crate::vocabulary::Vocabulary;

/// Configures an [`Auth`](crate::Auth). [`build`](Self::build) reports every error at once.
///
/// ```
/// use auth_runtime::{Auth, verify::{Algorithm, Key, TrustedIssuer}};
///
/// let auth = Auth::builder()
///     .issuer(
///         TrustedIssuer::new("https://id.example.com")
///             .audience("orders")
///             .key(Key::secret(Algorithm::HS256, b"a secret of 32 bytes, at the least")),
///     )
///     .default_sources(["bearer", "cookie"])
///     .leeway(std::time::Duration::from_secs(30))
///     .build()?;
/// # Ok::<(), auth_runtime::BuildError>(())
/// ```
#[must_use = "call `build`"]
pub struct AuthBuilder {
    issuers: Vec<TrustedIssuer>,
    authenticators: Vec<SchemeParts>,
    #[cfg(feature = "api-keys")]
    api_keys: Vec<ApiKeys>,
    leeway: Duration,
    max_token_lifetime: Duration,
    max_token_bytes: usize,
    custom_sources: Vec<Arc<dyn CredentialSource>>,
    default_sources: Option<Vec<String>>,
    query_tokens: Option<Query>,
    cookies: CookieOptions,
    insecure_cookies: bool,
    public_origin: Option<String>,
    trusted_origins: Vec<String>,
    vocabularies: Vec<&'static Vocabulary>,
    token_issuer: Option<TokenIssuer>,
    renew_transparently: bool,
    cache_entries: usize,
    cache_bytes: usize,
    store: Option<(Arc<dyn RevocationLog>, Arc<dyn RefreshTokenStore>)>,
    max_staleness: Duration,
    proxies: Option<(ForwardedHeader, Vec<String>)>,
    clock: Arc<dyn Clock>,
    realm: String,
    users: UsersConfig,
    #[cfg(feature = "provider-logout")]
    transmitters: provider_logout::Transmitters,
    render_hook: Option<Box<RenderHook>>,
    /// The content type and the schema of what the hook renders.
    rejection_schema: Option<(String, Value)>,
    rejection_components: Map<String, Value>,
    login_page: Option<LoginPage>,
    audit_hook: Option<Box<AuditHook>>,
}

/// What a scheme is made of.
struct SchemeParts {
    name: String,
    place: CredentialPlace,
    challenge: Option<String>,
    authenticator: Arc<dyn DynAuthenticator>,
}

impl AuthBuilder {
    pub(super) fn new() -> Self {
        Self {
            issuers: Vec::new(),
            authenticators: Vec::new(),
            #[cfg(feature = "api-keys")]
            api_keys: Vec::new(),
            leeway: Duration::from_secs(60),
            max_token_lifetime: Duration::from_secs(24 * 60 * 60),
            max_token_bytes: 16 * 1024,
            custom_sources: Vec::new(),
            default_sources: None,
            query_tokens: None,
            cookies: CookieOptions::new(),
            insecure_cookies: false,
            public_origin: None,
            trusted_origins: Vec::new(),
            vocabularies: Vec::new(),
            token_issuer: None,
            renew_transparently: false,
            cache_entries: TokenCache::DEFAULT_ENTRIES,
            cache_bytes: TokenCache::DEFAULT_BYTES,
            store: None,
            max_staleness: Duration::from_secs(30),
            proxies: None,
            clock: Arc::new(SystemClock),
            realm: "restricted".into(),
            users: UsersConfig::default(),
            #[cfg(feature = "provider-logout")]
            transmitters: provider_logout::Transmitters::new(),
            render_hook: None,
            rejection_schema: None,
            rejection_components: Map::new(),
            login_page: None,
            audit_hook: None,
        }
    }

    /// Accepts the JWTs of this issuer. Each call adds an issuer; the `iss` of a token selects the issuer.
    pub fn issuer(mut self, issuer: TrustedIssuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// Adds a scheme: the credentials at `place` are judged by `authenticator`, and rules name it with `source = "name"`. Where the engine
    /// has no issuer, and one authenticator alone, that is the source of a rule that names none. For a function with
    /// [`#[authenticator]`](macro@crate::authenticator) the authenticator is `function::with_state(state)`.
    ///
    /// [`build`](Self::build) fails if two schemes take one place: one credential can't be judged by both.
    pub fn authenticator(
        mut self,
        name: impl Into<String>,
        place: impl Into<CredentialPlace>,
        authenticator: impl Authenticator,
    ) -> Self {
        self.authenticators.push(SchemeParts {
            name: name.into(),
            place: place.into(),
            challenge: authenticator.challenge_scheme(),
            authenticator: Arc::new(authenticator),
        });
        self
    }

    /// Adds a scheme whose credentials a function judges: an async function of the [`Credential`] and a clone of `state`, such as a pool of
    /// connections. It returns a [`Subject`](crate::authenticator::Subject), an
    /// [`Authenticated`](crate::authenticator::Authenticated), an `Option` of one of them (`None` is an invalid credential), or an
    /// [`Authentication`], as `Ok`. `Err` is 503. [`Credential`] has an example.
    pub fn authenticator_with<F, S, Fut, A, E>(
        self,
        name: impl Into<String>,
        place: impl Into<CredentialPlace>,
        function: F,
        state: S,
    ) -> Self
    where
        F: Fn(Credential, S) -> Fut + Send + Sync + 'static,
        S: Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<A, E>> + Send + 'static,
        A: Into<Authentication> + 'static,
        E: Into<BoxError> + 'static,
    {
        self.authenticator(name, place, FunctionAuthenticator { function, state })
    }

    /// Sets how far the clocks of this service and the issuer may differ. Default 60 seconds, 300 at most.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Sets the longest lifetime of a token, from `iat` to `exp`: one that lives longer is rejected. Default 24 hours.
    ///
    /// A revocation is kept for this long, so that a revoked token stays revoked until it has expired.
    pub fn max_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.max_token_lifetime = lifetime;
        self
    }

    /// Sets the greatest length of a JWT, in bytes. A longer one is rejected before any of it is decoded. Default
    /// 16 KiB.
    pub fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.max_token_bytes = bytes;
        self
    }

    /// Adds a source of credentials, by its name. `bearer` and `cookie` are there already.
    pub fn source(mut self, source: impl CredentialSource) -> Self {
        self.custom_sources.push(Arc::new(source));
        self
    }

    /// Sets the sources of a rule that names none. Default: `default_source` of the vocabulary; without it `bearer` alone.
    pub fn default_sources(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.default_sources = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Adds the source `query`: `?access_token=`, for WebSockets alone unless the [`Query`] says otherwise.
    ///
    /// What is lost: URLs are written to logs, histories and `Referer` headers, and the token with them (RFC 6750 §2.3). It is
    /// right for clients that can set neither a header nor a cookie, with tokens that expire within minutes. For the WebSocket of a
    /// browser, [`WebSocketProtocol`](crate::source::WebSocketProtocol) keeps the token out of the URL.
    pub fn dangerously_allow_query_tokens(mut self, query: Query) -> Self {
        self.query_tokens = Some(query);
        self
    }

    /// Sets the names and the attributes of the cookies that tokens are in. Default: `__Host-access_token` and
    /// `__Secure-refresh_token`, which browsers accept over TLS alone, with `SameSite=Lax`.
    pub fn cookies(mut self, options: CookieOptions) -> Self {
        self.cookies = options;
        self
    }

    /// Sets cookies without `Secure` and without the prefixes `__Host-` and `__Secure-`.
    ///
    /// What is lost: everyone on the network between browser and service can read and set such cookies. It is right for development
    /// over plain http. [`build`](Self::build) fails if the public origin is https.
    pub fn dangerously_use_insecure_cookies(mut self) -> Self {
        self.insecure_cookies = true;
        self
    }

    /// Sets the origin under which browsers reach this service, such as `https://shop.example`: needed for cookies where a
    /// proxy changes the header `Host`. [`build`](Self::build) fails if it is no origin (RFC 6454 §6.2).
    pub fn public_origin(mut self, origin: impl Into<String>) -> Self {
        self.public_origin = Some(origin.into());
        self
    }

    /// Adds an origin whose pages may use this service's cookies, such as `https://app.example`. [`build`](Self::build) fails if it is
    /// no origin (RFC 6454 §6.2).
    ///
    /// This is the service's side. A browser decides by [`SameSite`](crate::source::SameSite) whether it sends the cookies. With the
    /// default, `Lax`, it sends them from another origin of the same site, such as from `https://app.shop.example` to
    /// `https://shop.example`. From a page of another site it sends none with a `fetch` or a form, unless `SameSite` is `None`. A
    /// `fetch` also needs CORS (`Access-Control-Allow-Origin` and `Access-Control-Allow-Credentials`), for example of
    /// `tower_http`.
    pub fn trust_origin(mut self, origin: impl Into<String>) -> Self {
        self.trusted_origins.push(origin.into());
        self
    }

    /// Sets what `auth.toml` declares: `.vocabulary(&VOCABULARY)`, with the static that
    /// [`vocabulary!()`](crate::vocabulary!) makes. Without it every name is allowed, and none implies another.
    ///
    /// The vocabulary then applies to all rules and principals. A caller that has a role has those that it implies, and the
    /// permissions that they are granted: in rules, and in [`Principal::roles`](crate::Principal::roles) and
    /// [`permissions`](crate::Principal::permissions). A token with two roles that exclude each other is rejected (401),
    /// and none is issued. A route whose rule uses a name that is not declared is an error of
    /// [`finish`](crate::Router::finish). Headers that are declared as sources need no call of [`source`](Self::source).
    pub fn vocabulary(mut self, vocabulary: &'static Vocabulary) -> Self {
        self.vocabularies.push(vocabulary);
        self
    }

    /// Sets this service's own issuer: its tokens are accepted, and [`Auth::tokens`](crate::Auth::tokens) issues them.
    pub fn token_issuer(mut self, issuer: TokenIssuer) -> Self {
        self.token_issuer = Some(issuer);
        self
    }

    /// Renews a browser's tokens transparently: a request whose access cookie has expired or is missing, and whose refresh cookie
    /// is valid, is served, and the answer sets both cookies anew. Its refresh cookie is then sent with every request (its
    /// path is `/`), and such a request waits for the store, once in the lifetime of an access token.
    ///
    /// A renewal has a grace period of 60 seconds, whatever [`grace_period`](crate::session::TokenIssuer::grace_period) is: the new
    /// cookies are in the head of the answer, and until a slow answer arrives the browser sends the old ones with its other requests. An
    /// explicit refresh by that cookie has 60 seconds at least, since one of these requests may have used it. A refresh token in
    /// the body of a request, or that is passed to [`TokenService::refresh`](crate::session::TokenService::refresh), has the grace
    /// period of the issuer.
    pub fn renew_transparently(mut self) -> Self {
        self.renew_transparently = true;
        self
    }

    /// Sets how many verified tokens are cached at most, so that their signature need not be checked again, and how many
    /// bytes they may take. Default: 100,000, and 64 MiB, which is what counts: an entry takes the token and its claims, so it is 4,000 to
    /// 40,000 tokens. With a lower bound on entries, an entry counts as at least its part of the bytes. 0 turns the cache off.
    ///
    /// Expiry and revocation are checked on every request all the same. Only verified tokens are cached,
    /// with all of their bytes, until others replace them or their key is withdrawn: a dump of the process's memory shows those that
    /// were used lately.
    pub fn token_cache(mut self, max_entries: usize, max_bytes: usize) -> Self {
        (self.cache_entries, self.cache_bytes) = (max_entries, max_bytes);
        self
    }

    /// Sets where revocations and refresh tokens are kept. Default: in the memory of this process, which loses them when it ends.
    ///
    /// With a store, call [`build`](Self::build) on a tokio runtime, on which the store's log is then followed; await
    /// [`Auth::start`](crate::Auth::start) before serving.
    pub fn store(mut self, store: impl RevocationLog + RefreshTokenStore) -> Self {
        let store = Arc::new(store);
        self.store = Some((store.clone(), store));
        self
    }

    /// Sets how old the view of the store's revocations may be. When the store can't be read for longer, requests with a
    /// credential are answered 503. Default 30 seconds.
    pub fn max_staleness(mut self, age: Duration) -> Self {
        self.max_staleness = age;
        self
    }

    /// Sets the proxies in front of this service, as addresses or networks such as `10.0.0.0/8`, and the header in which they
    /// send the client's address: for the limit on login attempts, for audit events, and for [`ClientAddress`](crate::ClientAddress).
    /// Default: none, and the address is that of the connection, whatever a header says.
    pub fn trusted_proxies(
        mut self,
        header: ForwardedHeader,
        networks: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.proxies = Some((header, networks.into_iter().map(Into::into).collect()));
        self
    }

    /// Sets the clock for the times of tokens, sessions and revocations. Default: the system's. Durations, such as those of
    /// the limits on login attempts, are measured on tokio's monotonic clock, which a test can pause.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the `realm` of challenges (RFC 9110 §11.5). Default `restricted`.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = realm.into();
        self
    }

    /// Sets a hook that is called once for every decision on a request, and once for everything that happens to a session: logins
    /// and logouts, refreshes, and a refresh token that is used again. [`AuditAction`](crate::audit::AuditAction) lists all. It is
    /// called on the task of the request: it must not block. It is not called for the decision on a request on a public route.
    ///
    /// What happened to a session is reported by the token routes and by calls of
    /// [`TokenService`](crate::session::TokenService) and [`Revocations`](crate::revocation::Revocations) alike.
    ///
    /// If the hook panics, the request is rejected with 500, also one that was admitted, and the panic's message goes to
    /// tracing. The hook is not called again for this decision. A login or a refresh then returns no tokens. What has ended or was
    /// revoked stays so: the hook is called after that. A call of a method returns an error in place of 500
    /// ([`TokenError::AuditHook`](crate::session::TokenError::AuditHook),
    /// [`RevokeError::AuditHook`](crate::revocation::RevokeError::AuditHook)). With `panic = "abort"` it ends the process.
    pub fn audit(mut self, hook: impl Fn(&AuditEvent<'_>) + Send + Sync + 'static) -> Self {
        self.audit_hook = Some(Box::new(hook));
        self
    }
}

impl fmt::Debug for AuthBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthBuilder").field("issuers", &self.issuers).finish_non_exhaustive()
    }
}
