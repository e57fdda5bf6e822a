//! A Redis server, or a Sentinel, which is one too; or a Valkey server.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

use crate::certificate::make_certificate;
use crate::port::free_port;
use crate::processes::signal;

/// Runs a program until the standard input is closed, or it has ended, and says its process number.
const SUPERVISE: &str = r#""$0" "$@" </dev/null >>log 2>&1 & echo $!; cat >/dev/null; kill -KILL $!; wait"#;

/// How a server is started.
#[derive(Clone, Debug, Default)]
pub struct RedisOptions {
    settings: Vec<String>,
    is_sentinel: bool,
    is_tls: bool,
    is_valkey: bool,
}

/// A server at a port of 127.0.0.1. It keeps its data in a temporary folder when it is killed.
#[derive(Debug)]
pub struct RedisServer {
    options: RedisOptions,
    port: u16,
    folder: TempDir,
    process: Mutex<Option<Process>>,
}

#[derive(Debug)]
struct Process {
    /// Ends, with the server, when its standard input is closed.
    supervisor: Child,
    server: u32,
}

impl RedisOptions {
    /// Sets lines of the configuration file.
    #[must_use]
    pub fn with(mut self, settings: &[&str]) -> Self {
        self.settings.extend(settings.iter().map(|setting| (*setting).to_owned()));
        self
    }

    /// Writes each command to the disk before it is acknowledged, and evicts nothing.
    #[must_use]
    pub fn durable() -> Self {
        Self::default().with(&["appendonly yes", "appendfsync always"])
    }

    /// A replica of the server at this port.
    #[must_use]
    pub fn replica_of(primary: u16) -> Self {
        Self::durable().with(&[
            &format!("replicaof 127.0.0.1 {primary}"),
            "repl-ping-replica-period 1",
            "repl-diskless-sync-delay 0",
        ])
    }

    /// A Sentinel that decides alone, after half a second, and calls this server `primary`.
    #[must_use]
    pub fn sentinel(primary: &RedisServer) -> Self {
        let mut options = Self::default().with(&[
            &format!("sentinel monitor primary 127.0.0.1 {} 1", primary.port),
            "sentinel down-after-milliseconds primary 500",
            "sentinel failover-timeout primary 5000",
        ]);
        options.is_sentinel = true;
        options
    }

    /// A node of a Cluster, which has no slots yet.
    #[must_use]
    pub fn cluster_node() -> Self {
        Self::durable().with(&["cluster-enabled yes", &format!("cluster-port {}", free_port())])
    }

    /// Of Valkey.
    #[must_use]
    pub fn valkey(mut self) -> Self {
        self.is_valkey = true;
        self
    }

    /// With TLS, of a certificate for 127.0.0.1, which `openssl` makes.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.is_tls = true;
        self
    }

    /// Starts it, and returns once it answers.
    ///
    /// # Panics
    /// If it is not installed, or can't be started.
    #[track_caller]
    pub fn start(self) -> RedisServer {
        let folder = tempfile::tempdir().unwrap();
        if self.is_tls {
            make_certificate(folder.path());
        }
        let port = free_port();
        let server = RedisServer { options: self, port, folder, process: Mutex::new(None) };
        server.write_settings();
        server.start_again();
        server
    }
}

impl RedisOptions {
    /// `REDIS_SERVER` names another program for all that are not of Valkey anyway.
    fn program(&self) -> OsString {
        if self.is_valkey {
            valkey()
        } else {
            env::var_os("REDIS_SERVER").unwrap_or_else(|| "redis-server".into())
        }
    }
}

