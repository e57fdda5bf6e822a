//! The routes as they are mounted: each with its handler, its rule and its documentation.

use std::panic::Location;
use std::sync::{Arc, OnceLock};

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request};
use axum::routing::{MethodFilter, on};
use serde::Deserialize;

use super::token_route::RouteCaller;
use super::{Delivery, LoginVerifier, TokenEndpoints, TokenRoute, TokenRoutes};
use crate::policy::{Condition, HandlerInfo, Rule};
use crate::router::{Demands, MethodRouter, Router, beside, method_names};

/// The parameters of a path; empty if the path has none, or one that is not UTF-8: then nothing is found.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Parameters {
    subject: String,
    session_id: String,
}

type FromPath = Result<Path<Parameters>, PathRejection>;

fn parameters(path: FromPath) -> Parameters {
    path.map(|Path(parameters)| parameters).unwrap_or_default()
}

impl<A: LoginVerifier> TokenRoutes<A> {
    /// Returns a router with the routes, to be nested.
    #[track_caller]
    pub fn router<S>(self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let (mounted, at) = (self.mounted(), Location::caller());
        let endpoints = TokenEndpoints::new(self.config);
        mounted.into_iter().fold(Router::new(), |router, (route, rule)| {
            router.route(route.path(), endpoints.mounted(route.methods(), route, rule, at))
        })
    }

    /// The routes that the router has, each with the rule of the application's.
    fn mounted(&self) -> Vec<(TokenRoute, Option<Rule>)> {
        let mut routes = self.sessions.mounted();
        routes.extend(A::HAS_READY_LOGIN.then_some((TokenRoute::Login, None)));
        let always = [TokenRoute::Refresh, TokenRoute::Logout, TokenRoute::LogoutEverywhere];
        routes.extend(always.map(|route| (route, None)));
        routes.extend(self.revocation.map(|rule| (TokenRoute::Revoke, Some(rule))));
        routes.extend(self.introspection.map(|rule| (TokenRoute::Introspect, Some(rule))));
        routes.extend(self.revoked.map(|rule| (TokenRoute::Revocations, Some(rule))));
        routes
    }
}

