//! The engine: what a service is configured with, and what every gate asks.
//!
//! | file | what |
//! |---|---|
//! | `builder` | the configuration of an engine, and its errors |
//! | `authentication` | where credentials are, which pages may use them, and how they are verified |
//! | `callers` | a token → its caller: what a request and what is outside of one have in common |
//! | `outside` | what is decided outside of a request |
//! | `authorization` | what the vocabulary means, and the policies of handlers on a plain `axum::Router` |
//! | `sessions` | the engine's own token issuer, refresh tokens and cookies |
//! | `responses` | how rejections are rendered and reported |
//! | `introspected` | the callers of tokens that their issuer is asked about |
//! | `credential_hash` | what credentials are remembered by |
//! | `scheme` | an authenticator with what is remembered of its answers |
//! | `user` | the user of a caller |
//! | `token_service` | logging in, refreshing, logging out |
//! | `key_refresh` | the keys of issuers are fetched |
//! | `replace_keys` | the keys of issuers are replaced by the application |
//! | `signed_texts` | logout tokens and security event tokens are verified |
//! | `start` | what an engine needs from elsewhere is there |
//! | `background` | what an engine does by itself |
//! | `credential_watch` | when the credential of a socket or stream ends |

mod authentication;
mod authorization;
mod background;
mod builder;
mod callers;
mod credential_hash;
mod credential_watch;
#[cfg(feature = "introspection")]
mod introspected;
mod key_refresh;
mod outside;
mod replace_keys;
mod responses;
mod scheme;
mod sessions;
#[cfg(feature = "provider-logout")]
mod signed_texts;
mod sources;
mod start;
mod token_cache;
mod token_service;
mod user;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::ConnectInfo;
use axum::extract::connect_info::MockConnectInfo;
use axum::http::request::Parts;

pub(crate) use self::authentication::Authentication;
pub(crate) use self::authorization::{Authorization, RoutePolicy, UnmountedHandler};
pub use self::builder::AuthBuilder;
pub(crate) use self::callers::check_expiry;
pub(crate) use self::credential_hash::CredentialHash;
use self::credential_hash::CredentialHasher;
#[cfg(feature = "introspection")]
pub(crate) use self::introspected::IntrospectedTokens;
pub(crate) use self::key_refresh::KeysOf;
pub(crate) use self::responses::Responses;
pub(crate) use self::scheme::{Judgement, Scheme};
pub(crate) use self::sessions::{Sessions, TokenCookies};
pub(crate) use self::sources::{RENEWAL, RouteSources, Sources, is_access_cookie, is_bearer};
pub use self::start::StartError;
pub(crate) use self::token_cache::TokenCache;
#[cfg(feature = "token-routes")]
pub(crate) use self::token_service::ClientSessions;
pub use self::token_service::{
    AccessTokenBuilder, AllSessions, Session, SessionData, SessionList, TokenService, UserSession,
};
#[cfg(feature = "api-keys")]
use crate::api_key::{ApiKeyService, ApiKeyState, NoApiKeys};
use crate::client_address::{TrustedProxies, client_address};
use crate::clock::{AgeClock, Clock, JumpGuard};
use crate::revocation::{Revocations, Revoker};
#[cfg(feature = "provider-logout")]
use crate::security_event::Transmitters;
use crate::source::AccessCookie;
use crate::users::Users;

/// The engine of a service: it verifies credentials, decides on requests, and revokes tokens. Clones share one engine.
#[derive(Clone, Debug)]
pub struct Auth {
    engine: Arc<Engine>,
}

impl Auth {
    /// Starts the configuration of an engine.
    pub fn builder() -> AuthBuilder {
        AuthBuilder::new()
    }

