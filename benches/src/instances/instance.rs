//! A process that serves, and what the kernel says of its memory.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::Client;
use crate::service::KEY;
use benches::servers::Place;

/// How long the bench waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// An instance of the service. It ends when this is dropped.
#[derive(Debug)]
pub struct Instance {
    process: Child,
    pub port: u16,
    /// From the start of the process to the first answer 204 of `/ready`.
    pub ready_after: Duration,
}

/// What `/status` answers.
#[derive(Debug)]
pub struct Status(Value);

impl Status {
    pub fn number(&self, name: &str) -> u64 {
        self.0[name].as_u64().expect("a number")
    }
}

impl Instance {
    /// Starts one, and returns once it is ready.
    pub fn start(place: &Place, key: &str) -> Self {
        let began = Instant::now();
        let program = std::env::current_exe().expect("the path of this program");
        let woken = if place.is_woken { "woken" } else { "not-woken" };
        let mut process = Command::new(program)
            .args(["serve", place.kind.name(), &place.url, &place.namespace, woken])
            .env(KEY, key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts again");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let port = lines.next().and_then(|line| line.parse().ok());
        thread::spawn(move || lines.for_each(drop));
        // Built first, so that the process ends if there is no port.
        let mut instance = Self { process, port: 0, ready_after: Duration::ZERO };
        instance.port = port.expect("an instance prints its port");
        let mut client = instance.client();
        while client.send("GET", "/ready", None, "").status != 204 {
            assert!(began.elapsed() < PATIENCE, "an instance is not ready");
            thread::sleep(Duration::from_millis(1));
        }
        instance.ready_after = began.elapsed();
        instance
    }

    pub fn client(&self) -> Client {
        Client::connect(self.port)
    }

    pub fn status(&self) -> Status {
        let answer = self.client().send("GET", "/status", None, "");
        assert_eq!(answer.status, 200, "{}", answer.body);
        Status(serde_json::from_str(&answer.body).expect("JSON"))
    }

    /// Waits until the state is as it should be.
    pub fn wait_until(&self, what: &str, is_true: impl Fn(&Status) -> bool) {
        let began = Instant::now();
        loop {
            let status = self.status();
            if is_true(&status) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "not after {PATIENCE:?}: {what}: {status:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// A line of `/proc/PID/status`, in bytes: `VmRSS` is the memory now, `VmHWM` the most so far.
    pub fn memory(&self, line: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("Linux");
        let value = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
        let kilobytes = value.and_then(|value| value.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kilobytes.expect("a size") * 1024
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The access token and the refresh token of a new session.
pub fn log_in(client: &mut Client, user: &str) -> (String, String) {
    let answer = client.send("POST", "/login", None, user);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let (access, refresh) = answer.body.split_once('\n').expect("two tokens");
    (access.to_owned(), refresh.to_owned())
}
