//! A database server in a temporary folder, and the process that ends it.
//!
//! The server is not a child of the launcher, because nobody would end it if the launcher were killed.

mod account;
mod server;

use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use auth_runtime::session::BoxError;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use self::server::Server;
use super::process::{launcher_ended, report};
use crate::settings::StoreKind;

/// What both servers write into their log when they answer, in whichever case.
const READY: &str = "ready to accept connections";

/// How long the server may take to end before it is killed.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs a server until the launcher has ended, and prints its URL once it answers.
pub(crate) async fn run(store: &str) -> Result<(), BoxError> {
    let mut launcher_ended = pin!(launcher_ended());
    let server = match StoreKind::named(store)? {
        StoreKind::Redis => Server::redis()?,
        StoreKind::Postgres => Server::postgres().await?,
    };
    let Server { command, input, url, folder } = server;
    let (mut process, log) = start(command, &input).await?;
    let (mut lines, mut last) = (BufReader::new(log).lines(), String::new());
    loop {
        tokio::select! {
            () = &mut launcher_ended => break,
            line = lines.next_line() => match line? {
                Some(line) => {
                    if line.to_ascii_lowercase().contains(READY) {
                        report(&url);
                    }
                    last = line;
                }
                None => return Err(format!("the database server has ended: {last}").into()),
            },
        }
    }
    end(&mut process).await;
    folder.close()?;
    Ok(())
}

/// Starts a server, with its standard output and its standard error in one pipe.
async fn start(mut command: Command, input: &str) -> Result<(Child, pipe::Receiver), BoxError> {
    let (log, output) = std::io::pipe()?;
    command.stdin(Stdio::piped()).stdout(output.try_clone()?).stderr(output).kill_on_drop(true);
    let mut process = command.spawn()?;
    if let Some(mut stdin) = process.stdin.take() {
        stdin.write_all(input.as_bytes()).await?;
    }
    // The pipe is closed when the server has ended: `command`, which has its other end too, is dropped here.
    Ok((process, pipe::Receiver::from_owned_fd(log.into())?))
}

/// Ends a server in its own way. One that is killed can leave shared memory behind.
async fn end(process: &mut Child) {
    if let Some(number) = process.id() {
        // A program `kill` is not everywhere, and every shell has it.
        let _ = Command::new("sh").args(["-c", "kill -s INT \"$0\"", &number.to_string()]).status().await;
    }
    if timeout(PATIENCE, process.wait()).await.is_err() {
        let _ = process.kill().await;
    }
}
