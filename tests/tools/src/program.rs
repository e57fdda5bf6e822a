//! An example as a user runs it: in a process of its own, with the lines that it prints.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};

/// A running program. It is killed when this is dropped, with SIGKILL.
#[derive(Debug)]
pub struct Program {
    process: Child,
    lines: Vec<String>,
}

impl Program {
    /// Starts it, and returns once it has printed a line with this text.
    ///
    /// # Panics
    /// If it can't be started.
    #[track_caller]
    pub fn start(command: &mut Command, last: &str) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let mut lines = Vec::new();
        for line in output.lines().map(Result::unwrap) {
            let is_last = line.contains(last);
            lines.push(line);
            if is_last {
                break;
            }
        }
        Self { process, lines }
    }

    /// What it has printed, with that last line.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Interrupts it, as Ctrl-C does, and returns how it has ended.
    ///
    /// # Panics
    /// If it can't be interrupted.
    pub fn interrupt(mut self) -> ExitStatus {
        let process = self.process.id().to_string();
        // A program `kill` is not everywhere, and every shell has it.
        let status = Command::new("sh").args(["-c", "kill -s INT \"$0\"", &process]).status().unwrap();
        assert!(status.success(), "kill -s INT {process}: {status}");
        self.process.wait().unwrap()
    }

    /// The statuses of all answers of the `curl -i` lines that it has printed: the lines that begin with two spaces are run as they are
    /// printed, in one shell. Also the lines and what they print.
    ///
    /// # Panics
    /// If one of them fails.
    #[track_caller]
    pub fn run_the_lines(&self) -> (Vec<String>, String) {
        let lines = self.lines.iter().filter(|line| line.starts_with("  "));
        let script: String = lines.map(|line| format!("{line}\n")).collect();
        let answers = bash(&script);
        // An answer without a line break at its end is followed by the status of the next one.
        let statuses = answers.split("HTTP/1.1 ").skip(1).map(|answer| answer.get(..3).unwrap().to_owned());
        (statuses.collect(), format!("{script}\n{answers}"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        self.process.wait().unwrap();
    }
}

/// What a script prints that ends at its first failure. Its `curl` prints no progress, and waits for 20 seconds at most.
///
/// # Panics
/// If it fails.
#[track_caller]
pub fn bash(script: &str) -> String {
    // Options for every `curl`, so that the lines stay as they are.
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(".curlrc"), "silent\nshow-error\nmax-time = 20\n").unwrap();
    let output = Command::new("bash").args(["-euc", script]).env("CURL_HOME", home.path()).output().unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
