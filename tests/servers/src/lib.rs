//! Database servers for the tests, each in processes of its own, at a free port and in a temporary folder. `bash tests/run` installs them.
//!
//! A server ends with its value, and also if the test's process is killed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod account;
mod certificate;
mod pgbouncer;
mod port;
mod postgres;
mod processes;
mod proxy;
mod redis;

pub use self::pgbouncer::PgBouncer;
pub use self::port::free_port;
pub use self::postgres::PostgresServer;
pub use self::proxy::Proxy;
pub use self::redis::{RedisOptions, RedisServer};
