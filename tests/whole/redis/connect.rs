//! Which servers are refused, in words that name the setting.

use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::store::{ApiKeyStore, LogCursor, RedisStore, RefreshTokenStore, RevocationLog};
use auth_tests_servers::{RedisOptions, RedisServer};

use super::{append, assert_says, connect, read_all, refusal};
use crate::captured_log::CapturedLog;

#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_server_that_evicts_keys_is_refused() {
    let server = RedisServer::start();
    for policy in ["allkeys-lru", "volatile-ttl", "allkeys-random"] {
        server.command(&["CONFIG", "SET", "maxmemory-policy", policy]);
        let named = format!("its `maxmemory-policy` is `{policy}`");
        assert_says(&refusal(&server.url()).await, &server, &[&named, "Set `maxmemory-policy noeviction`"]);
        RedisStore::options().dangerously_allow_eviction().connect(&server.url()).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_server_of_another_kind_is_refused() {
    let primary = RedisServer::start();
    let replica = RedisOptions::replica_of(primary.port()).start();
    assert_says(&refusal(&replica.url()).await, &replica, &["it is a replica", "connect to the primary"]);
    let sentinel = RedisOptions::sentinel(&primary).start();
    let expected = ["it is a Sentinel: name it in `RedisStoreOptions::sentinels`"];
    assert_says(&refusal(&sentinel.url()).await, &sentinel, &expected);
    primary.command(&["HSET", "{auth}:state", "format", "3"]);
    let expected =
        ["its data has the format 3, and this version of the library reads 2: upgrade this instance"];
    assert_says(&refusal(&primary.url()).await, &primary, &expected);
    RedisStore::options().key_prefix("another").connect(&primary.url()).await.unwrap();
    primary.kill();
    assert_says(&refusal(&primary.url()).await, &primary, &["the connection to it failed"]);
}

#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_server_that_forgets_is_reported() {
    for (settings, expected) in [
        (&["appendonly no"][..], "`appendonly` is `no`: a restart loses"),
        (&["appendonly yes", "appendfsync everysec"], "`appendfsync` is `everysec`"),
        (&["appendonly yes", "appendfsync no"], "`appendfsync` is `no`"),
        (&["appendonly yes", "appendfsync always"], ""),
    ] {
        let server = RedisOptions::default().with(settings).start();
        let log = CapturedLog::start(tracing::Level::WARN);
        connect(&server.url()).await;
        let text = log.take();
        assert!(text.contains(expected) && text.is_empty() == expected.is_empty(), "{settings:?}: {text}");
    }
}

/// No error and no `Debug` has a password, whether it is right or not.
#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn a_password_is_needed_and_never_shown() {
    let server = RedisOptions::durable().with(&["requirepass the-secret"]).start();
    let address = format!("127.0.0.1:{}", server.port());
    assert_says(&refusal(&server.url()).await, &server, &["put user and password into the URL"]);
    for url in [
        format!("redis://:wrong-secret@{address}"),
        format!("redis://shop:wrong-secret@{address}"),
        format!("redis://:wrong-secret@{address}/not-a-database"),
        format!("rediss://:wrong-secret@{address}/#insecure"),
        format!("ftp://:wrong-secret@{address}"),
    ] {
        let error = RedisStore::connect(&url).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
    let error = refusal(&format!("redis://:wrong-secret@{address}")).await;
    assert_says(&error, &server, &["it refuses the user or the password of the URL"]);
    let options = RedisStore::options().sentinels("primary", ["redis://:the-secret@127.0.0.1"]);
    let store = connect(&format!("redis://:the-secret@{address}")).await;
    let shown = format!("{options:?} {store:?}");
    assert!(!shown.contains("secret") && shown.contains(&address), "{shown}");
}

