//! A proxy of the environment: requests to this machine bypass it, since they are plain http.

use std::process::Command;

use auth_runtime::testing::TestClock;
use auth_runtime::verify::TrustedIssuer;
use tokio::net::TcpListener;

use super::server::{Reply, Server};
use super::{engine, key, set};
use crate::support::people::AUDIENCE;

/// Where the child fetches keys.
const URL: &str = "AUTH_TEST_KEYS_BEHIND_PROXY";

/// Run by the other test, in a process whose environment names a proxy.
#[tokio::test]
async fn child() {
    let Ok(url) = std::env::var(URL) else { return };
    let issuer = TrustedIssuer::new("https://id.test").audience(AUDIENCE).jwks_url(url);
    engine(&TestClock::new(), issuer).start().await.unwrap();
}

#[tokio::test]
async fn keys_of_this_machine_are_fetched_without_it() {
    let server = Server::start().await;
    server.set("/jwks", Reply::json(set(&[&key("a")])));
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let of_proxy = format!("http://{}", proxy.local_addr().unwrap());
    let port = server.url.rsplit_once(':').unwrap().1.to_owned();
    for host in ["127.0.0.1", "localhost"] {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "key_sets::proxy::child", "--nocapture"]);
        child.env(URL, format!("http://{host}:{port}/jwks"));
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            child.env(name, &of_proxy);
        }
        child.env_remove("NO_PROXY").env_remove("no_proxy");
        let output = tokio::task::spawn_blocking(move || child.output().unwrap()).await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains("1 passed"), "{host}: {text}");
        assert_eq!(server.take_requests(), ["/jwks"], "{host}");
    }
    let seen = tokio::time::timeout(std::time::Duration::ZERO, proxy.accept()).await;
    assert!(seen.is_err(), "the proxy has seen a connection");
}
