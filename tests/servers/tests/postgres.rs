//! The server does what the tests need of it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use auth_tests_servers::{PgBouncer, PostgresServer};

/// The first byte that it answers to a login: `R`. `None` if it does not answer.
fn answer(port: u16) -> Option<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let text = b"user\0postgres\0database\0postgres\0\0";
    let length = u32::try_from(text.len() + 8).unwrap().to_be_bytes();
    stream.write_all(&[&length[..], &[0, 3, 0, 0], text].concat()).ok()?;
    let mut first = [0];
    stream.read_exact(&mut first).ok()?;
    Some(first[0])
}

#[test]
#[ignore = "needs PostgreSQL and PgBouncer: bash tests/run"]
fn a_server_is_stopped_killed_and_started_again() {
    let server = PostgresServer::start();
    let port = server.port();
    assert_eq!(answer(port), Some(b'R'));
    server.stop();
    assert_eq!(answer(port), None);
    server.cont();
    assert_eq!(answer(port), Some(b'R'));
    server.kill();
    assert_eq!(answer(port), None);
    server.start_again();
    assert_eq!(answer(port), Some(b'R'));
    server.restart();
    assert_eq!(answer(port), Some(b'R'));
    let replica = server.replica();
    assert_eq!(answer(replica.port()), Some(b'R'));
    replica.promote();
    let pooler = PgBouncer::start(&server);
    assert!(pooler.url().contains("@127.0.0.1:"));
    assert!(server.dump("public").contains("PostgreSQL database dump"));
    drop((pooler, replica, server));
    assert_eq!(answer(port), None);
}