impl<A: LoginVerifier> TokenEndpoints<A> {
    /// Returns a route with its rule, its limits and its documentation, to be mounted at any path.
    ///
    /// ```
    /// use auth_runtime::Router;
    /// use auth_runtime::routing::MethodFilter;
    /// use auth_runtime::session::TokenService;
    /// use auth_runtime::session::routes::{LoginVerifier, TokenRoute, TokenRoutes};
    ///
    /// fn routes(tokens: TokenService, users: impl LoginVerifier) -> Router {
    ///     let endpoints = TokenRoutes::cookies(tokens, users).cookie_path("/api").endpoints();
    ///     let session = endpoints.route(TokenRoute::Login).merge(endpoints.route_on(MethodFilter::DELETE, TokenRoute::Logout));
    ///     Router::new()
    ///         .route("/api/session", session)
    ///         .route("/api/token/refresh", endpoints.route(TokenRoute::Refresh))
    /// }
    /// ```
    ///
    /// | route | method | its rule | path |
    /// |---|---|---|---|
    /// | `Login`, `Refresh`, `Logout` | `POST` | public: what is sent is the proof | |
    /// | `LogoutEverywhere` | `POST` | a caller with an access token of the session | |
    /// | `Sessions`, `EndOtherSessions` | `GET`, `DELETE` | the same, after a [recent login](TokenRoutes::sessions_max_age) | |
    /// | `EndSession` | `DELETE` | the same | `{session_id}` |
    /// | `Revoke`, `Introspect` | `POST` | yours: [`guarded_route`](Self::guarded_route) | |
    /// | `UserSessions`, `EndUserSessions` | `GET`, `DELETE` | yours | `{subject}` |
    /// | `EndUserSession` | `DELETE` | yours | `{subject}`, `{session_id}` |
    /// | `AllSessions`, `Revocations` | `GET` | yours | |
    ///
    /// All login routes of one engine with the same limits count together. [`finish`](crate::Router::finish) reports a route that can't work where it is
    /// mounted: without its rule, for a method that must not change state, at a path that lacks a parameter, on the router of another engine,
    /// or a login of [`OwnLogin`](super::OwnLogin). The refresh cookie has the path `/`, or that of
    /// [`cookie_path`](TokenRoutes::cookie_path), which must contain the paths of login, refresh and logout. Where the ready router was in
    /// use before, such as at `/auth`, keep its path: `.cookie_path("/auth")`. A refresh replaces a cookie of another path where the browser
    /// sends it there.
    #[track_caller]
    pub fn route<S>(&self, route: TokenRoute) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        self.mounted(route.methods(), route, None, Location::caller())
    }

    /// Returns the same route as [`route`](Self::route), for other methods: `endpoints.route_on(MethodFilter::DELETE, TokenRoute::Logout)`.
    ///
    /// A proxy may drop the body of a `DELETE` (RFC 9110 §9.3.5): where tokens are sent as JSON, a logout then ends the session of the
    /// access token.
    #[track_caller]
    pub fn route_on<S>(&self, methods: MethodFilter, route: TokenRoute) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        self.mounted(methods, route, None, Location::caller())
    }

    /// Returns the same route as [`route`](Self::route), for the callers that satisfy a rule: `rule!(roles = ["admin"])`.
    ///
    /// [`TokenRoute::Revoke`], [`TokenRoute::Introspect`] and the routes of administrators need one: as
    /// [`revocation`](TokenRoutes::revocation), [`introspection`](TokenRoutes::introspection) and
    /// [`administration`](TokenRoutes::administration) say, it must require a caller, and name those that may. Of the others it is required
    /// besides their own rule.
    #[track_caller]
    pub fn guarded_route<S>(&self, route: TokenRoute, rule: Rule) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        self.mounted(route.methods(), route, Some(rule), Location::caller())
    }

    /// Returns the same route as [`guarded_route`](Self::guarded_route), for other methods.
    #[track_caller]
    pub fn guarded_route_on<S>(&self, methods: MethodFilter, route: TokenRoute, rule: Rule) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        self.mounted(methods, route, Some(rule), Location::caller())
    }

    /// A route with its documentation, and with the rule of the application's, which mounts it at this place in its source.
    fn mounted<S>(
        &self,
        methods: MethodFilter,
        route: TokenRoute,
        rule: Option<Rule>,
        at: &'static Location<'static>,
    ) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let (own, required) = match route.caller() {
            RouteCaller::Anyone => (Rule::public(), rule),
            RouteCaller::User => (self.rules_of_users().any(self), rule),
            RouteCaller::RecentUser => (self.rules_of_users().recent(self), rule),
            RouteCaller::Named => (rule.unwrap_or(Rule::deny_all()), None),
        };
        let names = method_names(methods);
        let info = HandlerInfo::new(route.handler(), at.file(), at.line());
        let mounted = beside(self.handler(methods, route), names.clone(), own, info);
        #[cfg(feature = "openapi")]
        let mounted = {
            let docs = |is_guarded| self.documented().route(route, &names, is_guarded);
            // Which routers are around it is known later.
            mounted.with_docs(&Arc::new(docs(false).or_guarded(docs(true))))
        };
        mounted.demanding(&self.demands(route, rule), required)
    }

    /// What a route demands of where it is mounted.
    fn demands(&self, route: TokenRoute, rule: Option<Rule>) -> Demands {
        let is_named = route.caller() == RouteCaller::Named;
        Demands {
            engine: Some(Arc::clone(self.engine())),
            parameters: route.parameters(),
            changes_state: route.changes_state(),
            knows_caller: is_named,
            cookie_path: self.demanded_cookie_path(route),
            objection: match rule {
                _ if route == TokenRoute::Login && !A::HAS_READY_LOGIN => Some(
                    "`OwnLogin` has no ready login: mount a handler of yours, which calls `TokenEndpoints::attempt` and `log_in_as`",
                ),
                None if is_named => Some(
                    "no rule names who may call it, so it denies every request: mount it with `guarded_route` and a rule, such as \
                     `rule!(roles = [\"admin\"])`",
                ),
                _ if route == TokenRoute::Revocations && !self.engine().revocations.state.has_log() => Some(
                    "it lists what was revoked, and the engine has no store, so that is in memory, as hashes: give the builder one \
                     (`.store(..)`), for tests a `MemoryStore`, or leave the route out",
                ),
                _ => None,
            },
        }
    }

    /// The path of the refresh cookie, where a route reads it and the application has chosen the route's own path. The ready router takes the
    /// path of the cookie from the request, unless a proxy changes it.
    fn demanded_cookie_path(&self, route: TokenRoute) -> Option<String> {
        let reads = matches!(route, TokenRoute::Login | TokenRoute::Refresh | TokenRoute::Logout);
        let config = self.config();
        let is_chosen = config.is_mounted_by_hand && config.delivery == Delivery::Cookies;
        let is_for_all_paths = self.engine().sessions.cookies.refresh.is_for_all_paths();
        config.cookie_path.clone().filter(|_| reads && is_chosen && !is_for_all_paths)
    }

    /// What serves a route.
    fn handler<S>(&self, methods: MethodFilter, route: TokenRoute) -> axum::routing::MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let endpoints = self.clone();
        macro_rules! handler {
            ($name:ident) => {
                on(methods, move |request: Request| async move { endpoints.$name(request).await })
            };
            ($name:ident, $($parameter:ident),+) => {
                on(methods, move |path: FromPath, request: Request| async move {
                    let parameters = parameters(path);
                    endpoints.$name(request, $(&parameters.$parameter),+).await
                })
            };
        }
        match route {
            TokenRoute::Login => handler!(log_in),
            TokenRoute::Refresh => handler!(refresh),
            TokenRoute::Logout => handler!(log_out),
            TokenRoute::LogoutEverywhere => handler!(log_out_everywhere),
            TokenRoute::Revoke => handler!(revoke),
            TokenRoute::Introspect => handler!(introspect),
            TokenRoute::Sessions => handler!(sessions),
            TokenRoute::EndSession => handler!(end_session, session_id),
            TokenRoute::EndOtherSessions => handler!(end_other_sessions),
            TokenRoute::UserSessions => handler!(user_sessions, subject),
            TokenRoute::EndUserSession => handler!(end_user_session, subject, session_id),
            TokenRoute::EndUserSessions => handler!(end_user_sessions, subject),
            TokenRoute::AllSessions => handler!(all_sessions),
            TokenRoute::Revocations => handler!(revocations),
        }
    }
}

