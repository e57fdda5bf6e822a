//! An MCP server with two tools. Its clients find the identity provider by its challenges (Model Context Protocol, revision 2026-07-28).
//!
//! All tools share one route, and the gate never reads the body. So the route's rule is what every client needs, and each tool has a rule of
//! its own, which is declared on the route and decided before rmcp sees the message: the answer is 403, and no stream has begun.

mod headers;
mod tools;

use std::error::Error;

use auth_runtime::policy::Rule;
use auth_runtime::rejection::Rejection;
use auth_runtime::routing::{ProtectedResource, post};
use auth_runtime::{Auth, Principal, Router, auth, rule};
use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::{Value, json};

use self::tools::Notes;

/// What each tool requires, beyond the rule of the route. A tool that is not listed can't be called.
const TOOLS: [(&str, Rule); 2] =
    [("list_notes", Rule::authenticated()), ("add_note", rule!(scopes = ["notes:write"]))];

/// The error of a message whose headers say something else (revision 2026-07-28).
const HEADER_MISMATCH: i32 = -32020;

/// The longest message, in bytes.
const LONGEST: usize = 64 * 1024;

#[derive(Clone)]
struct Server {
    auth: Auth,
    mcp: StreamableHttpService<Notes, NeverSessionManager>,
}

/// The server, as the protected resource with this identifier, which is the URL that clients are given.
///
/// # Errors
/// If the engine can't serve the routes: no issuer of it has the resource as its audience, for one.
pub fn app(auth: &Auth, resource: &str) -> Result<axum::Router, Box<dyn Error>> {
    let url: Uri = resource.parse()?;
    let config = StreamableHttpServerConfig::default()
        // Revision 2026-07-28 has no sessions: each message is a request, with a token of its own.
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(LONGEST)
        // Against DNS rebinding, as the specification wants: no page of a browser may call it, and by no other name.
        .with_allowed_hosts(url.authority().map(ToString::to_string))
        .enforce_origin_validation();
    let notes = Notes::default();
    let mcp = StreamableHttpService::new(move || Ok(notes.clone()), Default::default(), config);
    let route = TOOLS.iter().fold(post(call), |route, (name, rule)| route.declares(*name, rule));
    let app = Router::new()
        .route(url.path(), route)
        .protected_resource(ProtectedResource::new(resource).name("Notes"))
        .with_state(Server { auth: auth.clone(), mcp });
    Ok(app.finish(auth)?)
}

#[auth(scopes = ["notes:read"])]
async fn call(
    State(server): State<Server>,
    user: Principal,
    request: Request,
) -> Result<Response, Rejection> {
    let (mut head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST).await else {
        return Ok(StatusCode::PAYLOAD_TOO_LARGE.into_response());
    };
    let Ok(message @ Value::Object(_)) = serde_json::from_slice(&body) else {
        return Ok((StatusCode::BAD_REQUEST, "the body is not one JSON-RPC message").into_response());
    };
    if message.get("method").is_some_and(|method| method == "tools/call") {
        let name = message.pointer("/params/name").and_then(Value::as_str).unwrap_or_default();
        let known = TOOLS.iter().find(|(tool, _)| *tool == name);
        let (_, rule) = known.ok_or_else(Rejection::hidden)?;
        server.auth.require(&user, rule)?;
    }
    if let Err(differs) = headers::check(&head.headers, &message) {
        let error = json!({ "code": HEADER_MISMATCH, "message": differs });
        let answer = json!({ "jsonrpc": "2.0", "id": message.get("id"), "error": error });
        return Ok((StatusCode::BAD_REQUEST, Json(answer)).into_response());
    }
    // A tool must not pass the token on to another service.
    head.headers.remove(header::AUTHORIZATION);
    head.headers.remove(header::CONTENT_LENGTH);
    head.extensions.insert(user);
    // What is passed on is what was decided, and not the text, which another parser may read otherwise.
    let decided = Request::from_parts(head, Body::from(message.to_string()));
    Ok(server.mcp.handle(decided).await.map(Body::new))
}
