//! The builder: one place for all that differs between deployments.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::http::HeaderName;
use axum::http::request::Parts;
use axum::response::Response;
use tokio::runtime::Handle;

use super::{Auth, Engine, RENEWAL, background, resolve};
#[cfg(feature = "token-routes")]
use crate::address::{ForwardedHeader, TrustedProxies};
use crate::audit::{AuditEvent, AuditHook};
use crate::clock::{Clock, SteadyTime, SystemClock};
use crate::error::BuildError;
use crate::origin::{Origin, OriginPolicy};
use crate::pipeline::UnmountedPolicies;
use crate::rejection::{Refusal, RenderHook};
use crate::revocation::RevocationState;
use crate::session::{IssuerState, TokenIssuer};
use crate::source::{AccessCookie, Bearer, CredentialSource, Header, Query, RefreshCookie};
use crate::store::{MemoryStore, RefreshTokenStore, RevocationLog};
use crate::verify::{JwtVerifier, Limits, TokenCache, TrustedIssuer, Verifier};
use crate::vocabulary::{DeclaredSourceKind, Vocabulary, VocabularyIndex};

const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// Configures an [`Auth`]. [`build`](Self::build) says every mistake at once.
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
    verifier: Option<Arc<dyn Verifier>>,
    leeway: Duration,
    max_token_lifetime: Duration,
    max_token_bytes: usize,
    custom_sources: Vec<Arc<dyn CredentialSource>>,
    default_sources: Option<Vec<String>>,
    allow_query_tokens: bool,
    cookie_name: Option<String>,
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
    #[cfg(feature = "token-routes")]
    proxies: Option<(ForwardedHeader, Vec<String>)>,
    clock: Box<dyn Clock>,
    realm: String,
    render_hook: Option<Box<RenderHook>>,
    audit_hook: Option<Box<AuditHook>>,
}

impl AuthBuilder {
    pub(super) fn new() -> Self {
        Self {
            issuers: Vec::new(),
            verifier: None,
            leeway: Duration::from_secs(60),
            max_token_lifetime: Duration::from_secs(24 * 60 * 60),
            max_token_bytes: 16 * 1024,
            custom_sources: Vec::new(),
            default_sources: None,
            allow_query_tokens: false,
            cookie_name: None,
            insecure_cookies: false,
            public_origin: None,
            trusted_origins: Vec::new(),
            vocabularies: Vec::new(),
            token_issuer: None,
            renew_transparently: false,
            cache_entries: 10_000,
            cache_bytes: 64 * 1024 * 1024,
            store: None,
            max_staleness: Duration::from_secs(30),
            #[cfg(feature = "token-routes")]
            proxies: None,
            clock: Box::new(SystemClock),
            realm: "restricted".into(),
            render_hook: None,
            audit_hook: None,
        }
    }

    /// An issuer whose JWTs are accepted. Each call adds one; a token's `iss` picks among them.
    pub fn issuer(mut self, issuer: TrustedIssuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// A verifier of your own, in place of issuers.
    pub fn verifier(mut self, verifier: impl Verifier) -> Self {
        self.verifier = Some(Arc::new(verifier));
        self
    }

    /// How far the clocks of this service and the issuer may differ. Default 60 seconds, 300 at most.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// The longest life of a token, from `iat` to `exp`: a longer one is refused. Default 24 hours.
    ///
    /// A revocation is kept for this long. That is what makes "revoked" true until the token has expired.
    pub fn max_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.max_token_lifetime = lifetime;
        self
    }

