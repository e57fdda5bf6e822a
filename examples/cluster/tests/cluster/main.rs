//! The example as its user has it: the program, its servers, clients, and a browser.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod browser;
mod client;
mod program;

use auth_tests_servers::{PostgresServer, RedisServer, free_port};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{Client, leads_to, try_to_log_in};
use crate::program::{Cluster, program};

/// What a browser may call itself.
const BROWSER: &str = "<b>Browser</b>";
const SHOWN: &str = "with &lt;b&gt;Browser&lt;/b&gt;";

async fn alice(instance: &str) -> Client {
    Client::log_in(instance, "alice", "wonderland", BROWSER).await
}

/// The paths of the buttons that end another session.
fn buttons(page: &str) -> Vec<String> {
    let forms = page.split("action=\"/sessions/").skip(1);
    forms.map(|form| format!("/sessions/{}", form.split('"').next().unwrap())).collect()
}

async fn a_logout_at_one_is_one_at_both(cluster: &Cluster) {
    let [a, b] = &cluster.instances;
    for (here, name, there, other) in [(a, "A", b, "B"), (b, "B", a, "A")] {
        let client = alice(here).await;
        let (status, page) = client.page(there).await;
        assert_eq!(status, 200, "{page}");
        assert!(page.contains(&format!("At {name}, {SHOWN}")) && !page.contains(BROWSER), "{page}");
        assert!(page.contains(&format!("<strong id=\"instance\">{other}</strong>")), "{page}");
        assert!(page.contains("<dt>Ready</dt><dd>yes</dd>"), "{page}");
        assert_eq!(buttons(&page).len(), 0, "one session");

        client.press(there, "/auth/logout").await;
        assert_eq!(client.page(there).await.0, 401, "where it was acknowledged, it is enforced at once");
        client.is_refused(here).await;
    }
}

async fn a_session_is_ended_from_another_one(cluster: &Cluster) {
    let [a, b] = &cluster.instances;
    let (phone, laptop, bob) =
        (alice(a).await, alice(b).await, Client::log_in(a, "bob", "builder", BROWSER).await);
    let end_laptop = buttons(&phone.page(b).await.1);
    assert_eq!(end_laptop.len(), 1);
    bob.press(a, &end_laptop[0]).await;
    assert_eq!(laptop.page(a).await.0, 200, "it is not Bob's");
    phone.press(a, &end_laptop[0]).await;
    laptop.is_refused(a).await;
    laptop.is_refused(b).await;

    let tablet = alice(b).await;
    phone.press(a, "/auth/logout-everywhere").await;
    for instance in [a, b] {
        phone.is_refused(instance).await;
        tablet.is_refused(instance).await;
        assert_eq!(bob.page(instance).await.0, 200);
    }
    assert_eq!(alice(b).await.page(a).await.0, 200, "a login after it is valid");
}

/// Ten at once for an account, and one more every 30 seconds: at both together, and not at each.
async fn attempts_to_log_in_are_counted_for_both(cluster: &Cluster) {
    let mut failed = 0;
    for instance in cluster.instances.iter().cycle() {
        match leads_to(&try_to_log_in(instance, "bob", "wrong", BROWSER).await) {
            "/login?error=invalid_grant" => failed += 1,
            "/login?error=temporarily_unavailable" => break,
            other => panic!("{other}"),
        }
    }
    // On a slow machine the time for some more has come.
    assert!((9..15).contains(&failed), "{failed}");
}

