//! The quickstart as a user runs it: the real server, and `curl`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "quickstart/browser.rs"]
mod browser;

use std::process::Command;

use auth_tests_tools::{CHECKS, Program, Tools, bash};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A running quickstart, on a port that the system chose. It ends when this is dropped.
struct Quickstart {
    program: Program,
    data: TempDir,
    origin: String,
}

impl Quickstart {
    fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap())
    }

    fn start_in(data: TempDir) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quickstart"));
        command.args(["--port", "0", "--data", data.path().to_str().unwrap()]);
        let program = Program::start(&mut command, "Ctrl-C ends it.");
        let first = program.lines().iter().find(|line| line.contains("curl ")).unwrap();
        let origin = first[first.find("http://").unwrap()..].trim_end_matches('/').to_owned();
        Self { program, data, origin }
    }

    /// The lines that it prints to be run.
    fn lines_to_run(&self) -> Vec<&str> {
        let lines = self.program.lines().iter().map(|line| line.trim_start());
        lines.filter(|line| line.starts_with("curl ") || line.contains("=$(curl ")).collect()
    }

    /// Runs all lines as they are printed, in one shell; each line that prints an answer, with it.
    fn run_the_lines(&self) -> Vec<(&str, String)> {
        let lines = self.lines_to_run();
        let output = bash(&lines.iter().map(|line| format!("{line}\nprintf '\\036'\n")).collect::<String>());
        let answers: Vec<&str> = output.split_terminator('\u{1e}').collect();
        assert_eq!(answers.len(), lines.len(), "{output}");
        let answers = lines.into_iter().zip(answers).map(|(line, answer)| (line, answer.to_owned()));
        let (prints, sets): (Vec<_>, Vec<_>) = answers.partition(|(line, _)| line.starts_with("curl "));
        assert!(sets.iter().all(|(_, answer)| answer.is_empty()), "{sets:#?}");
        prints
    }

    /// A token of alice's, from the printed line that puts it into a variable.
    fn token(&self) -> String {
        let lines = self.lines_to_run();
        let line = lines.iter().find(|line| line.starts_with("TOKEN=")).unwrap();
        bash(&format!("{line}\nprintf %s \"$TOKEN\""))
    }

    /// Ends it with SIGKILL, and starts it again on the same data.
    fn restart(self) -> Self {
        drop(self.program);
        Self::start_in(self.data)
    }
}

#[test]
#[ignore = "needs curl: bash tests/run"]
fn it_prints_the_table_and_lines_that_run_as_they_stand() {
    let quickstart = Quickstart::start();
    let head = quickstart.program.lines().iter().position(|line| line.starts_with("METHOD  PATH")).unwrap();
    let table: Vec<Vec<&str>> = quickstart.program.lines()[head..]
        .iter()
        .take_while(|line| !line.is_empty())
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    assert_eq!(
        table[0],
        ["METHOD", "PATH", "anonymous", "no role", "admin", "editor", "viewer", "suspended", "WHO"]
    );
    assert_eq!(table.len(), 16, "{table:#?}");
    let who = "role admin, and not role suspended";
    assert!(table.contains(&vec!["GET", "/admin", "-", "-", "yes", "-", "-", "-", who]), "{table:#?}");

    let expected = [
        ("200", "Everyone may read this"),
        ("200", "Hello, stranger"),
        ("401", "Unauthorized"),
        ("200", "You are alice. Your roles: admin, editor"),
        ("200", "alice is an admin"),
        ("200", "Sales are up"),
        ("200", "The invoices of acme"),
        ("200", "Alice's note"),
        ("403", "Forbidden"),
        ("403", "Forbidden"),
        ("200", "refresh_token"),
        ("204", ""),
        ("401", "Unauthorized"),
        ("200", "You are bob. Your roles: none"),
        ("403", "Forbidden"),
    ];
    let answers = quickstart.run_the_lines();
    assert_eq!(answers.len(), expected.len(), "{answers:#?}");
    for ((line, answer), (status, text)) in answers.iter().zip(expected) {
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(text),
            "{line}\n{answer}"
        );
    }
}

#[tokio::test]
async fn swagger_ui_is_found_without_the_slash() {
    let quickstart = Quickstart::start();
    let page = reqwest::get(format!("{}/docs", quickstart.origin)).await.unwrap();
    assert_eq!(page.url().path(), "/docs/", "the page's links are relative to this");
    let script = page.url().join("./swagger-ui-bundle.js").unwrap();
    assert!(page.text().await.unwrap().contains("./swagger-ui-bundle.js"));
    assert_eq!(reqwest::get(script).await.unwrap().status(), 200);
}

#[tokio::test]
async fn sessions_and_revocations_survive_a_restart() {
    let mut quickstart = Quickstart::start();
    let client = reqwest::Client::new();
    let post = async |origin: &str, path: &str, body: Value| {
        let answer = client.post(format!("{origin}{path}")).json(&body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap_or_default())
    };
    let log_in = async |origin: &str, user: &str, password: &str| {
        post(origin, "/auth/login", json!({ "username": user, "password": password })).await
    };
    let get = async |origin: &str, path: &str, tokens: &Value| {
        let token = tokens["access_token"].as_str().unwrap();
        client.get(format!("{origin}{path}")).bearer_auth(token).send().await.unwrap().status().as_u16()
    };

    for (user, password) in [("bob", "wonderland"), ("mallory", "builder"), ("", "")] {
        let (status, body) = log_in(&quickstart.origin, user, password).await;
        assert_eq!((status, body), (400, json!({ "error": "invalid_grant" })));
    }
    let (status, bob) = log_in(&quickstart.origin, "bob", "builder").await;
    assert_eq!(status, 200);
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
        ("/ready", 204),
        ("/nowhere", 404),
    ] {
        assert_eq!(get(&quickstart.origin, path, &bob).await, expected, "{path}");
    }
    let (_, left) = log_in(&quickstart.origin, "bob", "builder").await;
    let refresh = |tokens: &Value| json!({ "refresh_token": tokens["refresh_token"] });
    assert_eq!(post(&quickstart.origin, "/auth/logout", refresh(&left)).await.0, 204);

    quickstart = quickstart.restart();
    assert_eq!(get(&quickstart.origin, "/me", &bob).await, 200);
    assert_eq!(get(&quickstart.origin, "/me", &left).await, 401);
    let (status, next) = post(&quickstart.origin, "/auth/refresh", refresh(&bob)).await;
    assert_eq!(status, 200);
    assert_eq!(post(&quickstart.origin, "/auth/refresh", refresh(&left)).await.0, 400);
    let everywhere = format!("{}/auth/logout-everywhere", quickstart.origin);
    let access = next["access_token"].as_str().unwrap();
    assert_eq!(client.post(everywhere).bearer_auth(access).send().await.unwrap().status(), 204);
    assert_eq!(get(&quickstart.origin, "/me", &next).await, 401);
}

/// Requests by the document that `utoipa` made of the handlers and the library filled.
#[test]
#[ignore = "needs schemathesis: bash tests/run"]
fn its_document_says_how_it_answers() {
    let tools = Tools::installed();
    let quickstart = Quickstart::start();
    let header = format!("Authorization: Bearer {}", quickstart.token());
    let url = format!("{}/openapi.json", quickstart.origin);
    // The logouts last: they revoke the token that the other requests are sent with.
    for (which, tested) in [("--exclude-path-regex", "Tested: 9"), ("--include-path-regex", "Tested: 2")] {
        let said = tools.schemathesis(&url, &header, CHECKS, &[which, "^/auth/logout"]);
        assert!(said.is_content && said.text.contains(tested), "{}", said.text);
    }
}