/// The rules of the routes that need a session, once one is mounted.
#[derive(Debug, Default)]
pub(super) struct UserRules {
    any: OnceLock<Rule>,
    recent: OnceLock<Rule>,
}

impl UserRules {
    /// Of a user. Warns if it is not the rule that other routes have.
    fn any<A>(&self, endpoints: &TokenEndpoints<A>) -> Rule {
        *self.any.get_or_init(|| {
            if endpoints.config().delivery == Delivery::Json {
                return Rule::authenticated();
            }
            let sources = &endpoints.engine().authentication.sources;
            if !sources.take_access_cookie(sources.default_indices()) {
                tracing::warn!(
                    "auth: the token routes set cookies, but `default_sources` of the engine has no `cookie`: add it, or write \
                     `source = \"cookie\"` on every route that uses the session"
                );
            }
            Rule::authenticated().sources(&["cookie"])
        })
    }

    /// Of a user who has logged in a short time ago.
    fn recent<A>(&self, endpoints: &TokenEndpoints<A>) -> Rule {
        *self.recent.get_or_init(|| {
            let max_age = endpoints.config().sessions_max_age.as_secs();
            // A rule is a constant or lives as long as the process.
            self.any(endpoints).requires(vec![Condition::MaxAge(max_age)].leak())
        })
    }
}
