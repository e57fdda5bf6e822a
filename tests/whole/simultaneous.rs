//! Requests that come at the same time: one refresh token many times, logouts amid refreshes and logins, and changes of a session's data.

mod session_data;

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use auth_runtime::routing::get;
use auth_runtime::session::{
    BoxError, IssuedTokens, RefreshError, RefreshKey, Subject, SubjectStore, TokenError, TokenIssuer,
    TokenService,
};
use auth_runtime::store::RedbStore;
use auth_runtime::testing::TestClock;
use auth_runtime::{Auth, AuthBuilder, Router, auth};
use auth_tests_servers::RedisServer;
use tempfile::TempDir;
use tokio::sync::Barrier;
use tokio::task::yield_now;

use self::session_data::{
    a_log_out_amid_changes_ends_them, changes_amid_refreshes_lose_nothing_and_end_nothing,
    of_many_takers_one_gets_the_value,
};
use crate::support::flaky::FlakyStore;
use crate::support::people::{AUDIENCE, ISSUER, signing_key};
use crate::support::postgres::{new_schema, open};
use crate::support::redis::open_redis;
use crate::support::timeless::TimelessStore;
use crate::support::{request, send};

const USES: usize = 100;

#[auth]
async fn guarded() {}

/// Gives others a turn between the look at a login and its change: that is where they do harm.
struct Everyone(AtomicUsize);

impl SubjectStore for Everyone {
    async fn subject(&self, id: &str) -> Result<Option<Subject>, BoxError> {
        let turns = 1 + self.0.fetch_add(1, Ordering::Relaxed) % 3;
        for _ in 0..turns {
            yield_now().await;
        }
        Ok(Some(Subject::new(id)))
    }
}

struct Service {
    auth: Auth,
    tokens: TokenService,
    app: axum::Router,
    clock: TestClock,
    store: &'static str,
    /// What the store needs while it is used.
    _place: Box<dyn Any + Send + Sync>,
}

/// Which stores a race is run on.
#[derive(Clone, Copy)]
enum Stores {
    OfThisProcess,
    Postgres,
    Redis,
}

/// The same service over each store.
async fn services(stores: Stores, grace: Duration) -> Vec<Arc<Service>> {
    let begin =
        async |store, place: Box<dyn Any + Send + Sync>, attach: &dyn Fn(AuthBuilder) -> AuthBuilder| {
            let issuer = TokenIssuer::new(ISSUER, AUDIENCE, signing_key(1), Everyone(AtomicUsize::new(0)))
                .refresh_key(RefreshKey::new("k1", [1; 32]))
                .access_lifetime(Duration::from_secs(900));
            let issuer = if grace > Duration::from_secs(60) {
                issuer.dangerously_extend_grace_period(grace)
            } else {
                issuer.grace_period(grace)
            };
            let issuer = issuer
                // Many logins of one second: which of them is the oldest is not known.
                .max_sessions_per_user(usize::MAX);
            let clock = TestClock::new();
            let builder = Auth::builder().token_issuer(issuer).clock(clock.clone());
            let auth = attach(builder).build().unwrap();
            auth.start().await.unwrap();
            let app = Router::new().route("/", get(guarded)).finish(&auth).unwrap();
            Arc::new(Service { tokens: auth.tokens().unwrap(), auth, app, clock, store, _place: place })
        };
    match stores {
        Stores::OfThisProcess => {
            let directory = TempDir::new().unwrap();
            let file = RedbStore::open(directory.path().join("store")).unwrap();
            vec![
                begin("memory", Box::new(()), &|builder| builder.store(FlakyStore::slow())).await,
                begin("redb", Box::new(directory), &|builder| builder.store(file.clone())).await,
            ]
        }
        Stores::Postgres => {
            let store = TimelessStore(open(&new_schema()).await);
            vec![begin("postgres", Box::new(()), &|builder| builder.store(store.clone())).await]
        }
        Stores::Redis => {
            let server = RedisServer::start();
            let store = TimelessStore(open_redis(&server).await);
            vec![begin("redis", Box::new(server), &|builder| builder.store(store.clone())).await]
        }
    }
}

