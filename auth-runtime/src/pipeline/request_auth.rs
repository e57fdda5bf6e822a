//! What belongs to one request: the engine, what the gate decided, and the headers that the answer must carry.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::NestedPath;
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::asked::{Asked, GuardedRoutes};
use crate::engine::{Engine, RouteSources};
use crate::principal::{LoadedUser, Principal};
use crate::rejection::{Rejection, RejectionKind};

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
    is_decided: bool,
    principal: Option<Principal>,
    rejection: Option<RejectionKind>,
    /// The sources of the route; of the innermost one, if a guarded route is within another.
    sources: Option<Arc<RouteSources>>,
    outer_sources: Vec<Arc<RouteSources>>,
    /// What a middleware learned before the gate.
    asked: Option<Box<Asked>>,
    is_private: bool,
    answer_headers: HeaderMap,
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

    /// Whether a gate was reached and has decided.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.state().is_decided
    }

    /// The caller, where it is known: also a rejected caller whose token was valid.
    #[must_use]
    pub fn principal(&self) -> Option<Principal> {
        self.state().principal.clone()
    }

    /// How the request was rejected; `None` if the handler was called, or while no gate was reached.
    #[must_use]
    pub fn rejection(&self) -> Option<RejectionKind> {
        self.state().rejection
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

    pub(super) fn take_asked(&self) -> Option<Box<Asked>> {
        self.state().asked.take()
    }

    /// The user that another gate of the same request has loaded for the same caller.
    pub(super) fn user_of(&self, principal: &Principal) -> Option<Arc<LoadedUser>> {
        let state = self.state();
        let known = state.principal.as_ref()?;
        if known.issuer_and_subject() == principal.issuer_and_subject() {
            known.user().cloned()
        } else {
            None
        }
    }

    pub(super) fn set_decision(&self, principal: Option<&Principal>, rejection: Option<RejectionKind>) {
        let mut state = self.state();
        state.is_decided = true;
        state.principal = principal.cloned();
        state.rejection = rejection;
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

    /// A rejection after the gate: of an extractor that needs more than the gate asked for.
    pub(crate) fn reject(&self, kind: RejectionKind, head: &Parts) -> Rejection {
        {
            let mut state = self.state();
            state.is_decided = true;
            state.rejection = Some(kind);
        }
        self.render(Rejection::new(kind), head)
    }

    /// The rejection with its answer, which challenges with the schemes of the route. It is another rejection if the hook that
    /// renders it panics.
    pub(super) fn render(&self, rejection: Rejection, head: &Parts) -> Rejection {
        let sources = self.state().sources.clone().unwrap_or_default();
        let schemes = || self.engine().authentication.sources.challenge_schemes(&sources.indices);
        let rejection = self.engine().responses.render(rejection, schemes, head);
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
            .field("is_decided", &state.is_decided)
            .field("principal", &state.principal)
            .field("rejection", &state.rejection)
            .finish_non_exhaustive()
    }
}
