//! `aide`: the gate tells of its rule through the trait of extractors (feature `aide`).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::{OpenApi, Operation};
use serde_json::{Map, Value};

use super::operation::WHO;
use crate::gate::{Authorized, Claims, SameOrigin};
use crate::pipeline::NamedCheck;
use crate::policy::Rule;
use crate::policy::{HandlerInfo, Policy};
use crate::principal::Principal;
use crate::router::{METHODS, RouteInfo, Routes, rule_in_words};

/// What a gate leaves in its operations.
const GATE: &str = "x-auth-gate";

/// The gates that told of their rules, each by what stands in its operations: the handler, and the rule in words. They are constants of
/// the program, and a document has no place for a rule of Rust's.
static GATES: Mutex<BTreeMap<String, Gate>> = Mutex::new(BTreeMap::new());

#[derive(Clone, Copy)]
struct Gate {
    rule: Rule,
    check: Option<&'static str>,
    handler: HandlerInfo,
}

/// Tells of the rule in words, and leaves in `x-auth-gate` what [`Routes::of_aide`] finds it by: also in a document that was filled.
impl<P: Policy, C: NamedCheck> OperationInput for Authorized<P, C> {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        let gate = Gate { rule: P::RULE, check: C::NAME, handler: P::HANDLER };
        let who = rule_in_words(&[gate.rule], gate.check);
        let key = format!("{}: {who}", gate.handler.name);
        operation.description = Some(format!("{WHO}{who}."));
        operation.extensions.insert(GATE.into(), key.as_str().into());
        GATES.lock().unwrap_or_else(PoisonError::into_inner).insert(key, gate);
    }
}

/// It comes from the gate, and adds nothing.
impl OperationInput for Principal {}

/// They come from the gate, and add nothing.
impl<T> OperationInput for Claims<T> {}

/// A page of another origin is refused, of which nothing is said.
impl OperationInput for SameOrigin {}

impl Routes {
    /// The routes of an `aide::axum::ApiRouter`, as the document tells that it made: for [`OpenApi::fill`](super::OpenApi::fill), for
    /// the [table](Self::table), and for its lock. An operation whose handler has no `#[auth]` is listed as not guarded; what is no
    /// operation of the document is not listed.
    #[must_use]
    pub fn of_aide(document: &OpenApi) -> Self {
        let document = serde_json::to_value(document).unwrap_or_default();
        let gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
        let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
        let routes = paths.flat_map(|(path, item)| {
            let operations = METHODS.into_iter().filter_map(|(_, method)| {
                Some((method, item.get(method.to_ascii_lowercase())?.as_object()?))
            });
            operations.map(|(method, operation)| route(method, path, gate(operation, &gates)))
        });
        Self::new(routes.collect())
    }
}

/// None too where it is one of another program: what is not known to have a gate is listed so.
fn gate(operation: &Map<String, Value>, gates: &BTreeMap<String, Gate>) -> Option<Gate> {
    gates.get(operation.get(GATE)?.as_str()?).copied()
}

fn route(method: &'static str, path: &str, gate: Option<Gate>) -> RouteInfo {
    RouteInfo {
        method,
        path: path.to_owned(),
        handler: gate.map_or("[no gate]", |gate| gate.handler.name),
        rules: gate.map(|gate| gate.rule).into_iter().collect(),
        check: gate.and_then(|gate| gate.check),
        unguarded: gate.is_none(),
        written: None,
    }
}
