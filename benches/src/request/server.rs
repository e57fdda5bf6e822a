//! What a request takes of a server's processor, over loopback: hyper, axum and the kernel, with the gate and without.
//!
//! Each variant is a process of its own that serves on one thread. They take turns: a round sends the same number of requests to each, by
//! several connections, and compares the time on a core that the server says it has used.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use bench_harness::report::{Report, Table};
use bench_harness::turns::{Variant, take_turns};
use benches::cpu;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::variants;

const VARIANTS: [&str; 5] = ["plain", "plain-control", "by-hand", "public", "known"];
const ROUNDS: usize = 30;
const CONNECTIONS: usize = 16;
const REQUESTS_A_CONNECTION: usize = 250;

/// The server of one variant. For each line of input it prints the time on a core that it has used, in nanoseconds.
pub fn serve(variant: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("an address"));
        std::thread::spawn(|| {
            for line in std::io::stdin().lines() {
                line.expect("a line");
                println!("{}", cpu::of_process().as_nanos());
            }
            std::process::exit(0);
        });
        axum::serve(listener, variants::of(variant).app).await.expect("a server");
    });
}

struct Server {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    address: String,
    request: Vec<u8>,
}

impl Server {
    fn start(variant: &'static str) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(program);
        let command = command.args(["serve", variant]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("a server");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let input = process.stdin.take();
        let (name, value) = variants::of(variant).headers.swap_remove(0);
        let request = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{name}: {value}\r\n\r\n").into_bytes();
        let mut server = Self { process, input, output, address: String::new(), request };
        server.address = server.line();
        server
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        line.trim().to_owned()
    }

    fn nanoseconds(&mut self) -> u64 {
        self.input.as_mut().expect("its input").write_all(b"\n").expect("it reads");
        self.line().parse().expect("a number")
    }

    /// Microseconds on a core a request.
    async fn round(&mut self) -> f64 {
        let before = self.nanoseconds();
        let mut connections = JoinSet::new();
        for _ in 0..CONNECTIONS {
            connections.spawn(ask(self.address.clone(), self.request.clone()));
        }
        while let Some(done) = connections.join_next().await {
            done.expect("a connection");
        }
        let used = self.nanoseconds() - before;
        used as f64 / 1e3 / (CONNECTIONS * REQUESTS_A_CONNECTION) as f64
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

async fn ask(address: String, request: Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("an option");
    let mut answer = vec![0; 4096];
    for _ in 0..REQUESTS_A_CONNECTION {
        stream.write_all(&request).await.expect("it reads");
        let length = stream.read(&mut answer).await.expect("it answers");
        assert!(
            answer[..length].starts_with(b"HTTP/1.1 200") && answer[..length].ends_with(b"ok"),
            "an answer in one piece"
        );
    }
}

pub fn report(write: bool) {
    let crates = ["axum", "hyper", "jsonwebtoken"];
    let mut report = Report::begin("request-server", env!("CARGO_MANIFEST_DIR"), &crates, write);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let variant = |name| {
        let (mut server, runtime) = (Server::start(name), &runtime);
        Variant::measured(name, move || runtime.block_on(server.round()) / 1e6)
    };
    let [plain, control, others @ ..] = VARIANTS;
    let times = take_turns([variant(plain), variant(control)], others.map(variant).into(), ROUNDS);
    let mut table = Table::new(["", "a request [µs on a core]", "requests ÷ those of plain"]);
    for name in times.names() {
        // As many more requests as each takes less.
        let requests = times.ratio(plain, name).text(3);
        table.row([name.to_owned(), times.each(name).micros().text(2), requests]);
    }
    report.table(&table);
    report.guard(&times);
    report.finish();
}
