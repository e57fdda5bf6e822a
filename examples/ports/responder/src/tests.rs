//! The service as programs and browsers use it. The README names a test for each of its rows.

mod api;
mod documents;
mod pages;
mod rejections;
mod sessions;

use auth_runtime::testing::TestClock;
use ports_support::testing::{Reply, Service, log};
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE as TYPE, COOKIE};
use serde_json::json;
use sqlx::query_scalar;

use super::*;

/// A running service, with a clock that the test sets.
struct Running {
    service: Service,
    auth: Auth,
    clock: TestClock,
    users: Users,
    /// The key of the first start.
    key: String,
}

/// The parts of a service in a folder, before it is served.
async fn parts(folder: &Path, clock: &TestClock) -> Result<(Router, Auth, Users, String), BoxError> {
    log::start();
    let users = Users::open(folder, PasswordHasher::with_cost(8, 1, 1)?).await?;
    let (keys, new_key) = api_keys::of_file(&folder.join("api-keys.txt"))?;
    let auth = engine(folder, users.clone(), keys)?.clock(clock.clone()).build()?;
    let key = new_key.ok_or("the file of keys was there already")?.text().to_owned();
    Ok((routes(&auth, users.clone())?, auth, users, key))
}

impl Running {
    async fn start() -> Result<Self, BoxError> {
        let (folder, clock) = (tempfile::tempdir()?, TestClock::new());
        let (routes, auth, users, key) = parts(folder.path(), &clock).await?;
        auth.start().await?;
        let service = Service::start(routes.finish(&auth)?, folder).await;
        Ok(Self { service, auth, clock, users, key })
    }

    /// Lets time pass. What the store says of revocations is read again, as it is every second while a service runs.
    async fn pass(&self, time: Duration) -> Result<(), BoxError> {
        self.clock.advance(time);
        Ok(self.auth.start().await?)
    }

    /// The token of a login of the API.
    async fn token(&self, username: &str, password: &str) -> String {
        let credentials = json!({ "username": username, "password": password });
        self.service.post("/api/login", None, &credentials).await.text("token")
    }

    async fn alice(&self) -> String {
        self.token("alice", "wonderland").await
    }

    async fn admin(&self) -> String {
        self.token("admin", "administrator").await
    }

    /// What a browser with these cookies is answered.
    async fn open(&self, path: &str, cookies: &str) -> Reply {
        let request = self.service.request(Method::GET, path).header(ACCEPT, "text/html");
        self.service.send(request.header(COOKIE, cookies)).await
    }

    /// What a browser with these cookies is answered to a form.
    async fn submit(&self, path: &str, cookies: &str, form: &'static str) -> Reply {
        let request = self.service.request(Method::POST, path).header(ACCEPT, "text/html");
        let request = request.header(TYPE, "application/x-www-form-urlencoded").header(COOKIE, cookies);
        self.service.send(request.body(form)).await
    }

    /// The cookies of a login of alice's, in a browser of its own.
    async fn alice_in_a_browser(&self) -> String {
        let reply = self.submit("/auth/login", "", "username=alice&password=wonderland").await;
        assert_eq!(reply.status, 303, "{reply:#?}");
        reply.cookies()
    }

    /// What a program with this key is answered.
    async fn with_key(&self, path: &str, key: &str) -> Reply {
        self.service.send(self.service.request(Method::GET, path).header("x-api-key", key)).await
    }

    async fn number_of(&self, table: &'static str) -> Result<i64, BoxError> {
        let statement = match table {
            "notes" => "select count(*) from notes",
            _ => "select count(*) from accounts",
        };
        Ok(query_scalar(statement).fetch_one(&self.users.database).await?)
    }
}

/// Where the answer sends a browser.
#[track_caller]
fn leads_to(reply: &Reply) -> &str {
    assert_eq!(reply.status, 303, "{reply:#?}");
    header(reply, "location")
}

#[track_caller]
fn header<'r>(reply: &'r Reply, name: &str) -> &'r str {
    reply.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
