//! Operations: what a route is called, what it takes, what it asks for, and how it refuses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::document::{
    Components, Header, MediaType, Operation, OrWritten, Parameter, PathItem, Reference, Response,
    ResponseOrReference,
};
use super::merge;
use super::scheme::Schemes;
use super::security::{Kinds, requirements};
use super::served::Served;
use crate::engine::Auth;
use crate::policy::{PolicyAccess, PolicyDocument};
use crate::routing::{path_parameters, short_name};

/// The methods that OpenAPI has a place for.
pub(super) const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
/// What the words stand behind that say who is let in.
pub(super) const WHO: &str = "**Who:** ";
/// What the part of a path is called that a wildcard without a name takes.
const REST: &str = "rest";

/// The refusals, by status: the name of the component, and what it says.
const REFUSALS: [(&str, &str, &str); 4] = [
    ("400", "CredentialRepeated", "The credential was sent more than once, or in two ways (RFC 6750 §3.1)."),
    (
        "401",
        "Unauthenticated",
        "No credential was sent, it is not good, or the log-in is too old or too weak (RFC 6750 §3.1, RFC 9470 §3).",
    ),
    (
        "403",
        "Forbidden",
        "The caller may not do this (RFC 6750 §3.1), or the page that sent the cookie may not.",
    ),
    ("503", "Unavailable", "Whether the caller may do this can't be told at the moment."),
];

/// Adds the operations that are served there.
pub(super) fn add(
    paths: &mut BTreeMap<String, PathItem>,
    served: &Served<'_>,
    schemes: &Schemes,
    kinds: &Kinds,
    auth: &Auth,
) {
    let (path, parameters) = template(&served.path);
    let handler = short_name(served.handler).trim_matches(['[', ']']).replace(' ', "_");
    let item = paths.entry(path).or_default();
    for method in METHODS.into_iter().filter(|method| served.answers(method)) {
        let mut policy = served.policy.clone();
        if !is_safe(method) {
            schemes.retain_outside_of_url(&mut policy.sources);
        }
        let ours = Operation {
            operation_id: handler.clone(),
            summary: words(&handler),
            description: format!("{WHO}{}.", served.who),
            parameters: parameters.iter().cloned().map(OrWritten::Ours).collect(),
            security: requirements(&policy, schemes, kinds),
            responses: responses(&policy, schemes, auth),
            policy,
            written: BTreeMap::new(),
        };
        let written = served.written.and_then(|written| written.operation(method));
        let operation =
            written.and_then(|written| with_ours(written.clone(), &ours, &parameters)).unwrap_or(ours);
        // A route of one method comes before one of any.
        item.entry(method.to_owned()).or_insert(operation);
    }
}

/// What is written of the handler, with what it does not say of our own.
fn with_ours(
    mut written: Map<String, Value>,
    ours: &Operation,
    parameters: &[Parameter],
) -> Option<Operation> {
    let ours = json!(ours);
    merge::operation(&mut written, &ours);
    merge::parameters(&mut written, None, parameters);
    for key in ["operationId", "summary"] {
        written.entry(key).or_insert_with(|| ours.get(key).cloned().unwrap_or_default());
    }
    serde_json::from_value(Value::Object(written)).ok()
}

/// A method that changes nothing, for which a token in the URL is taken (RFC 9110 §9.2.1).
fn is_safe(method: &str) -> bool {
    matches!(method, "get" | "head" | "options" | "trace")
}

/// Gives every operation an id of its own: the handler's name, with the method and the path where that is not enough.
pub(super) fn name_uniquely(paths: &mut BTreeMap<String, PathItem>) {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for operation in paths.values().flat_map(PathItem::values) {
        *count.entry(operation.operation_id.clone()).or_default() += 1;
    }
    let mut taken: BTreeSet<String> =
        count.iter().filter(|(_, uses)| **uses == 1).map(|(id, _)| id.clone()).collect();
    for (path, item) in paths {
        for (method, operation) in item {
            if count.get(&operation.operation_id) == Some(&1) {
                continue;
            }
            let path =
                path.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
            let path = path.collect::<Vec<_>>().join("_");
            let long = format!("{}_{method}_{path}", operation.operation_id).trim_end_matches('_').to_owned();
            let numbered = (2..).map(|number| format!("{long}_{number}"));
            let free = std::iter::once(long.clone()).chain(numbered).find(|id| !taken.contains(id));
            operation.operation_id = free.unwrap_or(long);
            taken.insert(operation.operation_id.clone());
        }
    }
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
            "503" => ("Retry-After", header("Seconds until it may be worth another try.", true)),
            // A page of another origin learns no challenge.
            "403" => ("WWW-Authenticate", header("The challenge, by RFC 6750 §3.", false)),
            _ => ("WWW-Authenticate", header("The challenge, by RFC 6750 §3.", true)),
        };
        response.headers.insert(header_name.into(), header);
        if !has_own_form {
            let schema = json!({ "$ref": "#/components/schemas/Problem" });
            response.content.insert("application/problem+json".into(), MediaType { schema });
        }
        components.responses.insert(name.into(), response);
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
        components.schemas.insert("Problem".into(), problem);
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
        "403" => reads && (is_ambient || !policy.all.is_empty() || policy.check.is_some()),
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

/// The path as OpenAPI writes it, and its parameters.
pub(super) fn template(path: &str) -> (String, Vec<Parameter>) {
    let mut template = path.replace("/{*}", &format!("/{{{REST}}}"));
    let mut names: Vec<&str> = path_parameters(path);
    if template != path {
        names.push(REST);
    }
    let parameters = names.into_iter().map(|name| {
        let wildcard = format!("{{*{name}}}");
        let takes_rest = name == REST || template.contains(&wildcard);
        template = template.replace(&wildcard, &format!("{{{name}}}"));
        Parameter {
            name: name.to_owned(),
            place: "path".into(),
            required: true,
            description: takes_rest.then(|| "The rest of the path, slashes and all.".into()),
            schema: json!({ "type": "string" }),
        }
    });
    let parameters = parameters.collect();
    (template, parameters)
}

/// `log_out_everywhere` → «Log out everywhere».
fn words(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.trim().chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
