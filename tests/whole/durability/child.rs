//! The process that is killed, or can't write.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};

use auth_tests::durable::Line;

/// The process that does this on this store, through another command if there is one.
pub(super) fn command(what: &str, store: &Path, through: &[&str]) -> Command {
    let process = OsStr::new(env!("CARGO_BIN_EXE_durable-process"));
    let words: Vec<_> = through.iter().map(AsRef::as_ref).chain([process]).collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg(what).arg(store);
    command
}

/// A child that runs. It is killed when this is dropped.
pub(super) struct Child {
    process: std::process::Child,
    output: BufReader<ChildStdout>,
}

impl Child {
    /// Starts it on this store, through this command if there is one. What it revokes has ids that begin with the
    /// round.
    pub(super) fn start(store: &Path, round: &str, through: &[&str]) -> Self {
        let mut command = command("serve", store, through);
        let process = command.arg(round).stdout(Stdio::piped()).spawn();
        let mut process = process.unwrap_or_else(|error| {
            panic!("{command:?} can't be started: {error}. `bash tests/run` installs what it needs")
        });
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, output }
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The next that it says.
    pub(super) fn line(&mut self) -> Line {
        self.lines()
            .next()
            .unwrap_or_else(|| panic!("the child has ended: what it wrote to stderr tells why"))
    }

    /// What it says until it ends.
    pub(super) fn lines(&mut self) -> impl Iterator<Item = Line> {
        std::iter::from_fn(|| {
            let mut line = String::new();
            self.output.read_line(&mut line).unwrap();
            // One that has no end was cut off.
            Some(serde_json::from_str(line.strip_suffix('\n')?).unwrap())
        })
    }

    /// Kills it, with SIGKILL. What else it said.
    pub(super) fn kill(mut self) -> Vec<Line> {
        self.process.kill().unwrap();
        self.lines().collect()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        self.process.wait().unwrap();
    }
}
