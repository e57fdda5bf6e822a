//! The official SDK is given the URL of the server, finds the provider by its challenge, logs in, calls one tool and is refused another.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::Stdio;

use auth_runtime::Auth;
use auth_runtime::verify::TrustedIssuer;
use auth_tests_provider::{Provider, ProviderOptions, TokenFormat};
use auth_tests_tools::folder;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs oidc-provider and the SDK of the Model Context Protocol: bash tests/run"]
async fn a_client_finds_the_provider_and_its_user_widens_the_token_for_one_tool() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let resource = format!("http://{}/mcp", listener.local_addr().unwrap());
    let client = json!({
        "client_id": "mcp-client",
        "token_endpoint_auth_method": "none",
        "application_type": "native",
        "grant_types": ["authorization_code"],
        "redirect_uris": ["http://127.0.0.1/callback"],
    });
    let options = ProviderOptions::new().client(client);
    let provider = Provider::start(options.resource(
        &resource,
        &resource,
        "notes:read notes:write",
        TokenFormat::Jwt("ES256"),
    ));
    let auth = Auth::builder()
        .issuer(TrustedIssuer::discover(provider.issuer()).audience(&resource))
        .build()
        .unwrap();
    auth.start().await.unwrap();
    let app = mcp_server::app(&auth, &resource).unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });

    let folder = folder();
    let output = Command::new(folder.join("bin/node"))
        .args(["--input-type=module", "--eval", include_str!("client.mjs")])
        .current_dir(folder.join("node"))
        .env("MCP_SERVER", &resource)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    serving.abort();
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "{stdout}{stderr}");
    let steps: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let asked = |step: &str, scope: &str| json!({ "step": step, "provider": provider.issuer(), "scope": scope, "resource": resource });
    let expected = [
        asked("connect", "notes:read"),
        json!({ "step": "tools", "names": ["add_note", "list_notes"] }),
        json!({ "step": "list_notes", "text": "" }),
        asked("add_note", "notes:read notes:write"),
        json!({ "step": "list_notes", "text": "" }),
        json!({ "step": "add_note", "text": "added" }),
        json!({ "step": "list_notes", "text": "buy milk" }),
    ];
    assert_eq!(steps, expected);
}
