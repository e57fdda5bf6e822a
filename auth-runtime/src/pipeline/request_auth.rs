//! What belongs to one request: the engine, what the gate decided, and the headers that the answer must carry.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use axum::extract::NestedPath;
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::RoutePolicy;
use super::asked::{Asked, GuardedRoutes};
use crate::engine::{Engine, RouteSources};
use crate::policy::HandlerInfo;
use crate::principal::{LoadedUser, Principal};
use crate::rejection::{Challenged, ChallengedResource, Rejection, RejectionKind};

/// The decision on one request: whether it was decided, for which caller, and how it was rejected. The layer of
/// [`Auth`](crate::Auth) puts it into the request's extensions, and into those of the answer, where an outer middleware
/// reads what the gate decided: for access logs and audit.
#[derive(Clone)]
pub struct RequestAuth(Arc<Inner>);

struct Inner {
    engine: Arc<Engine>,
    /// The routes of the router that the layer is around, and where that is nested.
    routes: Option<(Arc<dyn GuardedRoutes>, Option<NestedPath>)>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stage: Stage,
    decided: Decided,
    /// `decided` is of a gate, perhaps of one around the gate that decides now.
    is_of_gate: bool,
    /// A middleware asked for the caller behind that gate.
    was_asked_behind: bool,
    rejection: Option<RejectionKind>,
    /// The sources of the route; of the innermost one, if a guarded route is within another.
    sources: Option<Arc<RouteSources>>,
    outer_sources: Vec<Arc<RouteSources>>,
    /// What a middleware learned before the gate.
    asked: Option<Box<Asked>>,
    is_private: bool,
    answer_headers: HeaderMap,
}

/// How far the innermost gate is that the request came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It came to none.
    #[default]
    BeforeGate,
    /// It looks for the caller.
    Deciding,
    /// Its check decides, so what the extractors of that reject is rendered once it has decided.
    Checking,
    /// It has decided, or the application has rejected the request.
    Decided,
}

/// What a gate knows of a request, for what is reported after it.
#[derive(Clone, Default)]
pub(super) struct Decided {
    pub(super) principal: Option<Principal>,
    pub(super) route: Arc<str>,
    pub(super) handler: Option<HandlerInfo>,
    /// Where an audit hook asks for it.
    pub(super) client_address: Option<IpAddr>,
}

/// What the engine adds to an answer.
pub(crate) struct AnswerHeaders {
    pub(crate) headers: HeaderMap,
    /// The sources of each gate that the request came to.
    pub(crate) sources: (Option<Arc<RouteSources>>, Vec<Arc<RouteSources>>),
    /// A shared cache must not store it.
    pub(crate) is_private: bool,
}

impl RequestAuth {
    pub(crate) fn new(
        engine: Arc<Engine>,
        routes: Option<(Arc<dyn GuardedRoutes>, Option<NestedPath>)>,
    ) -> Self {
        Self(Arc::new(Inner { engine, routes, state: Mutex::default() }))
    }

    pub(crate) fn of(head: &Parts) -> Option<&Self> {
        head.extensions.get()
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
        state.decided.principal.clone().filter(|_| state.stage == Stage::Decided)
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
        &self.0.engine
    }

    /// The routes of the router that the layer is around, and the path that it is nested at.
    pub(crate) fn routes(&self) -> Option<(&dyn GuardedRoutes, &str)> {
        let (routes, nested_at) = self.0.routes.as_ref()?;
        Some((&**routes, nested_at.as_ref().map_or("", NestedPath::as_str)))
    }

    pub(super) fn set_asked(&self, asked: Asked) {
        self.state().asked = Some(Box::new(asked));
    }

    /// How many subjects were forgotten when a middleware asked for the caller; `None` if none asked.
    pub(super) fn asked_at(&self) -> Option<u32> {
        self.state().asked.as_ref().map(|asked| asked.forgotten())
    }

    /// The caller before the gate has decided: for what a middleware rejects.
    pub(super) fn note_caller(&self, principal: &Principal, policy: &RoutePolicy<'_>, head: &Parts) {
        let engine = self.engine();
        let is_heard = engine.responses.audit_log.has_hook();
        let client_address = if is_heard { engine.client_address(head) } else { None };
        let mut state = self.state();
        if !state.is_of_gate {
            state.decided = Decided {
                principal: Some(principal.clone()),
                route: Arc::clone(&policy.route),
                handler: Some(policy.handler),
                client_address,
            };
        }
    }

