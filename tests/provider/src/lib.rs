//! An identity provider for the tests, which others wrote and certified: `oidc-provider`
//! (<https://github.com/panva/node-oidc-provider>), in a process of its own, on a port that the system chose. `bash tests/run` installs it
//! into `target/test-tools`.
//!
//! It is a provider as those in production: OpenID Connect Discovery, access tokens that are JWTs (RFC 9068) or opaque, introspection (RFC
//! 7662), revocation (RFC 7009), resource indicators (RFC 8707), and Back-Channel Logout. Only its users are not asked anything: who is to
//! log in is named by the test.
//!
//! | resource | its access tokens |
//! |---|---|
//! | [`RS256`], [`PS256`], [`ES256`], [`EDDSA`] | JWTs with that algorithm |
//! | [`OPAQUE`] | opaque |
//!
//! | client | who |
//! |---|---|
//! | `machine` | has tokens of its own: [`Provider::client_credentials`] |
//! | `web` | its users log in: [`Provider::log_in`] |
//! | `api-basic`, `api-post`, `api-jwt` | services that introspect tokens, by the method of their authentication; the last has the key of [`ProviderOptions::introspection_key`] |
//!
//! The secret of each is [`SECRET`]. `oidc-provider` answers the introspection of a JWT with an error.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod login;
mod options;
mod process;

use std::sync::{Mutex, PoisonError};

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

pub use self::login::Login;
pub use self::options::{
    AUDIENCE, EDDSA, ES256, OPAQUE, PS256, ProviderOptions, RS256, SCOPE, SECRET, TokenFormat,
};
use self::process::Process;
pub use self::process::install;

/// A running provider. Its process is killed when this is dropped.
#[derive(Debug)]
pub struct Provider {
    process: Mutex<Process>,
    issuer: String,
    client: reqwest::Client,
}

impl Provider {
    /// Starts one, and returns once it answers.
    ///
    /// # Panics
    /// If it is not installed, or can't be started.
    #[track_caller]
    pub fn start(options: ProviderOptions) -> Self {
        let process = Process::start(options.into_json());
        let issuer = process.issuer().to_owned();
        Self { process: Mutex::new(process), issuer, client: new_connections().build().unwrap() }
    }

    /// Its issuer identifier, such as `http://127.0.0.1:40123`, which is also where it is.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// A token of the client `machine`, for this resource with these scopes, which are separated by spaces (RFC 6749 §4.4).
    pub async fn client_credentials(&self, resource: &str, scopes: &str) -> String {
        let form = [("grant_type", "client_credentials"), ("resource", resource), ("scope", scopes)];
        let answer = self.post("/token", "machine", &form).await;
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// Logs this user in at the client `web`, with the authorization code flow and PKCE, for this resource with these scopes.
    pub async fn log_in(&self, user: &str, resource: &str, scopes: &str) -> Login {
        Login::new(self, user, resource, scopes).await
    }

    /// Revokes a token of the client `machine` or `web` (RFC 7009). `oidc-provider` answers an error for a JWT.
    pub async fn revoke(&self, client: &str, token: &str) {
        self.post("/token/revocation", client, &[("token", token)]).await;
    }

    /// From now on new keys sign. Those of before stay in the key set.
    pub fn rotate(&self) {
        self.process().replace_keys("rotate");
    }

    /// Removes all keys but the newest from the key set.
    pub fn withdraw_old_keys(&self) {
        self.process().replace_keys("withdraw");
    }

    /// How many requests this path has had, such as `/jwks`, since the process was started.
    pub fn requests(&self, path: &str) -> u64 {
        self.process().command(&json!(["requests", path]))["requests"].as_u64().unwrap()
    }

    /// Stops the process, with SIGSTOP: it accepts connections, and answers nothing. No other method may be called until
    /// [`cont`](Self::cont).
    pub fn stop(&self) {
        self.process().signal("STOP");
    }

    /// Lets a stopped process continue, with SIGCONT.
    pub fn cont(&self) {
        self.process().signal("CONT");
    }

    /// Kills the process, with SIGKILL: nothing listens at its port.
    pub fn kill(&self) {
        self.process().kill();
    }

    /// Starts a process that was killed again, at the same port, with the same keys. It has lost its sessions, and opaque tokens.
    ///
    /// # Panics
    /// If another process listens at the port by now.
    pub fn start_again(&self) {
        self.process().start_again();
    }

    fn process(&self) -> std::sync::MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to this form, of a client that authenticates itself with its secret.
    async fn post(&self, path: &str, client: &str, form: &[(&str, &str)]) -> Value {
        let request = self.client.post(format!("{}{path}", self.issuer)).basic_auth(client, Some(SECRET));
        let answer = request.form(form).send().await.unwrap();
        let (status, is_json) = (answer.status(), answer.headers().contains_key(CONTENT_TYPE));
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path} answered {status}: {text}");
        if is_json && !text.is_empty() { serde_json::from_str(&text).unwrap() } else { Value::Null }
    }
}

/// A client with a connection for each request: Node closes one that was idle for 5 seconds, which on a slow machine happens while a request
/// is sent on it.
fn new_connections() -> reqwest::ClientBuilder {
    reqwest::Client::builder().pool_max_idle_per_host(0)
}
