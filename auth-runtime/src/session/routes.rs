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
//!         # let good = sent.password == "wonderland";
//!         // look the user up, verify the password (`tokens::PasswordHasher` does it as it should be done), and take the id that
//!         // the table has: `Alice` and `alice` are one user
//!         Ok(good.then(|| Subject::new("alice")))
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
//! | route | sent | answer |
//! |---|---|---|
//! | `POST /login` | the credentials, as JSON or as a form | the tokens |
//! | `POST /refresh` | the refresh token: its cookie, or `refresh_token` as JSON or as a form | the next tokens |
//! | `POST /logout` | whatever the client has of cookies and tokens, expired or not | 204; the login has ended |
//! | `POST /logout-everywhere` | a good access token | 204; all logins of the user have ended |
//! | `POST /revoke`, if [mounted](TokenRoutes::revocation) | RFC 7009 §2.1 | 200 |
//! | `POST /introspect`, if [mounted](TokenRoutes::introspection) | RFC 7662 §2.1 | RFC 7662 §2.2 |
//!
//! Serve the app with `into_make_service_with_connect_info::<SocketAddr>()`: login attempts are limited by the address too.

mod answers;
mod body;
#[cfg(feature = "openapi")]
mod documented;
mod endpoints;
mod limits;

use std::fmt;
use std::sync::Arc;

use axum::extract::Request;
use axum::routing::post;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::answers::StandardAnswers;
pub use self::answers::{Delivery, TokenAnswers, TokenFailure, TokenRequest, TokenRoute};
use self::endpoints::Configured;
pub use self::endpoints::TokenEndpoints;
pub use self::limits::AttemptLimit;
use super::{BoxError, Subject, TokenService};
use crate::policy::HandlerInfo;
use crate::policy::Rule;
use crate::router::{Router, beside};

/// Recognises users by their credentials.
pub trait LoginVerifier: Send + Sync + 'static {
    /// What a login sends: [`PasswordCredentials`], or a type of the application's own.
    type Credentials: Credentials;

    /// The user of these credentials; `None` if there is none, or they are wrong, or the user may not log in. It should take
    /// as long in each of these cases: [`PasswordHasher::verify`](super::PasswordHasher::verify) does.
    ///
    /// # Errors
    /// If it can't be told now: the caller is answered 503.
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

/// What a login sends, as JSON or as a form.
pub trait Credentials: DeserializeOwned + Send + 'static {
    /// Whose login is tried: attempts are counted by it.
    fn account(&self) -> &str;

    /// Its JSON Schema, for the OpenAPI document. Default: any object.
    #[must_use]
    fn schema() -> Value {
        json!({ "type": "object" })
    }
}

/// A name and a password: `{"username": "..", "password": ".."}`.
#[derive(Deserialize)]
#[allow(clippy::exhaustive_structs, reason = "the request has these two fields")]
pub struct PasswordCredentials {
    /// Who.
    pub username: String,
    /// The password.
    pub password: String,
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
            },
            "required": ["username", "password"],
        })
    }
}

/// Redacted: people type their password into the wrong field.
impl fmt::Debug for PasswordCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordCredentials([redacted])")
    }
}

/// Ready routes for login, refresh and logout, to be mounted under a path of their own: `.nest("/auth", routes.router())`.
#[must_use = "call `router`"]
pub struct TokenRoutes<A> {
    configured: Configured<A>,
    has_own_answers: bool,
    revocation: Option<Rule>,
    introspection: Option<Rule>,
}

impl<A: LoginVerifier> TokenRoutes<A> {
    /// Tokens stand in the answer, as RFC 6749 §5.1 writes it: for programs, and for apps that keep them themselves.
    pub fn json(tokens: TokenService, authenticator: A) -> Self {
        Self::new(tokens, authenticator, Delivery::Json)
    }

    /// Tokens go into cookies that no script can read: for browsers.
    pub fn cookies(tokens: TokenService, authenticator: A) -> Self {
        Self::new(tokens, authenticator, Delivery::Cookies)
    }

