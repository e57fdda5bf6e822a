//! Requests with the least of HTTP/1.1: one on each connection, from an address of 127.0.0.0/8 that the caller chooses.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

const PATIENCE: Duration = Duration::from_secs(60);

/// Of an answer, no more is read.
const MOST_BYTES: u64 = 4 << 20;

/// An answer: all of it, as it was sent.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// Logs in, and returns the answer.
pub fn log_in(port: u16, from: Ipv4Addr, user: &str, password: &str) -> io::Result<Answer> {
    let body = format!("username={user}&password={password}");
    send(port, from, &request("POST", "/auth/login", &[FORM], &body))
}

/// Gets a page, and returns the answer.
pub fn get(port: u16, path: &str) -> io::Result<Answer> {
    send(port, Ipv4Addr::LOCALHOST, &request("GET", path, &[], ""))
}

/// The content type of a form.
pub const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// The bytes of a request, after which the server closes the connection.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() || method == "POST" {
        text += &format!("content-length: {}\r\n", body.len());
    }
    text += "\r\n";
    (text + body).into_bytes()
}

/// Sends a request, and returns the answer if all of it was received.
pub fn send(port: u16, from: Ipv4Addr, request: &[u8]) -> io::Result<Answer> {
    let mut stream = connect(port, from)?;
    stream.write_all(request)?;
    let answer = receive(&mut stream)?;
    let length = answer
        .head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    if answer.body.len() < length.unwrap_or(0) {
        Err(io::ErrorKind::UnexpectedEof.into())
    } else {
        Ok(answer)
    }
}

/// A connection from this address.
pub fn connect(port: u16, from: Ipv4Addr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Reads until the server closes the connection. The body may be cut off.
pub fn receive(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    let ended = stream.take(MOST_BYTES).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    // What was received before an error counts: a server may answer a long request, and reset the connection.
    let parsed = text.split_once("\r\n\r\n").and_then(|(head, body)| {
        let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
    });
    parsed.ok_or_else(|| ended.err().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into()))
}
