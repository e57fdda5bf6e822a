//! What belongs to one request: the engine, the outcome, and the headers that the answer must carry.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::audit::AuditDecision;
use crate::engine::Engine;
use crate::principal::Principal;
use crate::rejection::{Refusal, Rejection, RejectionKind};

/// What belongs to one request. The layer of [`Auth`](crate::Auth) puts it into the request's extensions, and into
/// those of the answer, where an outer middleware reads the outcome: for access logs and audit.
#[derive(Clone)]
pub struct RequestAuth(Arc<Shared>);

struct Shared {
    engine: Arc<Engine>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    outcome: Option<Outcome>,
    answer_headers: HeaderMap,
}

/// How the gate decided.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// Who, where that is known: also of a refused caller whose token was good.
    pub principal: Option<Principal>,
    /// What was decided.
    pub decision: AuditDecision,
}

impl RequestAuth {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self(Arc::new(Shared { engine, state: Mutex::default() }))
    }

    pub(crate) fn of(head: &Parts) -> Option<&Self> {
        head.extensions.get()
    }

    /// How the gate decided; `None` while, or where, no gate was reached.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.state().outcome.clone()
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.0.engine
    }

    pub(crate) fn set_outcome(&self, outcome: Outcome) {
        self.state().outcome = Some(outcome);
    }

    pub(crate) fn add_answer_header(&self, name: HeaderName, value: HeaderValue) {
        self.state().answer_headers.append(name, value);
    }

    /// A cookie of the answer, which must then be kept nowhere.
    pub(crate) fn set_cookie(&self, cookie: String) {
        if let Ok(value) = HeaderValue::try_from(cookie) {
            self.add_answer_header(SET_COOKIE, value);
            self.add_answer_header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
    }

    pub(crate) fn take_answer_headers(&self) -> HeaderMap {
        std::mem::take(&mut self.state().answer_headers)
    }

    /// A refusal behind the gate: of an extractor that wants more than the gate asked for.
    pub(crate) fn refuse(&self, code: RejectionKind, head: &Parts) -> Rejection {
        let refusal = Refusal::new(code);
        let principal = self.outcome().and_then(|outcome| outcome.principal);
        let decision = AuditDecision::Refused { status: refusal.status(), code: refusal.code() };
        self.set_outcome(Outcome { principal, decision });
        self.render(refusal, head)
    }

    fn render(&self, refusal: Refusal, head: &Parts) -> Rejection {
        let engine = self.engine();
        refusal.render(engine.realm(), &["Bearer"], engine.render_hook(), head)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without the headers of the answer, which may hold tokens.
impl fmt::Debug for RequestAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestAuth").field("outcome", &self.outcome()).finish_non_exhaustive()
    }
}
