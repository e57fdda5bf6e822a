//! A provider that answers over HTTP whatever a test wants, also what no HTTP server would.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How the server answers a path.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// These bytes, and then the end of the connection.
    Bytes(Vec<u8>),
    /// This head, and a body without an end.
    Endless(String),
    /// The first text at once, and of the second a byte a second.
    Slow(String, String),
    /// Nothing.
    Silence,
}

pub(super) struct Server {
    pub(super) url: String,
    replies: Arc<Mutex<HashMap<String, Reply>>>,
    requests: Arc<Mutex<Vec<String>>>,
    sent: Arc<AtomicUsize>,
    cut_off: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Reply {
    /// 200 with this type and these further headers, each with its end of line.
    pub(super) fn ok(of_type: &str, headers: &str, body: impl AsRef<[u8]>) -> Self {
        Self::with_status("200 OK", of_type, headers, body)
    }

    pub(super) fn json(body: impl AsRef<[u8]>) -> Self {
        Self::ok("application/json", "", body)
    }

    pub(super) fn with_status(status: &str, of_type: &str, headers: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {of_type}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n",
            body.len()
        );
        Self::Bytes([head.as_bytes(), body].concat())
    }
}

impl Server {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (replies, requests) = (Arc::default(), Arc::default());
        let [sent, cut_off] = [0; 2].map(|none| Arc::new(AtomicUsize::new(none)));
        let shared = (Arc::clone(&replies), Arc::clone(&requests), Arc::clone(&sent), Arc::clone(&cut_off));
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (replies, requests, sent, cut_off) = shared.clone();
                connections
                    .spawn(async move { answer(stream, &replies, &requests, [&sent, &cut_off]).await });
            }
        });
        Self { url, replies, requests, sent, cut_off, task }
    }

    pub(super) fn set(&self, path: &str, reply: Reply) {
        self.replies.lock().unwrap().insert(path.to_owned(), reply);
    }

    /// The paths that were asked for since this was asked last.
    pub(super) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }

    /// Whether it was asked for anything since.
    pub(super) fn is_asked(&self) -> bool {
        !self.requests.lock().unwrap().is_empty()
    }

    /// How many bytes of slow bodies and of bodies without an end were sent.
    pub(super) fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }

    /// How many bodies without an end were cut off by the client.
    pub(super) fn cut_off(&self) -> usize {
        self.cut_off.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    mut stream: TcpStream,
    replies: &Mutex<HashMap<String, Reply>>,
    requests: &Mutex<Vec<String>>,
    [sent, cut_off]: [&AtomicUsize; 2],
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match stream.read(&mut byte).await {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let reply = replies.lock().unwrap().get(&path).cloned();
    requests.lock().unwrap().push(path);
    match reply.unwrap_or_else(|| Reply::with_status("404 Not Found", "text/plain", "", "nothing is here")) {
        Reply::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Reply::Endless(head) => {
            let _ = stream.write_all(head.as_bytes()).await;
            while stream.write_all(&[b' '; 1024]).await.is_ok() {
                sent.fetch_add(1024, Ordering::SeqCst);
            }
            cut_off.fetch_add(1, Ordering::SeqCst);
        }
        Reply::Slow(at_once, slowly) => {
            let _ = stream.write_all(at_once.as_bytes()).await;
            for byte in slowly.bytes() {
                tokio::time::sleep(Duration::from_secs(1)).await;
                if stream.write_all(&[byte]).await.is_err() {
                    return;
                }
                sent.fetch_add(1, Ordering::SeqCst);
            }
        }
        Reply::Silence => std::future::pending().await,
    }
}
