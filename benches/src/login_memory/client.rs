//! Requests with the least of HTTP/1.1: one on each connection, from an address of 127.0.0.0/8 that the caller chooses.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

const PATIENCE: Duration = Duration::from_secs(60);

/// Logs in, and returns the status of the answer.
pub(crate) fn log_in(port: u16, from: Ipv4Addr, user: &str, password: &str) -> io::Result<u16> {
    let body = format!("username={user}&password={password}");
    let head = format!(
        "POST /auth/login HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    send(port, from, &(head + &body))
}

/// Gets a page, and returns the status of the answer.
pub(crate) fn get(port: u16, path: &str) -> io::Result<u16> {
    let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    send(port, Ipv4Addr::LOCALHOST, &head)
}

fn send(port: u16, from: Ipv4Addr, request: &str) -> io::Result<u16> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    status.and_then(|status| status.parse().ok()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}