    /// Returns the methods that revoke tokens, sessions and users.
    #[must_use]
    pub fn revocations(&self) -> Revocations<'_> {
        self.engine.ensure_background();
        self.engine.revocation_methods()
    }

    /// Returns the access cookie: [`AccessCookie::set`] and [`AccessCookie::clear`], for logins whose tokens another issuer makes.
    ///
    /// To clear it is not a logout for a user that has a refresh token:
    /// `TokenEndpoints::log_out` of the token routes does.
    #[must_use]
    pub fn access_cookie(&self) -> &AccessCookie {
        &self.engine.sessions.cookies.access
    }

    /// Returns the service that makes, lists, rotates and revokes API keys.
    ///
    /// # Errors
    /// If the builder was given no [`ApiKeys`](crate::api_key::ApiKeys).
    #[cfg(feature = "api-keys")]
    pub fn api_keys(&self) -> Result<ApiKeyService<'_>, NoApiKeys> {
        let keys = self.engine.api_keys.as_ref().ok_or(NoApiKeys)?;
        self.engine.ensure_background();
        let Engine { responses, authorization, .. } = &*self.engine;
        let revoker = Arc::clone(&self.engine.revocations);
        Ok(ApiKeyService::new(keys, revoker, &responses.audit_log, &authorization.vocabulary))
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

/// An engine. Nothing in it changes once it is built but the revocations, the keys of issuers, and what it remembers.
pub(crate) struct Engine {
    pub(crate) authentication: Authentication,
    pub(crate) authorization: Authorization,
    pub(crate) revocations: Arc<Revoker>,
    pub(crate) sessions: Sessions,
    pub(crate) responses: Responses,
    /// `None`: no users are loaded.
    pub(crate) users: Option<Arc<Users>>,
    #[cfg(feature = "api-keys")]
    pub(crate) api_keys: Option<Arc<ApiKeyState>>,
    /// Who may send security events.
    #[cfg(feature = "provider-logout")]
    pub(crate) transmitters: Transmitters,
    /// The proxies that report the client's address.
    proxies: Option<TrustedProxies>,
    clock: Arc<dyn Clock>,
    age_clock: AgeClock,
    /// Whether the clock is so far ahead that nothing may be issued.
    jump_guard: JumpGuard,
}

impl Engine {
    /// What revokes tokens, and lists what is revoked.
    pub(crate) fn revocation_methods(&self) -> Revocations<'_> {
        Revocations::new(&self.revocations, &self.responses.audit_log, &self.authentication.jwt)
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// The time of the monotonic clock.
    pub(crate) fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// The time by which the age of what others can withdraw is measured: that of the monotonic clock, which also goes on while the machine is
    /// suspended, or its clock is set ahead.
    pub(crate) fn age_time(&self) -> Duration {
        self.age_clock.read(&*self.clock)
    }

    /// The address of the client of a request; `None` if the app was served without connect info.
    pub(crate) fn client_address(&self, head: &Parts) -> Option<IpAddr> {
        let peer = match head.extensions.get::<ConnectInfo<SocketAddr>>() {
            Some(ConnectInfo(peer)) => peer,
            None => &head.extensions.get::<MockConnectInfo<SocketAddr>>()?.0,
        };
        Some(client_address(peer.ip(), self.proxies.as_ref(), &head.headers))
    }

    /// How far the clock has jumped ahead, if it is so far that nothing may be issued.
    pub(crate) fn check_clock(&self) -> Result<(), Duration> {
        self.jump_guard.check(self.clock.now(), self.clock.monotonic())
    }

    /// The names of the sources that a rule takes, which names these or, with `None`, leaves it to the engine; unchanged if the
    /// engine lacks one.
    pub(crate) fn names_of_sources(&self, named: Option<&[&str]>) -> Vec<String> {
        let sources = &self.authentication.sources;
        let indices = match named.map(|names| (names, sources.resolve(names))) {
            None => sources.default_indices().to_vec(),
            Some((_, Ok(indices))) => indices,
            Some((names, Err(_))) => return names.iter().map(|name| (*name).to_owned()).collect(),
        };
        let renews = self.sessions.cookies.renews() && sources.take_access_cookie(&indices);
        let names = indices.iter().filter_map(|&index| sources.get(index)).map(|source| source.name());
        names.chain(renews.then_some(RENEWAL)).map(str::to_owned).collect()
    }

    /// Whether a request with a credential may be answered 503: what the engine asks may be out of reach.
    #[cfg(feature = "openapi")]
    pub(crate) fn may_be_unavailable(&self) -> bool {
        self.revocations.state.has_log()
            || self.sessions.cookies.renews()
            || self.authentication.sources.have_authenticators()
            || self.users.is_some()
            || self.introspects()
            || self.authentication.jwt.fetched_keys().next().is_some()
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("authentication", &self.authentication).finish_non_exhaustive()
    }
}
