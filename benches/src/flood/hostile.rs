//! A server of keys that answers well once, and from then on as badly as it can.

use std::io::{Read as _, Result, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// How it answers.
#[derive(Clone, Copy)]
pub struct Reply {
    pub name: &'static str,
    write: fn(&mut TcpStream) -> Result<()>,
}

const fn reply(name: &'static str, write: fn(&mut TcpStream) -> Result<()>) -> Reply {
    Reply { name, write }
}

/// How often a server was asked, and how many of its answers have ended.
#[derive(Debug, Default)]
pub struct Asked {
    pub begun: AtomicUsize,
    pub ended: AtomicUsize,
}

pub const REPLIES: [Reply; 9] = [
    reply("silent", |stream| stream.read(&mut [0]).map(drop)),
    reply("slow", |stream| {
        stream.write_all(head("200 OK", "Content-Length: 100000\r\n").as_bytes())?;
        loop {
            stream.write_all(b" ")?;
            std::thread::sleep(Duration::from_millis(20));
        }
    }),
    reply("endless", |stream| {
        stream.write_all(head("200 OK", "").as_bytes())?;
        loop {
            stream.write_all(&[b' '; 4096])?;
        }
    }),
    reply("redirecting", |stream| whole(stream, "302 Found", "Location: /elsewhere\r\n", "")),
    reply("500", |stream| whole(stream, "500 Internal Server Error", "", "{}")),
    reply("garbage", |stream| whole(stream, "200 OK", "", &"<html>".repeat(10_000))),
    reply("10,000 keys", |stream| {
        let keys = vec![r#"{"kty":"EC","crv":"P-256","kid":"x"}"#; 10_000].join(",");
        whole(stream, "200 OK", "", &format!("{{\"keys\":[{keys}]}}"))
    }),
    reply("huge", |stream| whole(stream, "200 OK", "", &" ".repeat(16 << 20))),
    reply("encoded as gzip", |stream| {
        whole(stream, "200 OK", "Content-Encoding: gzip\r\n", &"x".repeat(64 << 10))
    }),
];

fn head(status: &str, headers: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n{headers}\r\n")
}

fn whole(stream: &mut TcpStream, status: &str, headers: &str, body: &str) -> Result<()> {
    let head = head(status, &format!("Content-Length: {}\r\n{headers}", body.len()));
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

/// Starts a server whose first answer is this set. Returns where it is.
pub fn start(set: String, reply: Reply, asked: Arc<Asked>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/jwks", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let (set, is_first) = (set.clone(), asked.begun.fetch_add(1, SeqCst) == 0);
            let asked = Arc::clone(&asked);
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                // The client goes away in the middle of what is too long.
                let _ = stream.read(&mut request).and_then(|_| match is_first {
                    true => whole(&mut stream, "200 OK", "", &set),
                    false => (reply.write)(&mut stream),
                });
                drop(stream);
                asked.ended.fetch_add(1, SeqCst);
            });
        }
    });
    url
}
