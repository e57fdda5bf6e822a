//! Ready routes for login, refresh and logout (feature `token-routes`).
//!
//! ```
//! use auth_runtime::session::routes::{LoginVerifier, PasswordCredentials, TokenRoutes};
//! use auth_runtime::session::{BoxError, Subject};
//! use auth_runtime::{Auth, Router};
//! # use auth_runtime::session::{RefreshKey, SigningKey, SubjectStore, TokenIssuer};
//!
//! struct Users;
//! # impl SubjectStore for Users {
//! #     async fn subject(&self, id: &str) -> Result<Option<Subject>, BoxError> {
//! #         Ok(Some(Subject::new(id)))
//! #     }
//! # }
//!
//! impl LoginVerifier for Users {
//!     type Credentials = PasswordCredentials;
//!
//!     async fn authenticate(&self, sent: PasswordCredentials) -> Result<Option<Subject>, BoxError> {
//!         # let is_valid = sent.password == "wonderland";
//!         // Look the user up, verify the password (`session::PasswordHasher` does it), and use the id of the table:
//!         // `Alice` and `alice` are one user.
//!         Ok(is_valid.then(|| Subject::new("alice")))
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let key = SigningKey::generate(auth_runtime::verify::Algorithm::EdDSA)?;
//! # let issuer = TokenIssuer::new("i", "a", key, Users).refresh_key(RefreshKey::generate()?);
//! # let auth = Auth::builder().token_issuer(issuer).build()?;
//! let app: Router = Router::new().nest("/auth", TokenRoutes::cookies(auth.tokens()?, Users).router());
//! # app.finish(&auth)?;
//! # Ok(())
//! # }
//! ```
//!
//! | route | request | response |
//! |---|---|---|
//! | `POST /login` | the credentials, as JSON or as a form, which may have [`return_to`](crate::ReturnTo) | the tokens |
//! | `POST /refresh` | the refresh token: its cookie, or `refresh_token` as JSON or as a form | the next tokens |
//! | `POST /logout` | all cookies and tokens of the client, expired or not | 204; the session has ended |
//! | `POST /logout-everywhere` | a valid access token | 204; all sessions of the user have ended |
//! | `GET /sessions`, if [mounted](TokenRoutes::sessions) | a valid access token, after a recent login | the sessions of the caller |
//! | `DELETE /sessions/{session_id}` | as before | 204; this session has ended |
//! | `DELETE /sessions` | as before | 204; all sessions but the current one have ended |
//! | `GET`, `DELETE /users/{subject}/sessions`, `DELETE ../{session_id}`, if [mounted](TokenRoutes::administration) | what the rule requires | the same, of any user |
//! | `GET /users/sessions`, mounted with them | as before | the sessions of all users, in pages |
//! | `GET /revocations`, if [mounted](TokenRoutes::revoked) | what the rule requires | what was revoked, in pages |
//! | `POST /revoke`, if [mounted](TokenRoutes::revocation) | RFC 7009 §2.1 | 200 |
//! | `POST /introspect`, if [mounted](TokenRoutes::introspection) | RFC 7662 §2.1 | RFC 7662 §2.2 |
//!
//! At paths of your own, each with a method of your own: [`TokenEndpoints::route`].
//!
//! A login of the application's own, such as one with a second factor, begins with [`TokenEndpoints::attempt`] and ends with
//! [`TokenEndpoints::respond_with`]; [a page of the guide](crate::guide::second_factor) shows one.
//!
//! Serve the app with `into_make_service_with_connect_info::<SocketAddr>()`, because login attempts are also limited by address.

mod account;
mod answer_schemas;
mod answers;
mod body;
mod credentials;
#[cfg(feature = "openapi")]
mod documented;
mod endpoints;
mod limits;
mod limits_of_engine;
mod login_queue;
mod mount;
mod remember;
mod session_routes;
mod site_data;
mod token_route;

use std::fmt;
use std::sync::Arc;

