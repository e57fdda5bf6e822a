//! The program as a user runs it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::{Command, Stdio};

use auth_tests_tools::Program;
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A running program, on a port that the system chose. It ends when this is dropped.
struct Started {
    program: Program,
    origin: String,
}

impl Started {
    fn start(data: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_port-modern-rest"));
        command.args(["--port", "0", "--data"]).arg(data).stderr(Stdio::null());
        let program = Program::start(&mut command, "Ctrl-C ends it.");
        let origin = program.lines().iter().find_map(|line| {
            let (_, url) = line.split_once('\'')?;
            Some(url.strip_suffix("/api/contacts'")?.to_owned())
        });
        Self { origin: origin.unwrap(), program }
    }

    async fn log_in(&self) -> [String; 2] {
        let sent = json!({ "email": "ben@new.example", "password": "blueberry" });
        let answer =
            Client::new().post(format!("{}/api/auth", self.origin)).json(&sent).send().await.unwrap();
        let answer: Value = answer.error_for_status().unwrap().json().await.unwrap();
        ["/auth/access", "/auth/refresh"]
            .map(|field| answer.pointer(field).and_then(Value::as_str).unwrap().to_owned())
    }

    async fn log_out(&self, refresh: &str) -> u16 {
        let request = Client::new().delete(format!("{}/api/auth", self.origin));
        request.json(&json!({ "refresh": refresh })).send().await.unwrap().status().as_u16()
    }

    async fn accepts(&self, token: &str) -> bool {
        let request = Client::new().get(format!("{}/api/contacts", self.origin)).bearer_auth(token);
        request.send().await.unwrap().status() == 200
    }
}

#[test]
#[ignore = "needs curl: bash tests/run"]
fn it_prints_lines_that_run_as_they_stand() {
    let folder = TempDir::new().unwrap();
    let (statuses, shown) = Started::start(folder.path()).program.run_the_lines();
    let expected = "401 401 401 200 201 200 404 200 403 401 200 401 201 200 200 200 200 204 401 401";
    assert_eq!(statuses.join(" "), expected, "{shown}");
}

#[test]
fn it_prints_the_access_table() {
    let folder = TempDir::new().unwrap();
    let started = Started::start(folder.path());
    let is_row =
        |line: &&String| line.starts_with("GET     /api/staff/sessions ") && line.ends_with("role staff");
    let lines = started.program.lines();
    assert_eq!(lines.iter().filter(is_row).count(), 1, "{lines:#?}");
}

#[tokio::test]
async fn a_restart_ends_no_session_and_brings_none_back() {
    let folder = TempDir::new().unwrap();
    let started = Started::start(folder.path());
    let [[stays, _], [ended, refresh]] = [started.log_in().await, started.log_in().await];
    assert_eq!(started.log_out(&refresh).await, 204);
    drop(started);
    let started = Started::start(folder.path());
    assert!(started.accepts(&stays).await);
    assert!(!started.accepts(&ended).await);
}
