//! The state of a request, which its gates and its answer share.

use std::net::IpAddr;
use std::sync::{Arc, Once};

use axum::http::HeaderMap;

use crate::engine::RouteSources;
use crate::pipeline::asked::Asked;
use crate::pipeline::resolved_route::ResolvedRoute;
use crate::policy::HandlerInfo;
use crate::principal::Principal;
use crate::rejection::RejectionKind;

#[derive(Default)]
pub(super) struct State {
    pub(super) stage: Stage,
    /// What was decided is of a gate, perhaps of one around the gate that decides now.
    pub(super) is_of_gate: bool,
    /// A middleware asked for the caller behind that gate.
    pub(super) was_asked_behind: bool,
    pub(super) is_private: bool,
    pub(super) rejection: Option<RejectionKind>,
    pub(super) principal: Option<Principal>,
    pub(super) place: Place,
    /// The sources of the route; of the innermost one, if a guarded route is within another.
    pub(super) sources: SourcesOf,
    pub(super) rare: Option<Box<Rare>>,
}

/// What few requests have.
#[derive(Default)]
pub(super) struct Rare {
    pub(super) outer_sources: Vec<SourcesOf>,
    /// What a middleware learned before the gate.
    pub(super) asked: Option<Asked>,
    /// Where an audit hook asks for it.
    pub(super) client_address: Option<IpAddr>,
    pub(super) answer_headers: HeaderMap,
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

/// Where a request was decided. A route that has made the [`RequestAuth`] is not counted once more.
#[derive(Clone, Default)]
pub(super) enum Place {
    #[default]
    Unknown,
    OwnRoute,
    Route(Arc<ResolvedRoute>),
    Other(Box<(Box<str>, HandlerInfo)>),
}

/// The sources of a route.
#[derive(Clone, Default)]
pub(super) enum SourcesOf {
    #[default]
    Unknown,
    OwnRoute,
    Other(Arc<RouteSources>),
}

/// What the engine adds to an answer.
pub(in crate::pipeline) struct AnswerHeaders {
    /// A shared cache must not store it.
    pub(in crate::pipeline) is_private: bool,
    /// The sources of the innermost gate that the request came to.
    pub(super) innermost: SourcesOf,
    pub(super) rare: Option<Box<Rare>>,
}

impl AnswerHeaders {
    pub(in crate::pipeline) fn headers(&self) -> Option<&HeaderMap> {
        self.rare.as_ref().map(|rare| &rare.answer_headers)
    }
}

impl State {
    /// A route lets the request in, if it is the first that this comes to, and no middleware has asked. Returns whether it does.
    pub(super) fn admit_first(
        &mut self,
        place: Place,
        sources: SourcesOf,
        caller: Option<Principal>,
        is_private: bool,
    ) -> bool {
        let is_first = self.stage == Stage::BeforeGate && matches!(self.sources, SourcesOf::Unknown);
        if !is_first || self.rare.is_some() {
            return false;
        }
        if caller.is_some() {
            self.sources = sources;
        }
        (self.stage, self.is_of_gate, self.is_private) = (Stage::Decided, true, is_private);
        (self.principal, self.place) = (caller, place);
        true
    }

    pub(super) fn take_answer_headers(&mut self) -> AnswerHeaders {
        let (innermost, rare) = (std::mem::take(&mut self.sources), self.rare.take());
        AnswerHeaders { is_private: self.is_private, innermost, rare }
    }

    pub(super) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    pub(super) fn set_client_address(&mut self, address: Option<IpAddr>) {
        if address.is_some() || self.rare.is_some() {
            self.rare().client_address = address;
        }
    }
}

pub(super) fn is_same_caller(one: Option<&Principal>, other: Option<&Principal>) -> bool {
    one.map(Principal::issuer_and_subject) == other.map(Principal::issuer_and_subject)
}

/// Once a process: it would be a line for every request.
pub(super) fn say_that_gates_differ() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::error!(
            "auth: a middleware between two gates asked for the `Caller`, and got that of the outer gate, who is not the one that the inner \
             gate found: mount the inner handlers in an `auth_runtime::Router`, and nest what its `.finish(&auth)` makes"
        );
    });
}
