//! A route's policy in terms of an engine: what the routers around it add, and whether the engine can serve it.

use std::sync::Arc;

use super::demands::{Demands, Place};
#[cfg(feature = "openapi")]
use super::documentation::HandlerDocs;
use super::other_methods::Allowed;
use super::path::{self, parameters};
use super::served_methods::ServedMethods;
use super::{FALLBACK, effective};
use crate::engine::{Engine, RoutePolicy};
use crate::error::ConfigErrors;
use crate::gate::{MountedRoute, missing_store};
use crate::pipeline::ResolvedRoute;
use crate::policy::{Access, CompiledRule, KnownArgument, Rule, needed_scopes, objections};
use crate::source::CredentialSource;
use crate::users::Users;

/// A route as its router lists it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) methods: ServedMethods,
    pub(super) path: String,
    /// What the routers around it require, the outermost first, and last what is required of it besides its rule.
    pub(super) required: Vec<Rule>,
    pub(super) demands: Demands,
    pub(super) kind: Kind,
    /// What its answers name in `Allow`, if axum does not add that.
    pub(super) allowed: Option<Allowed>,
    /// Whether the scopes of its rules are for its callers alone.
    pub(super) hides_scopes: bool,
    #[cfg(feature = "openapi")]
    pub(super) docs: Option<Arc<HandlerDocs>>,
}

#[derive(Debug)]
pub(super) enum Kind {
    Guarded(Arc<MountedRoute>),
    /// Merged as it is, at this place in the source.
    Unguarded(&'static std::panic::Location<'static>),
    /// A method router without handlers: nothing is listed.
    Empty,
}

/// What the routes of a router have in common, when they are bound to an engine.
pub(super) struct Surroundings<'a> {
    pub(super) engine: &'a Arc<Engine>,
    /// The path that the router will be nested at.
    pub(super) prefix: &'a str,
    pub(super) metadata_url: Option<Box<str>>,
    /// Whether the layer of `Auth` is around the router.
    pub(super) is_layered: bool,
}

impl Surroundings<'_> {
    /// A route with this policy.
    pub(super) fn route(&self, route: &MountedRoute, policy: RoutePolicy) -> ResolvedRoute {
        let engine = Arc::clone(self.engine);
        let of_handler = (route.policy_type, route.check.is_some());
        ResolvedRoute::new((engine, policy), of_handler, self.metadata_url.clone(), self.is_layered)
    }
}

impl Entry {
    pub(super) fn new(methods: ServedMethods, path: &str, kind: Kind) -> Self {
        Self {
            methods,
            path: path.to_owned(),
            required: Vec::new(),
            demands: Demands::default(),
            kind,
            allowed: None,
            hides_scopes: false,
            #[cfg(feature = "openapi")]
            docs: None,
        }
    }

    /// The rules that must all be satisfied, the outermost router's first.
    pub(super) fn rules(&self) -> Vec<Rule> {
        let own = match &self.kind {
            Kind::Guarded(route) => Some(route.rule),
            Kind::Unguarded(_) | Kind::Empty => None,
        };
        self.required.iter().copied().chain(own).collect()
    }

    /// Binds the route to the engine; all that the engine can't serve goes to `errors`.
    pub(super) fn resolve(&self, around: &Surroundings<'_>, errors: &mut ConfigErrors) {
        let engine = around.engine;
        let full_path = path::join(around.prefix, &self.path);
        let route = match &self.kind {
            Kind::Guarded(route) => route,
            Kind::Empty => return,
            Kind::Unguarded(place) => {
                if !self.required.is_empty() {
                    errors.push(format!(
                        "the routes merged by `dangerously_merge_unguarded` at {place}: a router around them requires {}, which \
                         nothing would enforce on them: merge them outside of it, or guard them",
                        self.required.iter().map(Rule::to_string).collect::<Vec<_>>().join(", and ")
                    ));
                }
                return;
            }
        };
        let before = errors.len();
        let mut wrong = |what: String| {
            let methods = self.methods.labels().join("|");
            errors.push(format!("{methods} {full_path} ({}): {what}", route.handler));
        };

        let rules = self.rules();
        for rule in &self.required {
            if rule.access() != Access::Authenticated {
                wrong(format!(
                    "a router around it, or `guarded_route`, requires `{rule}`, which requires nothing: remove that rule"
                ));
            }
        }
        let access = effective::access(&rules);
        let place = Place { engine, methods: &self.methods, path: &full_path, access };
        self.demands.check(&place, &mut wrong);
        check_users(engine, route, access, &mut wrong);
        check_session_data(engine, route, &mut wrong);
        let (access, sources) =
            read(engine, &rules, route.check, self.methods.take_credentials_in_url(), &full_path, &mut wrong);
        if errors.len() == before {
            let scopes = if self.hides_scopes { Vec::new() } else { needed_scopes(&rules) };
            let rules =
                rules.iter().map(|rule| CompiledRule::new(*rule, &engine.authorization.vocabulary)).collect();
            let has_many_paths = self.methods == ServedMethods::Other && !self.path.ends_with(FALLBACK);
            let path = (!has_many_paths).then(|| full_path.into());
            let sources = engine.authentication.sources.of_route(sources, scopes);
            let handler = route.handler;
            route.resolve(around.route(route, RoutePolicy { access, rules, sources, handler, path }));
        }
    }
}

