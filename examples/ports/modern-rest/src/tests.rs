//! The service as its clients reach it.

mod blocklist;
mod decoding;
mod document;
mod instances;
mod logins;
mod moving;
mod requests;
mod tokens;

use auth_runtime::policy::Rule;
use auth_runtime::testing::TestClock;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ports_support::testing::{Reply, Service};
use reqwest::Method;
use sqlx::{SqlitePool, query};
use tempfile::TempDir;

use super::*;

/// What tokens are signed with.
const SECRET: [u8; 64] = [7; 64];

/// The time of a new clock.
const NOW: i64 = 1_800_000_000;

/// A running service.
struct Running {
    service: Service,
    auth: Auth,
    clock: TestClock,
    database: SqlitePool,
}

/// The tokens of a session.
#[derive(Debug)]
struct Pair {
    access: String,
    refresh: String,
}

impl Running {
    async fn start() -> Result<Self, BoxError> {
        Self::start_with(|engine| engine).await
    }

    /// With options that its engine has besides.
    async fn start_with(options: impl FnOnce(AuthBuilder) -> AuthBuilder) -> Result<Self, BoxError> {
        let (folder, clock) = (tempfile::tempdir()?, TestClock::new());
        let (database, accounts) = parts(&folder).await?;
        let auth = options(engine(&accounts, key()?, folder.path())?.clock(clock.clone())).build()?;
        auth.start().await?;
        let app = app(routes(&auth, &accounts)?, &auth, Contacts::new(database.clone()))?;
        let service = Service::start(app, folder).await;
        Ok(Self { service, auth, clock, database })
    }

    /// Logs in with the password of this user, such as `ben`.
    async fn log_in(&self, name: &str) -> Pair {
        let (email, password) = credentials(name);
        let sent = json!({ "email": email, "password": password });
        pair(&self.service.post("/api/auth", None, &sent).await)
    }

    async fn refresh(&self, tokens: &Pair) -> Reply {
        self.service.post("/api/auth/refresh", None, &json!({ "refresh": tokens.refresh })).await
    }

    /// The status of a `GET` with this token.
    async fn status(&self, path: &str, token: &str) -> u16 {
        self.service.get(path, Some(token)).await.status
    }

    /// Whether this token is accepted.
    async fn accepts(&self, token: &str) -> bool {
        match self.status("/api/contacts", token).await {
            200 => true,
            401 => false,
            other => panic!("{other}"),
        }
    }

    /// Lets time pass. A view of the revocations that has become old by it is read again.
    async fn advance(&self, by: Duration) -> Result<(), BoxError> {
        self.clock.advance(by);
        Ok(self.auth.start().await?)
    }

    /// Changes the row of a user, as the application does: then it says that what is remembered of the user counts no longer.
    async fn change(&self, id: &str, statement: &'static str) -> Result<(), BoxError> {
        query(statement).bind(id).execute(&self.database).await?;
        self.auth.revocations().forget(ISSUER, id).await?;
        Ok(())
    }
}

fn credentials(name: &str) -> (&'static str, &'static str) {
    match name {
        "ana" => ("ana@new.example", "pineapple"),
        "ben" => ("ben@new.example", "blueberry"),
        "otto" => ("otto@old.example", "gooseberry"),
        _ => ("ina@new.example", "raspberry"),
    }
}

/// The pair of a response.
#[track_caller]
fn pair(reply: &Reply) -> Pair {
    assert!([200, 201].contains(&reply.status), "{reply:?}");
    let auth = reply.json()["auth"].take();
    let text = |field: &str| auth[field].as_str().unwrap_or_else(|| panic!("{reply:?}")).to_owned();
    Pair { access: text("access"), refresh: text("refresh") }
}

async fn parts(folder: &TempDir) -> Result<(SqlitePool, Arc<Accounts>), BoxError> {
    let database = database::open_database(folder.path()).await?;
    let accounts = Arc::new(Accounts::new(database.clone(), PasswordHasher::with_cost(8, 1, 1)?));
    accounts.seed().await?;
    Ok((database, accounts))
}

/// The routes, which nothing serves.
async fn routes_and_engine() -> Result<(Router<App>, Auth), BoxError> {
    let folder = tempfile::tempdir()?;
    let (_, accounts) = parts(&folder).await?;
    let auth = engine(&accounts, key()?, folder.path())?.build()?;
    Ok((routes(&auth, &accounts)?, auth))
}

fn key() -> Result<SigningKey, BoxError> {
    Ok(SigningKey::secret(Algorithm::HS512, &SECRET)?.with_id("1"))
}

/// The header (0) or the claims (1) of a token.
fn part(token: &str, which: usize) -> Value {
    let part = token.split('.').nth(which).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
