//! Operations: what a route is called, what it takes, what it asks for, and how it refuses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::document::{
    Components, Header, MediaType, Operation, OrWritten, Parameter, PathItem, Reference, Response,
    ResponseOrReference, SecurityRequirement,
};
use super::merge;
use super::path::template;
use super::scheme::Schemes;
use super::security::{Kinds, requirements};
use super::served::Served;
use crate::engine::Auth;
use crate::policy::{Condition, PolicyAccess, PolicyDocument, short_name};
use crate::routing::is_safe;

/// The methods that OpenAPI has a place for.
pub(super) const METHODS: [&str; 9] =
    ["get", "put", "post", "delete", "options", "head", "patch", "trace", QUERY];
/// There since OpenAPI 3.2.
pub(super) const QUERY: &str = "query";
/// What the words stand behind that say who is let in.
pub(super) const WHO: &str = "**Who:** ";

/// The refusals, by status: the name of the component, and what it says.
const REFUSALS: [(&str, &str, &str); 4] = [
    (
        "400",
        "AuthCredentialRepeated",
        "The credential was sent more than once, or in two ways (RFC 6750 §3.1); or the handler can't read the request.",
    ),
    (
        "401",
        "AuthUnauthenticated",
        "No credential was sent, it is not good, or the login is too old or too weak (RFC 6750 §3.1, RFC 9470 §3).",
    ),
    (
        "403",
        "AuthForbidden",
        "The caller may not do this (RFC 6750 §3.1), or the page that sent the cookie may not.",
    ),
    ("503", "AuthUnavailable", "Whether the caller may do this can't be told at the moment."),
];
/// The schema of their body.
const PROBLEM: &str = "AuthProblem";

/// Whether it is the name of a component of ours.
pub(super) fn is_own_component(name: &str) -> bool {
    name == PROBLEM || REFUSALS.iter().any(|(_, own, _)| *own == name)
}

/// The operations of a document, as they are added.
pub(super) struct Operations<'d> {
    schemes: &'d Schemes,
    kinds: &'d Kinds,
    auth: &'d Auth,
    paths: BTreeMap<String, PathItem>,
    ids: BTreeSet<String>,
    mistakes: &'d mut Vec<String>,
}

/// What is said of a policy.
struct Enforced {
    policy: PolicyDocument,
    security: Vec<SecurityRequirement>,
    responses: BTreeMap<String, OrWritten<ResponseOrReference>>,
}

impl<'d> Operations<'d> {
    /// `ids` are those that are taken.
    pub(super) fn new(
        schemes: &'d Schemes,
        kinds: &'d Kinds,
        auth: &'d Auth,
        ids: BTreeSet<String>,
        mistakes: &'d mut Vec<String>,
    ) -> Self {
        Self { schemes, kinds, auth, paths: BTreeMap::new(), ids, mistakes }
    }

    pub(super) fn paths(self) -> BTreeMap<String, PathItem> {
        self.paths
    }

    /// Adds the operations that are served there.
    pub(super) fn add(&mut self, served: &Served<'_>) {
        let (path, parameters) = template(&served.path);
        let mut enforced: Vec<Enforced> = Vec::new();
        for &method in &served.methods {
            let mut policy = served.policy.clone();
            // There a token in the URL is taken.
            if !is_safe(method) {
                self.schemes.retain_outside_of_url(&mut policy.sources);
            }
            if enforced.last().is_none_or(|last| last.policy != policy) {
                enforced.push(self.enforced(policy));
            }
            let Some(Enforced { policy, security, responses }) = enforced.last() else { continue };
            let ours = Operation {
                operation_id: id(served, method, &path),
                summary: words(short_name(served.handler)),
                description: format!("{WHO}{}.", served.who),
                parameters: parameters.iter().cloned().map(OrWritten::Ours).collect(),
                security: security.clone(),
                responses: responses.clone(),
                policy: policy.clone(),
                written: BTreeMap::new(),
            };
            let written = served.written.and_then(|written| written.operation(method));
            let mut operation = match written.map(|written| with_ours(written.clone(), &ours, &parameters)) {
                None => ours,
                Some(Ok(operation)) => operation,
                Some(Err(error)) => {
                    let method = method.to_uppercase();
                    self.mistakes.push(format!(
                        "what is written of {method} {path} is no operation of OpenAPI's: {error}"
                    ));
                    continue;
                }
            };
            operation.operation_id = self.own_id(operation.operation_id, method, &path);
            self.paths.entry(path.clone()).or_default().insert(method.to_owned(), operation);
        }
    }

    fn enforced(&self, policy: PolicyDocument) -> Enforced {
        let security = requirements(&policy, self.schemes, self.kinds);
        let responses = responses(&policy, self.schemes, self.auth);
        Enforced { policy, security, responses }
    }