    fn new(tokens: TokenService, authenticator: A, delivery: Delivery) -> Self {
        let configured = Configured {
            tokens,
            authenticator,
            delivery,
            answers: Box::new(StandardAnswers),
            per_account: AttemptLimit::PER_ACCOUNT,
            per_address: AttemptLimit::PER_ADDRESS,
            cookie_path: None,
        };
        Self { configured, has_own_answers: false, revocation: None, introspection: None }
    }

    /// Answers in the application's own form.
    pub fn answers(mut self, answers: impl TokenAnswers) -> Self {
        self.configured.answers = Box::new(answers);
        self.has_own_answers = true;
        self
    }

    /// How many logins of one account may be tried. Default: 10 at once, and one more every 30 seconds.
    ///
    /// Who knows a user's name can use its attempts up; the limit on addresses is what slows them down.
    pub fn limit_per_account(mut self, limit: AttemptLimit) -> Self {
        self.configured.per_account = limit;
        self
    }

    /// How many logins may be tried from one address, or one network of IPv6 (/64). Default: 50 at once, and one more every
    /// 2 seconds.
    pub fn limit_per_address(mut self, limit: AttemptLimit) -> Self {
        self.configured.per_address = limit;
        self
    }

    /// The path that browsers send the refresh cookie to. Default: the path that these routes are mounted under, which is
    /// right unless a proxy changes paths. Of the [`endpoints`](Self::endpoints), which may stand anywhere: all paths.
    pub fn cookie_path(mut self, path: impl Into<String>) -> Self {
        self.configured.cookie_path = Some(format!("/{}", path.into().trim_matches('/')));
        self
    }

    /// Mounts `POST /revoke` (RFC 7009), for the clients that keep this rule, which must ask for a caller. Each of them can take back
    /// anybody's token (§2.1 would have a client take back its own alone): name those that may.
    pub fn revocation(mut self, rule: Rule) -> Self {
        self.revocation = Some(rule);
        self
    }

    /// Mounts `POST /introspect` (RFC 7662), for the services that keep this rule. It must ask for a caller: under
    /// `rule!(public)` everyone could ask whether a token that they found is good (§4), so every request is then answered 500.
    pub fn introspection(mut self, rule: Rule) -> Self {
        self.introspection = Some(rule);
        self
    }

    /// The same as plain functions, for handlers of the application's own.
    ///
    /// They stand on a router that is finished with the same engine, and a login needs the address of its client, as the routes do.
    pub fn endpoints(mut self) -> TokenEndpoints<A> {
        self.configured.cookie_path.get_or_insert_with(|| "/".into());
        TokenEndpoints::new(self.configured)
    }

    /// The routes, to be nested.
    pub fn router<S>(self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let everywhere = match self.configured.delivery {
            Delivery::Cookies => Rule::authenticated().sources(&["cookie"]),
            Delivery::Json => Rule::authenticated(),
        };
        let engine = self.configured.tokens.engine();
        if self.configured.delivery == Delivery::Cookies
            && !engine
                .authentication
                .sources
                .take_access_cookie(engine.authentication.sources.default_indices())
        {
            tracing::warn!(
                "auth: the token routes give out cookies, and `default_sources` of the engine has no `cookie`: only routes that say \
                 `source = \"cookie\"` know who is logged in"
            );
        }
        #[cfg(feature = "openapi")]
        let documented = documented::Documented {
            delivery: self.configured.delivery,
            credentials: A::Credentials::schema(),
            has_own_answers: self.has_own_answers,
        };
        let endpoints = TokenEndpoints::new(self.configured);
        macro_rules! route {
            ($router:expr, $path:literal, $method:ident, $route:ident, $rule:expr) => {{
                let endpoints = endpoints.clone();
                let handler = post(move |request: Request| async move { endpoints.$method(request).await });
                let name = concat!("auth_runtime::session::routes::", stringify!($method));
                let info = HandlerInfo::new(name, file!(), line!());
                let route = beside(handler, vec!["POST"], $rule, info);
                #[cfg(feature = "openapi")]
                let route =
                    route.written(&Arc::new(documented.route(TokenRoute::$route, stringify!($method))));
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
            .field("delivery", &self.configured.delivery)
            .field("revocation", &self.revocation)
            .field("introspection", &self.introspection)
            .finish_non_exhaustive()
    }
}
