//! The descriptions of the routes in an OpenAPI document: their requests and responses.

use serde_json::{Value, json};

use crate::router::HandlerDocs;

pub(super) fn back_channel_logout() -> HandlerDocs {
    let token = json!({ "type": "string", "description": "A logout token, signed by the provider." });
    let schema =
        json!({ "type": "object", "properties": { "logout_token": token }, "required": ["logout_token"] });
    operation(
        "back_channel_logout",
        "End a session at the request of its identity provider",
        "For identity providers: OpenID Connect Back-Channel Logout 1.0. The token in the body is the proof.",
        json!({ "application/x-www-form-urlencoded": { "schema": schema } }),
        json!({
            "200": { "description": "What the token names has ended." },
            "400": failure("The token is invalid, or can't be applied.", &["error"]),
            "503": unavailable(),
        }),
    )
}

pub(super) fn security_events() -> HandlerDocs {
    let members = ["err", "description"];
    let schema =
        json!({ "type": "string", "description": "A security event token (RFC 8417), in compact form." });
    operation(
        "security_events",
        "Receive a security event",
        "For transmitters of the Shared Signals Framework 1.0, which push security event tokens (RFC 8935). The token in the body is the \
         proof, together with the header `Authorization` that the stream was registered with, if there is one.",
        json!({ "application/secevent+jwt": { "schema": schema } }),
        json!({
            "202": { "description": "The event is recorded, or ends nothing." },
            "400": failure("The token, its transmitter or its subject is not accepted (RFC 8935 §2.3).", &members),
            "408": failure("The body took too long.", &members),
            "413": failure("The body is too long.", &members),
            "415": failure("The content type is not `application/secevent+jwt`.", &members),
            "503": unavailable(),
        }),
    )
}

fn operation(id: &str, summary: &str, description: &str, content: Value, responses: Value) -> HandlerDocs {
    let operation = json!({
        "operationId": id,
        "tags": ["Session"],
        "summary": summary,
        "description": description,
        "requestBody": { "required": true, "content": content },
        "responses": responses,
    });
    HandlerDocs::one("post", operation)
}

/// A failure whose body has these members, which are texts.
fn failure(description: &str, members: &[&str]) -> Value {
    let properties = members.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" })));
    let properties = Value::Object(properties.collect());
    let schema = json!({ "type": "object", "properties": properties, "required": members });
    json!({ "description": description, "content": { "application/json": { "schema": schema } } })
}

fn unavailable() -> Value {
    let seconds = json!({
        "description": "Seconds until the next attempt.",
        "required": true,
        "schema": { "type": "string" },
    });
    json!({ "description": "It can't be recorded now.", "headers": { "Retry-After": seconds } })
}
