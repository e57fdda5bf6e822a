//! What belongs to one request: the engine, what the gate decided, and the headers that the answer must carry.

mod state;

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::NestedPath;
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderName, HeaderValue};

pub(super) use self::state::AnswerHeaders;
pub(crate) use self::state::Stage;
use self::state::{Place, SourcesOf, State, is_same_caller, say_that_gates_differ};
use super::asked::{Asked, GuardedRoutes};
use super::head_state::{HeadState, Mounted};
use super::resolved_route::{ResolvedRoute, path_of};
use crate::engine::{Engine, RoutePolicy, RouteSources};
use crate::policy::HandlerInfo;
use crate::principal::{LoadedUser, Principal};
use crate::rejection::{Challenged, ChallengedResource, Rejection, RejectionKind};

/// The decision on one request: whether it was decided, for which caller, and how it was rejected. An outer middleware finds it in the
/// extensions of the answer, if it [watches](Self::watch) the request: for access logs and audit. Behind the gate it is an extractor.
#[derive(Clone)]
pub struct RequestAuth(Arc<Inner>);

struct Inner {
    origin: Origin,
    /// Whether a middleware has asked for the caller, so that a gate has something to look for.
    was_asked: AtomicBool,
    state: Mutex<State>,
}

/// Who made it.
enum Origin {
    /// A route that does what the layer does.
    Route(Arc<ResolvedRoute>),
    Layer(Box<OfLayer>),
}

struct OfLayer {
    engine: Arc<Engine>,
    /// The routes of the router that the layer is around, and where that is nested.
    routes: Option<(Arc<dyn GuardedRoutes>, Option<NestedPath>)>,
}

/// What is known of the decision on a request, for what is reported after it.
pub(super) struct Decision {
    pub(super) principal: Option<Principal>,
    pub(super) route: Box<str>,
    pub(super) handler: Option<HandlerInfo>,
    pub(super) client_address: Option<IpAddr>,
}

impl RequestAuth {
    /// Of the layer, which may be around a router with these routes.
    pub(crate) fn of_layer(
        engine: Arc<Engine>,
        routes: Option<(Arc<dyn GuardedRoutes>, Option<NestedPath>)>,
    ) -> Self {
        Self::new(Origin::Layer(Box::new(OfLayer { engine, routes })))
    }

    /// Of a route that does what the layer does.
    pub(crate) fn of_route(route: Arc<ResolvedRoute>) -> Self {
        Self::new(Origin::Route(route))
    }

    fn new(origin: Origin) -> Self {
        Self(Arc::new(Inner { origin, was_asked: AtomicBool::new(false), state: Mutex::default() }))
    }

    pub(crate) fn of(head: &Parts) -> Option<&Self> {
        Self::of_extensions(&head.extensions)
    }

    /// Of a request with these extensions.
    pub(crate) fn of_extensions(extensions: &Extensions) -> Option<&Self> {
        extensions.get::<HeadState>().map(|state| &state.auth)
    }

