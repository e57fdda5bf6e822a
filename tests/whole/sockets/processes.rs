//! A socket across every end of its credential, where the service is a process of its own, on each store; and what is left of that end
//! after the process was killed.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use auth_tests::durable::{Addresses, MadeKey};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Client, PATIENCE, closed, is_echoed};
use crate::support::until;

/// The service; killed when dropped, with SIGKILL.
struct Process {
    child: Child,
    addresses: Addresses,
    client: reqwest::Client,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A caller's credential, as a header, and what ends it.
struct Credential {
    header: (&'static str, String),
    /// The refresh token of its session, or the id of its key.
    handle: String,
}

impl Process {
    /// Starts it on this store, when so many seconds have passed on its clock.
    fn start(store: &str, passed: u64) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_durable-process"));
        command.args(["sockets", store, &passed.to_string()]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addresses = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("it has ended: what it wrote to stderr says why"));
        Self { child, addresses, client: reqwest::Client::builder().timeout(PATIENCE).build().unwrap() }
    }

    async fn control(&self, method: Method, path: &str) -> reqwest::Response {
        let url = format!("http://{}/{path}", self.addresses.control);
        let answer = self.client.request(method, url).send().await.unwrap();
        answer.error_for_status().unwrap()
    }

    async fn pass(&self, seconds: u64) {
        self.control(Method::POST, &format!("pass/{seconds}")).await;
    }

    async fn set_silent(&self, is_silent: bool) {
        self.control(Method::PUT, &format!("silent/{is_silent}")).await;
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> reqwest::Response {
        let request = self.client.post(format!("http://{}/auth/{path}", self.addresses.service));
        request.bearer_auth(token).json(&body).send().await.unwrap()
    }

    async fn log_in(&self, name: &str) -> Credential {
        let credentials = json!({ "username": name, "password": format!("password of {name}") });
        let tokens: Value = self.post("login", "", credentials).await.json().await.unwrap();
        let token = |name: &str| tokens[name].as_str().unwrap().to_owned();
        Credential {
            header: ("authorization", format!("Bearer {}", token("access_token"))),
            handle: token("refresh_token"),
        }
    }

    async fn make_key(&self, owner: &str) -> Credential {
        let key: MadeKey = self.control(Method::POST, &format!("keys/{owner}")).await.json().await.unwrap();
        Credential { header: ("x-api-key", key.text), handle: key.id }
    }

    /// Opens a socket. An error is the status of the answer.
    async fn open(&self, credential: &Credential) -> Result<Client, u16> {
        let (name, value) = &credential.header;
        super::open(self.addresses.service, "/echo", &[(*name, value)]).await.map(|(socket, _)| socket)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Logout,
    LogoutEverywhere,
    Expiry,
    KeyRevocation,
    StaleView,
}

impl Cause {
    const ALL: [Self; 5] =
        [Self::Logout, Self::LogoutEverywhere, Self::Expiry, Self::KeyRevocation, Self::StaleView];

    async fn credential(self, process: &Process) -> Credential {
        match self {
            Self::KeyRevocation => process.make_key("alice").await,
            _ => process.log_in("alice").await,
        }
    }

    /// Brings the end about, when 500 s have passed since the login. How long that takes, in seconds.
    async fn bring_about(self, process: &Process, alice: &Credential, socket: &mut Client) -> u64 {
        let token = alice.header.1.trim_start_matches("Bearer ");
        match self {
            Self::Logout => {
                let answer = process.post("logout", token, json!({ "refresh_token": alice.handle })).await;
                assert_eq!(answer.status(), StatusCode::NO_CONTENT);
            }
            Self::LogoutEverywhere => {
                let answer = process.post("logout-everywhere", token, Value::Null).await;
                assert_eq!(answer.status(), StatusCode::NO_CONTENT);
            }
            // 900 s, and 60 s of leeway.
            Self::Expiry => {
                process.pass(459).await;
                assert!(is_echoed(socket).await);
                process.pass(1).await;
                return 460;
            }
            Self::KeyRevocation => {
                process.control(Method::DELETE, &format!("keys/{}", alice.handle)).await;
            }
            Self::StaleView => {
                process.set_silent(true).await;
                process.pass(30).await;
                assert!(is_echoed(socket).await);
                process.pass(1).await;
                return 31;
            }
        }
        0
    }

    /// The reason in the close frame, and the status that a socket with the credential is then answered.
    fn expected(self) -> (&'static str, u16) {
        match self {
            Self::StaleView => ("temporarily_unavailable", 503),
            _ => ("invalid_token", 401),
        }
    }
}

async fn assert_closed(socket: &mut Client, reason: &str, what: &str) {
    let (messages, code, found) = closed(socket).await;
    assert_eq!((messages, code, &*found), (0, 1008, reason), "{what}");
}

/// Row by row: the store, and why the credential of alice ends. Bob's was issued later.
async fn a_socket_closes(store: &str, cause: Cause) {
    let what = format!("{cause:?} on {store}");
    let process = Process::start(store, 0);
    let alice = cause.credential(&process).await;
    let mut of_alice = process.open(&alice).await.unwrap();
    process.pass(500).await;
    let bob = process.log_in("bob").await;
    let mut of_bob = process.open(&bob).await.unwrap();
    assert!(is_echoed(&mut of_alice).await && is_echoed(&mut of_bob).await, "{what}");

    let passed = 500 + cause.bring_about(&process, &alice, &mut of_alice).await;
    let (reason, status) = cause.expected();
    assert_closed(&mut of_alice, reason, &what).await;
    assert_eq!(process.open(&alice).await.err(), Some(status), "{what}");
    if cause == Cause::StaleView {
        // Of no caller is known whether the credential still counts. When the store answers again, both are served.
        assert_closed(&mut of_bob, reason, &what).await;
        process.set_silent(false).await;
        until("the log is read", async || process.open(&alice).await.is_ok()).await;
        of_bob = process.open(&bob).await.unwrap();
    }
    assert!(is_echoed(&mut of_bob).await, "{what}");

    if store != "memory" {
        drop(process);
        let next = timeout(PATIENCE, futures_util::StreamExt::next(&mut of_bob)).await.unwrap();
        assert!(next.is_none_or(|next| next.is_err()), "{what}: it was killed, and said nothing");
        let process = Process::start(store, passed);
        let opened = process.open(&alice).await;
        assert_eq!(opened.err(), (status == 401).then_some(401), "{what}, after a restart");
        assert!(is_echoed(&mut process.open(&bob).await.unwrap()).await, "{what}, after a restart");
    }
}

#[tokio::test]
async fn each_end_closes_the_socket_in_memory() {
    for cause in Cause::ALL {
        a_socket_closes("memory", cause).await;
    }
}

#[tokio::test]
async fn each_end_closes_the_socket_in_a_file_and_outlives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    for cause in Cause::ALL {
        let store = folder.path().join(format!("{cause:?}"));
        a_socket_closes(store.to_str().unwrap(), cause).await;
    }
}