/// Makes two tests of each race.
macro_rules! races {
    ($($race:ident)+) => {
        mod of_this_process {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $race() {
                    super::$race(super::Stores::OfThisProcess).await;
                }
            )+
        }
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                #[ignore = "needs PostgreSQL: bash tests/run"]
                async fn $race() {
                    super::$race(super::Stores::Postgres).await;
                }
            )+
        }
        mod redis {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                #[ignore = "needs redis-server: bash tests/run"]
                async fn $race() {
                    super::$race(super::Stores::Redis).await;
                }
            )+
        }
    };
}

races! {
    of_a_hundred_uses_without_grace_one_succeeds_and_the_log_in_ends
    a_hundred_uses_within_the_grace_period_get_one_successor
    of_a_hundred_repeated_uses_after_a_minute_one_gets_the_successor_and_the_log_in_ends
    a_log_out_amid_refreshes_ends_all_of_them
    a_log_out_everywhere_amid_refreshes_ends_all_of_them
    a_log_out_of_everybody_amid_refreshes_ends_all_of_them
    a_log_out_everywhere_amid_log_ins_parts_them
    a_log_out_of_everybody_amid_log_ins_parts_them
    changes_amid_refreshes_lose_nothing_and_end_nothing
    a_log_out_amid_changes_ends_them
    of_many_takers_one_gets_the_value
}

impl Service {
    async fn log_in(&self) -> IssuedTokens {
        self.tokens.issue(&Subject::new("alice")).await.unwrap()
    }

    fn refresh(&self, token: &IssuedTokens) -> Task<Result<IssuedTokens, TokenError>> {
        let (tokens, token) = (self.tokens.clone(), token.refresh_token.clone());
        Box::pin(async move { tokens.refresh(&token).await })
    }

    async fn accepts(&self, tokens: &IssuedTokens) -> bool {
        let bearer = format!("Bearer {}", tokens.access_token);
        let status = send(&self.app, request("GET", "/", &[("authorization", &bearer)])).await.status;
        assert!(status == 200 || status == 401, "{status}");
        status == 200
    }

    async fn is_dead(&self, tokens: &IssuedTokens) {
        assert!(!self.accepts(tokens).await, "{}: an access token is good", self.store);
        let refused = self.tokens.refresh(&tokens.refresh_token).await;
        assert!(
            matches!(refused, Err(TokenError::Refresh(RefreshError::Ended))),
            "{}: {refused:?}",
            self.store
        );
    }

    async fn lives(&self, tokens: &IssuedTokens) {
        assert!(self.accepts(tokens).await, "{}: an access token is refused", self.store);
        let next = self.tokens.refresh(&tokens.refresh_token).await.unwrap();
        assert!(self.accepts(&next).await, "{}: an access token is refused", self.store);
    }
}

type Task<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Runs them on tasks of their own, released together.
async fn together<T: Send + 'static>(tasks: Vec<Task<T>>) -> Vec<T> {
    let start = Arc::new(Barrier::new(tasks.len()));
    let released = tasks.into_iter().map(|task| {
        let start = Arc::clone(&start);
        tokio::spawn(async move {
            start.wait().await;
            task.await
        })
    });
    let mut answers = Vec::new();
    for running in released.collect::<Vec<_>>() {
        answers.push(running.await.unwrap());
    }
    answers
}

/// Each use was rejected: one ended the session, and who comes after it finds it ended.
fn one_has_ended_it(losers: Vec<Result<IssuedTokens, TokenError>>) {
    let refused = losers.into_iter().filter_map(Result::err).map(|error| match error {
        TokenError::Refresh(why) => why,
        error => panic!("{error}"),
    });
    let refused: Vec<_> = refused.collect();
    assert!(
        refused.iter().all(|why| matches!(why, RefreshError::Reused | RefreshError::Ended)),
        "{refused:?}"
    );
    assert!(refused.contains(&RefreshError::Reused));
}

