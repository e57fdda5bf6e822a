//! The store, the network of each instance, and the instances.

use std::sync::Arc;
use std::sync::OnceLock;

use auth_tests_servers::{PostgresServer, Proxy, RedisOptions, RedisServer};
use futures_util::{StreamExt as _, stream};
use tokio::task::block_in_place;

use super::books::{Books, INSTANCES, Session};
use super::process::Process;
use crate::support::until;

/// How many requests are made at once after the load.
const AT_ONCE: usize = 8;

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Postgres,
    Redis,
}

/// A server of either kind.
#[derive(Debug)]
pub(super) enum Server {
    Postgres(PostgresServer),
    Redis(RedisServer),
}

/// Two instances on one server, each through a network of its own.
pub(super) struct World {
    pub(super) server: Server,
    pub(super) networks: [Proxy; INSTANCES],
    pub(super) instances: Arc<[Process; INSTANCES]>,
    pub(super) clock_ahead: [i64; INSTANCES],
    /// The server that has taken over.
    pub(super) successor: OnceLock<Server>,
}

impl Server {
    fn start(kind: Kind) -> Self {
        match kind {
            Kind::Postgres => Self::Postgres(PostgresServer::start()),
            Kind::Redis => Self::Redis(RedisOptions::durable().start()),
        }
    }

    pub(super) fn port(&self) -> u16 {
        match self {
            Self::Postgres(server) => server.port(),
            Self::Redis(server) => server.port(),
        }
    }

    /// Its URL by way of another port.
    fn url_at(&self, port: u16) -> String {
        match self {
            Self::Postgres(_) => PostgresServer::url_at(port),
            Self::Redis(_) => format!("redis://127.0.0.1:{port}"),
        }
    }

    pub(super) fn kill(&self) {
        block_in_place(|| match self {
            Self::Postgres(server) => server.kill(),
            Self::Redis(server) => server.kill(),
        });
    }

    pub(super) fn shut_down(&self) {
        block_in_place(|| match self {
            Self::Postgres(server) => server.shut_down(),
            Self::Redis(server) => server.shut_down(),
        });
    }

    pub(super) fn start_again(&self) {
        block_in_place(|| match self {
            Self::Postgres(server) => server.start_again(),
            Self::Redis(server) => server.start_again(),
        });
    }

    pub(super) fn stop(&self) {
        block_in_place(|| match self {
            Self::Postgres(server) => server.stop(),
            Self::Redis(server) => server.stop(),
        });
    }

    pub(super) fn cont(&self) {
        block_in_place(|| match self {
            Self::Postgres(server) => server.cont(),
            Self::Redis(server) => server.cont(),
        });
    }
}

impl World {
    /// The clock of the second instance is ahead by so many seconds.
    pub(super) async fn start(kind: Kind, clock_ahead: i64) -> Self {
        let server = block_in_place(|| Server::start(kind));
        let networks = [Proxy::start(server.port()).await, Proxy::start(server.port()).await];
        let clock_ahead = [0, clock_ahead];
        let start = |instance: usize| {
            let url = server.url_at(networks[instance].port());
            block_in_place(|| Process::start(&url, clock_ahead[instance]))
        };
        let instances = Arc::new([start(0), start(1)]);
        Self { server, networks, instances, clock_ahead, successor: OnceLock::new() }
    }

    pub(super) async fn until_ready(&self) {
        for instance in &*self.instances {
            until("it is ready again", async || instance.is_ready().await).await;
        }
    }

    /// Waits until both instances have found out that the store has another history, and have read it.
    pub(super) async fn until_another_history(&self) {
        for instance in &*self.instances {
            let is_found = async || instance.status().await.other_histories > 0;
            until("it is another history", async || is_found().await && instance.is_ready().await).await;
        }
    }

    /// An operator learns of another history, and of none where there was none.
    pub(super) async fn check_what_was_said(&self, loses_data: bool) {
        for instance in &*self.instances {
            let says = |line: &str| instance.log().contains(line);
            if loses_data {
                until("it has appended again", async || says("and they were appended again")).await;
            }
            let (status, is_said) =
                (instance.status().await, says("the store has another history than before"));
            assert_eq!((status.other_histories > 0, is_said), (loses_data, loses_data), "{status:?}");
            until("it is well", async || instance.status().await.failure.is_none()).await;
        }
    }

    /// Each session is tried again, at both instances, and at one that starts now and knows only what is in the store.
    pub(super) async fn check_again(&self, books: &Books) {
        let server = self.successor.get().unwrap_or(&self.server);
        let new = block_in_place(|| Process::start(&server.url_at(server.port()), 0));
        let clocks = self.clock_ahead.into_iter().chain([0]);
        for (asked, (instance, clock_ahead)) in self.instances.iter().chain([&new]).zip(clocks).enumerate() {
            let wrong = stream::iter(&books.sessions)
                .map(|session| self.is_wrong(session, instance, clock_ahead))
                .buffer_unordered(AT_ONCE)
                .filter_map(std::future::ready);
            let wrong: Vec<String> = wrong.collect().await;
            let first: Vec<_> = wrong.iter().take(5).collect();
            let of = books.sessions.len();
            assert!(first.is_empty(), "at {asked}, {} of {of} are wrong: {first:#?}", wrong.len());
        }
        let renewable = stream::iter(books.ended())
            .map(async |(session, _)| self.instances[0].refresh(&session.refresh).await.is_ok())
            .buffer_unordered(AT_ONCE)
            .filter(|is_renewed| std::future::ready(*is_renewed));
        assert_eq!(renewable.count().await, 0, "sessions that have ended were renewed");
    }

    /// What is wrong with the answers to the tokens of this session.
    async fn is_wrong(&self, session: &Session, instance: &Process, clock_ahead: i64) -> Option<String> {
        let accepts = clock_ahead >= self.clock_ahead[session.issued_by];
        let expected = if session.ended.is_none() && accepts { 200 } else { 401 };
        for access in &session.access {
            let found = instance.ask(access).await;
            if found != expected {
                return Some(format!("{found} in place of {expected}: {:?}", session.ended));
            }
        }
        None
    }
}