    /// The longest JWT that is looked at, in bytes. A longer one is refused before anything of it is decoded. Default
    /// 16 KiB.
    pub fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.max_token_bytes = bytes;
        self
    }

    /// A further source, by its name. `bearer` and `cookie` are there already.
    pub fn source(mut self, source: impl CredentialSource) -> Self {
        self.custom_sources.push(Arc::new(source));
        self
    }

    /// The sources of a rule that names none. Default: `default_source` of the vocabulary; without it `bearer` alone.
    pub fn default_sources(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.default_sources = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Adds the source `query`: `?access_token=`.
    ///
    /// What is lost: URLs are written to logs, histories and `Referer` headers, and the token with them (RFC 6750 §2.3). It is
    /// right for clients that can set neither a header nor a cookie, with tokens that expire within minutes.
    pub fn dangerously_allow_query_tokens(mut self) -> Self {
        self.allow_query_tokens = true;
        self
    }

    /// The name of the access cookie. Default `__Host-access_token`, whose prefix makes browsers take it over TLS
    /// and for this host only.
    pub fn cookie_name(mut self, name: impl Into<String>) -> Self {
        self.cookie_name = Some(name.into());
        self
    }

    /// Sets cookies without `Secure` and without the prefix `__Host-`, named `access_token`.
    ///
    /// What is lost: everyone on the network between browser and service can read and set such cookies. It is right for development
    /// over plain http. [`build`](Self::build) fails if the public origin is https.
    pub fn dangerously_use_insecure_cookies(mut self) -> Self {
        self.insecure_cookies = true;
        self
    }

    /// The origin that browsers know this service by, such as `https://shop.example`: needed for cookies where a
    /// proxy changes the header `Host`.
    pub fn public_origin(mut self, origin: impl Into<String>) -> Self {
        self.public_origin = Some(origin.into());
        self
    }

    /// Another origin whose pages may use this service's cookies, such as `https://app.example`.
    pub fn trust_origin(mut self, origin: impl Into<String>) -> Self {
        self.trusted_origins.push(origin.into());
        self
    }

    /// What `auth.toml` declares: `.vocabulary(&VOCABULARY)`, with the static that
    /// [`vocabulary!()`](crate::vocabulary!) makes. Without it any name is as good as another, and none implies another.
    ///
    /// It is then in force everywhere. Who has a role has those that it implies, and the permissions that they are granted:
    /// in rules, and in [`Principal::roles`](crate::Principal::roles) and
    /// [`permissions`](crate::Principal::permissions). A token with two roles that exclude each other is refused (401), and
    /// none is given out. A route whose rule uses a name that is not declared is an error of
    /// [`finish`](crate::Router::finish). Headers that are declared as sources need no call of [`source`](Self::source).
    pub fn vocabulary(mut self, vocabulary: &'static Vocabulary) -> Self {
        self.vocabularies.push(vocabulary);
        self
    }

    /// This service's own issuer: its tokens are accepted, and [`Auth::tokens`] gives them out.
    pub fn token_issuer(mut self, issuer: TokenIssuer) -> Self {
        self.token_issuer = Some(issuer);
        self
    }

    /// Renews a browser's tokens on the way: a request whose access cookie has expired, or is gone, and whose refresh cookie
    /// is good, is served, and the answer sets both cookies anew. Its refresh cookie is then sent with every request (its
    /// path is `/`), and such a request waits for the store, once in the lifetime of an access token.
    ///
    /// The grace period is then 60 seconds at least: the new cookies leave with the answer's head, and until a slow answer has
    /// come the browser sends the old ones with its other requests.
    pub fn renew_transparently(mut self) -> Self {
        self.renew_transparently = true;
        self
    }

    /// How many verified tokens are remembered at most, so that their signature need not be checked again, and how many
    /// bytes they may take. Default: 10,000, and 64 MiB. 0 turns it off.
    ///
    /// Expiry and revocation are looked at on every request all the same. Only tokens that were verified are remembered,
    /// by all of their bytes, until they are pushed out or a key changes: a dump of the process's memory shows those that
    /// were used lately.
    pub fn token_cache(mut self, max_entries: usize, max_bytes: usize) -> Self {
        (self.cache_entries, self.cache_bytes) = (max_entries, max_bytes);
        self
    }

    /// Where revocations and logins are kept. Default: in the memory of this process, which forgets them when it ends.
    ///
    /// With a store, [`build`](Self::build) is called on a tokio runtime, on which the store's log is then followed; await
    /// [`Auth::catch_up`] before serving.
    pub fn store(mut self, store: impl RevocationLog + RefreshTokenStore) -> Self {
        let store = Arc::new(store);
        self.store = Some((store.clone(), store));
        self
    }

    /// How old the view of the store's revocations may be. When the store can't be read for longer, requests with a
    /// credential are answered 503. Default 30 seconds.
    pub fn max_staleness(mut self, age: Duration) -> Self {
        self.max_staleness = age;
        self
    }

    /// The proxies in front of this service, as addresses or networks such as `10.0.0.0/8`, and the header in which they
    /// tell the client's address: for the limit on login attempts. Default: none, and the address is that of the
    /// connection, whatever a header says.
    #[cfg(feature = "token-routes")]
    pub fn trusted_proxies(
        mut self,
        header: ForwardedHeader,
        networks: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.proxies = Some((header, networks.into_iter().map(Into::into).collect()));
        self
    }

    /// The clock that tokens, sessions and revocations are judged by. Default: the system's. Durations, such as those of the limits
    /// on login attempts, are measured on tokio's monotonic clock, which a test can pause.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// The `realm` of challenges (RFC 9110 §11.5). Default `restricted`.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = realm.into();
        self
    }

    /// Renders refusals in the application's own form, from the refusal and the request's head.
    ///
    /// It may choose another status of failure (4xx, 5xx), or send a browser to the login page (302, 303, 307). Any
    /// other status becomes the refusal's own, and `WWW-Authenticate` is always the engine's.
    pub fn render_refusals(
        mut self,
        hook: impl Fn(&Refusal, &Parts) -> Response + Send + Sync + 'static,
    ) -> Self {
        self.render_hook = Some(Box::new(hook));
        self
    }

    /// Called once for every decision, on the task of the request: it must not wait. A public route decides nothing.
    pub fn audit(mut self, hook: impl Fn(&AuditEvent<'_>) + Send + Sync + 'static) -> Self {
        self.audit_hook = Some(Box::new(hook));
        self
    }

    /// Builds the engine. It does no I/O.
    ///
    /// # Errors
    /// [`BuildError`], which lists every mistake.
    pub fn build(self) -> Result<Auth, BuildError> {
        self.begin(|engine| engine)
    }

    /// An engine that honours a principal which a request brings along.
    #[cfg(feature = "test-util")]
    pub(crate) fn build_for_test(self) -> Result<Auth, BuildError> {
        self.begin(|engine| Engine { honours_injected_principals: true, ..engine })
    }

    fn begin(self, configure: impl FnOnce(Engine) -> Engine) -> Result<Auth, BuildError> {
        let engine = Arc::new(configure(self.into_engine(Handle::try_current().is_ok())?));
        background::ensure(&engine);
        Ok(Auth { engine })
    }

    fn into_engine(mut self, has_runtime: bool) -> Result<Engine, BuildError> {
        let mut mistakes = Vec::new();
        let limits = limits(&self, &mut mistakes);
        if let Some(own) = &self.token_issuer {
            self.issuers.push(own.as_trusted());
        }
        let verifier = verifier(self.verifier, &self.issuers, self.max_token_bytes, &mut mistakes);
        let tokens =
            token_issuer(self.token_issuer, &verifier, &limits, self.renew_transparently, &mut mistakes);
        let origins = origins(self.public_origin.as_deref(), &self.trusted_origins, &mut mistakes);
        let cookie = cookie(self.cookie_name, self.insecure_cookies, &origins, &mut mistakes);
        let vocabulary = self.vocabularies.first().copied();
        if self.vocabularies.len() > 1 {
            mistakes.push(
                "`.vocabulary(..)` is called twice, and an engine has one: give it the one that declares all names that rules use, \
                 and let the auth.toml of other crates say the same of theirs"
                    .into(),
            );
        }
        declared_sources(vocabulary, &mut self.custom_sources, &mut mistakes);
        let sources = sources(&cookie, self.allow_query_tokens, self.custom_sources, &mut mistakes);
        let default_sources = default_sources(&sources, self.default_sources, vocabulary, &mut mistakes);
        if self.store.is_some() && !has_runtime {
            mistakes.push(
                "a store's log is followed in the background, and there is no tokio runtime: call `build` in an async \
                 function, such as `#[tokio::main] async fn main()`"
                    .into(),
            );
        }
        if self.max_staleness < 5 * background::EVERY {
            mistakes.push(format!(
                "`max_staleness` is {} s, and {} s is the least: the store's log is looked at every {} s",
                self.max_staleness.as_secs(),
                5 * background::EVERY.as_secs(),
                background::EVERY.as_secs()
            ));
        }
        #[cfg(feature = "token-routes")]
        let proxies = self
            .proxies
            .and_then(|(header, networks)| TrustedProxies::parse(header, &networks, &mut mistakes));

        let (true, Some(verifier)) = (mistakes.is_empty(), verifier) else {
            return Err(BuildError::new(mistakes));
        };
        let (log, families) = match self.store {
            Some((log, families)) => (Some(log), families),
            None => (None, Arc::new(MemoryStore::new()) as Arc<dyn RefreshTokenStore>),
        };
        Ok(Engine {
            #[cfg(feature = "openapi")]
            has_own_verifier: matches!(verifier, ChosenVerifier::Own(_)),
            verifier: verifier.into_dyn(),
            token_cache: TokenCache::new(self.cache_entries, self.cache_bytes),
            tokens,
            limits,
            sources,
            default_sources,
            refresh_cookie: RefreshCookie::new(!self.insecure_cookies, self.renew_transparently),
            access_cookie: cookie,
            origins,
            revocations: RevocationState::new(limits.longest_acceptance(), log, self.max_staleness),
            families,
            #[cfg(feature = "token-routes")]
            proxies,
            lexicon: VocabularyIndex::new(vocabulary),
            unmounted: UnmountedPolicies::default(),
            clock: self.clock,
            steady_time: SteadyTime::default(),
            background: AtomicBool::new(false),
            realm: self.realm,
            render_hook: self.render_hook,
            audit_hook: self.audit_hook,
            #[cfg(feature = "test-util")]
            honours_injected_principals: false,
        })
    }
}

