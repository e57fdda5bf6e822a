//! The program as a user runs it, with `curl` and with a browser.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "panther/browser.rs"]
mod browser;

use std::path::Path;
use std::process::{Command, Stdio};

use auth_tests_tools::Program;
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A running program, on a port that the system chose. It ends when this is dropped.
pub(crate) struct Started {
    program: Program,
    pub(crate) origin: String,
}

fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_port-panther"));
    command.args(["--port", "0", "--data"]).arg(data).env_remove("SECRET_KEY").stderr(Stdio::null());
    command
}

impl Started {
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_by(&mut command(data))
    }

    fn start_by(command: &mut Command) -> Self {
        let program = Program::start(command, "Ctrl-C ends it.");
        let origin =
            program.lines().iter().find_map(|line| Some(line.strip_prefix("Open ")?.split_once("/panel")?.0));
        Self { origin: origin.unwrap().to_owned(), program }
    }

    pub(crate) async fn log_in(&self, name: &str, password: &str) -> String {
        let sent = json!({ "username": name, "password": password });
        let answer = Client::new().post(self.url("/auth/login")).json(&sent).send().await.unwrap();
        let tokens: Value = answer.error_for_status().unwrap().json().await.unwrap();
        tokens.get("access_token").and_then(Value::as_str).unwrap().to_owned()
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: Value) -> u16 {
        let request = Client::new().post(self.url(path)).bearer_auth(token).json(&body);
        request.send().await.unwrap().status().as_u16()
    }

    /// The status of a login.
    pub(crate) async fn guess(&self, name: &str, password: &str) -> u16 {
        let sent = json!({ "username": name, "password": password });
        Client::new().post(self.url("/auth/login")).json(&sent).send().await.unwrap().status().as_u16()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    async fn accepts(&self, token: &str) -> bool {
        let answer = Client::new().get(self.url("/tickets")).bearer_auth(token).send().await.unwrap();
        answer.status() == 200
    }
}

#[test]
#[ignore = "needs curl: bash tests/run"]
fn it_prints_lines_that_run_as_they_stand() {
    let folder = TempDir::new().unwrap();
    let (statuses, shown) = Started::start(folder.path()).program.run_the_lines();
    let expected = "200 401 401 200 200 201 403 401 200 400 201 401 200 200 204 401 400";
    assert_eq!(statuses.join(" "), expected, "{shown}");
    for cookie in ["Set-Cookie: access_token=", "Set-Cookie: refresh_token="] {
        assert!(shown.to_lowercase().contains(&cookie.to_lowercase()), "{shown}");
    }
}

#[test]
fn it_prints_the_access_table() {
    let folder = TempDir::new().unwrap();
    let started = Started::start(folder.path());
    let is_row =
        |line: &&String| line.starts_with("POST    /tickets/{id}/close ") && line.ends_with("role agent");
    let lines = started.program.lines();
    assert_eq!(lines.iter().filter(is_row).count(), 1, "{lines:#?}");
}

#[tokio::test]
async fn a_restart_ends_no_session_and_brings_none_back() {
    let folder = TempDir::new().unwrap();
    let started = Started::start(folder.path());
    let [stays, ended] = [started.log_in("bob", "builder").await, started.log_in("bob", "builder").await];
    assert_eq!(started.post("/auth/logout", &ended, json!({})).await, 204);
    drop(started);
    let started = Started::start(folder.path());
    assert!(started.accepts(&stays).await);
    assert!(!started.accepts(&ended).await);
}

#[tokio::test]
async fn the_secret_is_that_of_the_environment() {
    let [one, other] = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let start =
        |data: &TempDir, secret: &str| Started::start_by(command(data.path()).env("SECRET_KEY", secret));
    let secret = "32 bytes are enough for HS256 ...";
    let token = start(&one, secret).log_in("bob", "builder").await;
    assert!(start(&other, secret).accepts(&token).await);
    assert!(!start(&other, "33 bytes are no less for HS256 ...").accepts(&token).await);

    let failed = command(one.path()).env("SECRET_KEY", "secret").stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(!failed.status.success() && said.contains("32") && !said.contains("panicked"), "{said}");
}
