//! One instance of a service whose store others share. `instances/process.rs` is a process that is one, and `whole/two_processes.rs` starts
//! several and has their store fail.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime};

use auth_runtime::clock::{Clock, SystemClock};
use auth_runtime::revocation::RevocationStatus;
use auth_runtime::routing::get;
use auth_runtime::session::routes::{AttemptLimit, LoginVerifier, PasswordCredentials, TokenRoutes};
use auth_runtime::session::{BoxError, RefreshKey, Subject, SubjectStore, TokenIssuer, readiness};
use auth_runtime::store::{PostgresStore, RedisStore};
use auth_runtime::{Auth, AuthBuilder, Router, auth};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::support::people::{AUDIENCE, ISSUER, signing_key};

/// How old the view of an instance may be: as short as the library allows.
pub const MAX_STALENESS: Duration = Duration::from_secs(5);

/// How long an instance waits for its store.
const TIME_LIMIT: Duration = Duration::from_secs(1);

/// Longer than the clock of an instance is wrong, so that the others accept its tokens.
const ACCESS_LIFETIME: Duration = Duration::from_secs(2 * 60 * 60);

/// What `GET /status` answers.
#[derive(Debug, Serialize, Deserialize)]
pub struct InstanceStatus {
    pub cursor: u64,
    pub other_histories: u32,
    pub age_ms: Option<u128>,
    pub store_ahead_ms: Option<i64>,
    pub failure: Option<String>,
}

impl From<RevocationStatus> for InstanceStatus {
    fn from(status: RevocationStatus) -> Self {
        Self {
            cursor: status.cursor,
            other_histories: status.other_histories,
            age_ms: status.age.map(|age| age.as_millis()),
            store_ahead_ms: status.store_ahead_ms,
            failure: status.failure,
        }
    }
}

/// A system's clock that is wrong by so many seconds.
#[derive(Debug)]
struct WrongClock(i64);

impl Clock for WrongClock {
    fn now(&self) -> SystemTime {
        let off = Duration::from_secs(self.0.unsigned_abs());
        let now = SystemClock::default().now();
        if self.0 < 0 { now - off } else { now + off }
    }

    fn monotonic(&self) -> Duration {
        SystemClock::default().monotonic()
    }
}

/// Everybody is a user, and has a password that costs nothing to check: `password of ` and the name.
#[derive(Clone, Copy, Debug)]
struct Everybody;

impl SubjectStore for Everybody {
    async fn subject(&self, id: &str) -> Result<Option<Subject>, BoxError> {
        Ok(Some(Subject::new(id)))
    }
}

impl LoginVerifier for Everybody {
    type Credentials = PasswordCredentials;

    async fn authenticate(&self, sent: PasswordCredentials) -> Result<Option<Subject>, BoxError> {
        let is_valid = sent.password == format!("password of {}", sent.username);
        Ok(is_valid.then(|| Subject::new(sent.username)))
    }
}

#[auth]
async fn guarded() {}

async fn status(State(auth): State<Auth>) -> Json<InstanceStatus> {
    Json(auth.revocations().status().into())
}

/// An instance that has read the log of its store, before it serves.
#[derive(Debug)]
pub struct Instance {
    listener: TcpListener,
    app: axum::Router,
}

impl Instance {
    /// Starts it on the store at this URL. Its clock is ahead by so many seconds.
    pub async fn start(url: &str, clock_ahead: i64) -> Self {
        let issuer = TokenIssuer::new(ISSUER, AUDIENCE, signing_key(1), Everybody)
            .refresh_key(RefreshKey::new("k1", [1; 32]))
            .access_lifetime(ACCESS_LIFETIME);
        let builder =
            Auth::builder().token_issuer(issuer).clock(WrongClock(clock_ahead)).max_staleness(MAX_STALENESS);
        let auth = with_store(builder, url).await.build().unwrap();
        auth.start().await.unwrap();

        let often = AttemptLimit::new(100_000, Duration::from_millis(1));
        let routes = TokenRoutes::json(auth.tokens().unwrap(), Everybody)
            .limit_per_account(often)
            .limit_per_address(often);
        let app = Router::new()
            .route("/", get(guarded))
            .route("/ready", get(readiness))
            .nest("/auth", routes.router())
            .finish(&auth)
            .unwrap()
            .merge(axum::Router::new().route("/status", axum::routing::get(status)).with_state(auth));
        Self { listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap(), app }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// Serves until the process ends.
    pub async fn serve(self) {
        let app = self.app.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(self.listener, app).await.unwrap();
    }
}

async fn with_store(builder: AuthBuilder, url: &str) -> AuthBuilder {
    if url.starts_with("postgres") {
        builder.store(PostgresStore::options().time_limit(TIME_LIMIT).connect(url).await.unwrap())
    } else {
        builder.store(RedisStore::options().time_limit(TIME_LIMIT).connect(url).await.unwrap())
    }
}
