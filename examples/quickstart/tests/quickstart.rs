//! The quickstart as its user meets it: the real server, `curl`, and a client that keeps cookies.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A running quickstart, on a port that the system chose; ended when dropped.
struct Quickstart {
    process: Child,
    origin: String,
    lines: Vec<String>,
}

impl Quickstart {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_quickstart"))
            .args(["--port", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let lines: Vec<String> =
            output.lines().map(Result::unwrap).take_while(|line| line != "Ctrl-C ends it.").collect();
        let first = lines.iter().find(|line| line.contains("curl")).unwrap();
        let origin = first[first.find("http://").unwrap()..].trim_end_matches('/').to_owned();
        Self { process, origin, lines }
    }
}

impl Drop for Quickstart {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn it_prints_the_table_and_lines_that_run_as_they_stand() {
    let quickstart = Quickstart::start();
    let table: Vec<_> = quickstart.lines.iter().filter(|line| line.contains("quickstart::")).collect();
    assert_eq!(table.len(), 9, "{:#?}", quickstart.lines);
    assert!(table.iter().any(|line| line.contains("/admin") && line.contains("role admin")));

    let curls: Vec<_> =
        quickstart.lines.iter().filter(|line| line.trim_start().starts_with("curl ")).collect();
    let expected = [
        ("200", "Everyone may read this"),
        ("200", "Hello, stranger"),
        ("401", "Unauthorized"),
        ("200", "You are alice, with the roles: admin, editor"),
        ("200", "alice runs the place"),
        ("200", "Sales are up"),
        ("200", "The invoices of acme"),
        ("403", "Forbidden"),
        ("200", "Alice's note"),
        ("403", "Forbidden"),
        ("200", "You are logged out"),
        ("401", "Unauthorized"),
        ("200", "access_token"),
    ];
    assert_eq!(curls.len(), expected.len(), "{curls:#?}");
    for (line, (status, text)) in curls.iter().zip(expected) {
        let output = Command::new("bash")
            .arg("-c")
            .arg(format!("{line} --silent --show-error --max-time 20"))
            .output();
        let output = output.unwrap();
        let answer = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(text),
            "{line}\n{answer}"
        );
    }
}

#[tokio::test]
async fn a_client_with_a_cookie_jar_logs_in_and_out() {
    let quickstart = Quickstart::start();
    let client = reqwest::Client::builder().cookie_store(true).build().unwrap();
    let url = |path: &str| format!("{}{path}", quickstart.origin);
    let status = async |path: &str| client.get(url(path)).send().await.unwrap().status().as_u16();
    let log_in = async |user: &str, password: &str| {
        let body = serde_json::json!({ "user": user, "password": password });
        client.post(url("/login")).json(&body).send().await.unwrap()
    };

    assert_eq!(status("/me").await, 401);
    for (user, password) in [("bob", "wonderland"), ("mallory", "builder"), ("", "")] {
        assert_eq!(log_in(user, password).await.status(), 403);
    }
    assert_eq!(status("/me").await, 401);

    let answer = log_in("bob", "builder").await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let body: serde_json::Value = answer.json().await.unwrap();
    let token = body["access_token"].as_str().unwrap().to_owned();
    for (path, expected) in [
        ("/", 200),
        ("/hello", 200),
        ("/me", 200),
        ("/admin", 403),
        ("/reports", 403),
        ("/org/other/invoices", 200),
        ("/org/acme/invoices", 403),
        ("/notes/2", 200),
        ("/notes/1", 403),
        ("/notes/x", 403),
        ("/nowhere", 404),
    ] {
        assert_eq!(status(path).await, expected, "{path}");
    }
    let hello = client.get(url("/hello")).send().await.unwrap().text().await.unwrap();
    assert_eq!(hello, "Hello, bob.\n");

    // A page of another port of this host is another origin, and can't log bob out.
    let foreign = |origin: &str| client.post(url("/logout")).header("origin", origin.to_owned()).send();
    assert_eq!(foreign("http://127.0.0.1:1").await.unwrap().status(), 403);
    assert_eq!(status("/me").await, 200);
    // The service's own page can.
    let answer = foreign(&quickstart.origin).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));

    assert_eq!(status("/me").await, 401, "the jar has no cookie any more");
    let with_token = client.get(url("/me")).bearer_auth(token).send().await.unwrap();
    assert_eq!(with_token.status(), 401, "and whoever kept the token has a revoked one");
}
