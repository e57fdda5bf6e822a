//! The process that is killed, or can't write: this binary again. What it says is one line of JSON each.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _, stdout};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use auth_runtime::revocation::Revocation;
use auth_runtime::session::{Subject, TokenError};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::service::{PARTNER, Service, token};

const STORE: &str = "AUTH_TESTS_STORE";
const ROUND: &str = "AUTH_TESTS_ROUND";

/// What the child says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Line {
    /// The file is about to be opened.
    Opening,
    /// The file can't be opened, for this reason.
    NotOpened(String),
    /// The token of this id is revoked.
    Revoked(String),
    /// Somebody is logged in, and has this refresh token.
    LoggedIn(String),
    /// Somebody has logged out who had these tokens.
    LoggedOut { refresh_token: String, access_token: String },
    /// Something could not be recorded, for this reason.
    Failed(String),
    /// How requests were answered: with a good token, and with one whose revocation was acknowledged.
    Served { good: u16, revoked: Option<u16> },
}

/// Runs one of the tests in this file on this store, through another command if there is one.
pub(super) fn command(test: &str, store: &Path, through: &[&str]) -> Command {
    let this = env::current_exe().unwrap();
    let words: Vec<_> = through.iter().map(AsRef::as_ref).chain([this.as_os_str()]).collect();
    let mut command = Command::new(words[0]);
    let test = format!("durability::child::{test}");
    command.args(&words[1..]).args(["--exact", &test, "--ignored", "--nocapture", "--test-threads=1"]);
    command.env(STORE, store);
    command
}

/// Sets the limit for the size of a file that a process writes, and leaves room to raise it again. As a full disk is, but
/// for this process alone.
pub(super) fn limit_file_size(process: u32, limit: &str) {
    let mut command = Command::new("prlimit");
    command.args(["--pid", &process.to_string(), &format!("--fsize={limit}:")]);
    let status = command.status().unwrap_or_else(|error| panic!("`prlimit` of util-linux: {error}"));
    assert!(status.success(), "{command:?}: {status}");
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
        let mut command = command("run", store, through);
        let process = command.env(ROUND, round).stdout(Stdio::piped()).spawn();
        let mut process =
            process.unwrap_or_else(|error| panic!("{command:?} can't be started, is it installed? {error}"));
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
        let lines = std::iter::from_fn(|| {
            let mut line = String::new();
            self.output.read_line(&mut line).unwrap();
            // One that has no end was cut off.
            line.strip_suffix('\n').map(str::to_owned)
        });
        // Others are of the test runner.
        lines.filter_map(|line| serde_json::from_str(&line).ok())
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

#[test]
#[ignore = "what the tests of `durability` start as a process of its own"]
fn run() {
    let (Ok(store), Ok(round)) = (env::var(STORE), env::var(ROUND)) else { return };
    // The test runner has begun a line.
    stdout().write_all(b"\n").unwrap();
    say(&Line::Opening);
    Runtime::new().unwrap().block_on(async {
        let service = match Service::start(store.as_ref()).await {
            Ok(service) => Arc::new(service),
            Err(error) => return say(&Line::NotOpened(error.to_string())),
        };
        // Many at a time, so that they share commits. They have no end.
        let mut tasks = JoinSet::new();
        for task in 0..8 {
            tasks.spawn(revoke(service.clone(), format!("{round}-{task}")));
            tasks.spawn(log_in_and_out(service.clone()));
        }
        tasks.join_all().await;
    });
}

#[tokio::test]
#[ignore = "what the tests of `durability` start as a process of its own"]
async fn run_out_of_space_and_read() {
    let Ok(store) = env::var(STORE) else { return };
    let service = Service::start(store.as_ref()).await.unwrap();
    limit_file_size(std::process::id(), "0");
    let revocation = Revocation::Token { issuer: PARTNER.into(), token_id: "t".into() };
    service.auth.revocations().revoke(revocation).await.unwrap_err();
    // Opening it anew, which has to be after a failure of the disk, takes some bytes.
    service.auth.catch_up().await.unwrap_err();
    limit_file_size(std::process::id(), "unlimited");
    // It is opened again at most once a second.
    let read = async { while service.auth.catch_up().await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(60), read).await.unwrap();
}

/// In one piece: lines of several tasks don't mix.
fn say(line: &Line) {
    let line = format!("{}\n", serde_json::to_string(line).unwrap());
    let mut stdout = stdout().lock();
    stdout.write_all(line.as_bytes()).unwrap();
    stdout.flush().unwrap();
}

async fn revoke(service: Arc<Service>, task: String) {
    for number in 0_u64.. {
        let token_id = format!("{task}-{number}");
        let revocation = Revocation::Token { issuer: PARTNER.into(), token_id: token_id.clone() };
        let revoked = match service.auth.revocations().revoke(revocation).await {
            Ok(()) => {
                say(&Line::Revoked(token_id.clone()));
                Some(service.status(&token(&token_id)).await)
            }
            Err(error) => {
                say(&Line::Failed(error.to_string()));
                None
            }
        };
        say(&Line::Served { good: service.status(&token("good")).await, revoked });
    }
}

async fn log_in_and_out(service: Arc<Service>) {
    loop {
        if let Err(error) = try_log_in_and_out(&service).await {
            say(&Line::Failed(error.to_string()));
        }
    }
}

async fn try_log_in_and_out(service: &Service) -> Result<(), TokenError> {
    let tokens = service.auth.tokens().unwrap();
    let user = Subject::new("alice");
    let stays = tokens.issue(&user).await?;
    say(&Line::LoggedIn(stays.refresh_token));

    let leaves = tokens.issue(&user).await?;
    tokens.log_out(&leaves.refresh_token).await?;
    say(&Line::LoggedOut { refresh_token: leaves.refresh_token, access_token: leaves.access_token });

    let goes_on = tokens.issue(&user).await?;
    let goes_on = tokens.refresh(&goes_on.refresh_token).await?;
    say(&Line::LoggedIn(goes_on.refresh_token));
    Ok(())
}
