//! Servers over loopback: hyper, axum and the kernel. Each is a process of its own, this program started once more, which serves on one thread;
//! what is measured is the time on a core that it says it has used.

use std::future::Future;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::cpu;

const CONNECTIONS: usize = 16;
const REQUESTS: usize = 4_000;

/// In the process of a server: serves until its input ends. For each line of input it prints the time on a core that it has used, in nanoseconds.
pub fn serve<F: Future>(runtime: &Runtime, server: impl FnOnce(TcpListener) -> F) {
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("an address"));
        std::thread::spawn(|| {
            for line in std::io::stdin().lines() {
                line.expect("a line");
                println!("{}", cpu::of_process().as_nanos());
            }
            std::process::exit(0);
        });
        server(listener).await;
    });
}

/// A server in a process of its own, which ends with this.
pub struct Server {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    address: String,
    request: Vec<u8>,
}

impl Server {
    /// Starts this program with other arguments, with which it calls [`serve`]. Requests are `GET /` with this line of a header.
    pub fn start(arguments: &[&str], header: &str) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(program);
        let mut process =
            command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a server");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let input = process.stdin.take();
        let request = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{header}\r\n\r\n").into_bytes();
        let mut server = Self { process, input, output, address: String::new(), request };
        server.address = server.line();
        server
    }

    /// Seconds on a core that one of 4,000 requests by 16 connections takes.
    pub fn round(&mut self, runtime: &Runtime) -> f64 {
        self.round_of(runtime, CONNECTIONS, REQUESTS)
    }

    /// Seconds on a core that a request takes, of at least so many by so many connections at once.
    pub fn round_of(&mut self, runtime: &Runtime, connections: usize, requests: usize) -> f64 {
        let each = requests.div_ceil(connections);
        let before = self.nanoseconds();
        runtime.block_on(async {
            let mut asking = JoinSet::new();
            for _ in 0..connections {
                asking.spawn(ask(self.address.clone(), self.request.clone(), each));
            }
            while let Some(done) = asking.join_next().await {
                done.expect("a connection");
            }
        });
        (self.nanoseconds() - before) as f64 / 1e9 / (connections * each) as f64
    }

    fn nanoseconds(&mut self) -> u64 {
        self.input.as_mut().expect("its input").write_all(b"\n").expect("it reads");
        self.line().parse().expect("a number")
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        line.trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

async fn ask(address: String, request: Vec<u8>, requests: usize) {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("an option");
    let mut answer = vec![0; 4096];
    for _ in 0..requests {
        stream.write_all(&request).await.expect("it reads");
        let length = stream.read(&mut answer).await.expect("it answers");
        let answer = &answer[..length];
        assert!(answer.starts_with(b"HTTP/1.1 200") && answer.ends_with(b"ok"), "an answer in one piece");
    }
}
