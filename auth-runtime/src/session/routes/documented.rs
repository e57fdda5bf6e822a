//! The descriptions of the routes in an OpenAPI document: their requests and responses.

mod lists;

use serde_json::{Map, Value, json};

use self::lists::{all_sessions, parameters, revocations, session_list};
use super::endpoints::RoutesConfig;
use super::{Credentials as _, Delivery, LoginVerifier, TokenFailure, TokenRoute};
use crate::login_page::LoginPage;
use crate::policy::short_name;
use crate::router::HandlerDocs;

/// The configuration of the routes, as far as the document needs it.
#[derive(Debug)]
pub(super) struct Documented {
    pub(super) delivery: Delivery,
    /// The JSON Schema of a login's credentials.
    pub(super) credentials: Value,
    /// The JSON Schemas of the bodies of a refresh and of a logout.
    pub(super) refresh_request: Value,
    pub(super) logout_request: Value,
    /// How wrong credentials of a login fail.
    pub(super) wrong_credentials: TokenFailure,
    /// With it, a browser that sends a form is answered with a redirect.
    pub(super) login_page: Option<LoginPage>,
    /// Whether the application has its own form of responses, which the document can't describe.
    pub(super) has_own_answers: bool,
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
            has_own_answers: config.has_own_answers,
        }
    }

    /// What a route says of itself, for each of these methods.
    pub(super) fn route(&self, route: TokenRoute, methods: &[&str]) -> HandlerDocs {
        let mut operation = json!({
            "operationId": short_name(route.handler()),
            "tags": ["Session"],
            "summary": summary(route),
            "description": self.description(route),
            "responses": self.responses(route),
        });
        if let (Some(body), Some(operation)) = (self.body(route), operation.as_object_mut()) {
            operation.insert("requestBody".into(), body);
        }
        if let (Some(parameters), Some(operation)) = (parameters(route), operation.as_object_mut()) {
            operation.insert("parameters".into(), parameters);
        }
        HandlerDocs::for_each(methods, &operation)
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

    fn responses(&self, route: TokenRoute) -> Value {
        let own_form = || json!({ "description": "In a form that the application defines." });
        let (status, success) = self.success(route);
        let is_guarded = !matches!(route, TokenRoute::Login | TokenRoute::Refresh | TokenRoute::Logout);
        if self.has_own_answers {
            let mut responses = Map::from_iter([("default".to_owned(), own_form())]);
            if is_guarded {
                // The gate in front of it rejects requests with these too.
                responses.extend(["400", "503"].map(|status| (status.to_owned(), own_form())));
            }
            if is_guarded && route != TokenRoute::LogoutEverywhere {
                responses.insert(status.to_owned(), success);
            }
            return Value::Object(responses);
        }
        let failure = |description: &str, waits: bool| failure(description, waits, is_guarded);
        let mut responses = json!({ status: success, "503": failure("The service is unavailable.", true) });
        let Some(all) = responses.as_object_mut() else { return responses };
        let sets_cookies = self.delivery == Delivery::Cookies;
        let is_unauthorized = self.wrong_credentials == TokenFailure::WrongCredentials;
        let bad_request = match route {
            TokenRoute::Login if is_unauthorized => Some("The request can't be parsed."),
            TokenRoute::Login => Some("The credentials are wrong, or the request can't be parsed."),
            TokenRoute::Refresh => Some("The refresh token is invalid, or the request can't be parsed."),
            TokenRoute::Logout if !sets_cookies => Some("The request can't be parsed."),
            TokenRoute::Revoke | TokenRoute::Introspect => {
                Some("The request can't be parsed, or the credential was sent more than once.")
            }
            TokenRoute::UserSessions | TokenRoute::EndUserSessions => {
                Some("The path is not UTF-8, or the credential was sent more than once.")
            }
            TokenRoute::AllSessions | TokenRoute::Revocations => {
                Some("There is no such page, or the credential was sent more than once.")
            }
            _ => None,
        };
        all.extend(bad_request.map(|reason| ("400".to_owned(), failure(reason, false))));
        if sets_cookies && matches!(route, TokenRoute::Login | TokenRoute::Refresh | TokenRoute::Logout) {
            all.insert("403".into(), failure("A page of another origin sent the request.", false));
        }
        let not_found = match route {
            TokenRoute::EndSession => Some("The caller has no session with this id."),
            TokenRoute::EndUserSession => Some("The user has no session with this id."),
            TokenRoute::EndOtherSessions => {
                Some("The caller's token is of no session, so there are no others.")
            }
            _ => None,
        };
        all.extend(self.login_page.as_ref().and_then(|_| redirect(route)).map(|to| ("303".to_owned(), to)));
        all.extend(not_found.map(|reason| ("404".to_owned(), failure(reason, false))));
        if route == TokenRoute::Login && is_unauthorized {
            all.insert("401".into(), unauthorized());
        }
        if route == TokenRoute::Login {
            all.insert(
                "429".into(),
                failure("There were too many attempts for this account or from this address.", true),
            );
        }
        responses
    }

    /// Returns the status and the response of a successful request.
    fn success(&self, route: TokenRoute) -> (&'static str, Value) {
        let described = |description: &str| json!({ "description": description });
        let with = |description: &str, schema: Value| json!({ "description": description, "content": { "application/json": { "schema": schema } } });
        match route {
            TokenRoute::Login | TokenRoute::Refresh => {
                let mut properties = json!({
                    "token_type": { "type": "string", "enum": ["Bearer"] },
                    "expires_in": { "type": "integer", "description": "Seconds until the access token expires." },
                    "scope": { "type": "string" },
                });
                let mut required = vec!["token_type", "expires_in"];
                if let (Delivery::Json, Some(properties)) = (self.delivery, properties.as_object_mut()) {
                    for name in ["access_token", "refresh_token"] {
                        properties.insert(name.into(), json!({ "type": "string" }));
                        required.push(name);
                    }
                }
                let schema = json!({ "type": "object", "properties": properties, "required": required });
                ("200", with("The tokens (RFC 6749 §5.1).", schema))
            }
            TokenRoute::Logout | TokenRoute::LogoutEverywhere => ("204", described("Logged out.")),
            TokenRoute::EndSession | TokenRoute::EndUserSession => {
                ("204", described("The session has ended."))
            }
            TokenRoute::EndOtherSessions | TokenRoute::EndUserSessions => {
                ("204", described("The sessions have ended."))
            }
            TokenRoute::Sessions | TokenRoute::UserSessions => ("200", with("The sessions.", session_list())),
            TokenRoute::AllSessions => ("200", with("The sessions.", all_sessions())),
            TokenRoute::Revocations => ("200", with("The revocations.", revocations())),
            TokenRoute::Revoke => ("200", described("The token is invalid now.")),
            TokenRoute::Introspect => {
                let active = json!({ "active": { "type": "boolean" } });
                let schema = json!({ "type": "object", "properties": active, "required": ["active"] });
                (
                    "200",
                    with("The claims of the token; `active` alone if it is invalid (RFC 7662 §2.2).", schema),
                )
            }
        }
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

/// The response to a browser that sends a form, and shows what is answered.
fn redirect(route: TokenRoute) -> Option<Value> {
    let description = match route {
        TokenRoute::Login => {
            "To a browser that sent a form: where it came from, or the login page again, with `error` in its query."
        }
        TokenRoute::Logout | TokenRoute::LogoutEverywhere => {
            "To a browser that sent a form: `return_to` of the query, or the login page."
        }
        _ => return None,
    };
    let location = json!({ "required": true, "schema": { "type": "string", "format": "uri-reference" } });
    Some(json!({ "description": description, "headers": { "Location": location } }))
}

/// The response to wrong credentials, with its challenge (RFC 9110 §15.5.2).
fn unauthorized() -> Value {
    let mut response = failure("The credentials are wrong.", false, false);
    if let Some(response) = response.as_object_mut() {
        let challenge = json!({
            "description": "The scheme by which tokens are sent.",
            "required": true,
            "schema": { "type": "string" },
        });
        response.insert("headers".into(), json!({ "WWW-Authenticate": challenge }));
    }
    response
}

/// Returns a response of RFC 6749 §5.2. A route with a gate also has responses of RFC 9457.
fn failure(description: &str, waits: bool, is_guarded: bool) -> Value {
    let error = json!({ "error": { "type": "string" } });
    let schema = json!({ "type": "object", "properties": error, "required": ["error"] });
    let mut content = json!({ "application/json": { "schema": schema } });
    if let (true, Some(content)) = (is_guarded, content.as_object_mut()) {
        content.insert("application/problem+json".into(), json!({ "schema": { "type": "object" } }));
    }
    let mut response = json!({ "description": description, "content": content });
    if let (true, Some(response)) = (waits, response.as_object_mut()) {
        let seconds = json!({
            "description": "Seconds until the next attempt.",
            "required": true,
            "schema": { "type": "string" },
        });
        response.insert("headers".into(), json!({ "Retry-After": seconds }));
    }
    response
}
