//! The engine: what a service is configured with, and what every gate asks.

pub(crate) mod background;
mod builder;
mod revoke;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

pub use self::builder::AuthBuilder;
pub(crate) use self::revoke::DATED_AHEAD;
pub use self::revoke::Revocations;
#[cfg(feature = "token-routes")]
use crate::address::TrustedProxies;
use crate::audit::AuditHook;
use crate::clock::{Clock, SteadyTime};
use crate::layer::AuthLayer;
use crate::origin::OriginPolicy;
use crate::pipeline::UnmountedPolicies;
use crate::rejection::RenderHook;
use crate::revocation::RevocationState;
use crate::session::{IssuedTokens, IssuerState, NoTokenIssuer, TokenService};
use crate::source::{AccessCookie, CredentialSource, RefreshCookie};
use crate::store::{RefreshTokenStore, StoreError};
use crate::verify::{Limits, TokenCache, Verifier};
use crate::vocabulary::VocabularyIndex;

/// What the refresh cookie is called among sources, where tokens are renewed on the way: no rule can name it.
pub(crate) const RENEWAL: &str = "refresh_cookie";

/// The engine of a service. Cheap to clone: all clones are one.
#[derive(Clone, Debug)]
pub struct Auth {
    engine: Arc<Engine>,
}

impl Auth {
    /// Starts the configuration of an engine.
    pub fn builder() -> AuthBuilder {
        AuthBuilder::new()
    }

    /// The layer that gives every request what its gate needs. `finish` of the guarded router puts it in place.
    #[must_use]
    pub fn layer(&self) -> AuthLayer {
        AuthLayer::new(Arc::clone(&self.engine))
    }

    /// Gives tokens out, renews them, and ends logins.
    ///
    /// # Errors
    /// If the builder was given no [`TokenIssuer`](crate::session::TokenIssuer).
    pub fn tokens(&self) -> Result<TokenService, NoTokenIssuer> {
        TokenService::of(Arc::clone(&self.engine)).ok_or(NoTokenIssuer)
    }

    /// Reads what is new in the store's log of revocations. Await it before serving: until the log was read once, requests
    /// are answered 503. After that it is read in the background. Without a store there is nothing to read.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        background::ensure(&self.engine);
        self.engine.revocations.catch_up(self.engine.now()).await
    }

    /// Takes tokens back.
    #[must_use]
    pub fn revocations(&self) -> Revocations<'_> {
        Revocations::new(&self.engine)
    }

    /// The access cookie: [`AccessCookie::set`] and [`AccessCookie::clear`], for logins whose tokens another issuer makes.
    ///
    /// Clearing it alone does not log a user out who has a refresh token:
    /// `TokenEndpoints::log_out` of the ready routes does.
    #[must_use]
    pub fn access_cookie(&self) -> &AccessCookie {
        &self.engine.access_cookie
    }

    /// The time of the engine's clock.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.engine.now()
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }
}

/// All of an engine. Nothing in it changes once it is built but the revocations, the keys of its own token issuer, and
/// what it remembers.
pub(crate) struct Engine {
    verifier: Arc<dyn Verifier>,
    /// It is the user's, who knows what it asks.
    #[cfg(feature = "openapi")]
    has_own_verifier: bool,
    token_cache: TokenCache,
    tokens: Option<IssuerState>,
    limits: Limits,
    sources: Vec<Arc<dyn CredentialSource>>,
    default_sources: Vec<usize>,
    access_cookie: AccessCookie,
    refresh_cookie: RefreshCookie,
    origins: OriginPolicy,
    revocations: RevocationState,
    families: Arc<dyn RefreshTokenStore>,
    #[cfg(feature = "token-routes")]
    proxies: Option<TrustedProxies>,
    lexicon: VocabularyIndex,
    unmounted: UnmountedPolicies,
    clock: Box<dyn Clock>,
    steady_time: SteadyTime,
    /// Whether what the engine does by itself is running.
    background: AtomicBool,
    realm: String,
    render_hook: Option<Box<RenderHook>>,
    audit_hook: Option<Box<AuditHook>>,
    /// Whether a request may bring its principal along: only for an engine that `TestAuth` made.
    #[cfg(feature = "test-util")]
    pub(crate) honours_injected_principals: bool,
}