impl fmt::Debug for AuthBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthBuilder").field("issuers", &self.issuers).finish_non_exhaustive()
    }
}

fn limits(builder: &AuthBuilder, mistakes: &mut Vec<String>) -> Limits {
    if builder.leeway > MAX_LEEWAY {
        mistakes.push(format!(
            "the leeway is {} s, and {} s is the most: set the clocks right instead",
            builder.leeway.as_secs(),
            MAX_LEEWAY.as_secs()
        ));
    }
    if builder.max_token_lifetime.as_secs() == 0 {
        mistakes.push("`max_token_lifetime` is less than a second, so no token would be accepted".into());
    }
    Limits::new(builder.leeway, builder.max_token_lifetime)
}

/// The engine's own verifier, or one of the user's.
enum ChosenVerifier {
    Jwt(Arc<JwtVerifier>),
    Own(Arc<dyn Verifier>),
}

impl ChosenVerifier {
    fn into_dyn(self) -> Arc<dyn Verifier> {
        match self {
            Self::Jwt(jwt) => jwt,
            Self::Own(own) => own,
        }
    }
}

fn verifier(
    own: Option<Arc<dyn Verifier>>,
    issuers: &[TrustedIssuer],
    max_token_bytes: usize,
    mistakes: &mut Vec<String>,
) -> Option<ChosenVerifier> {
    match own {
        Some(own) => {
            if !issuers.is_empty() {
                mistakes.push(
                    "both `.verifier(..)` and `.issuer(..)` or `.token_issuer(..)` are given: keep one of the two".into(),
                );
            }
            Some(ChosenVerifier::Own(own))
        }
        None => {
            if issuers.is_empty() {
                mistakes.push(
                    "no issuer, so no token could be verified: call `.issuer(TrustedIssuer::new(..).audience(..).key(..))`, or \
                     `.token_issuer(TokenIssuer::new(..))` for tokens of this service's own"
                        .into(),
                );
                return None;
            }
            Some(ChosenVerifier::Jwt(Arc::new(JwtVerifier::new(issuers, max_token_bytes, mistakes))))
        }
    }
}

