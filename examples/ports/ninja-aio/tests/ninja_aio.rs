//! The program as a user runs it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::{Command, Stdio};

use auth_tests_tools::Program;
use tempfile::TempDir;

/// The program, with the folder of its data.
fn program() -> (Command, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_port-ninja-aio"));
    command.args(["--port", "0", "--data"]).arg(folder.path().join("data"));
    for variable in ["ISSUER", "AUTH0_DOMAIN", "KEYCLOAK_REALM", "FIREBASE_PROJECT", "AGENCY_KEY", "PROXY"] {
        command.env_remove(variable);
    }
    (command, folder)
}

#[test]
#[ignore = "needs curl and oidc-provider: bash tests/run"]
fn it_prints_lines_that_run_as_they_stand() {
    let (mut command, _folder) = program();
    let program = Program::start(command.stderr(Stdio::null()), "Ctrl-C ends it.");
    let is_row = |line: &&String| line.starts_with("DELETE  /article/{id} ") && line.ends_with("role staff");
    assert_eq!(program.lines().iter().filter(is_row).count(), 1, "{:#?}", program.lines());
    let (statuses, shown) = program.run_the_lines();
    assert_eq!(
        statuses,
        [
            "200", "200", "404", "201", "200", "403", "404", "200", "200", "200", "404", "403", "200", "403",
            "204", "401", "401", "201", "401", "200", "200", "403", "200"
        ],
        "{shown}"
    );
    assert!(program.interrupt().success());
}

#[test]
fn a_variable_that_is_missing_is_named() {
    let (mut command, _folder) = program();
    let output = command.env("KEYCLOAK_REALM", "https://id.example.com/realms/press").output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("KEYCLOAK_REALM is set, so set KEYCLOAK_CLIENT too"), "{said}");
}
