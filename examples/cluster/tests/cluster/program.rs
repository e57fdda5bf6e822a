//! The example, as its user starts it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

/// The time after which a test fails that waits for something that does not happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cluster"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// The running example. All of it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Cluster {
    launcher: Child,
    /// All its processes have this.
    errors: ChildStderr,
    /// The folder of its temporary files.
    folder: TempDir,
    /// The addresses of A and B.
    pub(crate) instances: [String; 2],
}

impl Cluster {
    /// Starts it, and returns once both instances answer.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        // The account of the server goes through it.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut launcher = program(arguments).env("TMPDIR", folder.path()).spawn().unwrap();
        let mut errors = launcher.stderr.take().unwrap();
        let mut lines = BufReader::new(launcher.stdout.take().unwrap()).lines();
        let mut instances = Vec::new();
        loop {
            let Some(line) = timeout(PATIENCE, lines.next_line()).await.expect("it starts").unwrap() else {
                panic!("it has ended: {}", read(&mut errors).await);
            };
            if let Some((_, url)) = line.strip_prefix("Instance ").and_then(|rest| rest.split_once(": ")) {
                instances.push(url.trim_end_matches('/').to_owned());
            }
            if line == "Ctrl-C ends all of it." {
                return Self { launcher, errors, folder, instances: instances.try_into().unwrap() };
            }
        }
    }

    /// The processes that it has started, with what they are.
    pub(crate) fn processes(&self) -> BTreeMap<u32, String> {
        let mut found = BTreeMap::new();
        let mut parents = vec![self.launcher.id().unwrap()];
        while let Some(parent) = parents.pop() {
            for entry in fs::read_dir("/proc").unwrap() {
                let process = entry.unwrap().file_name().to_str().and_then(|name| name.parse::<u32>().ok());
                let Some(process) =
                    process.filter(|process| state(*process).is_some_and(|(_, of)| of == parent))
                else {
                    continue;
                };
                let command = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
                found.insert(process, String::from_utf8_lossy(&command).replace('\0', " "));
                parents.push(process);
            }
        }
        found
    }

    /// Sends a signal to the process that its user has started, and to no other.
    pub(crate) async fn signal(&self, name: &str) {
        let process = self.launcher.id().unwrap().to_string();
        // A program `kill` is not everywhere, and every shell has it.
        let sent = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &process]).status().await;
        assert!(sent.unwrap().success(), "kill -s {name} {process}");
    }

    /// Waits until all its processes have ended. How the first one has ended, and what is left: processes, and temporary files.
    pub(crate) async fn end(mut self, processes: &BTreeMap<u32, String>) -> (ExitStatus, Vec<String>) {
        // The last process that has this pipe closes it.
        read(&mut self.errors).await;
        let status = timeout(PATIENCE, self.launcher.wait()).await.expect("it ends").unwrap();
        let runs = |process: u32| state(process).is_some_and(|(state, _)| state != "Z");
        let mut left = Vec::new();
        for (process, what) in processes {
            // One that has closed its files may not have ended yet.
            let ended = async {
                while runs(*process) {
                    tokio::task::yield_now().await;
                }
            };
            if timeout(PATIENCE, ended).await.is_err() {
                left.push(what.clone());
            }
        }
        let files = fs::read_dir(self.folder.path()).unwrap();
        let files = files.map(|entry| entry.unwrap().path().display().to_string());
        left.extend(files);
        (status, left)
    }
}

pub(crate) async fn read(errors: &mut ChildStderr) -> String {
    let mut text = String::new();
    timeout(PATIENCE, errors.read_to_string(&mut text)).await.expect("all of it ends").unwrap();
    text
}

/// The state of a process and its parent.
fn state(process: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program, in brackets, can hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}