pub use self::account::Account;
pub use self::answer_schemas::AnswerSchemas;
use self::answers::StandardAnswers;
pub use self::answers::{Delivery, TokenAnswers, TokenFailure, TokenRequest};
pub use self::body::RefreshTokenRequest;
use self::body::{RefreshTokenBody, StandardLogout, StandardRefresh};
pub use self::credentials::{Credentials, LoginVerifier, OwnLogin, PasswordCredentials};
use self::endpoints::RoutesConfig;
pub use self::endpoints::{LoginAttempt, LoginError, TokenEndpoints};
use self::limits::LimitSettings;
use self::login_queue::LOGINS_AT_ONCE;
pub use self::session_routes::user_agent;
use self::session_routes::{MAX_AGE, SessionRoutes};
pub use self::site_data::SiteData;
pub use self::token_route::TokenRoute;
use super::TokenService;
use crate::policy::Rule;
pub use crate::store::AttemptLimit;
use crate::store::AttemptStore;

/// Ready routes for login, refresh and logout. Mount them under a path of their own: `.nest("/auth", routes.router())`.
#[must_use = "call `router`"]
pub struct TokenRoutes<A> {
    config: RoutesConfig<A>,
    revocation: Option<Rule>,
    introspection: Option<Rule>,
    revoked: Option<Rule>,
    sessions: SessionRoutes,
}

impl<A: LoginVerifier> TokenRoutes<A> {
    /// Returns routes that send tokens in the body of the response (RFC 6749 §5.1): for programs, and for apps that store tokens.
    pub fn json(tokens: TokenService, login_verifier: A) -> Self {
        Self::new(tokens, login_verifier, Delivery::Json)
    }

    /// Returns routes that send tokens in cookies that no script can read: for browsers.
    pub fn cookies(tokens: TokenService, login_verifier: A) -> Self {
        Self::new(tokens, login_verifier, Delivery::Cookies)
    }

    fn new(tokens: TokenService, login_verifier: A, delivery: Delivery) -> Self {
        let config = RoutesConfig {
            tokens,
            login_verifier,
            delivery,
            answers: Box::new(StandardAnswers),
            limits: LimitSettings {
                per_account: AttemptLimit::PER_ACCOUNT,
                per_address: AttemptLimit::PER_ADDRESS,
                per_ipv6_site: AttemptLimit::PER_IPV6_SITE,
            },
            attempt_store: None,
            logins_at_once: LOGINS_AT_ONCE,
            cookie_path: None,
            is_mounted_by_hand: false,
            session_label: None,
            sessions_max_age: MAX_AGE,
            wrong_credentials: TokenFailure::InvalidGrant,
            refresh_request: RefreshTokenBody::of::<StandardRefresh>(),
            logout_request: RefreshTokenBody::of::<StandardLogout>(),
            clear_site_data: None,
        };
        let sessions = SessionRoutes::default();
        Self { config, revocation: None, introspection: None, revoked: None, sessions }
    }

    /// Sets the application's own form of responses.
    pub fn answers(mut self, answers: impl TokenAnswers) -> Self {
        self.config.answers = Box::new(answers);
        self
    }

    /// Limits the login attempts for one account. Default: 10 at once, and one more every 30 seconds.
    ///
    /// Names that differ in case, in their form in Unicode or in spaces around them are one account: they are compared in NFKC and case
    /// folded. The application gets the name as it was sent.
    ///
    /// An attacker who knows a user's name can use up its attempts. The limit by address slows the attacker down.
    ///
    /// All login routes of one engine that have the same limits count together, also those of a
    /// [login of your own](TokenEndpoints::attempt) that passes the same [`Account`]. Routes with other limits count apart: an account then
    /// has the attempts of both.
    pub fn limit_per_account(mut self, limit: AttemptLimit) -> Self {
        self.config.limits.per_account = limit;
        self
    }

