//! The program, as its users start it: the server, and clients in terminals.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// The time after which a test fails that waits for something that does not happen.
const PATIENCE: Duration = Duration::from_secs(60);

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_websocket-chat"));
    command.stdout(Stdio::piped()).kill_on_drop(true);
    command
}

fn lines(process: &mut Child) -> Lines<BufReader<ChildStdout>> {
    BufReader::new(process.stdout.take().unwrap()).lines()
}

async fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> Option<String> {
    timeout(PATIENCE, lines.next_line()).await.expect("it says something").unwrap()
}

/// A running server, on a port that the system chose; killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    pub(crate) origin: String,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let mut process = program().args(["--port", "0"]).spawn().unwrap();
        let mut lines = lines(&mut process);
        loop {
            let line = next(&mut lines).await.expect("the server says where it is");
            if let Some((origin, _)) = line.strip_prefix("Open ").and_then(|rest| rest.split_once("/ ")) {
                return Self { process, origin: origin.to_owned() };
            }
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// With no chance to tidy up.
    pub(crate) async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }
}

/// A client in a terminal.
#[derive(Debug)]
pub(crate) struct Terminal {
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Terminal {
    /// Starts it, and types the password.
    pub(crate) async fn open(server: &Server, name: &str, password: &str, room: &str) -> Self {
        let mut command = program();
        command.args(["client", name, room, &server.origin]).stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let (input, output) = (process.stdin.take().unwrap(), lines(&mut process));
        let mut terminal = Self { process, input, output };
        terminal.write(password).await;
        terminal
    }

    /// A user that is in a room.
    pub(crate) async fn of(server: &Server, name: &str, room: &str) -> Self {
        let password = if name == "alice" { "wonderland" } else { "builder" };
        let mut terminal = Self::open(server, name, password, room).await;
        terminal
            .see(&format!("You are {name}, in the room {room}. Type a message, or Ctrl-D to leave."))
            .await;
        terminal
    }

    pub(crate) async fn write(&mut self, line: &str) {
        self.input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// The next line is this one.
    #[track_caller]
    pub(crate) fn see(&mut self, line: &str) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move { assert_eq!(next(&mut self.output).await.as_deref(), Some(line), "at {place}") }
    }

    /// Waits for its end, while its user does nothing. The exit code, and the last line of what it says of its end.
    pub(crate) async fn end(mut self) -> (Option<i32>, String) {
        assert_eq!(next(&mut self.output).await, None, "nothing more is shown");
        let mut errors = String::new();
        let mut stderr = self.process.stderr.take().unwrap();
        timeout(PATIENCE, stderr.read_to_string(&mut errors)).await.expect("it ends").unwrap();
        let status = self.process.wait().await.unwrap();
        let (_prompt, last) = errors.split_once(": ").unwrap();
        (status.code(), last.trim_end().to_owned())
    }

    /// Ctrl-D.
    pub(crate) async fn leave(self) -> Option<i32> {
        let Self { mut process, input, output: _ } = self;
        drop(input);
        timeout(PATIENCE, process.wait()).await.expect("it ends").unwrap().code()
    }
}
