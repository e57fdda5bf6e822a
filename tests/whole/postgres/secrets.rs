//! What an attacker who reads the database gets: no token, no key, no password.

use std::time::Duration;

use auth_runtime::Auth;
use auth_runtime::api_key::{ApiKeyOptions, ApiKeys};
use auth_runtime::store::AttemptStore as _;
use auth_tests_servers::PostgresServer;

use crate::support::people::{People, issuer};
use crate::support::postgres::{new_schema, open};

/// The columns of bytes in a dump are in hexadecimal digits.
fn in_hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn a_dump_has_no_token_and_no_key() {
    let schema = new_schema();
    let store = open(&schema).await;
    let people = People::default();
    people.set("alice", &[]);
    let alice = people.find("alice").unwrap().unwrap();
    let auth = Auth::builder()
        .token_issuer(issuer(&people).grace_period(Duration::from_secs(10)))
        .api_keys(ApiKeys::in_header("X-API-Key").store(store.clone()))
        .store(store.clone())
        .build()
        .unwrap();
    auth.start().await.unwrap();
    let tokens = auth.tokens().unwrap();

    let mut secrets = Vec::new();
    let first = tokens.issue(&alice).await.unwrap();
    let second = tokens.refresh(&first.refresh_token).await.unwrap();
    let ended = tokens.issue(&alice).await.unwrap();
    assert!(tokens.log_out(&ended.refresh_token).await.unwrap());
    tokens.revoke(&second.access_token).await.unwrap();
    for given in [first, second, ended] {
        // The parts of a token, each of which a search for the whole would not find.
        for token in [given.access_token, given.refresh_token] {
            secrets.extend(token.split('.').filter(|part| part.len() > 30).map(str::to_owned));
            secrets.push(token);
        }
    }
    let keys = auth.api_keys().unwrap();
    let key = keys.create("alice", ApiKeyOptions::new()).await.unwrap();
    let next = keys.create("alice", ApiKeyOptions::new()).await.unwrap();
    for key in [key, next] {
        let (_, secret) = key.text().split_once(key.id()).unwrap();
        secrets.extend([key.text().to_owned(), secret.trim_matches('_').to_owned()]);
    }
    assert_eq!(store.count(Vec::new()).await.unwrap(), None);

    let dump = PostgresServer::shared().dump(&schema);
    assert!(dump.contains(&in_hex("alice")), "the search finds what is there");
    for table in ["log", "refresh_families", "api_keys"] {
        assert!(dump.contains(&format!(".{table} VALUES (")), "{table} has a row: {dump}");
    }
    assert!(secrets.len() > 10, "{secrets:?}");
    for secret in secrets {
        assert!(!dump.contains(&secret) && !dump.contains(&in_hex(&secret)), "{secret} is in {dump}");
    }
}
