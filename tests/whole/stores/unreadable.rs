//! Rows that can't be read, such as those of a newer version, in the list of all sessions: the staff sees the others. That of redb is
//! in the library, since it writes the file.

use auth_runtime::store::{FamilyId, RefreshTokenFamily, RefreshTokenStore};
use auth_tests_servers::{PostgresServer, RedisServer};

use crate::captured_log::CapturedLog;
use crate::postgres::Admin;
use crate::support::base64url;
use crate::support::postgres::{new_schema, open};
use crate::support::redis::open_redis;
use crate::support::rows::family;

/// What is written in place of a row. It is of the issuer, and no family.
const ROW: &str = r#"{"issuer":"i","subject":"hunter2"}"#;

const DAMAGED: [u8; 3] = [2, 3, 5];

async fn insert(store: &impl RefreshTokenStore) {
    for number in 1..=6 {
        store.insert(family(number)).await.unwrap();
    }
}

async fn pages(store: &impl RefreshTokenStore, limit: usize) -> Vec<u8> {
    let mut found: Vec<RefreshTokenFamily> = Vec::new();
    loop {
        let after = found.last().cloned();
        let page =
            store.list("i", after.as_ref().map(|last| (&*last.subject, last.id)), limit).await.unwrap();
        let is_last = page.len() < limit;
        found.extend(page);
        if is_last {
            return found.iter().map(|family| family.id[0]).collect();
        }
    }
}

/// No page is taken for the last because a row was left out, and the log names the session and nothing of the row.
async fn check(store: &impl RefreshTokenStore) {
    let log = CapturedLog::start(tracing::Level::ERROR);
    for limit in [1, 2, 3, 4, 100] {
        assert_eq!(pages(store, limit).await, [1, 4, 6], "{limit}");
    }
    let text = log.text();
    for number in DAMAGED {
        let id: FamilyId = [number; 16];
        assert!(text.contains(&base64url(&id)), "{number}: {text}");
        assert!(store.find(id).await.is_err(), "where it alone is asked for, it is an error");
    }
    assert!(text.contains("is not in the list of all sessions") && !text.contains("hunter2"), "{text}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn in_postgresql_the_others_are_listed() {
    let schema = new_schema();
    let store = open(&schema).await;
    insert(&store).await;
    let mut admin = Admin::of(PostgresServer::shared()).await;
    for number in DAMAGED {
        let (schema, id) = (schema.replace('"', "\"\""), format!("{number:02x}").repeat(16));
        let sql = format!(
            "UPDATE \"{schema}\".refresh_families SET family = convert_to('{ROW}', 'UTF8') WHERE id = decode('{id}', 'hex') RETURNING 1"
        );
        assert_eq!(admin.run(sql).await.len(), 1);
    }
    check(&store).await;
}

#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn in_redis_the_others_are_listed() {
    let server = RedisServer::start();
    let store = open_redis(&server).await;
    insert(&store).await;
    for number in DAMAGED {
        let row = format!("1 {} 4000000000\n{ROW}", "x".repeat(22));
        let added = server.command(&["HSET", "{auth}:families", &base64url(&[number; 16]), &row]);
        assert_eq!(added, "0", "it was there");
    }
    check(&store).await;
}
