//! What a middleware around a route asked before the gate: who sends this request. The gate of the same request uses the answer,
//! so that nothing is verified, renewed or cleared twice.

use std::fmt;
use std::sync::Arc;

use axum::http::Method;
use axum::http::request::Parts;

use super::{Failure, Pipeline, RequestAuth, RoutePolicy};
use crate::catch_panic::catch_panic_of;
use crate::engine::{Engine, RouteSources};
use crate::policy::Access;
use crate::principal::Principal;
use crate::rejection::RejectionKind;
use crate::source::{CredentialSource, Extracted};

/// The routes of a router, for a middleware around one of them.
pub(crate) trait GuardedRoutes: fmt::Debug + Send + Sync {
    /// What the gate of the route that answers this request enforces; `None` if no guarded route does. `nested_at` is the path that
    /// the router is nested at.
    fn policy<'r>(&'r self, engine: &Arc<Engine>, head: &Parts, nested_at: &str) -> Option<RoutePolicy<'r>>;
}

/// An answer, and all of the request and its route that it followed from.
pub(crate) struct Asked {
    evidence: Evidence,
    outcome: Result<Option<Principal>, Failure>,
}

struct Evidence {
    access: Access,
    sources: Arc<RouteSources>,
    method: Method,
    /// What each source of the route found.
    found: Vec<Extracted<'static>>,
    refresh_token: Extracted<'static>,
    is_admitted_page: bool,
}

impl Evidence {
    fn of(pipeline: &Pipeline<'_>, head: &Parts) -> Self {
        Self {
            access: pipeline.policy.access,
            sources: Arc::clone(&pipeline.policy.sources),
            method: head.method.clone(),
            found: pipeline.found(head).map(Extracted::into_owned).collect(),
            refresh_token: pipeline.refresh_token(head).into_owned(),
            is_admitted_page: pipeline.engine().authentication.origins.admits(head),
        }
    }

    /// Whether the pipeline would find the same. A middleware may have changed the request since.
    fn is_of(&self, pipeline: &Pipeline<'_>, head: &Parts) -> bool {
        self.access == pipeline.policy.access
            && Arc::ptr_eq(&self.sources, &pipeline.policy.sources)
            && self.method == head.method
            && pipeline.found(head).eq(self.found.iter().cloned())
            && pipeline.refresh_token(head) == self.refresh_token
            && pipeline.engine().authentication.origins.admits(head) == self.is_admitted_page
    }
}

impl<'a> Pipeline<'a> {
    /// Who sent the request: as a middleware learned of this very request, or as is found now.
    pub(super) async fn caller_once(&self, head: &Parts) -> Result<Option<Principal>, Failure> {
        #[cfg(feature = "test-util")]
        if self.injected(head).is_some() {
            return self.caller(head).await;
        }
        match self.auth.take_asked() {
            Some(asked) if asked.evidence.is_of(self, head) && !self.was_revoked(&asked.outcome) => {
                asked.outcome
            }
            _ => self.caller(head).await,
        }
    }

    /// Whether the caller was revoked since: a middleware may hold a request back for long.
    fn was_revoked(&self, outcome: &Result<Option<Principal>, Failure>) -> bool {
        let Ok(Some(principal)) = outcome else { return false };
        self.engine().revocations.state.view().is_revoked(&principal.token_identity())
    }

    /// What each source of the route finds.
    fn found<'r>(&self, head: &'r Parts) -> impl Iterator<Item = Extracted<'r>> {
        let sources = &self.engine().authentication.sources;
        let of_route = self.policy.sources.indices.iter().filter_map(|&index| sources.get(index));
        of_route.map(|source: &dyn CredentialSource| source.extract(head))
    }

    fn refresh_token<'r>(&self, head: &'r Parts) -> Extracted<'r> {
        let cookies = &self.engine().sessions.cookies;
        if cookies.renews() { cookies.refresh.find(head) } else { Extracted::Absent }
    }
}

/// Who sends the request, before its gate decides: `None` for an anonymous caller, or the kind with which the gate will reject the
/// credential. The gate reports it. It is remembered for the gate.
pub(crate) async fn ask(
    auth: &RequestAuth,
    head: &Parts,
    policy: &RoutePolicy<'_>,
) -> Result<Option<Principal>, RejectionKind> {
    if policy.access == Access::Public {
        return Ok(None);
    }
    auth.set_sources(&policy.sources);
    let pipeline = Pipeline { auth, policy, now: auth.engine().now() };
    let steps = async {
        let outcome = pipeline.caller_once(head).await;
        Asked { evidence: Evidence::of(&pipeline, head), outcome }
    };
    match catch_panic_of(steps).await {
        Ok(asked) => {
            let answer = match &asked.outcome {
                Ok(principal) => Ok(principal.clone()),
                Err(failure) => Err(failure.rejection.kind()),
            };
            auth.set_asked(asked);
            answer
        }
        // The gate will meet the same, and report it.
        Err(_) => Err(RejectionKind::Misconfigured),
    }
}
