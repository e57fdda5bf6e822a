//! The responses of a route, by status: those of its success and of its failures, and on a guarded route those of the gate.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::Documented;
use super::lists::{all_sessions, revocations, session_list};
use crate::rejection::RejectionForm;
use crate::session::routes::answer_schemas::{FailureForm, SuccessForm};
use crate::session::routes::{Delivery, TokenFailure, TokenRoute};

const OWN_FORM: &str = "In a form that the application defines.";

/// What a gate answers besides, with the statuses that a route has for its failures.
const REJECTIONS: [(u16, &str); 4] = [
    (400, "the credential was sent more than once"),
    (401, "no credential was sent, or it is invalid"),
    (403, "the caller may not do this"),
    (503, UNAVAILABLE),
];
const UNAVAILABLE: &str = "the service is unavailable";

/// A response. Several things may lead to it.
#[derive(Default)]
struct Response {
    sentences: Vec<&'static str>,
    /// What leads to it, each a sentence without its capital letter and its period.
    reasons: Vec<&'static str>,
    /// The schemas of its body, by content type.
    content: BTreeMap<String, Vec<Value>>,
    /// Whether a body may have a form that is not known here.
    is_unknown: bool,
    /// Whether each reason says when to try again.
    waits: bool,
}

/// The responses of a route.
#[derive(Default)]
struct Responses(BTreeMap<u16, Response>);

impl Documented {
    /// The responses of a route. Those of a gate that are not of it alone are here; the others are added to the document with the rule.
    pub(super) fn responses(&self, route: TokenRoute, is_guarded: bool) -> Value {
        let mut responses = Responses::default();
        let is_success_known = self.add_success(route, &mut responses);
        self.add_redirect(route, &mut responses);
        let failures = self.failures(route);
        let is_failure_known = !matches!(self.answers.failed, FailureForm::Unknown);
        if is_failure_known {
            failures.iter().for_each(|failure| self.add_failure(failure, &mut responses));
            if is_guarded {
                self.add_rejections(&mut responses);
            }
        } else if is_guarded {
            // The gate in front of it rejects requests with these too.
            [400, 503].into_iter().for_each(|status| responses.at(status).is_unknown = true);
        }
        let mut written = responses.into_map();
        if !is_success_known || !is_failure_known {
            written.insert("default".into(), json!({ "description": OWN_FORM }));
        }
        Value::Object(written)
    }

    /// The failures of a route, each with the reason.
    fn failures(&self, route: TokenRoute) -> Vec<(TokenFailure, &'static str)> {
        let sets_cookies = self.delivery == Delivery::Cookies;
        let unparsed = (TokenFailure::InvalidRequest, "the request can't be parsed");
        let not_found = |reason| vec![(TokenFailure::NotFound, reason)];
        let mut failures = match route {
            TokenRoute::Login => vec![
                (self.wrong_credentials, "the credentials are wrong"),
                unparsed,
                (
                    TokenFailure::TooManyAttempts(std::time::Duration::ZERO),
                    "there were too many attempts for this account or from this address",
                ),
            ],
            TokenRoute::Refresh => {
                vec![(TokenFailure::InvalidGrant, "the refresh token is invalid"), unparsed]
            }
            TokenRoute::Logout if sets_cookies => Vec::new(),
            TokenRoute::Logout | TokenRoute::Revoke | TokenRoute::Introspect => vec![unparsed],
            TokenRoute::UserSessions | TokenRoute::EndUserSessions => {
                vec![(TokenFailure::InvalidRequest, "the path is not UTF-8")]
            }
            TokenRoute::AllSessions | TokenRoute::Revocations => {
                vec![(TokenFailure::InvalidRequest, "there is no such page")]
            }
            TokenRoute::EndSession => not_found("the caller has no session with this id"),
            TokenRoute::EndUserSession => not_found("the user has no session with this id"),
            TokenRoute::EndOtherSessions => {
                not_found("the caller's token is of no session, so there are no others")
            }
            TokenRoute::LogoutEverywhere | TokenRoute::Sessions => Vec::new(),
        };
        if sets_cookies && matches!(route, TokenRoute::Login | TokenRoute::Refresh | TokenRoute::Logout) {
            failures.push((TokenFailure::CrossOrigin, "a page of another origin sent the request"));
        }
        failures.push((TokenFailure::Unavailable, UNAVAILABLE));
        failures
    }

