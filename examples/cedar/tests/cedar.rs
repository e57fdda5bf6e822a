//! The program as a user runs it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A running program. It ends when this is dropped.
struct Program {
    process: Child,
    lines: Vec<String>,
}

impl Program {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_cedar"))
            .env("PORT", "0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let lines = output.take_while(|line| !line.contains("Ctrl-C ends it.")).collect();
        Self { process, lines }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        self.process.wait().unwrap();
    }
}

#[test]
#[ignore = "needs curl: bash tests/run"]
fn it_prints_lines_that_run_as_they_stand() {
    let program = Program::start();
    let script: String =
        program.lines.iter().filter(|line| line.starts_with("  ")).map(|line| format!("{line}\n")).collect();
    let output =
        Command::new("bash").args(["-euc", &script.replace("curl -i", "curl -si -m 20")]).output().unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    let answers = String::from_utf8(output.stdout).unwrap();
    // An answer without a line break at its end is followed by the status of the next one.
    let statuses: Vec<_> =
        answers.split("HTTP/1.1 ").skip(1).map(|answer| answer.get(..3).unwrap()).collect();
    assert_eq!(
        statuses,
        ["200", "200", "200", "404", "404", "200", "200", "403", "404", "403", "403", "200"],
        "{script}\n{answers}"
    );
}

#[test]
fn it_prints_the_access_table() {
    let program = Program::start();
    let rows: Vec<_> = program.lines.iter().filter(|line| line.contains("/articles/{id}  ")).collect();
    assert_eq!(rows.len(), 2, "{:#?}", program.lines);
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
