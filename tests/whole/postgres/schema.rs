//! The tables: made once, by the first instance or by somebody else; of a version; with few rights.

use auth_runtime::store::{LogCursor, RevocationLog as _};
use auth_runtime::store::{PostgresStore, RefreshTokenStore as _};
use auth_tests_servers::PostgresServer;
use tokio::task::JoinSet;

use super::{Admin, assert_says, entry, family, quoted, tags};
use crate::support::postgres::{new_schema, open};

const GUIDE: &str = include_str!("../../../docs/guide/many_instances.md");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn eight_instances_that_start_at_once_make_one_schema() {
    let schema = new_schema();
    let mut instances = JoinSet::new();
    for number in 0..8 {
        let schema = schema.clone();
        instances.spawn(async move {
            let store = open(&schema).await;
            store.append(vec![entry(number)]).await.unwrap();
            store
        });
    }
    let stores = instances.join_all().await;
    for store in stores {
        let (mut found, _) = tags(&store, LogCursor::START).await;
        found.sort_unstable();
        assert_eq!(found, (0..8).collect::<Vec<_>>());
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn the_statements_for_an_administrator_make_the_same_tables() {
    let (server, schema) = (PostgresServer::shared(), new_schema());
    let mut admin = Admin::of(server).await;
    drop(open(&schema).await);
    let made = server.dump(&schema);
    admin.run(format!("DROP SCHEMA {} CASCADE", quoted(&schema))).await;
    admin.run(PostgresStore::options().schema(&schema).schema_sql().unwrap()).await;
    assert_eq!(without_random(&server.dump(&schema)), without_random(&made));
    assert!(made.contains("CREATE TABLE") && made.contains("log_counter"), "{made}");
    // An instance finds them as it needs them.
    let store =
        PostgresStore::options().schema(&schema).require_schema().connect(&server.url()).await.unwrap();
    store.append(vec![entry(1)]).await.unwrap();
}

/// A dump begins and ends with a random word.
fn without_random(dump: &str) -> String {
    dump.lines().filter(|line| !line.starts_with('\\')).map(|line| format!("{line}\n")).collect()
}

#[tokio::test]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn tables_that_are_missing_or_of_another_version_are_named() {
    let (server, schema) = (PostgresServer::shared(), new_schema());
    let options = || PostgresStore::options().schema(&schema);
    let missing = options().require_schema().connect(&server.url()).await.unwrap_err();
    assert_says(
        &missing,
        server.port(),
        &["its tables are not there", "`PostgresStoreOptions::schema_sql`", "version 1"],
    );
    drop(open(&schema).await);

    let mut admin = Admin::of(server).await;
    let set_version =
        |version: i32| format!("UPDATE {}.schema_version SET version = {version}", quoted(&schema));
    admin.run(set_version(2)).await;
    for options in [options(), options().require_schema()] {
        let newer = options.connect(&server.url()).await.unwrap_err();
        let words =
            ["of version 2, which a newer version of this program has made", "this one knows version 1"];
        assert_says(&newer, server.port(), &words);
    }
    admin.run(set_version(0)).await;
    let older = options().require_schema().connect(&server.url()).await.unwrap_err();
    assert_says(&older, server.port(), &["its tables are of version 0, this program needs version 1"]);
}

/// The statements of the guide, in which the schema is `auth` and the user `shop`.
fn grants(schema: &str, user: &str) -> String {
    let (_, rest) = GUIDE.split_once("```sql\nGRANT").unwrap();
    let (statements, _) = rest.split_once("```").unwrap();
    format!("GRANT{statements}")
        .replace(" auth ", &format!(" {} ", quoted(schema)))
        .replace(" shop;", &format!(" {user};"))
}

#[tokio::test]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn the_rights_in_the_guide_are_enough_and_all_are_needed() {
    let (server, schema) = (PostgresServer::shared(), new_schema());
    let mut admin = Admin::of(server).await;
    admin.run("CREATE ROLE \"few rights\" LOGIN").await;
    let url = format!("postgres://few%20rights@127.0.0.1:{}/postgres", server.port());
    let options = || PostgresStore::options().schema(&schema);

    let no_right = options().connect(&url).await.unwrap_err();
    assert_says(
        &no_right,
        server.port(),
        &["lacks a right", "the page `many_instances` of the guide", "permission denied"],
    );
    admin.run(options().schema_sql().unwrap()).await;
    let no_right = options().connect(&url).await.unwrap_err();
    assert_says(&no_right, server.port(), &["lacks a right"]);

    let grants = grants(&schema, "\"few rights\"");
    assert_eq!(grants.matches("GRANT").count(), 2, "{grants}");
    admin.run(grants).await;
    let store = options().connect(&url).await.unwrap();
    uses_everything(&store).await;
}

/// Calls every method that reads or writes a table of its own.
async fn uses_everything(store: &PostgresStore) {
    use auth_runtime::store::{ApiKeyStore, AttemptStore, RefreshTokenStore, RevocationLog as _};
    use std::time::UNIX_EPOCH;

    store.append(vec![entry(1)]).await.unwrap();
    assert_eq!(tags(store, LogCursor::START).await.0, [1]);
    store.set_confirmed_time(UNIX_EPOCH).await.unwrap();
    assert_eq!(store.confirmed_time().await.unwrap(), Some(UNIX_EPOCH));
    store.check_writable().await.unwrap();
    RefreshTokenStore::insert(store, family(1)).await.unwrap();
    assert!(store.replace(1, family(1)).await.unwrap());
    assert_eq!(store.find_by_subject("i", "s").await.unwrap().len(), 1);
    store.remove(vec![[1; 16]]).await.unwrap();
    assert_eq!(ApiKeyStore::find(store, "a").await.unwrap(), None);
    assert!(!store.revoke("a", 1).await.unwrap());
    store.record_uses(vec![auth_runtime::store::ApiKeyUse { id: "a".into(), at: 1 }]).await.unwrap();
    assert_eq!(store.count(Vec::new()).await.unwrap(), None);
    assert!(!auth_runtime::store::RevocationLog::drop_expired(store, UNIX_EPOCH).await.unwrap());
    assert!(!RefreshTokenStore::drop_expired(store, UNIX_EPOCH).await.unwrap());
    assert!(!store.drop_ended(UNIX_EPOCH).await.unwrap());
    assert!(!AttemptStore::drop_expired(store).await.unwrap());
}

#[tokio::test]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn two_schemas_of_a_database_share_nothing() {
    let [one, other] = [open(&new_schema()).await, open(&new_schema()).await];
    one.append(vec![entry(1)]).await.unwrap();
    one.insert(family(1)).await.unwrap();
    assert_eq!(tags(&other, LogCursor::START).await.0, [0; 0]);
    assert_eq!(other.find([1; 16]).await.unwrap(), None);
}

/// No server is asked.
#[tokio::test]
async fn a_name_that_no_schema_can_have_is_an_error() {
    for (name, why) in [
        (String::new(), "has no valid name"),
        ("a\0b".to_owned(), "has no valid name"),
        ("é".repeat(32), "has a name of more than 63 bytes"),
        ("pg_auth".to_owned(), "is one of PostgreSQL's own"),
        ("information_schema".to_owned(), "is one of PostgreSQL's own"),
    ] {
        let options = || PostgresStore::options().schema(&name);
        for error in [
            options().connect("postgres://127.0.0.1:1/none").await.unwrap_err(),
            options().schema_sql().unwrap_err(),
        ] {
            let text = error.to_string();
            assert!(
                text.contains(why) && text.contains("pass `PostgresStoreOptions::schema` another name"),
                "{text}"
            );
        }
    }
}