    fn add_failure(&self, (failure, reason): &(TokenFailure, &'static str), responses: &mut Responses) {
        let status = self.answers.status_of(*failure);
        let waits = matches!(failure, TokenFailure::TooManyAttempts(_) | TokenFailure::Unavailable);
        let response = responses.because(status.as_u16(), reason, waits);
        match &self.answers.failed {
            // A redirect says where, and what its body has is not read.
            _ if status.is_redirection() => {}
            FailureForm::Unknown => response.is_unknown = true,
            FailureForm::Standard => response.add_content("application/json", failure_schema()),
            FailureForm::Own { content_type, schema } => response.add_content(content_type, schema.clone()),
        }
    }

    /// What the gate answers with the same statuses.
    fn add_rejections(&self, responses: &mut Responses) {
        for (status, reason) in REJECTIONS {
            if !responses.0.contains_key(&status) {
                continue;
            }
            let response = responses.because(status, reason, status == 503);
            match &self.rejections {
                RejectionForm::Problem => {
                    response.add_content("application/problem+json", json!({ "type": "object" }));
                }
                RejectionForm::Own { content_type, schema, .. } => {
                    response.add_content(content_type, schema.clone());
                }
                RejectionForm::Unknown => response.is_unknown = true,
            }
        }
    }

    /// Adds the response to a browser that sends a form, and shows what is answered: the standard answers redirect it.
    fn add_redirect(&self, route: TokenRoute, responses: &mut Responses) {
        let is_standard = |form: &SuccessForm| matches!(form, SuccessForm::Standard);
        let answers = &self.answers;
        let fails_as_standard = matches!(answers.failed, FailureForm::Standard);
        let sentence = match route {
            TokenRoute::Login if is_standard(&answers.tokens) || fails_as_standard => {
                "To a browser that sent a form: where it came from, or the login page again, with `error` in its query."
            }
            TokenRoute::Logout | TokenRoute::LogoutEverywhere if is_standard(&answers.logged_out) => {
                "To a browser that sent a form: `return_to` of the query, or the login page."
            }
            _ => return,
        };
        if self.login_page.is_some() {
            responses.at(StatusCode::SEE_OTHER.as_u16()).sentences.push(sentence);
        }
    }

    /// Adds the response to a successful request. Returns whether it is known.
    fn add_success(&self, route: TokenRoute, responses: &mut Responses) -> bool {
        let own = |form: &SuccessForm| match form {
            SuccessForm::Own(status, schema) => Some((status.as_u16(), schema.clone())),
            _ => None,
        };
        let form = match route {
            TokenRoute::Login => Some(&self.answers.tokens),
            TokenRoute::Refresh => Some(self.answers.refreshed_form()),
            TokenRoute::Logout | TokenRoute::LogoutEverywhere => Some(&self.answers.logged_out),
            _ => None,
        };
        if matches!(form, Some(SuccessForm::Unknown)) {
            return false;
        }
        let (status, sentence, schema) = match form.and_then(own) {
            Some((status, schema)) => (status, own_success(route), schema),
            None => self.standard_success(route),
        };
        let response = responses.at(status);
        response.sentences.push(sentence);
        schema.into_iter().for_each(|schema| response.add_content("application/json", schema));
        true
    }

    /// The status, the description and the schema of a success in the form of this library.
    fn standard_success(&self, route: TokenRoute) -> (u16, &'static str, Option<Value>) {
        match route {
            TokenRoute::Login | TokenRoute::Refresh => {
                (200, "The tokens (RFC 6749 §5.1).", Some(tokens(self.delivery)))
            }
            TokenRoute::Logout | TokenRoute::LogoutEverywhere => (204, "Logged out.", None),
            TokenRoute::EndSession | TokenRoute::EndUserSession => (204, "The session has ended.", None),
            TokenRoute::EndOtherSessions | TokenRoute::EndUserSessions => {
                (204, "The sessions have ended.", None)
            }
            TokenRoute::Sessions | TokenRoute::UserSessions => (200, "The sessions.", Some(session_list())),
            TokenRoute::AllSessions => (200, "The sessions.", Some(all_sessions())),
            TokenRoute::Revocations => (200, "The revocations.", Some(revocations())),
            TokenRoute::Revoke => (200, "The token is invalid now.", None),
            TokenRoute::Introspect => {
                let active = json!({ "active": { "type": "boolean" } });
                let schema = json!({ "type": "object", "properties": active, "required": ["active"] });
                let sentence = "The claims of the token; `active` alone if it is invalid (RFC 7662 §2.2).";
                (200, sentence, Some(schema))
            }
        }
    }
}

impl Responses {
    fn at(&mut self, status: u16) -> &mut Response {
        self.0.entry(status).or_default()
    }

