//! A route that a guarded router mounted, as it is enforced.

use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

use axum::extract::MatchedPath;
use axum::http::request::Parts;

use crate::engine::{Engine, RoutePolicy};
use crate::policy::{Access, CompiledRule};

/// A mounted route with its policy and that of the routers around it, resolved for one engine.
pub(crate) struct ResolvedRoute {
    pub(crate) engine: Arc<Engine>,
    pub(crate) policy: RoutePolicy,
    /// The policy's type; `None` for a rule that is beside what it guards.
    pub(crate) policy_type: Option<TypeId>,
    /// The URL of the metadata of the protected resource that the router is, if it is one.
    pub(crate) metadata_url: Option<Box<str>>,
    /// Whether the layer of `Auth` is around it, since something else is between the two. Otherwise it does what the layer does.
    pub(crate) is_layered: bool,
    /// Whether it may let a request in by what is [known](super::known): it asks nobody but the engine, and reports to nobody. Whoever adds
    /// a step to the pipeline either takes it there too, or excludes the routes that need it here.
    pub(super) may_let_in: bool,
}

impl ResolvedRoute {
    /// Of a router that the layer of `Auth` is around, or not, and that is a protected resource with metadata at this URL, or none.
    pub(crate) fn new(
        (engine, policy): (Arc<Engine>, RoutePolicy),
        (policy_type, has_check): (Option<TypeId>, bool),
        metadata_url: Option<Box<str>>,
        is_layered: bool,
    ) -> Self {
        let may_let_in = may_let_in(&engine, &policy, has_check);
        Self { engine, policy, policy_type, metadata_url, is_layered, may_let_in }
    }
}

impl fmt::Debug for ResolvedRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResolvedRoute").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// The path of the route with its parameters' names; empty where no route is known.
pub(super) fn path_of<'p>(policy: &'p RoutePolicy, head: &'p Parts) -> &'p str {
    let matched = || head.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    policy.path.as_deref().unwrap_or_else(matched)
}

/// See [`ResolvedRoute::may_let_in`].
fn may_let_in(engine: &Engine, policy: &RoutePolicy, has_check: bool) -> bool {
    let sources = &engine.authentication.sources;
    let is_of_tokens = policy.sources.indices.iter().all(|&index| sources.is_built_in(index));
    let reads_path = policy.rules.iter().any(CompiledRule::reads_path);
    !has_check
        && policy.path.is_some()
        && !engine.responses.audit_log.has_hook()
        && (policy.access == Access::Public || is_of_tokens && !reads_path)
}