#[tokio::test]
async fn options_that_can_t_be_used_are_refused() {
    for prefix in ["", "{shop}", "shop}", "{"] {
        let error = RedisStore::options().key_prefix(prefix).connect("redis://127.0.0.1").await.unwrap_err();
        assert!(error.to_string().contains("`RedisStoreOptions::key_prefix`"), "{error}");
    }
    for (options, url, expected) in [
        (RedisStore::options(), "rediss://127.0.0.1/#insecure", "`#insecure` in its URL is not supported"),
        (RedisStore::options().root_certificates("x"), "redis://127.0.0.1", "begin the URL with `rediss://`"),
        (RedisStore::options().sentinels("p", [""; 0]), "redis://127.0.0.1", "no Sentinel is named"),
        (RedisStore::options().other_nodes(["x"]), "redis://127.0.0.1", "its URL or an option is invalid"),
        (RedisStore::options(), "127.0.0.1:6379", "its URL or an option is invalid"),
    ] {
        let error = options.connect(url).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{url}: {error}");
    }
}

/// The user that the documentation of `RedisStore` describes may do all that the store does, and no more keys.
#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn the_rights_in_the_documentation_suffice() {
    let server = RedisServer::start();
    let rights = [
        "+@hash",
        "+@sortedset",
        "+@stream",
        "+@scripting",
        "+multi",
        "+exec",
        "+get",
        "+set",
        "+info",
        "+time",
        "+wait",
    ];
    let documentation = include_str!("../../../auth-runtime/src/store/redis.rs");
    assert!(documentation.contains(&rights.join(" ")), "the documentation names other rights");
    let user = [&["ACL", "SETUSER", "shop", "on", ">secret", "~{auth}:*"][..], &rights].concat();
    assert_eq!(server.command(&user), "OK");

    let url = format!("redis://shop:secret@127.0.0.1:{}", server.port());
    let log = CapturedLog::start(tracing::Level::WARN);
    let store = connect(&url).await;
    assert_eq!(log.take(), "", "its user may not ask for `appendfsync`");
    append(&store, [1]).await;
    store.wait_for_entries(LogCursor::START).await;
    assert_eq!(read_all(&store).await.0, [1]);
    let time = UNIX_EPOCH + Duration::from_secs(5_000_000_000);
    store.set_confirmed_time(time).await.unwrap();
    assert!(store.confirmed_time().await.unwrap().is_some());
    store.check_writable().await.unwrap();
    assert!(!RevocationLog::drop_expired(&store, time).await.unwrap());
    assert!(!RefreshTokenStore::drop_expired(&store, time).await.unwrap());
    RefreshTokenStore::remove(&store, vec![[7; 16]]).await.unwrap();
    assert!(store.find_by_subject("issuer", "subject").await.unwrap().is_empty());
    assert!(!store.revoke("missing", 7).await.unwrap());
    assert!(!store.drop_ended(time).await.unwrap());
    server.command(&["SCRIPT", "FLUSH"]);
    assert!(read_all(&store).await.0.is_empty());

    // One that may not read a page is refused at once, and not at the first read.
    for missing in ["multi", "exec"] {
        server.command(&["ACL", "SETUSER", "shop", &format!("-{missing}")]);
        let error = RedisStore::options().connect(&url).await.unwrap_err().to_string();
        assert_says(&error, &server, &["its user may not do that", &format!("'{missing}'")]);
        server.command(&["ACL", "SETUSER", "shop", &format!("+{missing}")]);
    }

    let other = RedisStore::options().key_prefix("another").connect(&url).await.unwrap_err().to_string();
    assert_says(&other, &server, &["its user may not do that"]);
}

#[tokio::test]
#[ignore = "needs redis-server: bash tests/run"]
async fn services_with_another_prefix_share_nothing() {
    let server = RedisServer::start();
    let shop = connect(&server.url()).await;
    let blog = RedisStore::options().key_prefix("blog").connect(&server.url()).await.unwrap();
    append(&shop, [1, 2]).await;
    assert!(read_all(&blog).await.0.is_empty());
    append(&blog, [3]).await;
    assert_eq!((read_all(&shop).await.0, read_all(&blog).await.0), (vec![1, 2], vec![3]));
    let keys = server.command(&["KEYS", "*"]);
    assert!(keys.lines().all(|key| key.starts_with("{auth}:") || key.starts_with("{blog}:")), "{keys}");
}

#[test]
fn outside_of_a_runtime_nothing_panics() {
    let mut connecting = Box::pin(RedisStore::connect("redis://127.0.0.1"));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = connecting.as_mut().poll(&mut context) else {
        panic!("it waits")
    };
    assert!(error.to_string().contains("outside of a tokio runtime"), "{error}");
}