    /// The response that has this reason too. `waits`: it says then when to try again.
    fn because(&mut self, status: u16, reason: &'static str, waits: bool) -> &mut Response {
        let response = self.at(status);
        response.waits = waits && (response.waits || response.reasons.is_empty());
        if !response.reasons.contains(&reason) {
            response.reasons.push(reason);
        }
        response
    }

    fn into_map(self) -> Map<String, Value> {
        self.0
            .into_iter()
            .map(|(status, response)| (status.to_string(), response.into_value(status)))
            .collect()
    }
}

impl Response {
    fn add_content(&mut self, content_type: &str, schema: Value) {
        let schemas = self.content.entry(content_type.to_owned()).or_default();
        if !schemas.contains(&schema) {
            schemas.push(schema);
        }
    }

    fn description(&self) -> String {
        let mut sentences: Vec<String> =
            self.sentences.iter().map(|sentence| (*sentence).to_owned()).collect();
        let mut letters = self.reasons.join(", or ");
        if let Some(first) = letters.get_mut(..1) {
            first.make_ascii_uppercase();
            sentences.push(letters + ".");
        }
        if self.is_unknown {
            sentences.push(OWN_FORM.to_owned());
        }
        sentences.join(" ")
    }

    fn into_value(self, status: u16) -> Value {
        let mut response = Map::from_iter([("description".to_owned(), self.description().into())]);
        let header = match status {
            300..=399 => {
                let schema = json!({ "type": "string", "format": "uri-reference" });
                Some(("Location", json!({ "required": true, "schema": schema })))
            }
            401 => Some(("WWW-Authenticate", required("The scheme by which tokens are sent."))),
            _ if self.waits => Some(("Retry-After", required("Seconds until the next attempt."))),
            _ => None,
        };
        response.extend(header.map(|(name, header)| ("headers".to_owned(), json!({ name: header }))));
        if !self.is_unknown && !self.content.is_empty() {
            let content = self.content.into_iter().map(|(content_type, schemas)| {
                let schema = match <[Value; 1]>::try_from(schemas) {
                    Ok([schema]) => schema,
                    Err(schemas) => json!({ "anyOf": schemas }),
                };
                (content_type, json!({ "schema": schema }))
            });
            response.insert("content".into(), Value::Object(content.collect()));
        }
        Value::Object(response)
    }
}

/// A header that is always there.
fn required(description: &str) -> Value {
    json!({ "description": description, "required": true, "schema": { "type": "string" } })
}

/// The description of a success in the application's own form.
fn own_success(route: TokenRoute) -> &'static str {
    match route {
        TokenRoute::Login => "Logged in.",
        TokenRoute::Refresh => "The tokens are renewed.",
        _ => "Logged out.",
    }
}

/// The JSON Schema of a failure (RFC 6749 §5.2).
fn failure_schema() -> Value {
    let error = json!({ "error": { "type": "string" } });
    json!({ "type": "object", "properties": error, "required": ["error"] })
}

/// The JSON Schema of tokens (RFC 6749 §5.1).
fn tokens(delivery: Delivery) -> Value {
    let mut properties = json!({
        "token_type": { "type": "string", "enum": ["Bearer"] },
        "expires_in": { "type": "integer", "description": "Seconds until the access token expires." },
        "scope": { "type": "string" },
    });
    let mut required = vec!["token_type", "expires_in"];
    if let (Delivery::Json, Some(properties)) = (delivery, properties.as_object_mut()) {
        for name in ["access_token", "refresh_token"] {
            properties.insert(name.into(), json!({ "type": "string" }));
            required.push(name);
        }
    }
    json!({ "type": "object", "properties": properties, "required": required })
}