fn token_issuer(
    issuer: Option<TokenIssuer>,
    verifier: &Option<ChosenVerifier>,
    limits: &Limits,
    renew_transparently: bool,
    mistakes: &mut Vec<String>,
) -> Option<IssuerState> {
    let state = match (issuer, verifier) {
        (Some(issuer), Some(ChosenVerifier::Jwt(jwt))) => {
            Some(issuer.prepare(Arc::clone(jwt), limits.longest_lifetime(), renew_transparently, mistakes))
        }
        _ => None,
    };
    if renew_transparently && !state.as_ref().is_some_and(IssuerState::has_grace) {
        mistakes.push(
            "`renew_transparently()` needs `.token_issuer(..)` with a grace period: a browser sends several requests at once, \
             and all but the first would end the login"
                .into(),
        );
    }
    state
}

fn origins(public: Option<&str>, trusted: &[String], mistakes: &mut Vec<String>) -> OriginPolicy {
    let mut parse = |method: &str, text: &str| {
        let origin = Origin::parse(text);
        if origin.is_none() {
            mistakes.push(format!(
                "`{method}({text:?})` is no origin: write scheme, host and, if it is not the scheme's own, port, \
                 and nothing behind, as in `https://shop.example`"
            ));
        }
        origin
    };
    OriginPolicy {
        public: public.and_then(|text| parse("public_origin", text)),
        trusted: trusted.iter().filter_map(|text| parse("trust_origin", text)).collect(),
    }
}

