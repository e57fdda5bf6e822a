//! The descriptions of the routes in an OpenAPI document: their requests and responses.

mod lists;
mod responses;

use serde_json::{Value, json};

use self::lists::parameters;
use super::endpoints::RoutesConfig;
use super::{AnswerSchemas, Credentials as _, Delivery, LoginVerifier, TokenFailure, TokenRoute};
use crate::login_page::LoginPage;
use crate::policy::short_name;
use crate::rejection::RejectionForm;
use crate::router::HandlerDocs;

/// The configuration of the routes, as far as the document needs it.
#[derive(Debug)]
pub(super) struct Documented {
    delivery: Delivery,
    /// The JSON Schema of a login's credentials.
    credentials: Value,
    /// The JSON Schemas of the bodies of a refresh and of a logout.
    refresh_request: Value,
    logout_request: Value,
    /// How wrong credentials of a login fail.
    wrong_credentials: TokenFailure,
    /// With it, a browser that sends a form is answered with a redirect.
    login_page: Option<LoginPage>,
    /// What is known of the responses.
    answers: AnswerSchemas,
    /// What is known of the rejections of a gate.
    rejections: RejectionForm,
}

impl Documented {
    pub(super) fn new<A: LoginVerifier>(config: &RoutesConfig<A>) -> Self {
        Self {
            delivery: config.delivery,
            credentials: A::Credentials::schema(),
            refresh_request: (config.refresh_request.schema)(),
            logout_request: (config.logout_request.schema)(),
            wrong_credentials: config.wrong_credentials,
            login_page: match config.delivery {
                Delivery::Cookies => config.tokens.engine().responses.login_page.clone(),
                Delivery::Json => None,
            },
            answers: config.answers.schemas(),
            rejections: config.tokens.engine().responses.form.clone(),
        }
    }

    /// What a route says of itself, for each of these methods. `is_guarded`: a gate may reject its callers.
    pub(super) fn route(&self, route: TokenRoute, methods: &[&str], is_guarded: bool) -> HandlerDocs {
        let mut operation = json!({
            "operationId": short_name(route.handler()),
            "tags": ["Session"],
            "summary": summary(route),
            "description": self.description(route),
            "responses": self.responses(route, is_guarded),
        });
        if let (Some(body), Some(operation)) = (self.body(route), operation.as_object_mut()) {
            operation.insert("requestBody".into(), body);
        }
        if let (Some(parameters), Some(operation)) = (parameters(route), operation.as_object_mut()) {
            operation.insert("parameters".into(), parameters);
        }
        HandlerDocs::for_each(methods, &operation, self.answers.components())
    }

    fn description(&self, route: TokenRoute) -> &'static str {
        match (route, self.delivery) {
            (TokenRoute::Login, Delivery::Json) => "Returns tokens for valid credentials.",
            (TokenRoute::Login, Delivery::Cookies) => {
                "Sets tokens in cookies that no script can read, for valid credentials. A page of this service must send it."
            }
            (TokenRoute::Refresh, Delivery::Json) => {
                "Returns new tokens for a refresh token, which can be used once (RFC 6749 §6)."
            }
            (TokenRoute::Refresh, Delivery::Cookies) => {
                "Sets new tokens for the refresh token in its cookie, which can be used once (RFC 6749 §6)."
            }
            (TokenRoute::Logout, _) => {
                "Ends the sessions of all tokens that are sent, expired or not. Without a token, the caller is logged out already."
            }
            (TokenRoute::LogoutEverywhere, _) => "Ends all sessions of the caller.",
            (TokenRoute::Revoke, _) => "Revokes a token (RFC 7009).",
            (TokenRoute::Introspect, _) => "Returns the claims of a token, if it is valid (RFC 7662).",
            (TokenRoute::Sessions, _) => {
                "Returns the active sessions of the caller, the one that was used last first."
            }
            (TokenRoute::EndSession, _) => "Ends one session of the caller.",
            (TokenRoute::EndOtherSessions, _) => "Ends all sessions of the caller but the current one.",
            (TokenRoute::UserSessions, _) => {
                "Returns the active sessions of a user, the one that was used last first."
            }
            (TokenRoute::EndUserSession, _) => "Ends one session of a user.",
            (TokenRoute::EndUserSessions, _) => {
                "Ends all sessions of a user, and revokes all of its access tokens."
            }
            (TokenRoute::AllSessions, _) => "Returns the active sessions of all users, 100 at a time.",
            (TokenRoute::Revocations, _) => {
                "Returns what was revoked and has not expired, the oldest first, 100 at a time."
            }
        }
    }

    fn body(&self, route: TokenRoute) -> Option<Value> {
        let string = || json!({ "type": "string" });
        let object = |properties: Value, required: &[&str]| json!({ "type": "object", "properties": properties, "required": required });
        let (schema, is_required) = match (route, self.delivery) {
            (TokenRoute::Login, _) => (self.credentials.clone(), true),
            (TokenRoute::Refresh, Delivery::Json) => (self.refresh_request.clone(), true),
            (TokenRoute::Logout, Delivery::Json) => (self.logout_request.clone(), false),
            (TokenRoute::Refresh | TokenRoute::Logout, Delivery::Cookies)
            | (
                TokenRoute::LogoutEverywhere
                | TokenRoute::Sessions
                | TokenRoute::EndSession
                | TokenRoute::EndOtherSessions
                | TokenRoute::UserSessions
                | TokenRoute::EndUserSession
                | TokenRoute::EndUserSessions
                | TokenRoute::AllSessions
                | TokenRoute::Revocations,
                _,
            ) => return None,
            (TokenRoute::Revoke | TokenRoute::Introspect, _) => {
                let properties = json!({ "token": string(), "token_type_hint": string() });
                (object(properties, &["token"]), true)
            }
        };
        let mut form = schema.clone();
        if let (TokenRoute::Login, Some(page), Some(Value::Object(properties))) =
            (route, &self.login_page, form.get_mut("properties"))
        {
            let return_to = json!({ "type": "string", "description": "Where the browser is sent after the login: a path of this service." });
            properties.insert(page.parameter().to_owned(), return_to);
        }
        let content = json!({ "application/json": { "schema": schema }, "application/x-www-form-urlencoded": { "schema": form } });
        Some(json!({ "required": is_required, "content": content }))
    }
}

fn summary(route: TokenRoute) -> &'static str {
    match route {
        TokenRoute::Login => "Log in",
        TokenRoute::Refresh => "Renew tokens",
        TokenRoute::Logout => "Log out",
        TokenRoute::LogoutEverywhere => "Log out everywhere",
        TokenRoute::Revoke => "Revoke a token",
        TokenRoute::Introspect => "Introspect a token",
        TokenRoute::Sessions => "List your sessions",
        TokenRoute::EndSession => "End one of your sessions",
        TokenRoute::EndOtherSessions => "End your other sessions",
        TokenRoute::UserSessions => "List the sessions of a user",
        TokenRoute::EndUserSession => "End a session of a user",
        TokenRoute::EndUserSessions => "End all sessions of a user",
        TokenRoute::AllSessions => "List the sessions of all users",
        TokenRoute::Revocations => "List what was revoked",
    }
}
