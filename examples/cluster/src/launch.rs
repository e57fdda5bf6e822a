//! Starts all of it: the database server, and the instances, each in a process of its own.
//!
//! This is the example's own business. Everything that it starts ends when it ends, in whichever way: each process has a pipe to it, and ends
//! when the system closes that.

mod database;
mod options;
mod port;
mod process;

use std::io::{BufWriter, Write as _, stderr};
use std::process::ExitCode;

use auth_runtime::session::{BoxError, SigningKey, random_secret};
use auth_runtime::verify::Algorithm;
use tokio::signal::unix::{SignalKind, signal};

pub(crate) use self::database::run as run_database;
use self::options::Options;
use self::port::free_ports;
use self::process::{Processes, Program};
pub(crate) use self::process::{instance_ends, report};
use crate::settings::StoreKind;
use crate::users::USERS;

/// Starts all of it, and ends it when it is interrupted.
pub(crate) async fn run(arguments: &[&str]) -> Result<ExitCode, BoxError> {
    let options = Options::parse(arguments)?;
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut processes = Processes::new();
    let ended = tokio::select! {
        ended = start_and_watch(&options, &mut processes) => ended,
        _ = interrupt.recv() => Ok(ExitCode::SUCCESS),
        _ = terminate.recv() => Ok(ExitCode::SUCCESS),
    };
    processes.end().await;
    ended
}

/// Returns when one of the processes has ended.
async fn start_and_watch(options: &Options, processes: &mut Processes) -> Result<ExitCode, BoxError> {
    let store_url = match &options.url {
        Some(url) => url.clone(),
        None => {
            let program = Program::new("the database server", &["database", options.store.name()]);
            // If it has not started, it has said why.
            let Some(url) = processes.start(program).await? else { return Ok(ExitCode::FAILURE) };
            url
        }
    };
    // Where your instances run, these are in the store of their secrets.
    let (signing_key, refresh_key) = (SigningKey::generate_pem(Algorithm::EdDSA)?, random_text()?);
    let ports: Vec<u16> = free_ports().take(2).collect();
    let [a, b] = *ports else { return Err("no two ports are free".into()) };
    for (name, port, other) in [("A", a, b), ("B", b, a)] {
        let program = Program::new(&format!("instance {name}"), &["instance"])
            .variable("INSTANCE", name)
            .variable("PORT", &port.to_string())
            .variable("OTHER_INSTANCE", &format!("http://127.0.0.1:{other}/"))
            .variable("STORE_URL", &store_url)
            .variable("SIGNING_KEY", &signing_key)
            .variable("REFRESH_KEY", &refresh_key);
        let Some(url) = processes.start(program).await? else { return Ok(ExitCode::FAILURE) };
        println!("Instance {name}: {url}");
    }
    print_what_to_do(options, &store_url);
    Err(format!("{} has ended, so all of it ends", processes.first_end().await).into())
}

fn print_what_to_do(options: &Options, store_url: &str) {
    let [first, second] = USERS.map(|(name, password)| format!("{name} (password {password})"));
    println!(
        "\nLog in at one as {first} or as {second}, and open the other: you are logged in there too, because a browser sends\n\
         its cookies to all ports of a host. Log out at one, and reload the other. A private window is another browser, with a\n\
         session of its own, which is in the list."
    );
    if options.url.is_none() {
        let look = match options.store {
            StoreKind::Redis => format!("redis-cli --no-auth-warning -u {store_url} --scan"),
            StoreKind::Postgres => format!("psql {store_url} -c '\\dt auth.*'"),
        };
        println!("\nWhat is in the store: {look}");
    }
    println!("\nCtrl-C ends all of it.");
}

/// Begins each line of the log with the name of the instance: all write to one terminal.
pub(crate) fn log_as(instance: &str) {
    let begin = format!("{instance} ");
    let line = move || {
        // It is written when it is dropped, as one.
        let mut line = BufWriter::new(stderr());
        let _ = line.write_all(begin.as_bytes());
        line
    };
    tracing_subscriber::fmt().with_writer(line).init();
}

/// 256 random bits, as 64 letters and digits.
fn random_text() -> Result<String, BoxError> {
    Ok(random_secret()?.iter().map(|byte| format!("{byte:02x}")).collect())
}
