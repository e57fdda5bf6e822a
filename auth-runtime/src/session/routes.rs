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
//! | `POST /login` | the credentials, as JSON or as a form | the tokens |
//! | `POST /refresh` | the refresh token: its cookie, or `refresh_token` as JSON or as a form | the next tokens |
//! | `POST /logout` | all cookies and tokens of the client, expired or not | 204; the session has ended |
//! | `POST /logout-everywhere` | a valid access token | 204; all sessions of the user have ended |
//! | `POST /revoke`, if [mounted](TokenRoutes::revocation) | RFC 7009 §2.1 | 200 |
//! | `POST /introspect`, if [mounted](TokenRoutes::introspection) | RFC 7662 §2.1 | RFC 7662 §2.2 |
//!
//! Serve the app with `into_make_service_with_connect_info::<SocketAddr>()`, because login attempts are also limited by address.

mod answers;
mod body;
#[cfg(feature = "openapi")]
mod documented;
mod endpoints;
mod limits;
mod login_queue;
mod remember;
mod site_data;

use std::fmt;
use std::sync::Arc;

use axum::extract::Request;
use axum::routing::post;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::answers::StandardAnswers;
pub use self::answers::{Delivery, TokenAnswers, TokenFailure, TokenRequest, TokenRoute};
use self::endpoints::RoutesConfig;
pub use self::endpoints::TokenEndpoints;
pub use self::limits::AttemptLimit;
use self::login_queue::LOGINS_AT_ONCE;
pub use self::site_data::SiteData;
use super::{BoxError, Subject, TokenService};
use crate::policy::HandlerInfo;
use crate::policy::Rule;
use crate::router::{Router, beside};

/// Verifies the credentials of a login.
pub trait LoginVerifier: Send + Sync + 'static {
    /// The credentials: [`PasswordCredentials`], or a type of the application's own.
    type Credentials: Credentials;

    /// Returns the user of these credentials; `None` if there is none, if they are wrong, or if the user may not log in. It should
    /// take the same time in each of these cases, as [`PasswordHasher::verify`](super::PasswordHasher::verify) does.
    ///
    /// It holds one of the [16 places](TokenRoutes::logins_at_once) for logins that are verified at once. After 30 seconds it is dropped.
    ///
    /// # Errors
    /// If the credentials can't be verified now. The response is 503, also after 30 seconds.
    fn authenticate(
        &self,
        credentials: Self::Credentials,
    ) -> impl Future<Output = Result<Option<Subject>, BoxError>> + Send;
}

impl<A: LoginVerifier> LoginVerifier for Arc<A> {
    type Credentials = A::Credentials;

    fn authenticate(
        &self,
        credentials: Self::Credentials,
    ) -> impl Future<Output = Result<Option<Subject>, BoxError>> + Send {
        (**self).authenticate(credentials)
    }
}

/// The credentials of a login, as JSON or as a form.
pub trait Credentials: DeserializeOwned + Send + 'static {
    /// Returns the account that attempts are counted for.
    fn account(&self) -> &str;

    /// Returns the JSON Schema of the credentials, for the OpenAPI document. Default: any object.
    #[must_use]
    fn schema() -> Value {
        json!({ "type": "object" })
    }
}

/// A user name and a password: `{"username": "..", "password": ".."}`, and whether the user wants to be remembered.
#[derive(Deserialize)]
#[allow(clippy::exhaustive_structs, reason = "the request has these three fields")]
pub struct PasswordCredentials {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
    /// Whether the user wants to be remembered when the browser is closed: a checkbox `remember` in a form, or `true` as JSON.
    /// Without it, and with any text but `on`, `true` and `1`, the user does not.
    ///
    /// It has no effect unless the verifier passes it on: `Subject::new(id).remember(sent.remember)`.
    #[serde(default, deserialize_with = "remember::deserialize")]
    pub remember: bool,
}

impl Credentials for PasswordCredentials {
    fn account(&self) -> &str {
        &self.username
    }

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "username": { "type": "string" },
                "password": { "type": "string", "format": "password" },
                "remember": { "type": "boolean", "default": false },
            },
            "required": ["username", "password"],
        })
    }
}

/// Redacts all fields, because users type their password into the wrong one.
impl fmt::Debug for PasswordCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordCredentials([redacted])")
    }
}

