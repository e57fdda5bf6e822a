//! The process of a provider.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use auth_tests_tools::{find_folder, folder};
use serde_json::{Value, json};

const SCRIPT: &str = include_str!("../provider.mjs");

/// What `tests/run` installs.
const MODULE: &str = "node/node_modules/oidc-provider";

#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// What it wrote to standard error.
    log: File,
    /// With its port and its keys, once it runs.
    settings: Value,
    issuer: String,
}

impl Process {
    pub(crate) fn start(mut settings: Value) -> Self {
        let tools = installed();
        let log = tempfile::tempfile().unwrap();
        let mut child = Command::new(tools.join("bin/node"))
            // The module is looked for from the working directory.
            .args(["--input-type=module", "--eval", SCRIPT])
            .current_dir(tools.join("node"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.try_clone().unwrap())
            .spawn()
            .unwrap();
        let (commands, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut process = Self {
            child,
            commands,
            answers: BufReader::new(answers),
            log,
            settings: Value::Null,
            issuer: String::new(),
        };
        let started = process.command(&settings);
        process.issuer = started["issuer"].as_str().unwrap().to_owned();
        settings["keys"] = started["keys"].clone();
        settings["port"] = reqwest::Url::parse(&process.issuer).unwrap().port().into();
        process.settings = settings;
        process
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What it answers to a line.
    pub(crate) fn command(&mut self, line: &Value) -> Value {
        let mut answer = String::new();
        let asked = writeln!(self.commands, "{line}").and_then(|()| self.answers.read_line(&mut answer));
        let answer = asked.ok().and_then(|_| serde_json::from_str(&answer).ok());
        answer.unwrap_or_else(|| panic!("the provider has ended: {}", self.log()))
    }

    pub(crate) fn replace_keys(&mut self, command: &str) {
        let replaced = self.command(&json!([command]));
        self.settings["keys"] = replaced["keys"].clone();
    }

    pub(crate) fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        // A program `kill` is not everywhere, and every shell has it.
        let status =
            Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &process]).status().unwrap();
        assert!(status.success(), "kill -s {name} {process}: {status}");
        if cfg!(target_os = "linux") && name == "STOP" {
            // A signal arrives later than it is sent.
            while !std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap().contains(") T ") {
                std::thread::yield_now();
            }
        }
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }

    pub(crate) fn start_again(&mut self) {
        self.kill();
        *self = Self::start(self.settings.clone());
    }

    fn log(&mut self) -> String {
        let mut text = String::new();
        let _ = self.log.rewind().and_then(|()| self.log.read_to_string(&mut text));
        text
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Installs what a provider needs, and what the examples use of JavaScript, if it is not there in the versions of this checkout. What is
/// done is printed to standard error. Returns whether it is there.
pub fn install() -> bool {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../run");
    // What an example prints to standard output are lines to try.
    let installing =
        Command::new("bash").arg(script).arg("--install-node").stdout(std::io::stderr()).status();
    installing.is_ok_and(|status| status.success()) && is_installed()
}

fn is_installed() -> bool {
    find_folder().is_some_and(|folder| folder.join(MODULE).exists() && folder.join("bin/node").exists())
}

/// Where the tools are.
#[track_caller]
fn installed() -> PathBuf {
    let folder = folder();
    assert!(
        folder.join(MODULE).exists(),
        "this test needs oidc-provider, which is not installed: `bash tests/run` installs it and runs the test"
    );
    folder
}
