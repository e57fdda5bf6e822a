//! A pooler before PostgreSQL.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use tempfile::TempDir;

use crate::PostgresServer;
use crate::account::Account;
use crate::port::free_port;
use crate::postgres::{DATABASE, USER};

/// PgBouncer, which gives each transaction any of a few connections.
#[derive(Debug)]
pub struct PgBouncer {
    /// Ends, and what it started, when its standard input is closed.
    supervisor: Child,
    port: u16,
    _folder: TempDir,
}

/// Runs a program until the standard input is closed.
const SUPERVISE: &str = r#""$0" "$@" </dev/null & echo started; cat >/dev/null; kill -KILL $!; wait"#;

impl PgBouncer {
    /// Starts one before this server, with two connections to it.
    ///
    /// # Panics
    /// If PgBouncer is not installed.
    pub fn start(server: &PostgresServer) -> Self {
        let (account, port) = (Account::find(), free_port());
        let folder = account.folder();
        let settings = folder.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n{DATABASE} = host=127.0.0.1 port={server} user={USER}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = 2\nignore_startup_parameters = extra_float_digits\n",
            server = server.port(),
        );
        fs::write(&settings, text).unwrap();
        account.give(&settings);
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let mut supervisor = account
            .command("sh")
            .args(["-c", SUPERVISE, "pgbouncer"])
            .arg(&settings)
            // Of Debian, which is not in the path of every account.
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut started = String::new();
        BufReader::new(supervisor.stdout.take().unwrap()).read_line(&mut started).unwrap();
        let process = Self { supervisor, port, _folder: folder };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::yield_now();
        }
        process
    }

    /// The URL of the database through it.
    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{DATABASE}", self.port)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let _ = self.supervisor.wait();
    }
}
