//! `aide`: the gate tells of its rule through the trait of extractors (feature `aide`).

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use serde_json::{Map, Value, json};

use super::Served;
use super::merge::GATE;
use super::operation::{METHODS, WHO};
use crate::engine::Auth;
use crate::gate::{Authorized, NamedCheck, Policy};
use crate::policy::{PolicyAccess, PolicyDocument};
use crate::principal::{Claims, Principal};
use crate::routing::rule_in_words;

/// Tells of the rule, in words and as `x-auth-gate`. Sources that the rule does not name only the engine knows, so that
/// [`OpenApi::fill_guarded`](super::OpenApi::fill_guarded) adds them, and the security.
impl<P: Policy, C: NamedCheck> OperationInput for Authorized<P, C> {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        let rule = P::RULE;
        let sources = rule.source_names().iter().map(|name| (*name).to_owned()).collect();
        let who = rule_in_words(&[rule], C::NAME);
        let mut policy = json!(PolicyDocument::new(rule.access(), sources, &[rule], C::NAME));
        if let Some(policy) = policy.as_object_mut() {
            policy.insert("who".into(), who.as_str().into());
        }
        operation.description = Some(format!("{WHO}{who}."));
        operation.extensions.insert(GATE.into(), policy);
    }
}

/// It comes from the gate, and adds nothing.
impl OperationInput for Principal {}

/// They come from the gate, and add nothing.
impl<T> OperationInput for Claims<T> {}

/// The operations of a document that have a gate; what is wrong with one goes to `mistakes`.
pub(super) fn guarded(
    document: &Map<String, Value>,
    auth: &Auth,
    mistakes: &mut Vec<String>,
) -> Vec<Served<'static>> {
    let mut guarded = Vec::new();
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    for (path, item) in paths {
        for method in METHODS {
            let told = item.get(method).and_then(|operation| operation.get(GATE)).cloned();
            let Some(Value::Object(mut told)) = told else { continue };
            let who = told.remove("who").and_then(|who| who.as_str().map(str::to_owned)).unwrap_or_default();
            match serde_json::from_value::<PolicyDocument>(Value::Object(told)) {
                Ok(mut policy) => {
                    if policy.access != PolicyAccess::Public {
                        let named: Vec<&str> = policy.sources.iter().map(|source| &**source).collect();
                        let named = Some(&*named).filter(|named| !named.is_empty());
                        policy.sources = auth.engine().names_of_sources(named);
                    }
                    guarded.push(Served {
                        method,
                        methods: vec![method],
                        path: path.clone(),
                        handler: "",
                        who,
                        policy,
                        written: None,
                    });
                }
                Err(error) => mistakes.push(format!(
                    "`{GATE}` of {} {path} is not what a gate writes there: {error}",
                    method.to_uppercase()
                )),
            }
        }
    }
    guarded
}