    pub(super) fn take_asked(&self) -> Option<Box<Asked>> {
        self.state().asked.take()
    }

    /// The user that another gate of the same request has loaded for the same caller.
    pub(super) fn user_of(&self, principal: &Principal) -> Option<Arc<LoadedUser>> {
        let state = self.state();
        let known = state.decided.principal.as_ref().filter(|_| state.is_of_gate)?;
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

    pub(super) fn set_decision(&self, decided: Decided, rejection: Option<RejectionKind>) {
        let mut state = self.state();
        let has_misled = state.was_asked_behind && !state.decided.is_of_same_caller(&decided);
        (state.stage, state.is_of_gate, state.was_asked_behind) = (Stage::Decided, true, false);
        state.decided = decided;
        state.rejection = rejection;
        drop(state);
        if has_misled {
            say_that_gates_differ();
        }
    }

    /// What was decided turned out to be a rejection of another kind.
    pub(super) fn set_rejection(&self, kind: RejectionKind) {
        let mut state = self.state();
        state.stage = Stage::Decided;
        state.rejection = Some(kind);
    }

    pub(super) fn decided(&self) -> Decided {
        self.state().decided.clone()
    }

    /// The answer depends on what these sources find.
    pub(super) fn set_sources(&self, sources: &Arc<RouteSources>) {
        let mut state = self.state();
        if state.sources.as_ref().is_some_and(|known| Arc::ptr_eq(known, sources)) {
            return;
        }
        if let Some(outer) = state.sources.replace(Arc::clone(sources)) {
            state.outer_sources.push(outer);
        }
    }

    /// The answer is for the caller alone.
    pub(super) fn set_private(&self) {
        self.state().is_private = true;
    }

    pub(crate) fn add_answer_header(&self, name: HeaderName, value: HeaderValue) {
        self.state().answer_headers.append(name, value);
    }

    /// Adds a cookie to the answer, which then must not be cached.
    pub(crate) fn set_cookie(&self, cookie: String) {
        if let Ok(value) = HeaderValue::try_from(cookie) {
            self.add_answer_header(SET_COOKIE, value);
            self.add_answer_header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
    }

    pub(crate) fn take_answer_headers(&self) -> AnswerHeaders {
        let mut state = self.state();
        AnswerHeaders {
            headers: std::mem::take(&mut state.answer_headers),
            sources: (state.sources.take(), std::mem::take(&mut state.outer_sources)),
            is_private: state.is_private,
        }
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

    /// The gate's rejection with its answer, unless it has one. One that hides something is rendered by the layer, as one of the
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
        let route = self.state().sources.clone();
        let sources = &self.engine().authentication.sources;
        let challenged = || {
            let indices = route.as_ref().map_or(sources.default_indices(), |route| &route.indices);
            let metadata_url = self.routes().and_then(|(routes, _)| routes.metadata_url());
            let scopes = route.as_ref().map_or(&[][..], |route| &route.scopes);
            Challenged {
                schemes: sources.challenge_schemes(indices),
                resource: metadata_url.map(|metadata_url| ChallengedResource { metadata_url, scopes }),
            }
        };
        let is_in_url = || sources.find_in_url(head);
        let rejection = self.engine().responses.render(rejection, challenged, is_in_url, head);
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
            .field("principal", &state.decided.principal)
            .field("rejection", &state.rejection)
            .finish_non_exhaustive()
    }
}

impl Decided {
    fn is_of_same_caller(&self, other: &Self) -> bool {
        let [one, other] = [self, other].map(|decided| decided.principal.as_ref());
        one.map(Principal::issuer_and_subject) == other.map(Principal::issuer_and_subject)
    }
}

/// Once a process: it would be a line for every request.
fn say_that_gates_differ() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::error!(
            "auth: a middleware between two gates asked for the `Caller`, and got that of the outer gate, who is not the one that the inner \
             gate found: mount the inner handlers in an `auth_runtime::Router` with the layer, and nest what its `.finish(&auth)` makes"
        );
    });
}
