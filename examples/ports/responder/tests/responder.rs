//! The program as a user runs it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::{Command, Stdio};

use auth_tests_tools::Program;
use reqwest::Client;
use tempfile::TempDir;

fn start_in(data: &Path) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_port-responder"));
    command.args(["--port", "0", "--data"]).arg(data).stderr(Stdio::null());
    Program::start(&mut command, "Ctrl-C ends it.")
}

/// The first line that has this in it, from there on.
fn after<'p>(program: &'p Program, text: &str) -> &'p str {
    program.lines().iter().find_map(|line| Some(line.split_once(text)?.1)).unwrap()
}

fn origin(program: &Program) -> &str {
    after(program, "Open ").split_once("/dashboard").unwrap().0
}

#[test]
#[ignore = "needs curl: bash tests/run"]
fn it_prints_lines_that_run_as_they_stand() {
    let data = TempDir::new().unwrap();
    let program = start_in(data.path());
    let (statuses, shown) = program.run_the_lines();
    let expected = [
        "303", "401", // without a login
        "401", "200", "200", "200", "201", "403", // alice
        "200", "403", // an auditor
        "404", "404", // notes that are not hers
        "204", "401", // after the logout
        "200", // the admin
        "200", "401", "401", // a key
    ];
    assert_eq!(statuses, expected, "{shown}");
}

#[test]
fn it_prints_the_access_table() {
    let data = TempDir::new().unwrap();
    let program = start_in(data.path());
    let is_row = |line: &&String| line.starts_with("GET ") && line.contains("/api/admin/users ");
    let rows: Vec<_> = program.lines().iter().filter(is_row).collect();
    assert!(rows.len() == 1 && rows[0].ends_with("role admin"), "{:#?}", program.lines());
}

/// The process is killed, and started again on the same data.
#[tokio::test]
async fn tokens_and_keys_outlive_a_restart() {
    let data = TempDir::new().unwrap();
    let program = start_in(data.path());
    let key = after(&program, "  KEY=").to_owned();
    let client = Client::new();
    let log_in =
        client.post(format!("{}/api/login", origin(&program))).header("content-type", "application/json");
    let answer = log_in.body(r#"{"username": "alice", "password": "wonderland"}"#).send().await.unwrap();
    let answer: serde_json::Value = answer.json().await.unwrap();
    let token = answer["token"].as_str().unwrap();
    let token_works = async |program: &Program| {
        let request = client.get(format!("{}/api/me", origin(program))).bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    };
    let key_works = async |program: &Program| {
        let request = client.get(format!("{}/api/protected", origin(program))).header("x-api-key", &key);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!((token_works(&program).await, key_works(&program).await), (200, 200));
    drop(program);

    let program = start_in(data.path());
    assert!(!program.lines().iter().any(|line| line.contains("KEY=")), "a key is shown once");
    assert_eq!((token_works(&program).await, key_works(&program).await), (200, 200));
    let logout = client.post(format!("{}/api/logout", origin(&program))).bearer_auth(token);
    assert_eq!(logout.send().await.unwrap().status(), 204);
    drop(program);

    let program = start_in(data.path());
    assert_eq!(token_works(&program).await, 401, "a logout outlives it, too");
}

#[test]
fn it_prints_a_new_key_and_its_hash() {
    let output = Command::new(env!("CARGO_BIN_EXE_port-responder")).arg("new-key").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let key = text.lines().next().unwrap().rsplit_once(' ').unwrap().1;
    assert!(key.starts_with("notes_") && text.matches(key).count() == 1, "{text}");
}