    /// Limits the login attempts from one address, or from one IPv6 network (/64). Default: 50 at once, and one more every
    /// 2 seconds.
    pub fn limit_per_address(mut self, limit: AttemptLimit) -> Self {
        self.config.limits.per_address = limit;
        self
    }

    /// Limits the login attempts from one IPv6 site (/48), besides those of each of its networks. A customer of a provider may have a
    /// whole site, with 65,536 networks. Default: 500 at once, and one more every 200 milliseconds.
    pub fn limit_per_ipv6_site(mut self, limit: AttemptLimit) -> Self {
        self.config.limits.per_ipv6_site = limit;
        self
    }

    /// Counts login attempts in a store that all instances of the service share: `.attempt_store(store.clone())`, with the same store as
    /// the engine's. Default: none, and each instance counts by itself, so that ten of them allow ten times as many attempts.
    ///
    /// The limits of this instance are the first line: what they reject, and what finds no [place](Self::logins_at_once), does not reach
    /// the store. Then the store counts by the same limits, by its own clock, for all login routes of engines with this issuer and
    /// [refresh key](crate::session::TokenIssuer::refresh_key) and the same limits together: routes of the same engine that were given no
    /// store count in it, too. While the store fails, or takes longer than 5 seconds, logins are answered 503.
    ///
    /// The store learns no name and no address. It gets a hash of each (HMAC-SHA-256), with a key that is derived from the newest refresh
    /// key: with a new refresh key, attempts are counted anew.
    pub fn attempt_store(mut self, store: impl AttemptStore) -> Self {
        self.config.attempt_store = Some(Arc::new(store));
        self
    }

    /// Answers wrong credentials of a login with 401 and a challenge (RFC 9110 §15.5.2), which opens no dialog of a browser: `Bearer`, or
    /// with cookies `Cookie`, which is not registered. [`TokenFailure::WrongCredentials`] is given to [`TokenAnswers`] then.
    ///
    /// Default: 400 `invalid_grant` (RFC 6749 §5.2), as for an invalid refresh token. Many clients take every 401 for an access token that
    /// has expired: they refresh, and send the login again, which counts as another attempt.
    pub fn unauthorized_on_wrong_credentials(mut self) -> Self {
        self.config.wrong_credentials = TokenFailure::WrongCredentials;
        self
    }

    /// Sets the type of the body of a refresh. Default: `refresh_token`, and `grant_type` (RFC 6749 §6).
    ///
    /// It is set here and not by an associated type of [`LoginVerifier`], so that an application that has no type of its own writes
    /// nothing.
    pub fn refresh_request<T: RefreshTokenRequest>(mut self) -> Self {
        self.config.refresh_request = RefreshTokenBody::of::<T>();
        self
    }

    /// Sets the type of the body of a logout, which may be empty. Default: `refresh_token`.
    pub fn logout_request<T: RefreshTokenRequest>(mut self) -> Self {
        self.config.logout_request = RefreshTokenBody::of::<T>();
        self
    }

    /// Sets how many logins these routes verify at once. Default: 16. Zero counts as 1.
    ///
    /// Up to 256 others wait, each for at most 5 seconds. They wait by network: an IPv4 address, or an IPv6 /64. This is promised:
    ///
    /// - A login from a network of which none waits is verified after at most one login of each other network that waits, and at most
    ///   three logins with priority before each of these and before it. A login that was not reached after 5 seconds is answered 503.
    /// - A login has priority if its account has logged in from its network before. Three of these are verified before one of the
    ///   others. 65,536 pairs of account and network are remembered, as keyed hashes, until the process ends.
    /// - When 256 wait, a login takes the place of the newest of the network of which most wait, and that one is answered 429. If
    ///   that network is its own, the login is answered 429 itself. If no network has more than one waiting, the login is answered 503;
    ///   one with priority takes the place of the newest without.
    /// - A login with priority never gives way to one without. Of those that wait, at most 192 have priority; further ones are
    ///   subject to the rules above among these.
    ///
    /// This is not promised: that a login without priority is served during a flood from more than 256 networks, or from more networks
    /// than there are logins in 5 seconds. Behind a proxy that [`trusted_proxies`](crate::AuthBuilder::trusted_proxies) does not name,
    /// all clients are one network.
    ///
    /// A `PasswordHasher` has 17 places for each of its workers. So with 16 it never fails with `Busy` because of logins alone.
    pub fn logins_at_once(mut self, logins: usize) -> Self {
        self.config.logins_at_once = logins;
        self
    }

