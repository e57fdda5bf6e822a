//! Requests by the letter of the specification (revision 2026-07-28), with keys that are fixed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use serde_json::{Value, json};
use tower::ServiceExt as _;

const RESOURCE: &str = "https://mcp.example.com/mcp";
const METADATA: &str = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";
const VERSION: &str = "2026-07-28";

fn service() -> (TestAuth, axum::Router) {
    let key = Key::secret(Algorithm::HS256, [7; 32]);
    let provider = TrustedIssuer::new("https://id.example.com").audience(RESOURCE).key(key);
    let test = TestAuth::with(|builder| builder.issuer(provider));
    let app = mcp_server::app(test.auth(), RESOURCE).unwrap();
    (test, app)
}

fn call(tool: &str, arguments: &Value) -> Value {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1.0" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": { "name": tool, "arguments": arguments, "_meta": meta },
    })
}

struct Client {
    app: axum::Router,
    token: Option<String>,
    /// The header `MCP-Protocol-Version`.
    version: Option<&'static str>,
}

impl Client {
    async fn post(&self, headers: &[(&str, &str)], body: &str) -> Response<String> {
        let mut request = Request::post("/mcp")
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream");
        if let Some(version) = self.version {
            request = request.header("mcp-protocol-version", version);
        }
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "mcp.example.com");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer =
            self.app.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        let (head, body) = answer.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        Response::from_parts(head, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn call(&self, tool: &str, arguments: Value) -> Response<String> {
        self.post(&[("mcp-method", "tools/call"), ("mcp-name", tool)], &call(tool, &arguments).to_string())
            .await
    }
}

fn challenge<B>(answer: &Response<B>) -> &str {
    answer.headers().get("www-authenticate").map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn the_metadata_leads_to_the_provider_and_names_the_scopes_of_all_tools() {
    let (_, app) = service();
    let request = Request::get("/.well-known/oauth-protected-resource/mcp").body(Body::empty()).unwrap();
    let answer = app.oneshot(request).await.unwrap();
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    let expected = json!({
        "resource": RESOURCE,
        "authorization_servers": ["https://id.example.com"],
        "scopes_supported": ["notes:read", "notes:write"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Notes",
    });
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);
}

#[tokio::test]
async fn a_tool_is_called_by_a_token_with_its_scopes() {
    let (test, app) = service();
    let user = |scopes: &[&str]| TestUser::new("alice").scopes(scopes.iter().copied());
    let client = |token: Option<String>| Client { app: app.clone(), token, version: Some(VERSION) };
    let text = json!({ "text": "buy milk" });

    let answer = client(None).call("list_notes", json!({})).await;
    let expected =
        format!("Bearer realm=\"restricted\", scope=\"notes:read\", resource_metadata=\"{METADATA}\"");
    assert_eq!((answer.status().as_u16(), challenge(&answer)), (401, &*expected));

    let reader = client(Some(test.token(&user(&["notes:read"]))));
    let answer = reader.call("add_note", text.clone()).await;
    let expected = format!(
        "Bearer realm=\"restricted\", error=\"insufficient_scope\", scope=\"notes:read notes:write\", resource_metadata=\"{METADATA}\""
    );
    assert_eq!((answer.status().as_u16(), challenge(&answer)), (403, &*expected));
    assert_eq!(answer.headers()["content-type"], "application/problem+json");

    let writer = client(Some(test.token(&user(&["notes:read", "notes:write"]))));
    let answer = writer.call("add_note", text).await;
    assert!(answer.status() == 200 && answer.body().contains("added"), "{answer:?}");
    let answer = reader.call("list_notes", json!({})).await;
    assert!(answer.status() == 200 && answer.body().contains("buy milk"), "{answer:?}");
    let other = client(Some(test.token(&TestUser::new("bob").scopes(["notes:read"]))));
    let answer = other.call("list_notes", json!({})).await;
    assert!(answer.status() == 200 && !answer.body().contains("buy milk"), "{answer:?}");
}

/// What the headers say is what the body says, and what one parser reads is what another one reads.
#[tokio::test]
async fn no_message_reaches_a_tool_that_was_not_decided() {
    let (test, app) = service();
    let token = test.token(&TestUser::new("alice").scopes(["notes:read"]));
    let reader = Client { app, token: Some(token), version: Some(VERSION) };
    let add = call("add_note", &json!({ "text": "x" }));
    let named = |method, name| [("mcp-method", method), ("mcp-name", name)];
    let of_list = named("tools/call", "list_notes");
    let repeated = |key: &str, text: &str, value: &str| {
        // The last one counts, wherever it is counted.
        text.replacen(&format!("\"{key}\":"), &format!("\"{key}\":\"{value}\",\"{key}\":"), 1)
    };
    for (headers, body, status) in [
        // The body decides, and it is refused before the headers are looked at.
        (&of_list[..], add.to_string(), 403),
        (&named("tools/list", "add_note"), add.to_string(), 403),
        (&of_list, repeated("name", &add.to_string(), "list_notes"), 403),
        (&of_list, repeated("method", &add.to_string(), "tools/list"), 403),
        // A header that differs from a body that may pass.
        (&named("tools/call", "add_note"), call("list_notes", &json!({})).to_string(), 400),
        (&named("tools/list", "list_notes"), call("list_notes", &json!({})).to_string(), 400),
        (&[], call("list_notes", &json!({})).to_string(), 400),
        // No tool of this name, no name, several messages, and no message.
        (&named("tools/call", "drop_notes"), call("drop_notes", &json!({})).to_string(), 404),
        (&of_list, call("list_notes ", &json!({})).to_string(), 404),
        (&of_list, r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#.to_owned(), 404),
        (&of_list, format!("[{add}]"), 400),
        (&of_list, "tools/call".to_owned(), 400),
        (&of_list, format!("{}{}", add, " ".repeat(70_000)), 413),
    ] {
        let answer = reader.post(headers, &body).await;
        assert_eq!(answer.status(), status, "{headers:?} {}: {answer:?}", body.get(..200).unwrap_or(&body));
    }
    let list = call("list_notes", &json!({})).to_string();
    // DNS rebinding.
    for header in [("origin", "https://evil.example"), ("host", "evil.example")] {
        let answer = reader.post(&[of_list[0], of_list[1], header], &list).await;
        assert_eq!(answer.status(), 403, "{header:?}: {answer:?}");
    }
    let answer: Value = serde_json::from_str(reader.post(&of_list, &list).await.body()).unwrap();
    assert_eq!(answer.pointer("/result/content/0/text"), Some(&json!("")), "{answer}");
}

/// Neither rmcp nor an earlier revision asks for it, but what is in front of the server may decide by these headers.
#[tokio::test]
async fn the_headers_equal_the_body_whatever_revision_the_client_names() {
    let (test, app) = service();
    let token = test.token(&TestUser::new("alice").scopes(["notes:read"]));
    let list = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": { "name": "list_notes", "arguments": {} } });
    let tools = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list" });
    let cancelled =
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 } });
    for version in [None, Some("2025-06-18"), Some("2025-11-25")] {
        let reader = Client { app: app.clone(), token: Some(token.clone()), version };
        for (headers, message, status) in [
            (&[][..], &list, 200),
            (&[("mcp-method", "tools/call")], &list, 200),
            (&[("mcp-method", "tools/call"), ("mcp-name", "list_notes")], &list, 200),
            (&[("mcp-name", "=?base64?bGlzdF9ub3Rlcw==?=")], &list, 200),
            (&[("mcp-method", "tools/list")], &tools, 200),
            (&[("mcp-method", "notifications/cancelled")], &cancelled, 202),
            // Another method, another name, and the same ones in another form.
            (&[("mcp-method", "tools/list")], &list, 400),
            (&[("mcp-method", "Tools/Call")], &list, 400),
            (&[("mcp-method", "")], &list, 400),
            (&[("mcp-method", "tools/call"), ("mcp-name", "add_note")], &list, 400),
            (&[("mcp-name", "add_note")], &list, 400),
            (&[("mcp-name", "=?base64?YWRkX25vdGU=?=")], &list, 400),
            (&[("mcp-method", "tools/call")], &tools, 400),
            (&[("mcp-method", "tools/list"), ("mcp-name", "list_notes")], &tools, 400),
            (&[("mcp-method", "tools/call")], &cancelled, 400),
            // Each one appears once: it is not known which of two another one reads.
            (&[("mcp-method", "tools/call"), ("mcp-method", "tools/list")], &list, 400),
            (&[("mcp-method", "tools/call"), ("mcp-method", "tools/call")], &list, 400),
            (&[("mcp-name", "list_notes"), ("mcp-name", "add_note")], &list, 400),
        ] {
            let answer = reader.post(headers, &message.to_string()).await;
            assert_eq!(answer.status(), status, "{version:?} {headers:?} {message}: {answer:?}");
            if status == 400 {
                let error: Value = serde_json::from_str(answer.body()).unwrap();
                assert_eq!(error.pointer("/error/code"), Some(&json!(-32020)), "{error}");
                assert_eq!(error.get("id"), Some(message.get("id").unwrap_or(&Value::Null)), "{error}");
            }
        }
    }
}