impl Engine {
    pub(crate) fn verifier(&self) -> &dyn Verifier {
        &*self.verifier
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn source(&self, index: usize) -> Option<&dyn CredentialSource> {
        self.sources.get(index).map(|source| &**source)
    }

    pub(crate) fn default_sources(&self) -> &[usize] {
        &self.default_sources
    }

    /// The sources of these names, explicit ones first and else in order; the unknown name, if one is.
    pub(crate) fn resolve_sources<'n>(&self, names: &[&'n str]) -> Result<Vec<usize>, &'n str> {
        resolve(&self.sources, names)
    }

    /// The names of the sources that a rule takes, which names these or, with `None`, leaves it to the engine; as they are if the
    /// engine lacks one.
    pub(crate) fn names_of_sources(&self, named: Option<&[&str]>) -> Vec<String> {
        let indices = match named {
            None => self.default_sources.clone(),
            Some(names) => match self.resolve_sources(names) {
                Ok(indices) => indices,
                Err(_) => return names.iter().map(|name| (*name).to_owned()).collect(),
            },
        };
        let renews = self.refresh_cookie.is_for_all_paths() && self.takes_access_cookie(&indices);
        let sources = indices.iter().filter_map(|&index| self.source(index));
        let names = sources.map(CredentialSource::name).chain(renews.then_some(RENEWAL));
        names.map(str::to_owned).collect()
    }

    pub(crate) fn source_names(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(|source| source.name())
    }

    pub(crate) fn origins(&self) -> &OriginPolicy {
        &self.origins
    }

    pub(crate) fn revocations(&self) -> &RevocationState {
        &self.revocations
    }

    pub(crate) fn families(&self) -> &dyn RefreshTokenStore {
        &*self.families
    }

    pub(crate) fn tokens(&self) -> Option<&IssuerState> {
        self.tokens.as_ref()
    }

    pub(crate) fn access_cookie(&self) -> &AccessCookie {
        &self.access_cookie
    }

    pub(crate) fn is_access_cookie(&self, source: &dyn CredentialSource) -> bool {
        source.name() == CredentialSource::name(&self.access_cookie)
    }

    #[cfg(feature = "token-routes")]
    pub(crate) fn takes_access_cookie_by_default(&self) -> bool {
        self.takes_access_cookie(&self.default_sources)
    }

    /// Whether the cookie of access tokens is among these sources.
    pub(crate) fn takes_access_cookie(&self, sources: &[usize]) -> bool {
        sources.iter().filter_map(|&index| self.source(index)).any(|source| self.is_access_cookie(source))
    }

    /// The `Set-Cookie` values that give tokens to a browser; the refresh token to the routes below `path`.
    pub(crate) fn token_cookies(&self, tokens: &IssuedTokens, path: &str) -> [String; 2] {
        [
            self.access_cookie.set(&tokens.access_token, tokens.expires_in),
            self.refresh_cookie.set(&tokens.refresh_token, path, tokens.refresh_expires_in),
        ]
    }

    /// The `Set-Cookie` values that take them away again.
    pub(crate) fn clearing_cookies(&self, path: &str) -> [String; 2] {
        [self.access_cookie.clear(), self.refresh_cookie.clear(path)]
    }

    pub(crate) fn refresh_cookie(&self) -> &RefreshCookie {
        &self.refresh_cookie
    }

    #[cfg(feature = "token-routes")]
    pub(crate) fn proxies(&self) -> Option<&TrustedProxies> {
        self.proxies.as_ref()
    }

    pub(crate) fn token_cache(&self) -> &TokenCache {
        &self.token_cache
    }

    pub(crate) fn unmounted(&self) -> &UnmountedPolicies {
        &self.unmounted
    }

    pub(crate) fn lexicon(&self) -> &VocabularyIndex {
        &self.lexicon
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    pub(crate) fn realm(&self) -> &str {
        &self.realm
    }

    pub(crate) fn render_hook(&self) -> Option<&RenderHook> {
        self.render_hook.as_deref()
    }

    pub(crate) fn audit_hook(&self) -> Option<&AuditHook> {
        self.audit_hook.as_deref()
    }

    /// Whether a verifier of the application's own decides which texts are tokens.
    #[cfg(feature = "openapi")]
    pub(crate) fn has_own_verifier(&self) -> bool {
        self.has_own_verifier
    }

    /// Whether a request with a credential may meet 503: what is asked can be out of reach.
    #[cfg(feature = "openapi")]
    pub(crate) fn may_be_unavailable(&self) -> bool {
        self.revocations.has_log() || self.refresh_cookie.is_for_all_paths() || self.has_own_verifier
    }

    /// The schemes that a refusal on a route with these sources challenges with, each once.
    pub(crate) fn challenge_schemes(&self, sources: &[usize]) -> Vec<&str> {
        let mut schemes: Vec<&str> = Vec::new();
        for scheme in
            sources.iter().filter_map(|&index| self.source(index)).map(CredentialSource::challenge_scheme)
        {
            if !schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
                schemes.push(scheme);
            }
        }
        if schemes.is_empty() {
            schemes.push("Bearer");
        }
        schemes
    }
}

fn resolve<'n>(sources: &[Arc<dyn CredentialSource>], names: &[&'n str]) -> Result<Vec<usize>, &'n str> {
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let index = sources.iter().position(|source| source.name() == *name).ok_or(*name)?;
        if !found.contains(&index) {
            found.push(index);
        }
    }
    found.sort_by_key(|&index| {
        sources.get(index).is_some_and(|source| source.carrier() == crate::source::Carrier::Ambient)
    });
    Ok(found)
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("verifier", &self.verifier)
            .field("sources", &self.sources)
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}
