//! A PostgreSQL server.

mod supervisor;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};

use self::supervisor::Supervisor;
use crate::account::Account;
use crate::certificate::make_certificate;
use crate::port::free_port;
use crate::processes::{family, signal};

/// The superuser, who needs no password.
pub(crate) const USER: &str = "postgres";

/// The database.
pub(crate) const DATABASE: &str = "postgres";

/// A running server, with a superuser `postgres` and a database `postgres`. It and its data end with this value.
#[derive(Debug)]
pub struct PostgresServer {
    supervisor: Mutex<Supervisor>,
    account: Account,
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
}

impl PostgresServer {
    /// Starts one, and returns once it answers.
    ///
    /// # Panics
    /// If it is not installed, or can't be started.
    pub fn start() -> Self {
        let server = Self::initialized();
        server.begin();
        server
    }

    /// Starts one with TLS, of a [certificate](Self::certificate) for 127.0.0.1.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    pub fn start_with_tls() -> Self {
        let server = Self::initialized();
        make_certificate(&server.data());
        for file in ["certificate.pem", "key.pem"] {
            let file = server.data().join(file);
            fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
            server.account.give(&file);
        }
        server.set("ssl = on\nssl_cert_file = 'certificate.pem'\nssl_key_file = 'key.pem'\n");
        server.begin();
        server
    }

    /// The file of the certificate of one with TLS.
    pub fn certificate(&self) -> PathBuf {
        self.data().join("certificate.pem")
    }

    /// The one of this process, for tests that neither stop it nor change its settings. They have a schema each.
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<PostgresServer> = LazyLock::new(PostgresServer::start);
        &SHARED
    }

    /// Starts a replica of this server, which follows it. It is a server in recovery.
    pub fn replica(&self) -> Self {
        let server = Self::prepare();
        let mut copy = server.account.command(server.programs.join("pg_basebackup"));
        copy.args([
            "-h",
            "127.0.0.1",
            "-p",
            &self.port.to_string(),
            "-U",
            USER,
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
            "-D",
        ]);
        server.run(copy.arg(server.data()));
        server.begin();
        server
    }

    /// Makes a replica a primary.
    pub fn promote(&self) {
        self.run(
            self.account.command(self.programs.join("pg_ctl")).args(["promote", "-w", "-D"]).arg(self.data()),
        );
    }

    /// Its port of 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of its database, with the superuser.
    pub fn url(&self) -> String {
        Self::url_at(self.port)
    }

    /// The URL of its database by way of another port.
    pub fn url_at(port: u16) -> String {
        format!("postgres://{USER}@127.0.0.1:{port}/{DATABASE}")
    }

    /// Everything in a schema, as text.
    pub fn dump(&self, schema: &str) -> String {
        let mut dump = Command::new(self.programs.join("pg_dump"));
        let said = dump
            .arg(self.url())
            .args(["--inserts", "--schema", &format!("\"{}\"", schema.replace('"', "\"\""))])
            .output()
            .unwrap();
        assert!(said.status.success(), "pg_dump: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8(said.stdout).unwrap()
    }

    /// Kills all its processes, with SIGKILL.
    pub fn kill(&self) {
        signal("KILL", &family(self.process()));
    }

    /// Starts a server that was killed or shut down, at the same port and with the same data.
    pub fn start_again(&self) {
        self.supervisor().start();
    }

    /// Ends it as an administrator does: it sends its clients the reason why their connections end.
    pub fn shut_down(&self) {
        self.supervisor().shut_down();
    }

    /// Stops it and starts it again, so that open connections are lost.
    pub fn restart(&self) {
        self.supervisor().end();
        self.supervisor().start();
    }

    /// Stops all its processes, with SIGSTOP: it accepts connections, and answers nothing.
    pub fn stop(&self) {
        let process = self.process();
        // No child is added once it has stopped.
        signal("STOP", &[process]);
        signal("STOP", &family(process));
    }

    /// Lets a stopped server continue, with SIGCONT.
    pub fn cont(&self) {
        signal("CONT", &family(self.process()));
    }

    fn initialized() -> Self {
        let server = Self::prepare();
        let mut initdb = server.account.command(server.programs.join("initdb"));
        initdb.args(["-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C", "-N", "-D"]).arg(server.data());
        server.run(&mut initdb);
        server
    }

    fn prepare() -> Self {
        let (account, programs) = (Account::find(), programs());
        // The supervisor removes it, also when this process is killed.
        let folder = account.folder().keep();
        let port = free_port();
        let supervisor = Supervisor::new(account, &programs, &folder);
        Self { supervisor: Mutex::new(supervisor), account, programs, folder, port }
    }

    fn begin(&self) {
        // The last of a setting is the one that counts: a replica has the file of its primary.
        self.set(&format!(
            "\nlisten_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = ''\nshared_buffers = 16MB\n\
             max_connections = 200\nmax_wal_size = 256MB\n",
            self.port
        ));
        self.supervisor().start();
    }

    fn set(&self, settings: &str) {
        let file = self.data().join("postgresql.conf");
        let former = fs::read_to_string(&file).unwrap();
        fs::write(&file, former + settings).unwrap();
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The number of its first process.
    fn process(&self) -> u32 {
        let pid = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        pid.lines().next().unwrap().parse().unwrap()
    }

    fn supervisor(&self) -> std::sync::MutexGuard<'_, Supervisor> {
        self.supervisor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, command: &mut Command) {
        let said = command.current_dir(&self.folder).output().unwrap();
        assert!(said.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said.stderr));
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            self.cont();
        }
    }
}

/// The folder of the newest installed version: Debian has only some of its programs in the path.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let versions =
        versions.map(|entry| entry.path().join("bin")).filter(|folder| folder.join("initdb").exists());
    let number = |folder: &PathBuf| folder.iter().rev().nth(1)?.to_str()?.parse::<u32>().ok();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).find(|folder| folder.join("initdb").exists());
    versions.max_by_key(number).or(in_path).unwrap_or_else(|| {
        panic!("this test needs PostgreSQL, which is not installed: `bash tests/run` installs it and runs the test")
    })
}
