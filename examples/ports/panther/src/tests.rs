//! The service as its clients reach it.

mod classes;
mod credentials;
mod moving;
mod sessions;
mod sockets;

use auth_runtime::openapi::OpenApiVersion;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::Algorithm;
use auth_tests_tools::Tools;
use ports_support::testing::{Reply, Service, log};
use serde_json::{Value, json};
use sqlx::{SqlitePool, query};
use tempfile::TempDir;

use super::*;

/// What tokens are signed with.
const SECRET: [u8; 32] = [7; 32];

/// A running service.
struct Running {
    service: Service,
    auth: Auth,
    clock: TestClock,
    database: SqlitePool,
    key_of_mailgate: String,
}

/// The tokens of a session.
struct Tokens {
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
        let (database, accounts, partners) = parts(&folder).await?;
        let key_of_mailgate = partners.seed("mailgate", folder.path()).await?;
        let key = SigningKey::secret(Algorithm::HS256, &SECRET)?;
        let engine = engine(&accounts, partners, key, folder.path())?.clock(clock.clone());
        let auth = options(engine).build()?;
        auth.start().await?;
        let app = routes(&auth, &accounts)?.with_state(Desk::new(database.clone())).finish(&auth)?;
        let service = Service::start(app, folder).await;
        Ok(Self { service, auth, clock, database, key_of_mailgate })
    }

    async fn log_in(&self, name: &str) -> Tokens {
        let password = if name == "alice" { "wonderland" } else { "builder" };
        let sent = json!({ "username": name, "password": password });
        let reply = self.service.post("/auth/login", None, &sent).await;
        Tokens { access: reply.text("access_token"), refresh: reply.text("refresh_token") }
    }

    async fn refresh(&self, tokens: &Tokens) -> Reply {
        self.service.post("/auth/refresh", None, &json!({ "refresh_token": tokens.refresh })).await
    }

    /// Lets time pass. A view of the revocations that has become old by it is read again.
    async fn advance(&self, by: Duration) -> Result<(), BoxError> {
        self.clock.advance(by);
        Ok(self.auth.start().await?)
    }

    /// Whether this token is accepted.
    async fn accepts(&self, token: &str) -> bool {
        match self.service.get("/tickets", Some(token)).await.status {
            200 => true,
            401 => false,
            other => panic!("{other}"),
        }
    }

    /// Changes the row of a user, as the application does: then it says that what is remembered of the user counts no longer.
    async fn change(&self, id: &str, statement: &'static str) -> Result<(), BoxError> {
        query(statement).bind(id).execute(&self.database).await?;
        self.auth.revocations().forget("https://desk.example", id).await?;
        Ok(())
    }
}

async fn parts(folder: &TempDir) -> Result<(SqlitePool, Arc<Accounts>, Partners), BoxError> {
    log::start();
    let database = desk::open_database(folder.path()).await?;
    let accounts = Arc::new(Accounts::new(database.clone(), PasswordHasher::with_cost(8, 1, 1)?));
    accounts.seed().await?;
    Ok((database.clone(), accounts, Partners::new(database)))
}

/// The routes, which nothing serves.
async fn routes_and_engine() -> Result<(Router<Desk>, Auth), BoxError> {
    let folder = tempfile::tempdir()?;
    let (_, accounts, partners) = parts(&folder).await?;
    let key = SigningKey::secret(Algorithm::HS256, &SECRET)?;
    let auth = engine(&accounts, partners, key, folder.path())?.build()?;
    Ok((with_document(routes(&auth, &accounts)?, &auth)?, auth))
}

/// After an intended change of who may call what, run this test with `AUTH_LOCK=accept` and commit the file: reviewers see it.
#[tokio::test]
async fn access_is_as_it_was_reviewed() -> Result<(), BoxError> {
    let (routes, auth) = routes_and_engine().await?;
    routes.routes().table(&auth).assert_lock("access.lock");
    Ok(())
}

#[tokio::test]
async fn the_document_has_every_class() -> Result<(), BoxError> {
    let (routes, auth) = routes_and_engine().await?;
    let document: Value = serde_json::from_str(
        &OpenApi::new("Ticket desk", "0.1.0").describe(&routes.routes(), &auth)?.to_json(),
    )?;
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(schemes["bearer"]["scheme"], "bearer");
    assert_eq!(
        (&schemes["cookie"]["in"], &schemes["cookie"]["name"]),
        (&json!("cookie"), &json!("access_token"))
    );
    assert_eq!(
        (&schemes["query"]["in"], &schemes["query"]["name"]),
        (&json!("query"), &json!("authorization"))
    );
    assert_eq!(
        (&schemes["partner"]["in"], &schemes["partner"]["name"]),
        (&json!("header"), &json!("x-partner"))
    );
    assert_eq!(document["paths"]["/inbox"]["post"]["security"], json!([{ "partner": [] }]));
    Ok(())
}

#[tokio::test]
#[ignore = "needs openapi-spec-validator and redocly: bash tests/run"]
async fn the_document_is_valid() -> Result<(), BoxError> {
    let tools = Tools::installed();
    let (routes, auth) = routes_and_engine().await?;
    let document =
        |version| OpenApi::new("Ticket desk", "0.1.0").version(version).describe(&routes.routes(), &auth);
    let (older, newer) = (document(OpenApiVersion::V3_1)?, document(OpenApiVersion::V3_2)?);
    tools.assert_valid([("3.1.yaml", older.to_yaml()), ("3.2.json", newer.to_json())]);
    Ok(())
}