    /// Whether a gate was reached and has decided, or the application has rejected the request. While a gate within another one decides,
    /// it has not.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.stage() == Stage::Decided
    }

    /// The caller, where it is known: also a rejected caller whose token was valid.
    #[must_use]
    pub fn principal(&self) -> Option<Principal> {
        let state = self.state();
        state.principal.clone().filter(|_| state.stage == Stage::Decided)
    }

    /// How the request was rejected, by the gate or by the application after it; `None` if the handler was called and did not reject
    /// it, or while no gate was reached.
    #[must_use]
    pub fn rejection(&self) -> Option<RejectionKind> {
        self.state().rejection
    }

    pub(crate) fn stage(&self) -> Stage {
        self.state().stage
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        match &self.0.origin {
            Origin::Route(route) => &route.engine,
            Origin::Layer(layer) => &layer.engine,
        }
    }

    /// The route that has made it.
    pub(crate) fn own_route(&self) -> Option<&Arc<ResolvedRoute>> {
        match &self.0.origin {
            Origin::Route(route) => Some(route),
            Origin::Layer(_) => None,
        }
    }

    /// The routes of the router that the layer is around, and the path that it is nested at.
    pub(crate) fn routes(&self) -> Option<(&dyn GuardedRoutes, &str)> {
        let Origin::Layer(layer) = &self.0.origin else { return None };
        let (routes, nested_at) = layer.routes.as_ref()?;
        Some((&**routes, nested_at.as_ref().map_or("", NestedPath::as_str)))
    }

    fn metadata_url(&self) -> Option<&str> {
        match &self.0.origin {
            Origin::Route(route) => route.metadata_url.as_deref(),
            Origin::Layer(_) => self.routes().and_then(|(routes, _)| routes.metadata_url()),
        }
    }

    /// Whether it was made by the route that this is the policy of.
    fn is_of(&self, policy: &RoutePolicy) -> bool {
        self.own_route().is_some_and(|route| std::ptr::eq(&raw const route.policy, policy))
    }

    fn place(&self, policy: &RoutePolicy, head: &Parts) -> Place {
        if policy.path.is_some() && self.is_of(policy) {
            return Place::OwnRoute;
        }
        Place::Other(Box::new((path_of(policy, head).into(), policy.handler)))
    }

    pub(super) fn set_asked(&self, asked: Asked) {
        self.state().rare().asked = Some(asked);
        self.0.was_asked.store(true, Ordering::Release);
    }

    /// How many subjects were forgotten when a middleware asked for the caller; `None` if none asked.
    pub(super) fn asked_at(&self) -> Option<u32> {
        self.state().rare.as_ref()?.asked.as_ref().map(Asked::forgotten)
    }

    /// The caller before the gate has decided: for what a middleware rejects.
    pub(super) fn note_caller(&self, principal: &Principal, policy: &RoutePolicy, head: &Parts) {
        let client_address = self.heard_address(head);
        let mut state = self.state();
        if !state.is_of_gate {
            state.principal = Some(principal.clone());
            state.place = self.place(policy, head);
            state.set_client_address(client_address);
        }
    }

    /// The address of the client, where an audit hook asks for it: without one it is not looked for.
    pub(super) fn heard_address(&self, head: &Parts) -> Option<IpAddr> {
        let engine = self.engine();
        if engine.responses.audit_log.has_hook() { engine.client_address(head) } else { None }
    }

    /// Whether a middleware has asked for the caller.
    pub(super) fn was_asked(&self) -> bool {
        self.0.was_asked.load(Ordering::Acquire)
    }

    pub(super) fn take_asked(&self) -> Option<Asked> {
        if !self.was_asked() {
            return None;
        }
        self.state().rare.as_mut()?.asked.take()
    }

    /// The user that another gate of the same request has loaded for the same caller.
    pub(super) fn user_of(&self, principal: &Principal) -> Option<Arc<LoadedUser>> {
        let state = self.state();
        let known = state.principal.as_ref().filter(|_| state.is_of_gate)?;
        if known.issuer_and_subject() == principal.issuer_and_subject() {
            known.user().cloned()
        } else {
            None
        }
    }

    /// A gate decides from now on, until there is a decision. Until then, that of a gate around it is none: what decides must not find it.
    pub(crate) fn begin_gate(&self) {
        self.state().stage = Stage::Deciding;
    }

    /// A check decides from now on, until there is a decision.
    pub(super) fn begin_check(&self) {
        self.state().stage = Stage::Checking;
    }

    /// A middleware asks for the caller behind a gate, and is answered with that gate's.
    pub(crate) fn set_asked_behind(&self) {
        self.state().was_asked_behind = true;
    }

    pub(super) fn set_decision(
        &self,
        caller: Option<Principal>,
        policy: &RoutePolicy,
        head: &Parts,
        client_address: Option<IpAddr>,
        rejection: Option<RejectionKind>,
    ) {
        let place = self.place(policy, head);
        let mut state = self.state();
        let has_misled = state.was_asked_behind && !is_same_caller(state.principal.as_ref(), caller.as_ref());
        (state.stage, state.is_of_gate, state.was_asked_behind) = (Stage::Decided, true, false);
        (state.principal, state.place, state.rejection) = (caller, place, rejection);
        state.set_client_address(client_address);
        drop(state);
        if has_misled {
            say_that_gates_differ();
        }
    }

    /// The route that is called next lets the request in, for this caller, if it is the first that this comes to.
    pub(super) fn admit_first(&self, next: &Mounted, caller: Option<Principal>, is_private: bool) -> bool {
        let (place, sources) = match next {
            Mounted::Own => (Place::OwnRoute, SourcesOf::OwnRoute),
            Mounted::Route(route) => {
                (Place::Route(Arc::clone(route)), SourcesOf::Other(Arc::clone(&route.policy.sources)))
            }
            Mounted::Nothing | Mounted::Unresolved => return false,
        };
        self.state().admit_first(place, sources, caller, is_private)
    }

    /// What was decided turned out to be a rejection of another kind.
    pub(super) fn set_rejection(&self, kind: RejectionKind) {
        let mut state = self.state();
        state.stage = Stage::Decided;
        state.rejection = Some(kind);
    }

    pub(super) fn decision(&self) -> Decision {
        let state = self.state();
        let (route, handler) = match (&state.place, self.own_route()) {
            (Place::OwnRoute, Some(route)) | (Place::Route(route), _) => {
                (route.policy.path.clone().unwrap_or_default(), Some(route.policy.handler))
            }
            (Place::Other(other), _) => (other.0.clone(), Some(other.1)),
            _ => (Box::default(), None),
        };
        let client_address = state.rare.as_ref().and_then(|rare| rare.client_address);
        Decision { principal: state.principal.clone(), route, handler, client_address }
    }

    /// The answer depends on what the sources of this policy find, on which a gate decides from now on.
    pub(super) fn begin_gate_of(&self, policy: &RoutePolicy) {
        let mut state = self.state();
        state.stage = Stage::Deciding;
        self.add_sources(&mut state, policy);
    }

    /// The answer depends on what the sources of this policy find.
    pub(super) fn set_sources(&self, policy: &RoutePolicy) {
        self.add_sources(&mut self.state(), policy);
    }

    fn add_sources(&self, state: &mut State, policy: &RoutePolicy) {
        let sources = if self.is_of(policy) {
            SourcesOf::OwnRoute
        } else {
            SourcesOf::Other(Arc::clone(&policy.sources))
        };
        let is_same = match (&state.sources, &sources) {
            (SourcesOf::OwnRoute, SourcesOf::OwnRoute) => true,
            (SourcesOf::Other(known), SourcesOf::Other(new)) => Arc::ptr_eq(known, new),
            _ => false,
        };
        if is_same {
            return;
        }
        let outer = std::mem::replace(&mut state.sources, sources);
        if !matches!(outer, SourcesOf::Unknown) {
            state.rare().outer_sources.push(outer);
        }
    }

    fn sources<'a>(&'a self, of: &'a SourcesOf) -> Option<&'a RouteSources> {
        match of {
            SourcesOf::Unknown => None,
            SourcesOf::OwnRoute => self.own_route().map(|route| &*route.policy.sources),
            SourcesOf::Other(sources) => Some(sources),
        }
    }

    /// The answer is for the caller alone.
    pub(super) fn set_private(&self) {
        self.state().is_private = true;
    }

    pub(crate) fn add_answer_header(&self, name: HeaderName, value: HeaderValue) {
        self.state().rare().answer_headers.append(name, value);
    }

    /// Adds a cookie to the answer, which then must not be cached.
    pub(crate) fn set_cookie(&self, cookie: String) {
        if let Ok(value) = HeaderValue::try_from(cookie) {
            self.add_answer_header(SET_COOKIE, value);
            self.add_answer_header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
    }

    pub(super) fn take_answer_headers(&mut self) -> AnswerHeaders {
        // Most handlers have dropped the request by now.
        match Arc::get_mut(&mut self.0) {
            Some(inner) => {
                inner.state.get_mut().unwrap_or_else(PoisonError::into_inner).take_answer_headers()
            }
            None => self.state().take_answer_headers(),
        }
    }

    /// The sources of each gate that the request came to, the innermost first.
    pub(super) fn for_each_source(&self, of: &AnswerHeaders, mut each: impl FnMut(&RouteSources)) {
        let outer = of.rare.as_ref().map_or(&[][..], |rare| &rare.outer_sources);
        self.sources(&of.innermost).into_iter().for_each(&mut each);
        outer.iter().filter_map(|of| self.sources(of)).for_each(each);
    }

    /// A rejection by an extractor that needs more than the gate asked for. That of a check becomes the gate's, with the reason; that of
    /// a handler has its answer, and is not reported to the audit hook.
    pub(crate) fn reject(&self, kind: RejectionKind, reason: impl Into<Box<str>>, head: &Parts) -> Rejection {
        if self.stage() == Stage::Checking {
            return Rejection::because(kind, reason);
        }
        self.set_rejection(kind);
        self.render(Rejection::new(kind), head)
    }

    /// The gate's rejection with its answer, unless it has one. One that hides something is rendered with the answer, as one of the
    /// handler's own is: from the same parts of the head, by the same code, so that they are equal.
    pub(super) fn render_of_gate(&self, rejection: Rejection, head: &Parts) -> Rejection {
        if rejection.is_rendered() || rejection.kind() == RejectionKind::Hidden {
            return rejection;
        }
        self.render(rejection, head)
    }

    /// The rejection with its answer, which challenges with the schemes of the route; of a route that has no sources, those of the
    /// engine's default. Where the router is a protected resource, it says so. It is another rejection if the hook that renders it panics.
    pub(super) fn render(&self, rejection: Rejection, head: &Parts) -> Rejection {
        let of = self.state().sources.clone();
        let route = self.sources(&of);
        let sources = &self.engine().authentication.sources;
        let challenged = || {
            let indices = route.map_or(sources.default_indices(), |route| &route.indices);
            let scopes = route.map_or(&[][..], |route| &route.scopes);
            Challenged {
                schemes: sources.challenge_schemes(indices),
                resource: self.metadata_url().map(|metadata_url| ChallengedResource { metadata_url, scopes }),
            }
        };
        let is_in_url = || sources.find_in_url(head);
        let login_can_help = || route.is_none_or(|route| sources.login_can_help(&route.indices));
        let rejection =
            self.engine().responses.render(rejection, challenged, is_in_url, login_can_help, head);
        self.state().rejection = Some(rejection.kind());
        rejection
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without the headers of the answer, which may hold tokens.
impl fmt::Debug for RequestAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("RequestAuth")
            .field("stage", &state.stage)
            .field("principal", &state.principal)
            .field("rejection", &state.rejection)
            .finish_non_exhaustive()
    }
}