async fn of_a_hundred_uses_without_grace_one_succeeds_and_the_log_in_ends(stores: Stores) {
    for service in services(stores, Duration::ZERO).await {
        for _ in 0..3 {
            let first = service.log_in().await;
            let uses = (0..USES).map(|_| service.refresh(&first)).collect();
            let (winners, losers): (Vec<_>, Vec<_>) =
                together(uses).await.into_iter().partition(Result::is_ok);
            assert_eq!(winners.len(), 1, "{}", service.store);
            one_has_ended_it(losers);
            service.is_dead(&first).await;
            service.is_dead(winners[0].as_ref().unwrap()).await;
        }
    }
}

async fn a_hundred_uses_within_the_grace_period_get_one_successor(stores: Stores) {
    for service in services(stores, Duration::from_secs(10)).await {
        let first = service.log_in().await;
        let uses = (0..USES).map(|_| service.refresh(&first)).collect();
        let answers: Vec<_> = together(uses).await.into_iter().map(Result::unwrap).collect();
        for answer in &answers {
            assert_eq!(answer.refresh_token, answers[0].refresh_token, "{}", service.store);
            assert_ne!(answer.refresh_token, first.refresh_token);
            assert!(service.accepts(answer).await);
        }
        assert!(service.accepts(&first).await);
        service.lives(&answers[0]).await;
        // The successor was used: a caller that sends the first one now has a copy.
        let late = service.tokens.refresh(&first.refresh_token).await;
        assert!(matches!(late, Err(TokenError::Refresh(RefreshError::Reused))), "{late:?}");
    }
}

async fn of_a_hundred_repeated_uses_after_a_minute_one_gets_the_successor_and_the_log_in_ends(
    stores: Stores,
) {
    for service in services(stores, Duration::from_secs(300)).await {
        for wait in [61, 300] {
            let first = service.log_in().await;
            let successor = service.tokens.refresh(&first.refresh_token).await.unwrap();
            service.clock.advance(Duration::from_secs(wait));
            service.auth.start().await.unwrap();
            let uses = (0..USES).map(|_| service.refresh(&first)).collect();
            let (winners, losers): (Vec<_>, Vec<_>) =
                together(uses).await.into_iter().partition(Result::is_ok);
            assert_eq!(winners.len(), 1, "{}, after {wait} s", service.store);
            let winner = winners.into_iter().next().unwrap().unwrap();
            assert_eq!(winner.refresh_token, successor.refresh_token);
            one_has_ended_it(losers);
            for tokens in [&first, &successor, &winner] {
                service.is_dead(tokens).await;
            }
        }
    }
}

/// How many tasks are done, and a way to wait for some of them.
#[derive(Clone, Default)]
struct Progress(Arc<AtomicUsize>);

