//! The service as its users reach it, and as an attacker in one tenant reaches for another.

mod attacks;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;

use super::*;

/// A running service with the projects that the example begins with.
struct Service {
    database: Database,
    folder: TempDir,
    origin: String,
    provider: Provider,
    client: Client,
}

/// What a client can see of an answer. The date is left out.
#[derive(Debug, PartialEq)]
struct Answer {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: String,
}

impl Service {
    async fn start() -> Result<Self, BoxError> {
        let folder = tempfile::tempdir()?;
        let database = Database::open(&folder.path().join("database")).await?;
        database.seed().await?;
        let provider = Provider::new()?;
        let auth = Auth::builder().issuer(provider.trusted()).build()?;
        let router = routes().with_state(database.clone()).finish(&auth)?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { database, folder, origin, provider, client: Client::new() })
    }

    /// Alice and bob, each of a tenant; olga, an operator; and an anonymous caller.
    fn token(&self, user: &str) -> Result<Option<String>, BoxError> {
        let (tenant, roles): (_, &[&str]) = match user {
            "anonymous" => return Ok(None),
            "alice" => (json!("acme"), &[]),
            "bob" => (json!("globex"), &[]),
            _ => (Value::Null, &["operator"]),
        };
        self.provider.token(user, &tenant, roles).map(Some)
    }

    /// Asks with a body that names a project, where the method has one.
    async fn ask(&self, user: &str, method: Method, path: &str) -> Result<Answer, BoxError> {
        self.ask_with(self.token(user)?.as_deref(), method, path, json!({ "name": "A balloon" })).await
    }

    async fn ask_with(
        &self,
        token: Option<&str>,
        method: Method,
        path: &str,
        body: Value,
    ) -> Result<Answer, BoxError> {
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.origin));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if [Method::POST, Method::PUT, Method::PATCH].contains(&method) {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        let headers = answer.headers().iter().filter(|(name, _)| *name != "date");
        let headers = headers
            .map(|(name, value)| Ok((name.to_string(), value.to_str()?.to_owned())))
            .collect::<Result<_, BoxError>>()?;
        Ok(Answer { status: answer.status(), headers, body: answer.text().await? })
    }

    /// The rows of a tenant, as the database has them.
    async fn rows(&self, tenant: &str) -> Result<Vec<(String, String)>, BoxError> {
        let rows = sqlx::query_as("select id, name from projects where tenant = ?1 order by id").bind(tenant);
        Ok(rows.fetch_all(&mut self.connection().await?).await?)
    }

    /// A connection of the test's own.
    async fn connection(&self) -> Result<SqliteConnection, BoxError> {
        let file = self.folder.path().join("database");
        Ok(SqliteConnection::connect(&format!("sqlite://{}", file.display())).await?)
    }
}

/// The routes that name a project, or that do not.
fn paths(with_id: bool) -> Result<Vec<(Method, String)>, BoxError> {
    let all = routes().routes();
    let wanted = all.iter().filter(|route| route.path.contains('{') == with_id);
    wanted.map(|route| Ok((route.method.parse()?, route.path.clone()))).collect()
}

/// After an intended change of who may call what, run this test with `AUTH_LOCK=accept` and commit the file: reviewers see it.
#[test]
fn nobody_gains_access_unseen() -> Result<(), BoxError> {
    let auth = Auth::builder().issuer(Provider::new()?.trusted()).build()?;
    routes().routes().table(&auth).assert_lock("access.lock");
    Ok(())
}

#[tokio::test]
async fn a_tenant_has_its_own_projects() -> Result<(), BoxError> {
    let service = Service::start().await?;
    let list = service.ask("alice", Method::GET, "/projects").await?;
    assert_eq!(list.body, r#"[{"id":"anvil","name":"A heavy anvil"},{"id":"rocket","name":"A rocket"}]"#);
    let list = service.ask("bob", Method::GET, "/projects").await?;
    assert_eq!(list.body, r#"[{"id":"sailboat","name":"A secret sailboat"}]"#);

    let added = service.ask("alice", Method::POST, "/projects").await?;
    assert_eq!(added.status, StatusCode::CREATED);
    let project: Value = serde_json::from_str(&added.body)?;
    let id = project["id"].as_str().ok_or("the project has no id")?;
    let path = format!("/projects/{id}");
    assert_eq!(service.ask("alice", Method::GET, &path).await?.body, added.body);
    let renamed = service.ask("alice", Method::PUT, "/projects/rocket").await?;
    assert_eq!(renamed.body, r#"{"id":"rocket","name":"A balloon"}"#);
    for status in [StatusCode::NO_CONTENT, StatusCode::NOT_FOUND] {
        assert_eq!(service.ask("alice", Method::DELETE, &path).await?.status, status);
    }
    let rows = service.rows("acme").await?;
    assert_eq!(
        rows,
        [("anvil", "A heavy anvil"), ("rocket", "A balloon")].map(|(id, name)| (id.into(), name.into()))
    );
    Ok(())
}
