//! Why a call failed, and what to do.

use std::fmt;
use std::time::Duration;

use ::redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::store::StoreError;

/// Why a call failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The client or the server said so.
    Error(RedisError),
    /// It took longer than this, before or after it was sent.
    TimeLimit(Duration),
    /// The tokio runtime on which it was sent has ended.
    RuntimeEnded,
    /// The server is not one that can be used, for this reason.
    Unusable(String),
    /// This number of replicas has acknowledged the write.
    TooFewReplicas { acknowledged: u32, required: u32 },
}

impl<E: Into<RedisError>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        // Of a pipeline, what the server said of the first command that failed.
        let first = error.clone().into_server_errors();
        Self::Error(
            first.and_then(|errors| errors.first().map(|(_, error)| error.clone().into())).unwrap_or(error),
        )
    }
}

impl Failure {
    /// Whether another connection may help: this one is broken, or it is not one to the primary.
    pub(super) fn is_of_the_connection(&self) -> bool {
        match self {
            Self::Error(error) => {
                is_of_another_server(error)
                    || matches!(
                        error.kind(),
                        ErrorKind::Io
                            | ErrorKind::Parse
                            | ErrorKind::AuthenticationFailed
                            | ErrorKind::ClusterConnectionNotFound
                    )
            }
            Self::TimeLimit(_) | Self::Unusable(_) => true,
            Self::TooFewReplicas { .. } | Self::RuntimeEnded => false,
        }
    }

    /// Whether the server has surely not executed the command, which another one may.
    pub(super) fn is_of_another_server(&self) -> bool {
        matches!(self, Self::Error(error) if is_of_another_server(error))
    }

    /// Whether the server lacks replicas that it needs: it may have been cut off, and a Sentinel knows of another primary.
    pub(super) fn is_of_lost_replicas(&self) -> bool {
        matches!(self, Self::Error(error) if says(error, "NOREPLICAS"))
    }

    /// Whether the memory of the server is full.
    pub(super) fn is_of_memory(&self) -> bool {
        matches!(self, Self::Error(error) if says(error, "OOM"))
    }

    /// The host and the port of the node of a Cluster that has the keys, if it is another one.
    pub(super) fn moved_to(&self) -> Option<(&str, u16)> {
        let Self::Error(error) = self else { return None };
        let (address, _) = error.redirect_node().filter(|_| says(error, "MOVED"))?;
        let (host, port) = address.rsplit_once(':')?;
        Some((host, port.parse().ok()?))
    }

    /// Whether a script is missing at the server, because it was restarted or is another one.
    pub(super) fn is_missing_script(&self) -> bool {
        matches!(self, Self::Error(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
    }

    /// As the error of the store at this address.
    pub(super) fn describe(self, address: impl fmt::Display) -> StoreError {
        let unusable = format!("the store in Redis at `{address}` can't be used");
        match self {
            Self::Error(error) => {
                StoreError::new(format!("{unusable}: {} ({error})", advice(&error))).with_source(error)
            }
            Self::TimeLimit(limit) => StoreError::new(format!(
                "{unusable}: it has not answered for {limit:?} (`RedisStoreOptions::time_limit`), and whether this write is done, if it is \
                 one, is unknown: see the log of the server, and the network to it. The store connects again by itself"
            )),
            Self::RuntimeEnded => StoreError::new(format!(
                "{unusable}: the tokio runtime that sent this write has ended, and whether it is done is unknown. The next call is sent on the \
                 runtime of its caller"
            )),
            Self::Unusable(why) => StoreError::new(format!("{unusable}: {why}")),
            Self::TooFewReplicas { acknowledged, required } => StoreError::new(format!(
                "{unusable}: {acknowledged} replicas have acknowledged this write, and {required} must \
                 (`RedisStoreOptions::wait_for_replicas`), so whether it outlives a failover is unknown: see `INFO replication` of the primary, \
                 and start the replicas that are missing"
            )),
        }
    }
}

fn is_of_another_server(error: &RedisError) -> bool {
    says(error, "READONLY") || says(error, "MOVED")
}

/// Whether the server answered with this code. Redis 6 has the code of a command in a script within the text, and each version that of a
/// command that ends a transaction.
fn says(error: &RedisError, code: &str) -> bool {
    let has_code_in_text = matches!(
        error.kind(),
        ErrorKind::Server(ServerErrorKind::ResponseError | ServerErrorKind::ExecAbort) | ErrorKind::Extension
    );
    error.code() == Some(code)
        || has_code_in_text
            && error.detail().is_some_and(|detail| {
                detail.split_whitespace().any(|word| word.trim_start_matches('-') == code)
            })
}

/// Describes what is wrong, and what to do.
fn advice(error: &RedisError) -> &'static str {
    const BY_CODE: [(&str, &str); 13] = [
        (
            "READONLY",
            "it is a replica, or a primary that has become one: connect to the primary, or name the Sentinels \
             (`RedisStoreOptions::sentinels`), which say where it is. The store looks for the primary again",
        ),
        (
            "OOM",
            "its memory is full: raise `maxmemory`, or make room. No acknowledged write is lost, reads go on, and the store writes again \
             when there is room",
        ),
        (
            "MISCONF",
            "it can't write to its disk, so it accepts no write: make room on its disk, and see its log. Reads go on, and the store writes \
             again when the server does",
        ),
        ("LOADING", "it is loading its data from the disk: wait until it has. The store goes on by itself"),
        (
            "NOREPLICAS",
            "it has fewer replicas than `min-replicas-to-write`, or they lag, so another primary may have taken over: start its replicas",
        ),
        ("MASTERDOWN", "it is a replica that has lost its primary: connect to the primary"),
        ("CLUSTERDOWN", "the Cluster is down, or a part of its slots has no node: see `CLUSTER INFO`"),
        ("TRYAGAIN", "the slot of the keys is being moved to another node: wait until it has been"),
        ("ASK", "the slot of the keys is being moved to another node: wait until it has been"),
        (
            "MOVED",
            "the keys are on another node of the Cluster, which the store did not find: see `CLUSTER NODES`",
        ),
        (
            "NOPERM",
            "its user may not do that: give it the commands and the keys that the documentation of `RedisStore` names (`ACL SETUSER`)",
        ),
        ("NOAUTH", "it needs a password: put user and password into the URL, `redis://user:password@host`"),
        ("WRONGPASS", "it refuses the user or the password of the URL: see `ACL LIST`"),
    ];
    if let Some((_, advice)) = BY_CODE.iter().find(|(code, _)| says(error, code)) {
        return advice;
    }
    match error.kind() {
        ErrorKind::AuthenticationFailed => "it refuses the user or the password of the URL: see `ACL LIST`",
        ErrorKind::InvalidClientConfig => "its URL or an option is invalid: see `RedisStore::connect`",
        ErrorKind::Io => {
            "the connection to it failed: see whether it runs, and the network to it; if it has TLS, its certificate and the \
             `root_certificates`. A store that was connected before connects again by itself"
        }
        ErrorKind::Client => "TLS with it failed: see its certificate, and the `root_certificates`",
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => {
            "it answered what this library can't read: a newer version of the program may have written it, or it is not Redis or Valkey"
        }
        _ => "it answered with an error: see its log",
    }
}
