//! A route with its policy, shared by the router that lists it and the gate that enforces it.

use std::any::TypeId;
use std::sync::{Arc, OnceLock};

use axum::extract::{MatchedPath, Request};
use axum::handler::Handler;
use axum::http::request::Parts;

use crate::engine::{Engine, RouteSources};
use crate::gate::CarriesPolicy;
use crate::pipeline::RoutePolicy;
use crate::policy::{Access, CompiledRule, HandlerInfo, KnownArgument, Rule};

/// A route with its policy. What is enforced is fixed once the router is finished; before that the gate rejects every request.
#[derive(Debug)]
pub(crate) struct MountedRoute {
    pub(crate) rule: Rule,
    pub(crate) handler: HandlerInfo,
    pub(crate) check: Option<&'static str>,
    /// What is known of the arguments of the handler and its check; `None`: nothing, of a rule that is beside what it guards.
    pub(crate) arguments: Option<Vec<KnownArgument>>,
    /// The policy's type; `None` for a rule that is beside what it guards.
    policy_type: Option<TypeId>,
    resolved: OnceLock<ResolvedPolicy>,
}

/// The policy of a route and of the routers around it, resolved for one engine.
#[derive(Debug)]
pub(crate) struct ResolvedPolicy {
    pub(crate) engine: Arc<Engine>,
    pub(crate) access: Access,
    pub(crate) rules: Vec<CompiledRule>,
    pub(crate) sources: Arc<RouteSources>,
    /// `None`: the path that the request matched, of a handler that is the fallback of several paths.
    pub(crate) path: Option<Arc<str>>,
}

impl MountedRoute {
    /// Returns the route of a handler that carries its policy.
    pub(crate) fn of<T: CarriesPolicy>() -> Arc<Self> {
        Arc::new(Self {
            rule: T::RULE,
            handler: T::HANDLER,
            check: T::CHECK,
            arguments: Some(T::arguments()),
            policy_type: Some(T::policy_type()),
            resolved: OnceLock::new(),
        })
    }

    /// Of a rule that is beside what it guards.
    pub(crate) fn beside(rule: Rule, handler: HandlerInfo) -> Arc<Self> {
        Arc::new(Self {
            rule,
            handler,
            check: None,
            arguments: None,
            policy_type: None,
            resolved: OnceLock::new(),
        })
    }

    /// Whether the handler accepts a WebSocket; `None`: that is not known.
    #[cfg(feature = "openapi")]
    pub(crate) fn opens_web_socket(&self) -> Option<bool> {
        let arguments = self.arguments.as_ref().filter(|_| cfg!(feature = "ws"));
        arguments.map(|arguments| arguments.contains(&KnownArgument::WebSocket))
    }

    /// Returns whether this is the route of a handler with the policy `P`.
    pub(crate) fn is_of<P: 'static>(&self) -> bool {
        self.policy_type == Some(TypeId::of::<P>())
    }

    /// A route belongs to one router, which is finished once. The fallback of several paths is resolved for each, to the same.
    pub(crate) fn resolve(&self, resolved: ResolvedPolicy) {
        let _ = self.resolved.set(resolved);
    }

    /// What the gate enforces on a request; `None` if the router was not finished, or with another engine.
    pub(crate) fn policy(&self, engine: &Arc<Engine>, head: &Parts) -> Option<RoutePolicy<'_>> {
        let resolved = self.resolved.get().filter(|resolved| Arc::ptr_eq(&resolved.engine, engine))?;
        let path = resolved.path.clone().unwrap_or_default();
        let mut policy =
            RoutePolicy::new(resolved.access, &resolved.rules, &resolved.sources, self.handler, path);
        if resolved.path.is_none()
            && let Some(path) = head.extensions.get::<MatchedPath>()
        {
            policy.route = path.as_str().into();
        }
        Some(policy)
    }
}

/// A handler that passes its route to its gate in the extensions of the request.
#[derive(Clone, Debug)]
pub(crate) struct MountedHandler<H> {
    pub(crate) handler: H,
    pub(crate) route: Arc<MountedRoute>,
}

impl<H, T, S> Handler<T, S> for MountedHandler<H>
where
    H: Handler<T, S>,
{
    type Future = H::Future;

    fn call(self, mut request: Request, state: S) -> Self::Future {
        request.extensions_mut().insert(self.route);
        self.handler.call(request, state)
    }
}
