//! The responses of the gate, which routes have in common: as components, and as the responses that refer to them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::engine::Auth;
use crate::policy::{Condition, PolicyAccess, PolicyDocument};
use crate::rejection::RejectionForm;

/// The responses by status: the name of the component, and its description.
const REJECTIONS: [(&str, &str, &str); 4] = [
    (
        "400",
        "AuthCredentialRepeated",
        "The credential was sent more than once, or in two ways (RFC 6750 §3.1); or the handler can't read the request.",
    ),
    (
        "401",
        "AuthUnauthenticated",
        "No credential was sent, it is invalid, or the login is too old or too weak (RFC 6750 §3.1, RFC 9470 §3).",
    ),
    (
        "403",
        "AuthForbidden",
        "The caller may not do this (RFC 6750 §3.1), or the page that sent the cookie may not.",
    ),
    ("503", "AuthUnavailable", "The server can't decide at the moment whether the caller may do this."),
];
/// The answer in place of a 401, to a browser that loads a page.
const LOGIN_PAGE: &str = "AuthLoginPage";
/// What `WWW-Authenticate` says.
const CHALLENGES: &str = "One challenge for each scheme of the operation: `Bearer`, another scheme of `Authorization`, `ApiKey` for a header \
     of its own, `Cookie` (RFC 9110 §11.6.1), with the parameters of RFC 6750 §3 and RFC 9470 §3.";
/// The schema of their body.
const PROBLEM: &str = "AuthProblem";
/// The same in the application's own form.
const OWN: &str = "AuthRejection";

/// Whether this library has a component of this name.
pub(super) fn is_own_component(name: &str) -> bool {
    [PROBLEM, OWN, LOGIN_PAGE].contains(&name) || REJECTIONS.iter().any(|(_, own, _)| *own == name)
}

/// The components that operations refer to, each with its kind and name.
pub(super) fn components(auth: &Auth) -> Vec<(&'static str, &str, Value)> {
    let form = &auth.engine().responses.form;
    let responses = REJECTIONS.map(|(status, name, text)| ("responses", name, response(status, text, form)));
    let schema = match form {
        RejectionForm::Problem => Some((PROBLEM, problem())),
        RejectionForm::Own { schema, .. } => Some((OWN, schema.clone())),
        RejectionForm::Unknown => None,
    };
    let login_page =
        auth.engine().responses.login_page.is_some().then(|| ("responses", LOGIN_PAGE, login_page()));
    let schema = schema.map(|(name, schema)| ("schemas", name, schema));
    let of_schema = match form {
        RejectionForm::Own { components, .. } => Some(components),
        _ => None,
    };
    let of_schema = of_schema.into_iter().flatten();
    let of_schema = of_schema.map(|(name, schema)| ("schemas", name.as_str(), schema.clone()));
    responses.into_iter().chain(login_page).chain(schema).chain(of_schema).collect()
}

/// The schema of the standard form (RFC 9457).
fn problem() -> Value {
    json!({
        "type": "object",
        "description": "A rejection (RFC 9457). It does not say why the request was rejected: the log of the server does.",
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
        },
        "required": ["type", "title", "status"],
    })
}

/// The redirect to the login page (RFC 9110 §15.4.4).
fn login_page() -> Value {
    json!({
        "description": "A browser that loads a page without a login is sent to the login page. Other programs are answered 401: those whose \
                        `Accept` does not prefer HTML, and scripts.",
        "headers": {
            "Location": {
                "description": "The path of the login page, with the way back in its query.",
                "required": true,
                "schema": { "type": "string", "format": "uri-reference" },
            },
        },
    })
}

fn response(status: &str, description: &str, form: &RejectionForm) -> Value {
    let (header, text, is_required) = match status {
        // A handler that answers 503 may leave it out.
        "503" => ("Retry-After", "The number of seconds after which another attempt may succeed.", false),
        // RFC 9110 §15.5.2
        "401" => ("WWW-Authenticate", CHALLENGES, true),
        // There is none for a page of another origin, nor for a request that the handler can't read.
        _ => ("WWW-Authenticate", CHALLENGES, false),
    };
    let mut header_fields = json!({ "description": text, "schema": { "type": "string" } });
    if let (true, Some(fields)) = (is_required, header_fields.as_object_mut()) {
        fields.insert("required".into(), true.into());
    }
    let mut response = json!({ "description": description, "headers": { header: header_fields } });
    let body = match form {
        RejectionForm::Problem => Some(("application/problem+json", PROBLEM)),
        RejectionForm::Own { content_type, .. } => Some((content_type.as_str(), OWN)),
        RejectionForm::Unknown => None,
    };
    if let (Some((content_type, name)), Some(response)) = (body, response.as_object_mut()) {
        let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
        let mut content = json!({ content_type: { "schema": schema } });
        if let ("400", Some(content)) = (status, content.as_object_mut()) {
            // Of axum's extractors.
            content.entry("text/plain").or_insert(json!({ "schema": { "type": "string" } }));
        }
        response.insert("content".into(), content);
    }
    response
}

/// The responses of a route, by status: those of its handler, and the rejections that its policy can lead to.
/// `ambient`: of each of its sources, whether a browser sends the credential by itself. `is_redirected`: a browser without a login is sent to
/// the login page. `takes_session_data`: whether the handler does, and whether a caller without a session is rejected for it.
pub(super) fn responses(
    policy: &PolicyDocument,
    ambient: &[bool],
    is_redirected: bool,
    takes_session_data: Option<bool>,
    auth: &Auth,
) -> BTreeMap<&'static str, Value> {
    let reads = matches!(policy.access, PolicyAccess::Authenticated | PolicyAccess::Optional);
    let has_ambient_source = ambient.contains(&true);
    // An ambient credential that is invalid counts as absent there.
    let can_be_invalid = policy.access == PolicyAccess::Authenticated || ambient.contains(&false);
    let may_be_unavailable = auth.engine().may_be_unavailable();
    let can_happen = |status: &str| match status {
        "400" | "401" => reads && can_be_invalid,
        "403" => {
            let is_of_policy =
                has_ambient_source || policy.check.is_some() || policy.all.iter().any(can_forbid);
            reads && (is_of_policy || takes_session_data == Some(true))
        }
        _ => reads && (may_be_unavailable || policy.check.is_some() || takes_session_data.is_some()),
    };
    let rejections = REJECTIONS.into_iter().filter(|(status, ..)| can_happen(status));
    let rejections = rejections
        .map(|(status, name, _)| (status, json!({ "$ref": format!("#/components/responses/{name}") })));
    let of_handler = [("2XX", "The handler's response."), ("default", "Any other response of the handler.")];
    let of_handler = of_handler.map(|(status, text)| (status, json!({ "description": text })));
    let login_page = ("303", json!({ "$ref": format!("#/components/responses/{LOGIN_PAGE}") }));
    let login_page = (is_redirected && can_happen("401")).then_some(login_page);
    rejections.chain(login_page).chain(of_handler).collect()
}

/// The answer to a login that is too old or too weak is 401.
fn can_forbid(condition: &Condition) -> bool {
    !condition.is_about_login()
}
