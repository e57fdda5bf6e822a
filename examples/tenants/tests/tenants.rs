//! The program as a user runs it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::{Command, Stdio};

use auth_tests_tools::Program;
use tempfile::TempDir;

/// With the folder that its database is in.
fn start() -> (Program, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenants"));
    command.arg(folder.path().join("database")).env("PORT", "0").stderr(Stdio::null());
    (Program::start(&mut command, "Ctrl-C ends it."), folder)
}

#[test]
#[ignore = "needs curl: bash tests/run"]
fn it_prints_lines_that_run_as_they_stand() {
    let (program, _folder) = start();
    let (statuses, shown) = program.run_the_lines();
    assert_eq!(
        statuses,
        ["200", "200", "200", "404", "404", "404", "404", "201", "200", "200", "403", "403", "403"],
        "{shown}"
    );
}

#[test]
fn it_prints_the_access_table() {
    let (program, _folder) = start();
    let is_row = |line: &&String| line.starts_with("GET     /tenants ") && line.ends_with("role operator");
    assert_eq!(program.lines().iter().filter(is_row).count(), 1, "{:#?}", program.lines());
}