#[tokio::test]
#[ignore = "needs Redis: bash tests/run"]
async fn sessions_are_those_of_both_instances_on_redis() {
    let cluster = Cluster::start(&["--store", "redis"]).await;
    a_logout_at_one_is_one_at_both(&cluster).await;
    a_session_is_ended_from_another_one(&cluster).await;
    attempts_to_log_in_are_counted_for_both(&cluster).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn sessions_are_those_of_both_instances_on_postgres() {
    let cluster = Cluster::start(&["--store", "postgres"]).await;
    a_logout_at_one_is_one_at_both(&cluster).await;
    a_session_is_ended_from_another_one(&cluster).await;
    attempts_to_log_in_are_counted_for_both(&cluster).await;
}

/// However the process ends that its user has started, its children notice.
async fn nothing_is_left(store: &str, server: &str) {
    for (signal, code) in [("INT", Some(0)), ("TERM", Some(0)), ("KILL", None)] {
        let cluster = Cluster::start(&["--store", store]).await;
        let processes = cluster.processes();
        for (what, count) in [("cluster instance ", 2), ("cluster database ", 1), (server, 1)] {
            let of_it = processes.values().filter(|command| command.contains(what)).count();
            // A process that PostgreSQL has just started still has the arguments of its first one.
            assert!(of_it >= count, "{what}: {processes:#?}");
        }
        cluster.signal(signal).await;
        let (status, left) = cluster.end(&processes).await;
        assert_eq!(status.code(), code, "{signal}");
        assert!(left.is_empty(), "after {signal}: {left:#?}");
    }
}

#[tokio::test]
#[ignore = "needs Redis: bash tests/run"]
async fn nothing_is_left_of_redis() {
    nothing_is_left("redis", "redis-server").await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn nothing_is_left_of_postgres() {
    nothing_is_left("postgres", "postgres -D data").await;
}

#[tokio::test]
#[ignore = "needs Redis: bash tests/run"]
async fn a_request_that_does_not_end_keeps_nothing_running() {
    for signal in ["INT", "KILL"] {
        let cluster = Cluster::start(&[]).await;
        let processes = cluster.processes();
        let mut client =
            TcpStream::connect(cluster.instances[0].trim_start_matches("http://")).await.unwrap();
        let head =
            "POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n";
        client.write_all(head.as_bytes()).await.unwrap();
        // The handler asks for the body.
        let mut asked = [0; "HTTP/1.1 100".len()];
        client.read_exact(&mut asked).await.unwrap();
        assert_eq!(&asked, b"HTTP/1.1 100");
        cluster.signal(signal).await;
        let (_, left) = cluster.end(&processes).await;
        assert!(left.is_empty(), "after {signal}: {left:#?}");
    }
}

async fn a_server_that_is_there_is_used(url: &str) {
    let cluster = Cluster::start(&["--url", url]).await;
    let processes = cluster.processes();
    assert_eq!(processes.len(), 2, "two instances, and no server: {processes:#?}");
    a_logout_at_one_is_one_at_both(&cluster).await;
    cluster.signal("INT").await;
    assert!(cluster.end(&processes).await.0.success());
}

#[tokio::test]
#[ignore = "needs Redis: bash tests/run"]
async fn a_redis_that_is_there_is_used_and_goes_on() {
    let server = RedisServer::start();
    a_server_that_is_there_is_used(&server.url()).await;
    assert_eq!(server.command(&["EXISTS", "{auth}:state"]), "1");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: bash tests/run"]
async fn a_postgres_that_is_there_is_used_and_goes_on() {
    let server = PostgresServer::start();
    a_server_that_is_there_is_used(&server.url()).await;
    assert!(server.dump("auth").contains("CREATE TABLE auth."));
}

#[tokio::test]
async fn what_is_missing_is_said_in_one_line() {
    let no_server = format!("redis://127.0.0.1:{}", free_port());
    for (arguments, expected) in [
        (
            &["--store", "redis"][..],
            "redis-server is not installed (Debian, Ubuntu: `apt-get install redis-server`",
        ),
        (&["--store", "mysql"], "there is no store \"mysql\": write redis or postgres"),
        (
            &["--store", "redis", "--url", "postgres://h"],
            "the store is redis, and the URL is one of postgres",
        ),
        (&["--url", &no_server], "the store in Redis at "),
        (&["--port"], "usage: cluster [--store redis|postgres] [--url redis://..|postgres://..]"),
    ] {
        // No program is found.
        let output = program(arguments).env("PATH", "").output().await.unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with(&format!("cluster: {expected}")), "{said}");
        assert!(said.lines().count() == 1 && output.stdout.is_empty(), "{said}");
    }
}
