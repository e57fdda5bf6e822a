//! The JSON Schemas of lists: sessions and revocations.

use serde_json::{Value, json};

use crate::session::routes::TokenRoute;

/// Returns the schema of the list of one user's sessions.
pub(super) fn session_list() -> Value {
    let not_listed = json!({ "type": "integer", "description": "The number of further sessions, which were used before these." });
    let properties = json!({ "sessions": { "type": "array", "items": session() }, "not_listed": not_listed });
    json!({ "type": "object", "properties": properties, "required": ["sessions", "not_listed"] })
}

/// Returns the schema of a page of the sessions of all users.
pub(super) fn all_sessions() -> Value {
    let mut session = session();
    if let Some(properties) = session.pointer_mut("/properties").and_then(Value::as_object_mut) {
        properties.insert("user".into(), json!({ "type": "string", "description": "The id of the user." }));
    }
    if let Some(required) = session.pointer_mut("/required").and_then(Value::as_array_mut) {
        required.push("user".into());
    }
    page("sessions", &session)
}

/// Returns the schema of a page of revocations.
pub(super) fn revocations() -> Value {
    let string = |description: &str| json!({ "type": "string", "description": description });
    let revocation = json!({
        "type": "object",
        "properties": {
            "kind": { "type": "string", "enum": ["token", "session", "user", "issuer"] },
            "issuer": string("The `iss` of the tokens."),
            "token_id": string("Of a token: its `jti`."),
            "session_id": string("Of a session: the `sid` of its tokens."),
            "user": string("The id of the user, where it was known."),
            "sub": string("Of a user whom a provider named: the `sub` of the tokens."),
            "issued_at_or_before": time(
                "Of a user or an issuer: tokens that were issued by then are revoked. Without it, all of the sessions that began before."
            ),
            "recorded_at": time("When it was recorded. An earlier version did not say so."),
            "kept_until": time("When the last token that it concerns has expired."),
        },
        "required": ["kind", "issuer", "kept_until"],
    });
    page("revocations", &revocation)
}

/// Returns the parameters of the query.
pub(super) fn parameters(route: TokenRoute) -> Option<Value> {
    let in_query = |name: &str, description: &str| json!({ "name": name, "in": "query", "description": description, "schema": { "type": "string" } });
    let after = in_query("after", "`next` of the page before. Without it: the first page.");
    match route {
        TokenRoute::AllSessions => Some(json!([after])),
        TokenRoute::Revocations => {
            Some(json!([after, in_query("user", "The id of the user whose revocations are listed.")]))
        }
        _ => None,
    }
}

fn session() -> Value {
    json!({
        "type": "object",
        "properties": {
            "id": { "type": "string", "description": "The `sid` of the session's access tokens." },
            "started_at": time("When the user logged in."),
            "last_refreshed_at": time("When the session was last refreshed, or the login."),
            "expires_at": time("When the session ends, unless it is refreshed."),
            "label": { "type": "string", "description": "Such as the browser. It may come from the client: escape it." },
            "current": { "type": "boolean", "description": "Whether it is the session of this request." },
        },
        "required": ["id", "started_at", "last_refreshed_at", "expires_at", "current"],
    })
}

fn page(name: &str, item: &Value) -> Value {
    let next = "What the next page is asked for with, as `after`. There is none on the last page.";
    let next = json!({ "type": "string", "description": next });
    let properties = json!({ name: { "type": "array", "items": item }, "next": next });
    json!({ "type": "object", "properties": properties, "required": [name] })
}

fn time(description: &str) -> Value {
    json!({ "type": "integer", "description": format!("{description} Seconds since the epoch.") })
}
