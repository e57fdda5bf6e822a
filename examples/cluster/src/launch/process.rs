//! The processes that the launcher starts, which are this program with another role.

use std::io::{Write as _, sink, stdin, stdout};
use std::process::Stdio;
use std::time::Duration;

use auth_runtime::session::BoxError;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};

/// How long an instance may take to answer the requests that it has when the launcher ends.
const PATIENCE: Duration = Duration::from_secs(3);

/// This program, with another role.
pub(super) struct Program {
    name: String,
    role: Vec<String>,
    variables: Vec<(&'static str, String)>,
}

impl Program {
    pub(super) fn new(name: &str, role: &[&str]) -> Self {
        let role = role.iter().map(|&argument| argument.to_owned()).collect();
        Self { name: name.to_owned(), role, variables: Vec::new() }
    }

    /// Sets a variable of its environment, which other users of the machine can't read.
    pub(super) fn variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }
}

/// The processes that run.
pub(super) struct Processes {
    running: Vec<Process>,
    ended: mpsc::UnboundedReceiver<String>,
    ends: mpsc::UnboundedSender<String>,
}

struct Process {
    child: Child,
    /// The process ends when this is closed: when it is dropped, and when the launcher has ended.
    lifeline: ChildStdin,
}

impl Processes {
    pub(super) fn new() -> Self {
        let (ends, ended) = mpsc::unbounded_channel();
        Self { running: Vec::new(), ended, ends }
    }

    /// Starts one, and returns the first line that it prints. `None` if it has ended before that: then it has said why.
    pub(super) async fn start(&mut self, program: Program) -> Result<Option<String>, BoxError> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(program.role).envs(program.variables).stdin(Stdio::piped()).stdout(Stdio::piped());
        // Ctrl-C interrupts the launcher alone.
        let mut child = command.process_group(0).spawn()?;
        let (Some(lifeline), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("a process has no pipes".into());
        };
        self.running.push(Process { child, lifeline });
        let mut lines = BufReader::new(output).lines();
        let first = lines.next_line().await?;
        if first.is_some() {
            tokio::spawn(report_end(program.name, lines, self.ends.clone()));
        }
        Ok(first)
    }

    /// Waits for the end of one, and returns its name.
    pub(super) async fn first_end(&mut self) -> String {
        self.ended.recv().await.unwrap_or_default()
    }

    /// Ends them, the one that was started last first.
    pub(super) async fn end(mut self) {
        while let Some(Process { mut child, lifeline }) = self.running.pop() {
            drop(lifeline);
            // Each has a time by which it ends. One that was killed could not end what it has started itself.
            let _ = child.wait().await;
        }
    }
}

/// The output of a process is closed when it has ended.
async fn report_end(
    name: String,
    mut lines: Lines<BufReader<ChildStdout>>,
    ends: mpsc::UnboundedSender<String>,
) {
    while let Ok(Some(_)) = lines.next_line().await {}
    let _ = ends.send(name);
}

/// In a process that the launcher has started: prints the line that it waits for.
pub(crate) fn report(line: &str) {
    // If the launcher has ended, this process ends too.
    let _ = writeln!(stdout(), "{line}");
}

/// In a process that the launcher has started: completes when the launcher has ended, or wants this process to end.
pub(super) async fn launcher_ended() {
    let (ended, end) = oneshot::channel();
    // A task that reads the standard input would keep the runtime from ending.
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut stdin(), &mut sink());
        ended.send(())
    });
    let _ = end.await;
}

/// In an instance: the same. A few seconds later the process ends in any case, also if a client does not end its request.
pub(crate) async fn instance_ends() {
    launcher_ended().await;
    std::thread::spawn(|| {
        std::thread::sleep(PATIENCE);
        std::process::exit(1);
    });
}