    /// An id of its own: the first that asks for one gets it, and those behind it one with the method and the path. So a route that is
    /// added behind the others takes no id away.
    fn own_id(&mut self, id: String, method: &str, path: &str) -> String {
        let long = format!("{id}_{}", with_path(method, path));
        let numbered = (2..).map(|number| format!("{long}_{number}"));
        let mut candidates = [id, long.clone()].into_iter().chain(numbered);
        let free = candidates.find(|id| !self.ids.contains(id)).unwrap_or_default();
        self.ids.insert(free.clone());
        free
    }
}

/// The handler's name with its module, and the method where there are several; the place of what has no name.
fn id(served: &Served<'_>, method: &str, path: &str) -> String {
    if served.handler.starts_with('[') {
        return with_path(method, path);
    }
    let (_, name) = served.handler.split_once("::").unwrap_or(("", served.handler));
    let name = name.replace("::", "_");
    if served.is_of_any_method() { format!("{name}_{method}") } else { name }
}

fn with_path(method: &str, path: &str) -> String {
    let parts = path.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    std::iter::once(method).chain(parts).collect::<Vec<_>>().join("_")
}

/// What is written of the handler, with what it does not say of our own. What it says of security is not what is enforced.
fn with_ours(
    mut written: Map<String, Value>,
    ours: &Operation,
    parameters: &[Parameter],
) -> Result<Operation, serde_json::Error> {
    let ours = json!(ours);
    written.remove("security");
    merge::operation(&mut written, &ours);
    merge::parameters(&mut written, None, parameters);
    serde_json::from_value(Value::Object(written))
}

/// Adds the refusals that operations refer to.
pub(super) fn add_refusals(components: &mut Components, auth: &Auth) {
    // A hook of the application's renders them in a form that is not known here.
    let has_own_form = auth.engine().render_hook().is_some();
    let header = |description: &str, required| Header {
        description: description.into(),
        required,
        schema: json!({ "type": "string" }),
    };
    for (status, name, description) in REFUSALS {
        let mut response = Response { description: description.into(), ..Response::default() };
        let (header_name, header) = match status {
            // A handler that can't do its work now may say nothing of it.
            "503" => ("Retry-After", header("Seconds until it may be worth another try.", false)),
            // RFC 9110 §15.5.2
            "401" => ("WWW-Authenticate", header("The challenge, by RFC 6750 §3.", true)),
            // A page of another origin learns no challenge, nor does a request that the handler can't read.
            _ => ("WWW-Authenticate", header("The challenge, by RFC 6750 §3.", false)),
        };
        response.headers.insert(header_name.into(), header);
        if !has_own_form {
            let schema = json!({ "$ref": format!("#/components/schemas/{PROBLEM}") });
            response.content.insert("application/problem+json".into(), MediaType { schema });
            if status == "400" {
                // What axum's extractors answer.
                let schema = json!({ "type": "string" });
                response.content.insert("text/plain".into(), MediaType { schema });
            }
        }
        components.responses.insert(name.into(), OrWritten::Ours(response));
    }
    if !has_own_form {
        let problem = json!({
            "type": "object",
            "description": "A refusal (RFC 9457). It does not say why: the log does.",
            "properties": {
                "type": { "type": "string" },
                "title": { "type": "string" },
                "status": { "type": "integer" },
            },
            "required": ["type", "title", "status"],
        });
        components.schemas.insert(PROBLEM.into(), problem);
    }
}

/// What the route may answer: whatever its handler does, and the refusals that can happen.
fn responses(
    policy: &PolicyDocument,
    schemes: &Schemes,
    auth: &Auth,
) -> BTreeMap<String, OrWritten<ResponseOrReference>> {
    let reads = matches!(policy.access, PolicyAccess::Authenticated | PolicyAccess::Optional);
    let is_ambient = policy.sources.iter().any(|source| schemes.is_ambient(source));
    let waits = auth.engine().may_be_unavailable();
    let can_happen = |status: &str| match status {
        "400" | "401" => reads,
        "403" => reads && (is_ambient || policy.check.is_some() || policy.all.iter().any(can_forbid)),
        _ => reads && (waits || policy.check.is_some()),
    };
    let refusals = REFUSALS.into_iter().filter(|(status, ..)| can_happen(status));
    let refusals = refusals.map(|(status, name, _)| {
        let reference = format!("#/components/responses/{name}");
        (status.to_owned(), ResponseOrReference::Reference(Reference { reference }))
    });
    let handler = |description: &str| {
        ResponseOrReference::Response(Response { description: description.into(), ..Response::default() })
    };
    let handlers = [("2XX", "What the handler answers."), ("default", "What else the handler answers.")];
    let handlers = handlers.map(|(status, description)| (status.to_owned(), handler(description)));
    refusals.chain(handlers).map(|(status, response)| (status, OrWritten::Ours(response))).collect()
}

/// A login that is too old or too weak is answered 401.
fn can_forbid(condition: &Condition) -> bool {
    !condition.is_about_login()
}

/// `log_out_everywhere` → "Log out everywhere".
fn words(name: &str) -> String {
    let words = name.replace(['_', '[', ']'], " ");
    let mut letters = words.trim().chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
