//! The example as it is run. The official SDK is given the URL of the server, finds the provider by its challenge, logs its user in, calls
//! one tool and is refused another.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::net::TcpStream;
use std::process::Command;

use auth_tests_tools::Program;
use serde_json::{Value, json};

/// The steps that the client has printed.
fn steps(text: &str) -> Vec<Value> {
    let beginnings = text.match_indices("{\"step\"").map(|(index, _)| &text[index..]);
    let first = |text: &str| serde_json::Deserializer::from_str(text).into_iter().next().unwrap().unwrap();
    beginnings.map(first).collect()
}

#[test]
#[ignore = "needs oidc-provider and the SDK of the Model Context Protocol: bash tests/run"]
fn the_printed_lines_do_what_they_say_and_an_interrupt_ends_both() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-server"));
    let running = Program::start(command.env("PORT", "0"), "client.sh");
    let (_, first) = running.lines()[0].split_once("The provider is ").unwrap();
    let (provider, rest) = first.split_once(", and the server ").unwrap();
    let (resource, _) = rest.split_once(". ").unwrap();

    let (statuses, text) = running.run_the_lines();
    assert_eq!(statuses, ["401", "200"], "{text}");
    assert!(text.contains(&format!("\"authorization_servers\":[\"{provider}\"]")), "{text}");
    let asked = |step: &str, scope: &str| json!({ "step": step, "provider": provider, "scope": scope, "resource": resource });
    let expected = [
        asked("connect", "notes:read"),
        json!({ "step": "connected", "revision": "2026-07-28" }),
        json!({ "step": "tools", "names": ["add_note", "list_notes"] }),
        json!({ "step": "list_notes", "text": "" }),
        asked("add_note", "notes:read notes:write"),
        json!({ "step": "list_notes", "text": "" }),
        json!({ "step": "add_note", "text": "added" }),
        json!({ "step": "list_notes", "text": "buy milk" }),
    ];
    assert_eq!(steps(&text), expected, "{text}");

    // A client of the revision before is served as well, and has notes of the same user.
    let mut client = Command::new("bash");
    client.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/client.sh")).arg(resource).env("MCP_LEGACY", "1");
    let output = client.output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let expected = [
        asked("connect", "notes:read"),
        json!({ "step": "connected", "revision": "2025-11-25" }),
        json!({ "step": "tools", "names": ["add_note", "list_notes"] }),
        json!({ "step": "list_notes", "text": "buy milk" }),
        asked("add_note", "notes:read notes:write"),
        json!({ "step": "list_notes", "text": "buy milk" }),
        json!({ "step": "add_note", "text": "added" }),
        json!({ "step": "list_notes", "text": "buy milk\nbuy milk" }),
    ];
    assert_eq!(steps(&text), expected, "{text}");

    let addresses = [provider, resource.trim_end_matches("/mcp")].map(|url| url.replace("http://", ""));
    let ended = running.interrupt();
    assert!(ended.success(), "{ended}");
    for address in addresses {
        assert!(TcpStream::connect(&address).is_err(), "{address} still listens");
    }
}
