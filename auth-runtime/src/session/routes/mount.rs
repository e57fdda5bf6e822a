//! The routes as they are mounted: each with its handler, its rule and its documentation.

#[cfg(feature = "openapi")]
use std::sync::Arc;
use std::sync::OnceLock;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request};
use axum::routing::on;
use serde::Deserialize;

use super::token_route::RouteCaller;
use super::{Delivery, LoginVerifier, TokenEndpoints, TokenRoute, TokenRoutes};
use crate::policy::{Condition, HandlerInfo, Rule};
use crate::router::{MethodRouter, Router, beside};

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
    pub fn router<S>(self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let mounted = self.mounted();
        let endpoints = TokenEndpoints::new(self.config);
        mounted.into_iter().fold(Router::new(), |router, (route, rule)| {
            router.route(route.path(), endpoints.mounted(route, rule))
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
        routes
    }
}

impl<A: LoginVerifier> TokenEndpoints<A> {
    /// A route with its documentation, and with the rule of the application's where it needs one.
    fn mounted<S>(&self, route: TokenRoute, rule: Option<Rule>) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let own = match route.caller() {
            RouteCaller::Anyone => Rule::public(),
            RouteCaller::User => self.rules_of_users().any(self),
            RouteCaller::RecentUser => self.rules_of_users().recent(self),
            RouteCaller::Named => rule.unwrap_or(Rule::deny_all()),
        };
        let info = HandlerInfo::new(route.handler(), file!(), line!());
        let mounted = beside(self.handler(route), vec![route.method()], own, info);
        #[cfg(feature = "openapi")]
        let mounted = mounted.with_docs(&Arc::new(self.documented().route(route)));
        mounted
    }

    /// What serves a route.
    fn handler<S>(&self, route: TokenRoute) -> axum::routing::MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let (methods, endpoints) = (route.methods(), self.clone());
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