    /// Sets the path that browsers send the refresh cookie to. Default: the path that these routes are mounted under, which is
    /// right unless a proxy changes paths. For the [`endpoints`](Self::endpoints) the default is all paths, as they can be mounted
    /// anywhere.
    ///
    /// If a service that is in use changes its paths, keep the former path of the cookie here: a cookie is replaced by one of the same
    /// path alone. A login and a refresh clear those of the other paths that the browser sends with them.
    pub fn cookie_path(mut self, path: impl Into<String>) -> Self {
        self.config.cookie_path = Some(format!("/{}", path.into().trim_matches('/')));
        self
    }

    /// Sends `Clear-Site-Data` with a logout, so that the browser forgets more than the cookies: `[SiteData::Cache,
    /// SiteData::Storage]`. Default: no such header. Browsers obey it over TLS alone.
    pub fn clear_site_data(mut self, data: impl IntoIterator<Item = SiteData>) -> Self {
        self.config.clear_site_data = SiteData::header(data);
        self
    }

    /// Mounts `POST /revoke` (RFC 7009) for the clients that satisfy this rule, which must require a caller. Such a client
    /// can revoke the tokens of every user and client, although §2.1 allows a client to revoke its own alone: let the rule
    /// name those that may.
    pub fn revocation(mut self, rule: Rule) -> Self {
        self.revocation = Some(rule);
        self
    }

    /// Mounts `POST /introspect` (RFC 7662) for the services that satisfy this rule, which must require a caller. With
    /// `rule!(public)` everyone could find out whether a stolen token is valid (§4): that is an error of
    /// [`finish`](crate::Router::finish).
    pub fn introspection(mut self, rule: Rule) -> Self {
        self.introspection = Some(rule);
        self
    }

    /// Mounts `GET /revocations` for those that satisfy this rule, which must require a caller: they list what was revoked, when and of
    /// whom ([`Revocations::list`](crate::revocation::Revocations::list)). The list names users of all tenants and
    /// of all issuers that the engine accepts: let the rule name a role of your own staff, and none that a tenant gives to its users. With
    /// `rule!(public)` it is an error of [`finish`](crate::Router::finish). So is an engine without a store, which has no list.
    ///
    /// It comes in pages of 100, the oldest first: `next` of an answer is `after` of the next request's query, and the last page has none.
    pub fn revoked(mut self, rule: Rule) -> Self {
        self.revoked = Some(rule);
        self
    }

    /// Returns the endpoints: [each as a route](TokenEndpoints::route), for a path and a method of the application's own, and each as a
    /// function, for handlers of its own. They count login attempts together with all other login routes of the engine that have the same
    /// limits, and have a queue of their own: clones share it, and another call makes another one.
    ///
    /// Their router must be finished with the same engine. A login needs the address of its client, as the routes do.
    pub fn endpoints(mut self) -> TokenEndpoints<A> {
        self.config.cookie_path.get_or_insert_with(|| "/".into());
        self.config.is_mounted_by_hand = true;
        TokenEndpoints::new(self.config)
    }
}

impl<A> fmt::Debug for TokenRoutes<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRoutes")
            .field("delivery", &self.config.delivery)
            .field("revocation", &self.revocation)
            .field("introspection", &self.introspection)
            .field("revoked", &self.revoked)
            .field("sessions", &self.sessions)
            .finish_non_exhaustive()
    }
}