fn cookie(
    name: Option<String>,
    insecure: bool,
    origins: &OriginPolicy,
    mistakes: &mut Vec<String>,
) -> AccessCookie {
    if insecure && origins.public.as_ref().is_some_and(Origin::is_https) {
        mistakes.push(
            "`dangerously_use_insecure_cookies()` is called and the public origin is https: leave the call out in production"
                .into(),
        );
    }
    let cookie = AccessCookie::new(name, !insecure);
    let name = cookie.cookie_name();
    let lower = name.to_ascii_lowercase();
    if RefreshCookie::NAMES.iter().any(|taken| taken.eq_ignore_ascii_case(name)) {
        mistakes.push(format!(
            "`cookie_name({name:?})` is the name of the refresh cookie: give the access cookie another"
        ));
    }
    if insecure && (lower.starts_with("__host-") || lower.starts_with("__secure-")) {
        mistakes.push(format!(
            "the cookie `{name}` has a prefix that browsers take over TLS only, and cookies are insecure"
        ));
    }
    if name.is_empty()
        || !name.bytes().all(|byte| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte))
    {
        mistakes.push(format!(
            "`{name}` can't be the name of a cookie (RFC 6265 §4.1.1): letters, digits, `-` and `_` can"
        ));
    }
    cookie
}

fn sources(
    cookie: &AccessCookie,
    query: bool,
    custom: Vec<Arc<dyn CredentialSource>>,
    mistakes: &mut Vec<String>,
) -> Vec<Arc<dyn CredentialSource>> {
    let mut sources: Vec<Arc<dyn CredentialSource>> =
        vec![Arc::new(Bearer::default()), Arc::new(cookie.clone())];
    if query {
        sources.push(Arc::new(Query::default()));
    }
    for source in custom {
        let name = source.name();
        if sources.iter().any(|other| other.name() == name) {
            mistakes.push(format!("two sources have the name `{name}`: give the second another"));
        } else if name.is_empty() || ["query", RENEWAL].contains(&name) {
            mistakes.push(format!("a source can't have the name `{name}`: give it another"));
        } else {
            sources.push(source);
        }
    }
    sources
}

/// Adds the headers that the vocabulary declares, and looks for what else it says there is.
fn declared_sources(
    vocabulary: Option<&Vocabulary>,
    custom: &mut Vec<Arc<dyn CredentialSource>>,
    mistakes: &mut Vec<String>,
) {
    for source in vocabulary.into_iter().flat_map(|vocabulary| vocabulary.sources) {
        match source.kind {
            DeclaredSourceKind::Header { name, scheme } => match HeaderName::from_bytes(name.as_bytes()) {
                Ok(header) => {
                    let header = Header::new(source.name, header);
                    let header = match scheme {
                        Some(scheme) => header.with_scheme(scheme),
                        None => header,
                    };
                    custom.push(Arc::new(header));
                }
                Err(_) => {
                    mistakes.push(format!("{name:?} of the source `{}` is no name of a header", source.name));
                }
            },
            DeclaredSourceKind::Custom => {
                if !custom.iter().any(|given| given.name() == source.name) {
                    mistakes.push(format!(
                        "the vocabulary declares the source `{0}` of kind `custom`, and the builder is given none of that \
                         name: call `.source(..)` with it, or take `[sources.{0}]` out of auth.toml",
                        source.name
                    ));
                }
            }
        }
    }
}

fn default_sources(
    sources: &[Arc<dyn CredentialSource>],
    given: Option<Vec<String>>,
    vocabulary: Option<&Vocabulary>,
    mistakes: &mut Vec<String>,
) -> Vec<usize> {
    let declared = vocabulary.map_or(&[][..], |vocabulary| vocabulary.default_source);
    let (origin, names): (_, Vec<&str>) = match &given {
        Some(_) if !declared.is_empty() => {
            mistakes.push(format!(
                "both `.default_sources(..)` and `default_source` of auth.toml, which is {}, are given: keep one of the two",
                declared.join(", ")
            ));
            return Vec::new();
        }
        Some(given) => ("`default_sources`", given.iter().map(String::as_str).collect()),
        None if declared.is_empty() => ("`default_sources`", vec!["bearer"]),
        None => ("`default_source` of auth.toml", declared.to_vec()),
    };
    if names.is_empty() {
        mistakes.push("`default_sources` is empty: name at least one, such as `bearer`".into());
    }
    resolve(sources, &names).unwrap_or_else(|unknown| {
        let known: Vec<_> = sources.iter().map(|source| source.name()).collect();
        mistakes.push(format!(
            "{origin} names `{unknown}`, which is none of the sources {}{}",
            known.join(", "),
            if unknown == "query" {
                ": call `dangerously_allow_query_tokens()` if tokens may stand in URLs"
            } else {
                ""
            }
        ));
        Vec::new()
    })
}