/// Ready routes for login, refresh and logout. Mount them under a path of their own: `.nest("/auth", routes.router())`.
#[must_use = "call `router`"]
pub struct TokenRoutes<A> {
    config: RoutesConfig<A>,
    has_own_answers: bool,
    revocation: Option<Rule>,
    introspection: Option<Rule>,
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
            per_account: AttemptLimit::PER_ACCOUNT,
            per_address: AttemptLimit::PER_ADDRESS,
            logins_at_once: LOGINS_AT_ONCE,
            cookie_path: None,
            clear_site_data: None,
        };
        Self { config, has_own_answers: false, revocation: None, introspection: None }
    }

    /// Sets the application's own form of responses.
    pub fn answers(mut self, answers: impl TokenAnswers) -> Self {
        self.config.answers = Box::new(answers);
        self.has_own_answers = true;
        self
    }

    /// Limits the login attempts for one account. Default: 10 at once, and one more every 30 seconds.
    ///
    /// An attacker who knows a user's name can use up its attempts. The limit by address slows the attacker down.
    pub fn limit_per_account(mut self, limit: AttemptLimit) -> Self {
        self.config.per_account = limit;
        self
    }

    /// Limits the login attempts from one address, or from one IPv6 network (/64). Default: 50 at once, and one more every
    /// 2 seconds.
    pub fn limit_per_address(mut self, limit: AttemptLimit) -> Self {
        self.config.per_address = limit;
        self
    }

    /// Sets how many logins are verified at once. Default: 16. Zero counts as 1.
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
    /// `rule!(public)` everyone could find out whether a stolen token is valid (§4), so every request is then rejected with
    /// 500.
    pub fn introspection(mut self, rule: Rule) -> Self {
        self.introspection = Some(rule);
        self
    }

    /// Returns the endpoints as functions, for handlers of the application's own.
    ///
    /// Their router must be finished with the same engine. A login needs the address of its client, as the routes do.
    pub fn endpoints(mut self) -> TokenEndpoints<A> {
        self.config.cookie_path.get_or_insert_with(|| "/".into());
        TokenEndpoints::new(self.config)
    }

    /// Returns a router with the routes, to be nested.
    pub fn router<S>(self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let everywhere = match self.config.delivery {
            Delivery::Cookies => Rule::authenticated().sources(&["cookie"]),
            Delivery::Json => Rule::authenticated(),
        };
        let engine = self.config.tokens.engine();
        if self.config.delivery == Delivery::Cookies
            && !engine
                .authentication
                .sources
                .take_access_cookie(engine.authentication.sources.default_indices())
        {
            tracing::warn!(
                "auth: the token routes set cookies, but `default_sources` of the engine has no `cookie`: add it, or write \
                 `source = \"cookie\"` on every route that uses the session"
            );
        }
        #[cfg(feature = "openapi")]
        let documented = documented::Documented {
            delivery: self.config.delivery,
            credentials: A::Credentials::schema(),
            has_own_answers: self.has_own_answers,
        };
        let endpoints = TokenEndpoints::new(self.config);
        macro_rules! route {
            ($router:expr, $path:literal, $method:ident, $route:ident, $rule:expr) => {{
                let endpoints = endpoints.clone();
                let handler = post(move |request: Request| async move { endpoints.$method(request).await });
                let name = concat!("auth_runtime::session::routes::", stringify!($method));
                let info = HandlerInfo::new(name, file!(), line!());
                let route = beside(handler, vec!["POST"], $rule, info);
                #[cfg(feature = "openapi")]
                let route =
                    route.with_docs(&Arc::new(documented.route(TokenRoute::$route, stringify!($method))));
                $router.route($path, route)
            }};
        }
        let mut router = Router::new();
        router = route!(router, "/login", log_in, Login, Rule::public());
        router = route!(router, "/refresh", refresh, Refresh, Rule::public());
        router = route!(router, "/logout", log_out, Logout, Rule::public());
        router = route!(router, "/logout-everywhere", log_out_everywhere, LogoutEverywhere, everywhere);
        if let Some(rule) = self.revocation {
            router = route!(router, "/revoke", revoke, Revoke, rule);
        }
        if let Some(rule) = self.introspection {
            router = route!(router, "/introspect", introspect, Introspect, rule);
        }
        router
    }
}

impl<A> fmt::Debug for TokenRoutes<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRoutes")
            .field("delivery", &self.config.delivery)
            .field("revocation", &self.revocation)
            .field("introspection", &self.introspection)
            .finish_non_exhaustive()
    }
}
