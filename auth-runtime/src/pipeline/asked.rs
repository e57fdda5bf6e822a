//! What a middleware around a route asked before the gate: who sends this request. The gate of the same request uses the answer,
//! so that nothing is verified, renewed or cleared twice.

use std::fmt;
use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};

use super::failure::CredentialState;
use super::head_state::HeadState;
use super::resolved_route::ResolvedRoute;
use super::{Failure, Pipeline, RequestAuth};
use crate::catch_panic::catch_panic_of;
use crate::engine::{RoutePolicy, RouteSources, check_expiry};
use crate::policy::Access;
use crate::principal::Principal;
use crate::rejection::RejectionKind;
use crate::source::Extracted;

/// The routes of a router, for a middleware around one of them, and for challenges.
pub(crate) trait GuardedRoutes: fmt::Debug + Send + Sync {
    /// The route that answers this request; `None` if no guarded route does. `nested_at` is the path that the router is nested at.
    fn route(&self, head: &Parts, nested_at: &str) -> Option<&Arc<ResolvedRoute>>;

    /// The URL of the metadata of the protected resource that the routes are, if they are one.
    fn metadata_url(&self) -> Option<&str>;
}

/// The authenticators that may be called.
#[derive(Clone, Copy, Debug)]
pub(super) enum Authenticators<'a> {
    All,
    Named(&'a [&'a str]),
}

impl Authenticators<'_> {
    pub(super) fn include(self, scheme: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(&scheme),
        }
    }
}

/// An answer, and all of the request and its route that it followed from.
pub(super) struct Asked {
    evidence: Evidence,
    /// How many subjects were forgotten before the caller was found.
    forgotten: u32,
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
    /// What an authenticator may have read, if the route has one.
    rest: Option<(Uri, HeaderMap)>,
}

impl Evidence {
    fn of(pipeline: &Pipeline<'_>, head: &Parts) -> Self {
        let rest = pipeline.has_authenticators().then(|| (head.uri.clone(), head.headers.clone()));
        Self {
            access: pipeline.policy.access,
            sources: Arc::clone(&pipeline.policy.sources),
            method: head.method.clone(),
            found: pipeline.found(head).map(Extracted::into_owned).collect(),
            refresh_token: pipeline.refresh_token(head).into_owned(),
            is_admitted_page: pipeline.engine().authentication.origins.admits(head),
            rest,
        }
    }

    /// Whether the pipeline would find the same. A middleware may have changed the request since.
    fn is_of(&self, pipeline: &Pipeline<'_>, head: &Parts) -> bool {
        let is_same_rest = |(uri, headers): &(Uri, HeaderMap)| {
            uri.query() == head.uri.query() && is_same_path(uri, &head.uri) && *headers == head.headers
        };
        self.access == pipeline.policy.access
            && Arc::ptr_eq(&self.sources, &pipeline.policy.sources)
            && self.method == head.method
            && pipeline.found(head).eq(self.found.iter().cloned())
            && pipeline.refresh_token(head) == self.refresh_token
            && pipeline.engine().authentication.origins.admits(head) == self.is_admitted_page
            && self.rest.as_ref().is_none_or(is_same_rest)
    }
}

/// Whether it is the same path, of which a router that is nested has taken the prefix away.
fn is_same_path(before: &Uri, now: &Uri) -> bool {
    before.path().ends_with(now.path()) || now.path() == "/"
}

impl Asked {
    /// How many subjects were forgotten before the caller was found.
    pub(super) fn forgotten(&self) -> u32 {
        self.forgotten
    }
}