/// The users that the handler and its check take are those that the engine loads.
fn check_users(engine: &Engine, route: &MountedRoute, access: Access, wrong: &mut impl FnMut(String)) {
    for argument in route.arguments.iter().flatten() {
        let KnownArgument::User { user_type, type_name, is_required } = *argument else { continue };
        let users = engine.users.as_deref();
        if !users.is_some_and(|users| users.are(user_type)) {
            wrong(missing_store(type_name, users.map(Users::type_name)));
        } else if is_required && access == Access::Public {
            wrong(format!(
                "it takes `User<{type_name}>`, and a public route looks at no credential, so no user is loaded: write `#[auth(optional)]` \
                 and take `Option<User<..>>`, or remove the argument"
            ));
        }
    }
}

/// The data of sessions are of an engine that has sessions.
fn check_session_data(engine: &Engine, route: &MountedRoute, wrong: &mut impl FnMut(String)) {
    if route.takes_session_data().is_some() && engine.sessions.issuer.is_none() {
        wrong(
            "it takes `SessionData`, and the engine has no `TokenIssuer`, so no session is of this service: give the builder one \
             (`.token_issuer(..)`), or remove the argument"
                .into(),
        );
    }
}

/// What an engine makes of the rules of a route: whom they let in before any requirement is looked at, and from which
/// sources. Whatever it can't serve goes to `wrong`.
pub(super) fn read(
    engine: &Engine,
    rules: &[Rule],
    check: Option<&str>,
    takes_credentials_in_url: bool,
    path: &str,
    wrong: &mut impl FnMut(String),
) -> (Access, Vec<usize>) {
    let access = effective::access(rules);
    if let (Some(check), Access::Public | Access::Optional) = (check, access) {
        wrong(format!(
            "check `{check}` needs a caller, but the rule lets in requests without a credential: remove the check, or write a rule that requires a caller"
        ));
    }
    let parameters = parameters(path);
    for name in rules.iter().flat_map(Rule::path_parameters) {
        if parameters.iter().filter(|parameter| **parameter == name).count() != 1 {
            let has = if parameters.is_empty() {
                "no parameter".to_owned()
            } else {
                format!("only {}", parameters.join(", "))
            };
            wrong(format!(
                "the rule compares a claim with `path({name:?})`, and the path has {has}: put `{{{name}}}` into the \
                 path, or say with `mounted_at` where the finished router will be nested"
            ));
        }
    }
    objections(rules, &engine.authorization.vocabulary).into_iter().for_each(&mut *wrong);
    let sources = sources(engine, rules, takes_credentials_in_url, access, wrong);
    (access, sources)
}

/// The sources in terms of the engine.
fn sources(
    engine: &Engine,
    rules: &[Rule],
    takes_credentials_in_url: bool,
    access: Access,
    wrong: &mut impl FnMut(String),
) -> Vec<usize> {
    let in_url =
        |index: &usize| engine.authentication.sources.get(*index).is_some_and(CredentialSource::is_in_url);
    for name in rules.iter().flat_map(Rule::source_names) {
        if engine.authentication.sources.resolve(&[name]).is_err() {
            let known: Vec<_> = engine.authentication.sources.names().collect();
            let hint = match *name {
                "query" => {
                    " (`query` is there once `dangerously_allow_query_tokens(..)` of the builder is called)"
                }
                _ => "",
            };
            wrong(format!(
                "the rule names the source `{name}`, and the engine has {}{hint}: use one of these, or add it with `.source(..)` on the builder",
                known.join(", ")
            ));
            return Vec::new();
        }
    }
    match effective::sources(rules) {
        None => {
            // The gate rejects a token in the URL of a request that changes state, so there must be another source.
            let sources = engine.authentication.sources.default_indices().to_vec();
            if !takes_credentials_in_url && sources.iter().all(in_url) && access != Access::Public {
                wrong(
                    "the engine's default sources are all in the URL, from which no token is accepted for a method that \
                     changes state: name another source in the rule, or in `default_sources`"
                        .into(),
                );
            }
            sources
        }
        Some(names) => {
            let sources = engine.authentication.sources.resolve(&names).unwrap_or_default();
            if sources.is_empty() && access != Access::Public {
                wrong("its rule and the rule of a router around it name sources, and have none in common: name a source in both".into());
            }
            if !takes_credentials_in_url && sources.iter().any(in_url) {
                wrong(
                    "the rule takes a token from the URL, which appears in logs and links, on a method that changes state (`ANY` \
                     includes such methods): remove the source from the rule (RFC 6750 §2.3), or, for a WebSocket, mount the handler with \
                     `get(handler).connect(handler)` in place of `any(handler)`"
                        .into(),
                );
            }
            sources
        }
    }
}
