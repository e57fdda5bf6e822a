//! The least of an HTTP/1.1 client: one connection, which is kept, and one request at a time.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// Longer than any answer takes that is right.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to an instance.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<TcpStream>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Client {
    pub fn connect(port: u16) -> Self {
        let stream =
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("an instance accepts connections");
        stream.set_nodelay(true).expect("an option of a socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("an option of a socket");
        Self { stream: BufReader::new(stream) }
    }

    /// The status of the guarded route for this access token.
    pub fn guarded(&mut self, token: &str) -> u16 {
        self.send("GET", "/guarded", Some(token), "").status
    }

    /// Sends a request, and returns the answer when all of it was read.
    pub fn send(&mut self, method: &str, path: &str, token: Option<&str>, body: &str) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
        if let Some(token) = token {
            request += &format!("authorization: Bearer {token}\r\n");
        }
        request += &format!("content-length: {}\r\n\r\n{body}", body.len());
        self.stream.get_mut().write_all(request.as_bytes()).expect("an instance takes requests");
        self.receive()
    }

    fn receive(&mut self) -> Answer {
        let status = self.line();
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut length = 0;
        loop {
            let line = self.line().to_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("a whole answer");
        Answer { status: status.expect("a status"), body: String::from_utf8(body).expect("text") }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).expect("an answer");
        assert!(read > 0, "the instance has closed the connection");
        line
    }
}
