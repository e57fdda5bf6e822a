//! `aide`: the gate describes its rule through `aide`'s trait for extractors (feature `aide`).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::{OpenApi, Operation};
use serde_json::{Map, Value};

use super::keys::WHO;
use crate::engine::SessionData;
use crate::gate::{Authorized, Claims, ClientAddress, SameOrigin};
use crate::pipeline::{Checked, NamedCheck};
use crate::policy::{HandlerInfo, Policy, Rule};
use crate::principal::Principal;
use crate::router::{METHODS, RouteInfo, Routes, rule_in_words};

/// The extension that a gate adds to its operation: the key of [`GATES`].
const GATE: &str = "x-auth-gate";

/// The gates that have described an operation, by the handler and the rule in words. A document can't hold their rules, which are
/// constants of the program.
static GATES: Mutex<BTreeMap<String, Gate>> = Mutex::new(BTreeMap::new());

#[derive(Clone, Copy)]
struct Gate {
    rule: Rule,
    check: Option<&'static str>,
    handler: HandlerInfo,
}

/// Adds the rule in words, and in `x-auth-gate` the key by which [`Routes::from_aide`] finds the rule, also in a filled document.
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

/// The gate puts it into the request; it adds nothing to the operation.
impl OperationInput for Principal {}

/// The gate puts them into the request; they add nothing to the operation.
impl<T> OperationInput for Claims<T> {}

/// The check of the handler puts it into the request; it adds nothing to the operation.
impl<T> OperationInput for Checked<T> {}

/// It rejects a page of another origin, and adds nothing to the operation.
impl OperationInput for SameOrigin {}

/// The server knows it; it adds nothing to the operation.
impl OperationInput for ClientAddress {}

/// The server keeps it; it adds nothing to the operation.
impl OperationInput for SessionData {}

impl Routes {
    /// The routes of an `aide::axum::ApiRouter`, read from the document that it made: for
    /// [`fill`](crate::openapi::OpenApi::fill), for the [table](Self::table), and for its lock. An operation whose handler
    /// has no `#[auth]` is listed as not guarded. A route that is not in the document is not listed.
    #[must_use]
    pub fn from_aide(document: &OpenApi) -> Self {
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

/// The gate of an operation. None where another program wrote the key: then it is not known whether there is a gate.
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
        hides_scopes: false,
        opens_web_socket: None,
        takes_session_data: None,
        docs: None,
    }
}
