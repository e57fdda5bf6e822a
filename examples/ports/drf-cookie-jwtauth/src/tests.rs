//! The service as its clients reach it.

mod logins;
mod moving;
mod rules;
mod sessions;
mod staff;
mod tokens;

use std::collections::BTreeMap;
use std::ffi::OsString;

use auth_runtime::openapi::OpenApiVersion;
use auth_runtime::testing::TestClock;
use auth_tests_tools::Tools;
use axum::http::header::COOKIE;
use ports_support::testing::{Reply, Service};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{SqlitePool, query};
use tempfile::TempDir;

use super::*;

/// What tokens are signed with.
const SECRET: &str = "32 bytes are enough for HS256 ...";

const BOB: [&str; 2] = ["bob", "builder"];
const ALICE: [&str; 2] = ["alice", "wonderland"];

/// A running service.
struct Running {
    service: Service,
    auth: Auth,
    clock: TestClock,
    store: RedbStore,
    database: SqlitePool,
}

impl Running {
    async fn start() -> Result<Self, BoxError> {
        Self::start_with(|engine| engine).await
    }

    /// With options that its engine has besides.
    async fn start_with(options: impl FnOnce(AuthBuilder) -> AuthBuilder) -> Result<Self, BoxError> {
        let (folder, clock) = (tempfile::tempdir()?, TestClock::new());
        let (database, accounts, store) = parts(&folder).await?;
        let engine = engine(&accounts, settings(&[], &folder)?, store.clone()).clock(clock.clone());
        let auth = options(engine.dangerously_use_insecure_cookies()).build()?;
        auth.start().await?;
        let sessions = sessions(&auth, &accounts)?;
        let app = App { accounts, links: Links::new(database.clone()), sessions };
        let app = with_document(routes(&app.sessions), &auth)?.with_state(app).finish(&auth)?;
        let service = Service::start(app, folder).await;
        Ok(Self { service, auth, clock, store, database })
    }

    /// A browser that has logged in.
    async fn log_in(&self, [name, password]: [&str; 2]) -> Browser<'_> {
        let mut browser = self.browser();
        let sent = json!({ "username": name, "password": password });
        assert_eq!(browser.ask(Method::POST, "/session", Some(sent)).await.status, 204);
        browser
    }

    /// A browser without cookies.
    fn browser(&self) -> Browser<'_> {
        Browser { running: self, cookies: BTreeMap::new() }
    }

    /// The answer to a `GET` with this token in the header.
    async fn status_of(&self, token: &str) -> u16 {
        self.service.get("/saved", Some(token)).await.status
    }

    /// Lets time pass. A view of the revocations that has become old by it is read again.
    async fn advance(&self, by: Duration) -> Result<(), BoxError> {
        self.clock.advance(by);
        Ok(self.auth.start().await?)
    }

    /// Changes the row of a user, as the application does: then it says that what is remembered of the user counts no longer.
    async fn change(&self, id: &str, statement: &'static str) -> Result<(), BoxError> {
        query(statement).bind(id).execute(&self.database).await?;
        self.auth.revocations().forget("https://list.example", id).await?;
        Ok(())
    }
}

/// A client that keeps cookies as a browser does.
#[derive(Clone)]
struct Browser<'a> {
    running: &'a Running,
    cookies: BTreeMap<String, String>,
}

impl Browser<'_> {
    async fn ask(&mut self, method: Method, path: &str, body: Option<Value>) -> Reply {
        self.ask_from(None, method, path, body).await
    }

    async fn get(&mut self, path: &str) -> Reply {
        self.ask(Method::GET, path, None).await
    }

    async fn delete(&mut self, path: &str) -> u16 {
        self.ask(Method::DELETE, path, None).await.status
    }

    /// For a page of this origin; `None`: of the service.
    async fn ask_from(
        &mut self,
        origin: Option<&str>,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Reply {
        let service = &self.running.service;
        let mut request = service.request(method, path).header("origin", origin.unwrap_or(service.origin()));
        if !self.cookies.is_empty() {
            let cookies: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        if let Some(body) = &body {
            request = request.json(body);
        }
        let reply = service.send(request).await;
        for cookie in reply.set_cookies() {
            let pair = cookie.split(';').next().unwrap_or_default();
            match pair.split_once('=').unwrap_or_default() {
                (name, "") => drop(self.cookies.remove(name)),
                (name, value) => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
        reply
    }

    fn cookie(&self, name: &str) -> String {
        self.cookies.get(name).cloned().unwrap_or_default()
    }

    /// Its tokens.
    fn tokens(&self) -> [String; 2] {
        [self.cookie("access_token"), self.cookie("refresh_token")]
    }
}

fn settings(variables: &[(&str, &str)], data: &TempDir) -> Result<Settings, BoxError> {
    let given = |name: &str| {
        let variable = variables.iter().find(|(given, _)| *given == name).map(|(_, value)| *value);
        variable.or((name == "SIGNING_KEY").then_some(SECRET)).map(OsString::from)
    };
    Settings::read(given, data.path())
}

async fn parts(folder: &TempDir) -> Result<(SqlitePool, Accounts, RedbStore), BoxError> {
    let database = links::open_database(folder.path()).await?;
    let accounts = Accounts::new(database.clone(), PasswordHasher::with_cost(8, 1, 1)?);
    accounts.seed().await?;
    Ok((database, accounts, RedbStore::open(folder.path().join("sessions.redb"))?))
}

/// The routes, which nothing serves, and the engine as it is behind TLS.
async fn routes_and_engine() -> Result<(Router<App>, Auth), BoxError> {
    let folder = tempfile::tempdir()?;
    let (_, accounts, store) = parts(&folder).await?;
    let auth = engine(&accounts, settings(&[], &folder)?, store).build()?;
    Ok((with_document(routes(&sessions(&auth, &accounts)?), &auth)?, auth))
}

/// After an intended change of who may call what, run this test with `AUTH_LOCK=accept` and commit the file: reviewers see it.
#[tokio::test]
async fn access_is_as_it_was_reviewed() -> Result<(), BoxError> {
    let (routes, auth) = routes_and_engine().await?;
    routes.routes().table(&auth).assert_lock("access.lock");
    Ok(())
}

#[tokio::test]
async fn the_document_has_the_answers_of_the_service() -> Result<(), BoxError> {
    let (routes, auth) = routes_and_engine().await?;
    let document = OpenApi::new("Reading list", "0.1.0").describe(&routes.routes(), &auth)?.to_json();
    let document: Value = serde_json::from_str(&document)?;
    let responses =
        |operation: &str| document.pointer(operation).map(|found| &found["responses"]).ok_or("none");
    let login = responses("/paths/~1login/post")?;
    assert!(login["204"].is_object() && login["204"]["content"].is_null(), "{login}");
    let failed = &login["403"]["content"]["application/json"]["schema"];
    assert_eq!(failed["required"], json!(["detail"]), "{login}");
    let logout = responses("/paths/~1session/delete")?;
    assert!(logout["204"].is_object(), "{logout}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs openapi-spec-validator and redocly: bash tests/run"]
async fn the_document_is_valid() -> Result<(), BoxError> {
    let tools = Tools::installed();
    let (routes, auth) = routes_and_engine().await?;
    let document =
        |version| OpenApi::new("Reading list", "0.1.0").version(version).describe(&routes.routes(), &auth);
    let (older, newer) = (document(OpenApiVersion::V3_1)?, document(OpenApiVersion::V3_2)?);
    tools.assert_valid([("3.1.yaml", older.to_yaml()), ("3.2.json", newer.to_json())]);
    Ok(())
}
