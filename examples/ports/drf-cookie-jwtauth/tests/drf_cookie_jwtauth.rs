//! The program as a user runs it, with `curl` and with a browser.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "drf_cookie_jwtauth/browser.rs"]
mod browser;

use std::path::Path;
use std::process::{Command, Stdio};

use auth_tests_tools::Program;
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;

const VARIABLES: [&str; 3] = ["SIGNING_KEY", "ACCESS_TOKEN_COOKIE_NAME", "REFRESH_TOKEN_COOKIE_NAME"];

/// A running program, on a port that the system chose. It ends when this is dropped.
pub(crate) struct Started {
    program: Program,
    pub(crate) origin: String,
}

fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_port-drf-cookie-jwtauth"));
    command.args(["--port", "0", "--data"]).arg(data).stderr(Stdio::null());
    for name in VARIABLES {
        command.env_remove(name);
    }
    command
}

impl Started {
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_by(&mut command(data))
    }

    fn start_by(command: &mut Command) -> Self {
        let program = Program::start(command, "Ctrl-C ends it.");
        let mut lines = program.lines().iter();
        let origin = lines.find_map(|line| Some(line.strip_prefix("Open ")?.split_once("/ ")?.0));
        Self { origin: origin.unwrap().to_owned(), program }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// The cookies of a new session.
    pub(crate) async fn log_in(&self, name: &str, password: &str) -> String {
        let sent = json!({ "username": name, "password": password });
        let answer = Client::new().post(self.url("/session")).json(&sent).send().await.unwrap();
        assert_eq!(answer.status(), 204);
        let cookies = answer.headers().get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
        cookies.map(|cookie| cookie.split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
    }

    pub(crate) async fn status(&self, method: Method, path: &str, cookies: &str, body: Option<Value>) -> u16 {
        let mut request = Client::new().request(method, self.url(path)).header(COOKIE, cookies);
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap().status().as_u16()
    }
}

#[test]
#[ignore = "needs curl: bash tests/run"]
fn it_prints_lines_that_run_as_they_stand() {
    let folder = TempDir::new().unwrap();
    let (statuses, shown) = Started::start(folder.path()).program.run_the_lines();
    let expected = "200 401 403 204 200 201 403 403 200 204 401 204 204 200 200 204";
    assert_eq!(statuses.join(" "), expected, "{shown}");
}

#[test]
fn it_prints_the_access_table() {
    let folder = TempDir::new().unwrap();
    let started = Started::start(folder.path());
    let is_row = |line: &&String| line.starts_with("GET     /staff/sessions ") && line.contains("role staff");
    let lines = started.program.lines();
    assert_eq!(lines.iter().filter(is_row).count(), 1, "{lines:#?}");
}

#[tokio::test]
async fn the_tables_are_made_at_the_start_and_a_restart_ends_no_session() {
    let folder = TempDir::new().unwrap();
    let started = Started::start(folder.path());
    let [stays, ended] = [started.log_in("bob", "builder").await, started.log_in("bob", "builder").await];
    assert_eq!(started.status(Method::DELETE, "/session", &ended, None).await, 204);
    drop(started);
    let started = Started::start(folder.path());
    assert_eq!(started.status(Method::GET, "/saved", &stays, None).await, 200);
    assert_eq!(started.status(Method::GET, "/saved", &ended, None).await, 401);
}

#[tokio::test]
async fn the_settings_are_those_of_the_environment() {
    let [one, other] = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let start = |data: &TempDir, values: [&str; 3]| {
        Started::start_by(command(data.path()).envs(VARIABLES.into_iter().zip(values)))
    };
    let key = "32 bytes are enough for HS256 ...";
    let started = start(&one, [key, "reader", "renewal"]);
    let cookies = started.log_in("bob", "builder").await;
    assert!(cookies.starts_with("reader=") && cookies.contains("; renewal="), "{cookies}");
    drop(started);
    // The access cookie alone: the refresh key of the other one is not the same.
    let access = cookies.split("; ").next().unwrap();
    for (key, status) in [(key, 200), ("33 bytes are no less for HS256 ...", 401)] {
        let started = start(&other, [key, "reader", "renewal"]);
        assert_eq!(started.status(Method::GET, "/saved", access, None).await, status);
    }
    let failed = command(one.path()).env("SIGNING_KEY", "secret").stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(!failed.status.success() && said.contains("32") && !said.contains("panicked"), "{said}");
}
