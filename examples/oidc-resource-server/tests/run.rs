//! The example as it is run.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::Command;

use auth_tests_tools::Program;

/// Its provider ends when it does.
struct Running(Program);

impl Running {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oidc-resource-server"));
        Self(Program::start(command.env("PORT", "0").env_remove("ISSUER"), "made-up"))
    }

    /// The token that it prints under this name.
    fn token(&self, name: &str) -> &str {
        let mut lines = self.0.lines().iter();
        lines
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .unwrap_or_else(|| panic!("{:?}", self.0.lines()))
    }

    /// The status of each line that it prints to be tried.
    async fn statuses(&self) -> Vec<u16> {
        let client = reqwest::Client::new();
        let mut statuses = Vec::new();
        for line in self.0.lines().iter().filter(|line| line.starts_with("curl ")) {
            let (_, rest) = line.split_once("Bearer ").unwrap();
            let (token, url) = rest.split_once("\" ").unwrap();
            let token = token.strip_prefix('$').map_or(token, |name| self.token(name));
            let request = match url.strip_suffix(" -X POST") {
                Some(url) => client.post(url),
                None => client.get(url),
            };
            let reply = request.header("authorization", format!("Bearer {token}")).send().await.unwrap();
            statuses.push(reply.status().as_u16());
        }
        statuses
    }
}

#[tokio::test]
#[ignore = "needs oidc-provider: bash tests/run"]
async fn the_printed_lines_do_what_they_say_and_an_interrupt_ends_both() {
    let running = Running::start();
    assert_eq!(running.token("ALICE").split('.').count(), 3, "a JWT");
    assert_eq!(running.token("PROGRAM").split('.').count(), 1, "an opaque token");
    assert_eq!(running.statuses().await, [200, 200, 200, 403, 401]);

    let (_, rest) = running.0.lines().iter().find_map(|line| line.split_once("The provider is ")).unwrap();
    let (provider, _) = rest.split_once(", ").unwrap();
    let provider = provider.replace("http://", "");
    let ended = running.0.interrupt();
    assert!(ended.success(), "{ended}");
    assert!(std::net::TcpStream::connect(&provider).is_err(), "{provider} still listens");
}

#[test]
fn a_variable_that_is_missing_is_named() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oidc-resource-server"));
    let output = command.env("ISSUER", "https://id.example.com").env_remove("AUDIENCE").output().unwrap();
    assert!(!output.status.success());
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("ISSUER is set, so set AUDIENCE too"),
        "{output:?}"
    );
}
