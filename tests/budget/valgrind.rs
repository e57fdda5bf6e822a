//! A program below Valgrind.

use std::path::Path;
use std::process::{Command, Output};

/// Runs a program below Valgrind.
pub(crate) fn run(options: &[&str], program: &Path, arguments: &[&str], requests: u64) -> Output {
    let mut command = Command::new("valgrind");
    command.args(options).arg(program).args(arguments).arg(requests.to_string()).env_remove("VALGRIND_OPTS");
    let output = command.output().unwrap_or_else(|error| {
        panic!("this test needs Valgrind ({error}): `bash tests/run` installs it and runs the test")
    });
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    output
}
