//! An instance in a process of its own.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use auth_tests::instances::InstanceStatus;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

/// Longer than anything takes that does not hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that is an instance. It is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    address: SocketAddr,
    log: NamedTempFile,
    client: Client,
}

/// What a client gets at a login or a refresh.
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: String,
}

impl Process {
    /// Starts it on this store, and returns once it listens. Its clock is ahead by so many seconds.
    pub(super) fn start(store: &str, clock_ahead: i64) -> Self {
        let log = NamedTempFile::new().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_instance-process"));
        command.arg(store).arg(clock_ahead.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let stderr = File::options().append(true).open(log.path()).unwrap();
        let mut child = command.stderr(stderr).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let client = Client::builder().timeout(PATIENCE).build().unwrap();
        let read = || fs::read_to_string(log.path()).unwrap();
        let address = line.trim().parse().unwrap_or_else(|_| panic!("it has ended: {}", read()));
        Self { child, address, log, client }
    }

    /// What it has logged.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap()
    }

    pub(super) async fn status(&self) -> InstanceStatus {
        self.client.get(self.url("status")).send().await.unwrap().json().await.unwrap()
    }

    /// Whether it says so to a load balancer.
    pub(super) async fn is_ready(&self) -> bool {
        answer(self.client.get(self.url("ready"))).await == 204
    }

    /// How a request with this access token is answered.
    pub(super) async fn ask(&self, access: &str) -> u16 {
        answer(self.client.get(self.url("")).bearer_auth(access)).await
    }

    /// An error is the status of the answer.
    pub(super) async fn log_in(&self, name: &str) -> Result<Tokens, u16> {
        self.tokens("login", json!({ "username": name, "password": format!("password of {name}") })).await
    }

    /// An error is the status of the answer.
    pub(super) async fn refresh(&self, refresh: &str) -> Result<Tokens, u16> {
        self.tokens("refresh", json!({ "refresh_token": refresh })).await
    }

    /// How a logout is answered.
    pub(super) async fn log_out(&self, refresh: &str) -> u16 {
        answer(self.client.post(self.url("auth/logout")).json(&json!({ "refresh_token": refresh }))).await
    }

    /// How a logout everywhere is answered.
    pub(super) async fn log_out_everywhere(&self, access: &str) -> u16 {
        answer(self.client.post(self.url("auth/logout-everywhere")).bearer_auth(access)).await
    }

    async fn tokens(&self, route: &str, body: Value) -> Result<Tokens, u16> {
        let request = self.client.post(self.url(&format!("auth/{route}"))).json(&body);
        let answer = request.send().await.unwrap();
        if answer.status() != 200 {
            return Err(answer.status().as_u16());
        }
        let tokens: Value = answer.json().await.unwrap();
        let token = |name: &str| tokens[name].as_str().unwrap().to_owned();
        Ok(Tokens { access: token("access_token"), refresh: token("refresh_token") })
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }
}

impl Drop for Process {
    #[allow(clippy::print_stderr, reason = "a test that fails shows it")]
    fn drop(&mut self) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().rev().take(20).collect();
            eprintln!("the process at {} has logged, last first: {lines:#?}", self.address);
        }
    }
}

async fn answer(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}
