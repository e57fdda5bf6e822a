//! The program as a user runs it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::{Command, Stdio};

use auth_tests_tools::Program;

fn start() -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cedar"));
    Program::start(command.env("PORT", "0").stderr(Stdio::null()), "Ctrl-C ends it.")
}

#[test]
#[ignore = "needs curl: bash tests/run"]
fn it_prints_lines_that_run_as_they_stand() {
    let program = start();
    let (statuses, shown) = program.run_the_lines();
    assert_eq!(
        statuses,
        ["200", "200", "200", "404", "404", "200", "200", "403", "404", "403", "403", "200"],
        "{shown}"
    );
}

#[test]
fn it_prints_the_access_table() {
    let program = start();
    let rows: Vec<_> = program.lines().iter().filter(|line| line.contains("/articles/{id}  ")).collect();
    assert_eq!(rows.len(), 2, "{:#?}", program.lines());
}

#[test]
fn policies_that_are_invalid_end_it_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/schema.cedarschema");
    std::fs::copy(own, folder.path().join("schema.cedarschema")).unwrap();
    let file = folder.path().join("articles.cedar");
    std::fs::write(&file, "permit (principal, action, resource)\nwhen { resource.stat == 1 };").unwrap();

    let mut command = Command::new(env!("CARGO_BIN_EXE_cedar"));
    let output = command.arg(folder.path()).env("PORT", "0").output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    assert!(error.contains(&format!("\n{}:2: for policy `policy0`", file.display())), "{error}");
}
