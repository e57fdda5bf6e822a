//! What the routes say of themselves in an OpenAPI document: what they take, and what they answer.

use serde_json::{Map, Value, json};

use super::{Delivery, TokenRoute};
use crate::router::HandlerDocs;

/// How the routes were put together, as far as a document tells of it.
#[derive(Debug)]
pub(super) struct Documented {
    pub(super) delivery: Delivery,
    /// The JSON Schema of what a login sends.
    pub(super) credentials: Value,
    /// Whether the application has its own form of answers, which is not known here.
    pub(super) has_own_answers: bool,
}

impl Documented {
    /// What a route says of itself, whose operation has this id.
    pub(super) fn route(&self, route: TokenRoute, id: &str) -> HandlerDocs {
        let mut operation = json!({
            "operationId": id,
            "tags": ["Session"],
            "summary": summary(route),
            "description": self.description(route),
            "responses": self.responses(route),
        });
        if let (Some(body), Some(operation)) = (self.body(route), operation.as_object_mut()) {
            operation.insert("requestBody".into(), body);
        }
        HandlerDocs::one("post", operation)
    }

    fn description(&self, route: TokenRoute) -> &'static str {
        match (route, self.delivery) {
            (TokenRoute::Login, Delivery::Json) => "Tokens for good credentials.",
            (TokenRoute::Login, Delivery::Cookies) => {
                "Tokens for good credentials, in cookies that no script can read. It must be sent by a page of this service."
            }
            (TokenRoute::Refresh, Delivery::Json) => {
                "The next tokens for a refresh token, which is for one use (RFC 6749 §6)."
            }
            (TokenRoute::Refresh, Delivery::Cookies) => {
                "The next tokens for the refresh token in its cookie, which is for one use (RFC 6749 §6)."
            }
            (TokenRoute::Logout, _) => {
                "Ends the login of whatever tokens are sent, expired or not. Who has none is logged out already."
            }
            (TokenRoute::LogoutEverywhere, _) => "Ends all logins of the caller's.",
            (TokenRoute::Revoke, _) => "Takes a token back (RFC 7009).",
            (TokenRoute::Introspect, _) => "What a token says, if it is good (RFC 7662).",
        }
    }

    fn body(&self, route: TokenRoute) -> Option<Value> {
        let string = || json!({ "type": "string" });
        let object = |properties: Value, required: &[&str]| json!({ "type": "object", "properties": properties, "required": required });
        let (schema, is_required) = match (route, self.delivery) {
            (TokenRoute::Login, _) => (self.credentials.clone(), true),
            (TokenRoute::Refresh, Delivery::Json) => {
                let grant_type = json!({ "type": "string", "enum": ["refresh_token"] });
                let properties = json!({ "refresh_token": string(), "grant_type": grant_type });
                (object(properties, &["refresh_token"]), true)
            }
            (TokenRoute::Logout, Delivery::Json) => {
                (object(json!({ "refresh_token": string() }), &[]), false)
            }
            (TokenRoute::Refresh | TokenRoute::Logout, Delivery::Cookies)
            | (TokenRoute::LogoutEverywhere, _) => return None,
            (TokenRoute::Revoke | TokenRoute::Introspect, _) => {
                let properties = json!({ "token": string(), "token_type_hint": string() });
                (object(properties, &["token"]), true)
            }
        };
        let content = json!({ "schema": schema });
        let content = json!({ "application/json": content, "application/x-www-form-urlencoded": content });
        Some(json!({ "required": is_required, "content": content }))
    }

    fn responses(&self, route: TokenRoute) -> Value {
        let own_form = || json!({ "description": "In the application's own form." });
        let (status, good) = self.good(route);
        let is_guarded =
            matches!(route, TokenRoute::LogoutEverywhere | TokenRoute::Revoke | TokenRoute::Introspect);
        if self.has_own_answers {
            let mut responses = Map::from_iter([("default".to_owned(), own_form())]);
            if is_guarded {
                // The gate in front of it answers these too.
                responses.extend(["400", "503"].map(|status| (status.to_owned(), own_form())));
            }
            if matches!(route, TokenRoute::Revoke | TokenRoute::Introspect) {
                responses.insert(status.to_owned(), good);
            }
            return Value::Object(responses);
        }
        let failure = |description: &str, waits: bool| failure(description, waits, is_guarded);
        let mut responses = json!({ status: good, "503": failure("It can't be told or done now.", true) });
        let Some(all) = responses.as_object_mut() else { return responses };
        let sets_cookies = self.delivery == Delivery::Cookies;
        let unreadable = match route {
            TokenRoute::Login => Some("The credentials are wrong, or the request can't be read."),
            TokenRoute::Refresh => Some("The refresh token is not good, or the request can't be read."),
            TokenRoute::Logout if !sets_cookies => Some("The request can't be read."),
            TokenRoute::Revoke | TokenRoute::Introspect => {
                Some("The request can't be read, or the credential was sent more than once.")
            }
            TokenRoute::Logout | TokenRoute::LogoutEverywhere => None,
        };
        all.extend(unreadable.map(|why| ("400".to_owned(), failure(why, false))));
        if sets_cookies && matches!(route, TokenRoute::Login | TokenRoute::Refresh | TokenRoute::Logout) {
            all.insert("403".into(), failure("A page of another origin sent it.", false));
        }
        if route == TokenRoute::Login {
            all.insert(
                "429".into(),
                failure("Too many attempts, of this account or from this address.", true),
            );
        }
        responses
    }

    /// The answer where all is well.
    fn good(&self, route: TokenRoute) -> (&'static str, Value) {
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
            TokenRoute::Revoke => ("200", described("The token is good no more, or never was.")),
            TokenRoute::Introspect => {
                let active = json!({ "active": { "type": "boolean" } });
                let schema = json!({ "type": "object", "properties": active, "required": ["active"] });
                ("200", with("What it says; only `active` if it is not good (RFC 7662 §2.2).", schema))
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
        TokenRoute::Revoke => "Take a token back",
        TokenRoute::Introspect => "Ask about a token",
    }
}

/// An answer of RFC 6749 §5.2; or, of a route that is guarded, of RFC 9457.
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
            "description": "Seconds until it may be worth another try.",
            "required": true,
            "schema": { "type": "string" },
        });
        response.insert("headers".into(), json!({ "Retry-After": seconds }));
    }
    response
}
