//! The services that `whole/durability.rs` and `whole/sockets/processes.rs` kill and start again, and what the process that runs them
//! prints: lines of JSON. `durable/process.rs` is that process.

mod service;
mod sockets;

use std::process::Command;

use serde::{Deserialize, Serialize};

pub use self::service::{PARTNER, Service, token};
pub use self::sockets::{Addresses, MadeKey, SocketService};

/// What the process prints.
#[derive(Debug, Serialize, Deserialize)]
pub enum Line {
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
    /// This API key was made.
    KeyMade(String),
    /// This API key was made and revoked.
    KeyRevoked(String),
    /// Something could not be recorded, for this reason.
    Failed(String),
    /// How requests were answered: with a good token, and with one whose revocation was acknowledged.
    Served { good: u16, revoked: Option<u16> },
}

/// Sets the limit for the size of a file that a process writes, and leaves room to raise it again. As a full disk is, but
/// for this process alone.
pub fn limit_file_size(process: u32, limit: &str) {
    let mut command = Command::new("prlimit");
    command.args(["--pid", &process.to_string(), &format!("--fsize={limit}:")]);
    let status = command.status().unwrap_or_else(|error| {
        panic!("`prlimit` of util-linux can't be started: {error}. `bash tests/run` installs it")
    });
    assert!(status.success(), "{command:?}: {status}");
}