impl Pipeline<'_> {
    /// Who sent the request: as a middleware learned of this very request, or as is found now.
    pub(super) async fn caller_once(&self, head: &Parts) -> Result<Option<Principal>, Failure> {
        #[cfg(feature = "test-util")]
        if self.injected(head).is_some() {
            return self.caller(head).await;
        }
        match self.auth.take_asked() {
            Some(asked) if asked.evidence.is_of(self, head) && !self.has_ended(&asked) => asked.outcome,
            _ => self.caller(head).await,
        }
    }

    /// Whether the credential has expired or was revoked since, or its subject was forgotten: a middleware may hold a request back for
    /// long.
    fn has_ended(&self, asked: &Asked) -> bool {
        let Ok(Some(principal)) = &asked.outcome else { return false };
        let view = self.engine().revocations.state.view();
        let identity = principal.token_identity();
        check_expiry(principal, self.now).is_err()
            || self.auth.engine().check_key(principal).is_err()
            || view.is_revoked(&identity)
            || self.auth.engine().check_fresh(self.now).is_err()
            || view.is_forgotten_since(asked.forgotten, identity.issuer, identity.subject)
    }

    /// What each source of the route finds.
    fn found<'r>(&self, head: &'r Parts) -> impl Iterator<Item = Extracted<'r>> {
        let sources = &self.engine().authentication.sources;
        let of_route = self.policy.sources.indices.iter().filter_map(|&index| sources.get(index));
        of_route.map(|source| source.extract(head))
    }

    fn refresh_token<'r>(&self, head: &'r Parts) -> Extracted<'r> {
        let cookies = &self.engine().sessions.cookies;
        if cookies.renews() { cookies.refresh.find(head) } else { Extracted::Absent }
    }

    fn has_authenticators(&self) -> bool {
        let sources = &self.engine().authentication.sources;
        self.policy.sources.indices.iter().any(|&index| sources.scheme(index).is_some())
    }
}

/// The head without what a gate around the middleware has put into it, as the next gate passes it on to authenticators; `None` if there is
/// nothing of that kind.
fn outside_of_gates(head: &Parts) -> Option<Parts> {
    HeadState::accepted(head)?;
    let mut head = head.clone();
    HeadState::withdraw(&mut head);
    Some(head)
}

/// What a middleware is answered.
pub(crate) enum CallerAnswer {
    Anonymous,
    Identified(Principal),
    /// The kind with which the gate will reject the request.
    Invalid(RejectionKind),
    /// The authenticator of this scheme was not asked for.
    NotJudged(String),
}

/// Who asks before the gate.
pub(crate) struct Asker<'a> {
    pub(crate) auth: &'a RequestAuth,
    pub(crate) policy: &'a RoutePolicy,
    /// The authenticators that it asks for.
    pub(crate) schemes: &'a [&'a str],
}

impl Asker<'_> {
    /// Who sends the request. The answer is remembered for the gate, which reports it.
    pub(crate) async fn ask(&self, head: &Parts) -> CallerAnswer {
        let Self { auth, policy, schemes } = *self;
        if policy.access == Access::Public {
            return CallerAnswer::Anonymous;
        }
        auth.set_sources(policy);
        let without_outer = outside_of_gates(head);
        let head = without_outer.as_ref().unwrap_or(head);
        let authenticators = Authenticators::Named(schemes);
        let pipeline = Pipeline { auth, policy, now: auth.engine().now(), authenticators, may_wait: true };
        let steps = async {
            let now = pipeline.engine().revocations.state.view().forgotten();
            // Another middleware may have asked before.
            let forgotten = auth.asked_at().map_or(now, |before| before.min(now));
            let outcome = pipeline.caller_once(head).await;
            Asked { evidence: Evidence::of(&pipeline, head), forgotten, outcome }
        };
        let Ok(asked) = catch_panic_of(steps).await else {
            // The gate meets the same, and reports it.
            return CallerAnswer::Invalid(RejectionKind::Misconfigured);
        };
        let answer = match &asked.outcome {
            Ok(None) => CallerAnswer::Anonymous,
            Ok(Some(principal)) => CallerAnswer::Identified(principal.clone()),
            Err(failure) if failure.credential == CredentialState::NotJudged => {
                return CallerAnswer::NotJudged(failure.reason.clone().into_owned());
            }
            Err(failure) => CallerAnswer::Invalid(failure.rejection.kind()),
        };
        if let CallerAnswer::Identified(principal) = &answer {
            auth.note_caller(principal, policy, head);
        }
        auth.set_asked(asked);
        answer
    }
}
