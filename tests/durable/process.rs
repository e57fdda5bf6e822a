//! The process that the tests of `durability` start and kill: `serve STORE ROUND` or `run-out-of-space STORE`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the test that started it fails when it panics")]

use std::env;
use std::io::{Write as _, stdout};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use auth_runtime::revocation::Revocation;
use auth_runtime::session::{Subject, TokenError};
use auth_tests::durable::{Line, PARTNER, Service, limit_file_size, token};
use tokio::task::JoinSet;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", store, round] => serve(store.as_ref(), round).await,
        ["run-out-of-space", store] => run_out_of_space(store.as_ref()).await,
        _ => panic!("write `serve STORE ROUND` or `run-out-of-space STORE`, not {arguments:?}"),
    }
}

/// Records things, and says so, until it is killed. What it revokes has ids that begin with the round.
async fn serve(store: &Path, round: &str) {
    say(&Line::Opening);
    let service = match Service::start(store).await {
        Ok(service) => Arc::new(service),
        Err(error) => return say(&Line::NotOpened(error.to_string())),
    };
    // Many at a time, so that they share commits. They have no end.
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        tasks.spawn(revoke(service.clone(), format!("{round}-{task}")));
        tasks.spawn(log_in_and_out(service.clone()));
    }
    tasks.join_all().await;
}

async fn run_out_of_space(store: &Path) {
    let service = Service::start(store).await.unwrap();
    limit_file_size(std::process::id(), "0");
    let revocation = Revocation::Token { issuer: PARTNER.into(), token_id: "t".into() };
    service.auth.revocations().revoke(revocation).await.unwrap_err();
    // Opening it anew, which has to be after a failure of the disk, takes some bytes.
    service.auth.catch_up().await.unwrap_err();
    limit_file_size(std::process::id(), "unlimited");
    // It is opened again at most once a second.
    let read = async { while service.auth.catch_up().await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(60), read).await.unwrap();
}

/// In one piece: lines of several tasks don't mix.
fn say(line: &Line) {
    let line = format!("{}\n", serde_json::to_string(line).unwrap());
    let mut stdout = stdout().lock();
    stdout.write_all(line.as_bytes()).unwrap();
    stdout.flush().unwrap();
}

async fn revoke(service: Arc<Service>, task: String) {
    for number in 0_u64.. {
        let token_id = format!("{task}-{number}");
        let revocation = Revocation::Token { issuer: PARTNER.into(), token_id: token_id.clone() };
        let revoked = match service.auth.revocations().revoke(revocation).await {
            Ok(()) => {
                say(&Line::Revoked(token_id.clone()));
                Some(service.status(&token(&token_id)).await)
            }
            Err(error) => {
                say(&Line::Failed(error.to_string()));
                None
            }
        };
        say(&Line::Served { good: service.status(&token("good")).await, revoked });
    }
}

async fn log_in_and_out(service: Arc<Service>) {
    loop {
        if let Err(error) = try_log_in_and_out(&service).await {
            say(&Line::Failed(error.to_string()));
        }
    }
}

async fn try_log_in_and_out(service: &Service) -> Result<(), TokenError> {
    let tokens = service.auth.tokens().unwrap();
    let user = Subject::new("alice");
    let stays = tokens.issue(&user).await?;
    say(&Line::LoggedIn(stays.refresh_token));

    let leaves = tokens.issue(&user).await?;
    tokens.log_out(&leaves.refresh_token).await?;
    say(&Line::LoggedOut { refresh_token: leaves.refresh_token, access_token: leaves.access_token });

    let goes_on = tokens.issue(&user).await?;
    let goes_on = tokens.refresh(&goes_on.refresh_token).await?;
    say(&Line::LoggedIn(goes_on.refresh_token));
    Ok(())
}
