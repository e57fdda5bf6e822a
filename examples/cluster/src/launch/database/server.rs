//! How the servers are started. Each has a password, since other users of the machine reach its port too.

use std::fs;
use std::path::{Path, PathBuf};

use auth_runtime::session::BoxError;
use tempfile::TempDir;
use tokio::process::Command;

use super::super::port::free_ports;
use super::super::random_text;
use super::account::Account;

const NO_REDIS: &str = "redis-server is not installed (Debian, Ubuntu: `apt-get install redis-server`; macOS: `brew install redis`). \
                        Or use PostgreSQL: `-- --store postgres`, or a server that is there: `-- --url redis://..`";

const NO_POSTGRES: &str = "PostgreSQL is not installed (Debian, Ubuntu: `apt-get install postgresql`; macOS: `brew install postgresql`). \
                           Or use Redis: `-- --store redis`, or a server that is there: `-- --url postgres://..`";

/// A server that is to be started.
pub(super) struct Server {
    pub(super) command: Command,
    /// What it reads from its standard input.
    pub(super) input: String,
    pub(super) url: String,
    /// The folder of its data, which is its working directory.
    pub(super) folder: TempDir,
}

impl Server {
    /// Redis, or Valkey where that is installed instead.
    pub(super) fn redis() -> Result<Self, BoxError> {
        let program = in_path("redis-server").or_else(|| in_path("valkey-server")).ok_or(NO_REDIS)?;
        let (account, folder) = prepare()?;
        let (port, password) = (free_port()?, random_text()?);
        // As the guide asks for: what was acknowledged is on the disk.
        let input = format!(
            "bind 127.0.0.1\nport {port}\nrequirepass {password}\ndaemonize no\nlogfile \"\"\n\
             appendonly yes\nappendfsync always\nsave \"\"\nmaxmemory-policy noeviction\n"
        );
        let mut command = account.command(&program, folder.path());
        command.arg("-");
        Ok(Self { command, input, url: format!("redis://:{password}@127.0.0.1:{port}"), folder })
    }

    pub(super) async fn postgres() -> Result<Self, BoxError> {
        let programs = postgres_programs().ok_or(NO_POSTGRES)?;
        let (account, folder) = prepare()?;
        let (port, password) = (free_port()?, random_text()?);
        let password_file = folder.path().join("password");
        fs::write(&password_file, &password)?;
        account.give(&password_file)?;
        let mut initdb = account.command(&programs.join("initdb"), folder.path());
        initdb.args(["--pgdata=data", "--username=cluster", "--pwfile=password", "--auth=scram-sha-256"]);
        initdb.args(["--encoding=UTF8", "--locale=C", "--no-sync"]);
        let printed = initdb.output().await?;
        if !printed.status.success() {
            return Err(format!("initdb: {}", String::from_utf8_lossy(&printed.stderr).trim()).into());
        }
        fs::remove_file(password_file)?;
        let mut command = account.command(&programs.join("postgres"), folder.path());
        command.args(["-D", "data", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        command.args(["-c", &format!("port={port}")]);
        let url = format!("postgres://cluster:{password}@127.0.0.1:{port}/postgres");
        Ok(Self { command, input: String::new(), url, folder })
    }
}

/// A folder that this account alone can read.
fn prepare() -> Result<(Account, TempDir), BoxError> {
    let (account, folder) = (Account::find()?, tempfile::Builder::new().prefix("cluster-").tempdir()?);
    account.give(folder.path())?;
    Ok((account, folder))
}

fn free_port() -> Result<u16, BoxError> {
    free_ports().next().ok_or_else(|| "no port is free".into())
}

/// The folder of its programs: the one in the path, or the newest of Debian's, which are not in the path.
fn postgres_programs() -> Option<PathBuf> {
    let in_path = in_path("initdb").and_then(|initdb| Some(initdb.parent()?.to_owned()));
    in_path.or_else(|| {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
        let folders = versions.map(|version| version.path().join("bin"));
        folders.filter(|folder| folder.join("initdb").is_file()).max_by_key(|folder| version_of(folder))
    })
}

/// The version in `/usr/lib/postgresql/17/bin`.
fn version_of(folder: &Path) -> Option<u32> {
    folder.parent()?.file_name()?.to_str()?.parse().ok()
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