impl RedisServer {
    /// Starts one that writes each command to the disk before it is acknowledged, and evicts nothing.
    #[track_caller]
    pub fn start() -> Self {
        RedisOptions::durable().start()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its URL, without user and password.
    pub fn url(&self) -> String {
        let scheme = if self.options.is_tls { "rediss" } else { "redis" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// The certificate of one with TLS, as PEM.
    pub fn certificate(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("certificate.pem")).unwrap()
    }

    /// The answer to a command, as `redis-cli` prints it.
    ///
    /// # Panics
    /// If the server does not answer.
    #[track_caller]
    pub fn command(&self, arguments: &[&str]) -> String {
        let (answer, is_answered) = self.ask(arguments);
        assert!(is_answered, "{arguments:?}: {answer}");
        answer
    }

    /// All that it has written to its disk, of which nothing is deleted: with `appendonly yes`, each command that changed something.
    pub fn written(&self) -> Vec<u8> {
        let folder = self.folder.path().join("appendonlydir");
        fs::read_dir(folder).unwrap().flat_map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
    }

    /// Has its next snapshot fail, as one does when the disk is full.
    pub fn break_snapshots(&self) {
        fs::create_dir(self.folder.path().join("dump.rdb")).unwrap();
    }

    /// Ends what [`break_snapshots`](Self::break_snapshots) has begun.
    pub fn repair_snapshots(&self) {
        fs::remove_dir(self.folder.path().join("dump.rdb")).unwrap();
    }

    /// Kills it, with SIGKILL. It has written its data to its folder, as far as its settings say so.
    pub fn kill(&self) {
        drop(self.process().take());
    }

    /// Ends it as an administrator does, with SIGTERM.
    pub fn shut_down(&self) {
        self.signal("TERM");
        self.kill();
    }

    /// Stops it, with SIGSTOP: it accepts connections, and answers nothing.
    pub fn stop(&self) {
        self.signal("STOP");
    }

    /// Lets a stopped one continue, with SIGCONT.
    pub fn cont(&self) {
        self.signal("CONT");
    }

    /// Deletes the data of one that was killed.
    pub fn delete_data(&self) {
        for entry in fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap();
            } else if path.extension().is_some_and(|extension| extension == "rdb") {
                fs::remove_file(path).unwrap();
            }
        }
    }

    /// Starts one that was killed or shut down, at the same port, with its data.
    ///
    /// # Panics
    /// If it can't be started.
    #[track_caller]
    pub fn start_again(&self) {
        let mut command = Command::new("sh");
        command.args(["-c", SUPERVISE]).arg(self.options.program()).arg("redis.conf");
        if self.options.is_sentinel {
            command.arg("--sentinel");
        }
        command.current_dir(self.folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut supervisor = command.stderr(Stdio::null()).spawn().unwrap();
        let mut server = String::new();
        BufReader::new(supervisor.stdout.take().unwrap()).read_line(&mut server).unwrap();
        let server = server.trim().parse().unwrap();
        *self.process() = Some(Process { supervisor, server });
        // Not while it loads its data, either.
        let answers = |said: &str| said == "PONG" || said.starts_with("NOAUTH");
        while !answers(&self.ask(&["PING"]).0) {
            assert!(Path::new(&format!("/proc/{server}")).exists(), "the server has ended: {}", self.log());
            std::thread::yield_now();
        }
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn ask(&self, arguments: &[&str]) -> (String, bool) {
        let mut command = Command::new("redis-cli");
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        if self.options.is_tls {
            command.arg("--tls").arg("--cacert").arg(self.folder.path().join("certificate.pem"));
        }
        let said = command.args(arguments).output().unwrap_or_else(|error| panic!("redis-cli: {error}"));
        (String::from_utf8_lossy(&said.stdout).trim().to_owned(), said.status.success())
    }

    fn write_settings(&self) {
        let mut lines = vec![
            "bind 127.0.0.1".to_owned(),
            "daemonize no".to_owned(),
            "enable-debug-command yes".to_owned(),
            format!("dir {}", self.folder.path().display()),
        ];
        if !self.options.is_sentinel {
            lines.push("save \"\"".to_owned());
        } else {
            lines.retain(|line| !line.starts_with("enable-debug"));
        }
        let plain = if self.options.is_tls { 0 } else { self.port };
        lines.push(format!("port {plain}"));
        if self.options.is_tls {
            lines.extend([
                format!("tls-port {}", self.port),
                "tls-cert-file certificate.pem".to_owned(),
                "tls-key-file key.pem".to_owned(),
                "tls-ca-cert-file certificate.pem".to_owned(),
                "tls-auth-clients no".to_owned(),
            ]);
        }
        lines.extend(self.options.settings.iter().cloned());
        // A Sentinel writes into it what it has found out.
        let path = self.folder.path().join("redis.conf");
        fs::write(path, lines.join("\n") + "\n").unwrap();
        File::create(self.folder.path().join("log")).unwrap();
    }

    fn signal(&self, name: &str) {
        let server = self.process().as_ref().unwrap().server;
        signal(name, &[server]);
    }

    fn process(&self) -> std::sync::MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let _ = self.supervisor.wait();
    }
}

/// The one of the system, or the one that `tests/run` has unpacked.
fn valkey() -> OsString {
    let name = "valkey-server";
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-tools/bin").join(name);
    if unpacked.exists() { unpacked.into() } else { name.into() }
}
