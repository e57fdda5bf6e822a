//! Why a statement failed, and what to do about it.

use std::error::Error;
use std::time::Duration;
use std::{io, iter};

use sqlx::error::DatabaseError;

use super::database::{Access, Place};
use crate::store::StoreError;

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Connect,
    Begin,
    Statement,
    /// Of a write: it may be done.
    Commit,
}

/// Why something failed.
#[derive(Debug)]
pub(super) struct Failure {
    phase: Phase,
    /// `None`: it took longer than the time limit.
    error: Option<sqlx::Error>,
}

impl Failure {
    pub(super) fn new(phase: Phase, error: sqlx::Error) -> Self {
        Self { phase, error: Some(error) }
    }

    pub(super) fn too_slow(access: Access) -> Self {
        let phase = if let Access::Read = access { Phase::Statement } else { Phase::Commit };
        Self { phase, error: None }
    }

    /// Whether another connection may help: this one is lost, or leads to a server that can't be written, and another can have taken over.
    pub(super) fn is_of_connection(&self) -> bool {
        match &self.error {
            None => true,
            Some(sqlx::Error::Database(error)) => {
                self.is_in_recovery(&**error)
                    || matches!(Condition::of(&**error), Condition::ReadOnly | Condition::Ending)
            }
            Some(sqlx::Error::ColumnDecode { .. } | sqlx::Error::ColumnNotFound(_)) => false,
            Some(_) => true,
        }
    }

    /// As the error of the store at this place.
    pub(super) fn at(self, place: &Place, time_limit: Duration) -> StoreError {
        let unknown = match self.phase {
            Phase::Commit => ". Whether this write is done is unknown",
            _ => "",
        };
        let Some(error) = &self.error else {
            return place.error(format_args!(
                "the server has not answered for {time_limit:?} (`PostgresStoreOptions::time_limit`): see whether it runs, can be \
                 reached, and is not overloaded. The store connects again by itself{unknown}"
            ));
        };
        let described = place.error(format_args!("{} ({error}){unknown}", self.advice(error)));
        match self.error {
            Some(error) => described.with_source(error),
            None => described,
        }
    }

    fn advice(&self, error: &sqlx::Error) -> &'static str {
        match error {
            sqlx::Error::Database(error) if self.is_in_recovery(&**error) => Condition::InRecovery.advice(),
            sqlx::Error::Database(error) => Condition::of(&**error).advice(),
            sqlx::Error::Configuration(_) => {
                "its URL is not valid: write it as `postgres://user:password@host:5432/database`"
            }
            error if is_of_tls(error) => {
                "TLS with the server failed: `sslmode=verify-full` trusts the web's certificate authorities and those in the \
                 file that `sslrootcert` in the URL names, so name the file with the one that your server's certificate is from"
            }
            sqlx::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                "no server listens there: start it, or correct the host and the port. A store that was connected before \
                 connects again by itself"
            }
            sqlx::Error::Io(_) if self.phase == Phase::Connect => {
                "the server can't be reached: see whether it runs, and whether the network lets the service reach it. A store that \
                 was connected before connects again by itself"
            }
            sqlx::Error::Io(_) | sqlx::Error::BeginFailed => {
                "the connection was lost. The store connects again by itself"
            }
            sqlx::Error::PoolTimedOut => {
                "no connection could be had in time: see whether the server runs and can be reached, and whether the pool has enough \
                 connections for what else uses it"
            }
            sqlx::Error::PoolClosed => "its pool is closed: close it after the last use of the store",
            _ => "it failed in a way that is not expected: see the log of the server",
        }
    }

    /// `BEGIN .. READ WRITE` is not supported there.
    fn is_in_recovery(&self, error: &dyn DatabaseError) -> bool {
        self.phase == Phase::Begin && error.code().as_deref() == Some("0A000")
    }
}

