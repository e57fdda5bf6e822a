//! The process that the tests of `durability` start and kill: `serve STORE ROUND`, `run-out-of-space STORE` or `hang STORE`. And that of
//! `sockets`: `sockets STORE SECONDS`, where the store is a path or `memory`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the test that started it fails when it panics")]

use std::env;
use std::io::{Write as _, stdout};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::api_key::{ApiKeyError, ApiKeyOptions};
use auth_runtime::revocation::Revocation;
use auth_runtime::session::{Subject, TokenError};
use auth_runtime::store::{
    LogCursor, LogEntry, MemoryStore, RedbStore, RefreshTokenFamily, RefreshTokenStore as _,
    RevocationLog as _, StoredSessionData,
};
use auth_tests::durable::{Line, PARTNER, Service, SocketService, limit_file_size, token};
use auth_tests::support::until;
use serde::Serialize;
use tokio::task::JoinSet;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", store, round] => serve(store.as_ref(), round).await,
        ["run-out-of-space", store] => run_out_of_space(store.as_ref()).await,
        ["hang", store] => hang(store.as_ref()).await,
        ["sockets", store, passed] => serve_sockets(store, passed.parse().unwrap()).await,
        _ => panic!(
            "write `serve STORE ROUND`, `run-out-of-space STORE`, `hang STORE` or `sockets STORE SECONDS`, not {arguments:?}"
        ),
    }
}

/// Serves sockets until it is killed, and says where. So much time has passed on its clock, in seconds.
async fn serve_sockets(store: &str, passed: u64) {
    let service = match store {
        "memory" => SocketService::start(MemoryStore::new(), passed).await,
        path => SocketService::start(RedbStore::open(path).unwrap(), passed).await,
    };
    say(&service.addresses());
    service.serve().await;
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
    tasks.spawn(make_and_revoke_keys(service.clone()));
    tasks.join_all().await;
}

async fn run_out_of_space(store: &Path) {
    let service = Service::start(store).await.unwrap();
    let revoke = async |id: &str| {
        let revocation = Revocation::Token { issuer: PARTNER.into(), token_id: id.into() };
        service.auth.revocations().revoke(revocation).await
    };
    let status = || service.auth.revocations().status();
    revoke("before").await.unwrap();
    limit_file_size(std::process::id(), "0");
    revoke("during").await.unwrap_err();
    // Not a byte can be written, and it is read all the same.
    service.auth.start().await.unwrap();
    until("it is told", async || !status().writable).await;
    assert!(!status().ready && status().failure.unwrap().contains("there is no space"));
    assert_eq!(service.status(&token("before")).await, 401);
    assert_eq!(service.status(&token("good")).await, 200);
    limit_file_size(std::process::id(), "unlimited");
    // By itself: there is no writer.
    until("it is well again", async || status().ready).await;
    assert_eq!(status().failure, None);
    revoke("after").await.unwrap();
    assert_eq!(service.status(&token("after")).await, 401);
}

/// A disk that hangs: what waits for it fails, and what reached no client is not kept.
async fn hang(store: &Path) {
    let faults = env::var_os("AUTH_FAULTS").unwrap();
    let disk = |state: &str| std::fs::write(&faults, state).unwrap();
    let family = |number: u8| RefreshTokenFamily {
        id: [number; 16],
        issuer: "i".into(),
        subject: "s".into(),
        key_id: "k".into(),
        generation: 1,
        version: 1,
        started_at: 10,
        rotated_at: 10,
        expires_at: 100,
        last_issued_at: 10,
        user_generation: 0,
        issuer_generation: 0,
        acr: None,
        reissued: false,
        ends_with_browser: false,
        label: None,
        data: StoredSessionData::default(),
    };
    let revoked =
        |id: &str| LogEntry { tag: 1, keep_until: UNIX_EPOCH + Duration::from_secs(100), bytes: id.into() };
    disk("well");
    let store = RedbStore::options().time_limit(Duration::from_millis(300)).open(store).unwrap();
    store.insert(family(1)).await.unwrap();

    disk("hang");
    let (insert, append) = tokio::join!(store.insert(family(2)), store.append(vec![revoked("a")]));
    for hung in [insert, append, store.replace(1, family(1)).await.map(drop), store.check_writable().await] {
        let error = hung.unwrap_err().to_string();
        assert!(error.contains("its disk has not answered for 300ms"), "{error}");
    }
    // The writer has been stuck for longer than the limit, so nothing waits for it any more.
    let error = store.insert(family(3)).await.unwrap_err().to_string();
    assert!(error.contains("so this write was not tried"), "{error}");
    assert!(store.find([1; 16]).await.unwrap().is_some(), "reads do not wait for it");

    disk("well");
    until("it writes again", async || store.check_writable().await.is_ok()).await;
    for (number, is_there) in [(1, true), (2, false), (3, false)] {
        assert_eq!(store.find([number; 16]).await.unwrap().is_some(), is_there, "{number}");
    }
    // A revocation that was written late is written.
    let log = store.read(LogCursor::START, 10).await.unwrap().page().unwrap();
    assert_eq!(log.entries, [revoked("a")]);
    store.insert(family(3)).await.unwrap();
}

/// In one piece: lines of several tasks don't mix.
fn say(line: &impl Serialize) {
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
            Ok(_) => {
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

async fn make_and_revoke_keys(service: Arc<Service>) {
    loop {
        if let Err(error) = try_make_and_revoke_keys(&service).await {
            say(&Line::Failed(error.to_string()));
        }
    }
}

async fn try_make_and_revoke_keys(service: &Service) -> Result<(), ApiKeyError> {
    let keys = service.auth.api_keys().unwrap();
    let stays = keys.create("alice", ApiKeyOptions::new()).await?;
    say(&Line::KeyMade(stays.text().to_owned()));

    let ends = keys.create("alice", ApiKeyOptions::new()).await?;
    keys.revoke(ends.id()).await?;
    say(&Line::KeyRevoked(ends.text().to_owned()));
    Ok(())
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
