//! Each row of the README. The service is the one that `main` serves, with a database of its own, a clock that the test sets, and a provider
//! whose tokens the test makes.

mod addresses;
mod api_keys;
mod articles;
mod claims;
mod documents;
mod keys_of_issuers;
mod log;
mod logins;
mod provider;
mod providers;
mod tenants;
mod tokens;
mod users;

use auth_runtime::testing::{TestAuth, TestUser};
use ports_support::testing::{Reply, Service};
use reqwest::{Method, RequestBuilder};
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;

use super::*;

/// The issuer of the tokens that [`TestAuth`] makes: the provider at which alice and the others have logged in.
const PROVIDER: &str = "https://issuer.test";

/// The time of a new clock.
const NOW: i64 = 1_800_000_000;

/// A running service.
struct Magazine {
    service: Service,
    test: TestAuth,
}

/// What a request is sent with.
#[derive(Clone, Copy)]
enum With<'a> {
    Nothing,
    Token(&'a str),
    Key(&'a str),
}

impl Magazine {
    async fn open() -> Self {
        Self::with(|builder| builder).await
    }

    /// With further settings of the engine.
    async fn with(more: impl FnOnce(AuthBuilder) -> AuthBuilder) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (test, app) = app(&folder, more).await;
        Self { service: Service::start(app, folder).await, test }
    }

    /// The token of a user, for reading and writing.
    fn token(&self, name: &str) -> String {
        self.test.token(&user(name))
    }

    async fn ask(&self, method: Method, path: &str, with: With<'_>, body: Option<&Value>) -> Reply {
        let request = sent_with(self.service.request(method, path), with);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.service.send(request).await
    }

    /// The status of the answer to a user, by name.
    async fn status(&self, method: Method, path: &str, name: &str) -> u16 {
        self.ask(method, path, With::Token(&self.token(name)), None).await.status
    }

    /// Runs a statement, as an administrator of the database does.
    async fn run(&self, statement: &'static str) {
        sqlx::query(statement).execute(&mut connection(self.service.folder()).await).await.unwrap();
    }
}

fn sent_with(request: RequestBuilder, with: With<'_>) -> RequestBuilder {
    match with {
        With::Nothing => request,
        With::Token(token) => request.bearer_auth(token),
        With::Key(key) => request.header("x-api-key", key),
    }
}

/// The engine, and the app without a server.
async fn app(folder: &TempDir, more: impl FnOnce(AuthBuilder) -> AuthBuilder) -> (TestAuth, axum::Router) {
    let accounts = accounts(folder.path()).await;
    let store = RedbStore::open(folder.path().join("auth.redb")).unwrap();
    // Time that the test lets pass makes no view of revocations old.
    let more = |builder: AuthBuilder| more(builder.max_staleness(Duration::MAX));
    let test = TestAuth::with(|builder| configure(more(builder), &accounts, &store, secrets(folder.path())));
    let app = serve_with(test.auth(), accounts).await;
    (test, app)
}

/// The app of an engine, which it starts.
async fn serve_with(auth: &Auth, accounts: Accounts) -> axum::Router {
    auth.start().await.unwrap();
    let app = App { auth: auth.clone(), database: accounts.database.clone() };
    let routes = with_document(routes(auth, accounts).unwrap(), auth).unwrap();
    routes.with_state(app).finish(auth).unwrap()
}

/// The database that the magazine begins with. Everyone is known to the provider by name.
async fn accounts(folder: &Path) -> Accounts {
    ports_support::testing::log::start();
    let passwords = PasswordHasher::with_cost(8, 1, 1).unwrap();
    let database = Database::open(folder).await.unwrap();
    database.seed(&passwords).await.unwrap();
    for name in ["alice", "bob", "carol", "dave", "erin"] {
        database.identify(name, PROVIDER, name).await.unwrap();
    }
    Accounts { database, passwords }
}

fn secrets(folder: &Path) -> (SigningKey, RefreshKey) {
    (signing_key(folder).unwrap(), RefreshKey::new("1", [7; 32]))
}

async fn connection(folder: &Path) -> SqliteConnection {
    let file = folder.join("magazine.sqlite");
    SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap()
}

/// A user, whose tokens name the paper, and are for reading and writing.
fn user(name: &str) -> TestUser {
    let tenant = if ["alice", "bob"].contains(&name) { "herald" } else { "gazette" };
    TestUser::new(name).scopes(["read", "write"]).claim("tenant_id", tenant)
}

fn a_draft() -> Value {
    json!({ "title": "The flood", "body": "A draft." })
}