impl Progress {
    fn advance(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    async fn reached(&self, count: usize) {
        while self.0.load(Ordering::SeqCst) < count {
            yield_now().await;
        }
    }
}

/// Refreshes one login fifty times, and ends it when some of these are done: one token fifty times at once, which the grace
/// period allows, and fifty tokens one after the other.
async fn refresh_amid(stores: Stores, end: impl Fn(&Service, &IssuedTokens) -> Task<()>) {
    for service in services(stores, Duration::from_secs(10)).await {
        for turn in 0..10 {
            let (first, progress) = (service.log_in().await, Progress::default());
            let (at_once, in_turn) = if turn % 2 == 0 { (50, 1) } else { (1, 50) };
            let (ending, done) = (end(&service, &first), progress.clone());
            let mut tasks: Vec<Task<Vec<IssuedTokens>>> = vec![Box::pin(async move {
                done.reached(turn * 5).await;
                ending.await;
                Vec::new()
            })];
            for _ in 0..at_once {
                let (tokens, mut last, done) = (service.tokens.clone(), first.clone(), progress.clone());
                tasks.push(Box::pin(async move {
                    let mut given = Vec::new();
                    for _ in 0..in_turn {
                        match tokens.refresh(&last.refresh_token).await {
                            Ok(next) => last = next,
                            Err(TokenError::Refresh(RefreshError::Ended)) => break,
                            Err(error) => panic!("{error}"),
                        }
                        given.push(last.clone());
                        done.advance();
                    }
                    given
                }));
            }
            for tokens in together(tasks).await.iter().flatten().chain([&first]) {
                service.is_dead(tokens).await;
            }
        }
    }
}

async fn a_log_out_amid_refreshes_ends_all_of_them(stores: Stores) {
    refresh_amid(stores, |service, first| {
        let (tokens, token) = (service.tokens.clone(), first.refresh_token.clone());
        Box::pin(async move { assert!(tokens.log_out(&token).await.unwrap()) })
    })
    .await;
}

async fn a_log_out_everywhere_amid_refreshes_ends_all_of_them(stores: Stores) {
    refresh_amid(stores, |service, _| {
        let (tokens, clock) = (service.tokens.clone(), service.clock.clone());
        Box::pin(async move {
            tokens.log_out_everywhere("alice").await.unwrap();
            clock.advance(Duration::from_secs(1));
        })
    })
    .await;
}

async fn a_log_out_of_everybody_amid_refreshes_ends_all_of_them(stores: Stores) {
    refresh_amid(stores, |service, _| {
        let (tokens, clock) = (service.tokens.clone(), service.clock.clone());
        Box::pin(async move {
            tokens.log_out_all_users().await.unwrap();
            clock.advance(Duration::from_secs(1));
        })
    })
    .await;
}

async fn a_log_out_everywhere_amid_log_ins_parts_them(stores: Stores) {
    log_in_amid(stores, |tokens| Box::pin(async move { tokens.log_out_everywhere("alice").await.unwrap() }))
        .await;
}

async fn a_log_out_of_everybody_amid_log_ins_parts_them(stores: Stores) {
    log_in_amid(stores, |tokens| Box::pin(async move { tokens.log_out_all_users().await.unwrap() })).await;
}

/// Logins, and a logout among them: those from before it end, and those from after it do not.
async fn log_in_amid(stores: Stores, log_out: fn(TokenService) -> Task<()>) {
    /// Before the logout was called, while it ran, after it returned.
    const CALLED: usize = 1;
    const RETURNED: usize = 2;

    for service in services(stores, Duration::from_secs(10)).await {
        let mut met = [0; 3];
        for turn in 0..8 {
            let (phase, progress) = (Arc::new(AtomicUsize::new(0)), Progress::default());
            let mut tasks: Vec<Task<Vec<(usize, usize, IssuedTokens)>>> = Vec::new();
            for _ in 0..8 {
                let (tokens, phase, done) = (service.tokens.clone(), Arc::clone(&phase), progress.clone());
                tasks.push(Box::pin(async move {
                    let mut given = Vec::new();
                    let mut began = 0;
                    while began != RETURNED {
                        yield_now().await;
                        began = phase.load(Ordering::SeqCst);
                        let log_in = tokens.issue(&Subject::new("alice")).await.unwrap();
                        given.push((began, phase.load(Ordering::SeqCst), log_in));
                        done.advance();
                    }
                    given
                }));
            }
            let tokens = service.tokens.clone();
            tasks.push(Box::pin(async move {
                progress.reached(2 * turn).await;
                phase.store(CALLED, Ordering::SeqCst);
                log_out(tokens).await;
                phase.store(RETURNED, Ordering::SeqCst);
                Vec::new()
            }));
            let checks = together(tasks).await.into_iter().flatten().map(|(began, acknowledged, log_in)| {
                met[if acknowledged == 0 { 0 } else { began.max(CALLED) }] += 1;
                let service = Arc::clone(&service);
                let check: Task<()> = Box::pin(async move {
                    let alive = service.accepts(&log_in).await;
                    if acknowledged < CALLED {
                        assert!(!alive, "{}: a login from before is good", service.store);
                    }
                    if began == RETURNED {
                        assert!(alive, "{}: a login from after is ended", service.store);
                    }
                    // Whatever it is, it is it altogether.
                    if alive { service.lives(&log_in).await } else { service.is_dead(&log_in).await }
                });
                check
            });
            let checks = checks.collect();
            together(checks).await;
            // Every second logout is in the second of one before it, and of logins that came between.
            service.clock.advance(Duration::from_secs(if turn % 2 == 0 { 0 } else { 2 }));
        }
        // A logout may be too quick to be met.
        assert!(met[0] > 0 && met[2] > 0, "{}: {met:?}", service.store);
    }
}