/// What rustls finds wrong arrives as an error of the connection.
fn is_of_tls(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Tls(_) => true,
        sqlx::Error::Io(error) => {
            iter::successors(Some(error as Cause<'_>), cause_of).any(|error| error.is::<rustls::Error>())
        }
        _ => false,
    }
}

type Cause<'e> = &'e (dyn Error + 'static);

/// The `source` of an `io::Error` is that of the error in it, and not the error in it.
fn cause_of<'e>(error: &Cause<'e>) -> Option<Cause<'e>> {
    let error: Cause<'e> = *error;
    match error.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref().map(|cause| cause as Cause<'e>),
        None => error.source(),
    }
}

/// What a SQLSTATE says (appendix A of PostgreSQL's documentation).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    InRecovery,
    ReadOnly,
    Ending,
    Full,
    TooManyConnections,
    WrongUser,
    NoDatabase,
    NoRights,
    NoSchema,
    Waited,
    NoPreparedStatement,
    Other,
}

impl Condition {
    pub(super) fn of(error: &dyn DatabaseError) -> Self {
        match error.code().as_deref() {
            Some("25006") => Self::ReadOnly,
            Some("57P01" | "57P02" | "57P03" | "57P05" | "25P03") => Self::Ending,
            Some("53100") => Self::Full,
            Some("53300") => Self::TooManyConnections,
            Some("28000" | "28P01") => Self::WrongUser,
            Some("3D000") => Self::NoDatabase,
            Some("42501") => Self::NoRights,
            Some("3F000" | "42P01" | "42703") => Self::NoSchema,
            Some("57014" | "55P03") => Self::Waited,
            Some("26000" | "42P05") => Self::NoPreparedStatement,
            _ => Self::Other,
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::InRecovery => {
                "the server is a replica (in recovery), which may not know yet what was revoked: connect to the primary. After a \
                 failover, the store finds the new primary by itself if the name of the host leads to it"
            }
            Self::ReadOnly => {
                "the server can't be written: it is a replica, or `default_transaction_read_only` is on. Connect to the primary, or \
                 turn the setting off for the user of the store. The store writes again by itself when it can"
            }
            Self::Ending => {
                "the server is starting, stopping, or has ended the connection. The store connects again by itself"
            }
            Self::Full => {
                "there is no space on the server's disk: free space there. No acknowledged write is lost, and the store writes again \
                 by itself when there is space"
            }
            Self::TooManyConnections => {
                "the server has no connection left: raise its `max_connections`, or lower those of the services that use it"
            }
            Self::WrongUser => {
                "the server does not accept this user: correct the user and the password in the URL, or `pg_hba.conf` of the server"
            }
            Self::NoDatabase => "the database does not exist: create it, or correct its name in the URL",
            Self::NoRights => {
                "the user of the store lacks a right: grant it those that the page `many_instances` of the guide lists, or have another user \
                 make the tables with the statements of `PostgresStoreOptions::schema_sql`"
            }
            Self::NoSchema => {
                "its tables are not there: somebody has dropped or altered them. Restart the service, which makes them, or run \
                 `PostgresStoreOptions::schema_sql`"
            }
            Self::Waited => {
                "the statement waited for too long: see in `pg_locks` who has locked the tables of the store, and whether the server \
                 is overloaded"
            }
            Self::NoPreparedStatement => {
                "a pooler between the service and the server mixes up prepared statements: set \
                 `PostgresStoreOptions::transaction_pooler`"
            }
            Self::Other => "the server has rejected it",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustls::CertificateError::UnknownIssuer;

    use super::is_of_tls;

    #[test]
    fn what_rustls_finds_wrong_is_of_tls_and_what_speaks_of_it_is_not() {
        let of = |error: io::Error| is_of_tls(&sqlx::Error::Io(error));
        let found = || rustls::Error::InvalidCertificate(UnknownIssuer);
        assert!(of(io::Error::new(io::ErrorKind::InvalidData, found())));
        assert!(of(io::Error::other(io::Error::other(found()))), "also within another error");
        assert!(!of(io::Error::new(io::ErrorKind::InvalidData, "invalid peer certificate: UnknownIssuer")));
        assert!(!of(io::ErrorKind::UnexpectedEof.into()));
    }
}
