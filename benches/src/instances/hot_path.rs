//! What a server is asked while an instance answers guarded requests: nothing but what the instance asks every second anyway.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use auth_runtime::Auth;
use auth_runtime::session::Subject;
use auth_tests_servers::{PostgresServer, RedisServer};
use sqlx::Executor as _;
use sqlx::postgres::PgPool;

use crate::client::Client;
use crate::goals::Goals;
use crate::instance::{Instance, log_in};
use benches::issuer::issuer;
use benches::servers::{Server, pool};

/// How many requests there are. The half has tokens that the instance has not seen before.
const REQUESTS: usize = 10_000;

/// How long commands are counted, at least: several reads of the log.
const COUNTED: Duration = Duration::from_secs(4);

/// How many tokens the other half has.
const KNOWN: usize = 100;

/// What the background task asks: how the text begins, what it is, and how often it is asked in a second at most.
type Background = (&'static str, &'static str, u64);

/// Each is in a transaction of its own.
const OF_POSTGRES: [Background; 6] = [
    ("SELECT source.*, entry.sequence", "poll: the log is read", 1),
    ("WITH expired AS", "what has expired is deleted", 2),
    ("UPDATE \"hot\".log_state SET confirmed_time", "the time is noted", 1),
    ("BEGIN ISOLATION LEVEL", "beginnings of these transactions", 4),
    ("SET LOCAL ", "settings of these transactions", 12),
    ("COMMIT", "ends of these transactions", 4),
];

/// Of a script, what it calls.
const OF_REDIS: [Background; 6] = [
    ("evalsha: hdel time xrange", "poll: the log is read", 1),
    ("evalsha: zrangebyscore", "what has expired is deleted", 2),
    ("hsetnx", "whether it can be written", 1),
    ("hset", "the time is noted", 1),
    ("xrevrange", "the connection that is woken", 1),
    ("xread", "the connection that is woken", 1),
];

/// Sends the requests to one instance, and counts.
pub async fn measure(server: &Server, key: &str, goals: &mut Goals) {
    let instance = Instance::start(&server.place("hot", true), key);
    let mut client = instance.client();
    let known: Vec<String> =
        (0..KNOWN).map(|number| log_in(&mut client, &format!("user {number}")).0).collect();
    let new = new_tokens(key);
    for token in &known {
        assert_eq!(client.guarded(token), 200);
    }
    let counted = match server {
        Server::Postgres(server) => Counter::Postgres(statements(server).await),
        Server::Redis(server) => Counter::Redis(Monitor::start(server)),
    };
    let began = Instant::now();
    send(&mut client, &known, &new);
    let sent = began.elapsed();
    // So that the poll is seen too: what counts everything counts it.
    thread::sleep(COUNTED.saturating_sub(sent));
    let counted_for = began.elapsed();
    let (asked, background) = match (counted, server) {
        (Counter::Postgres(pool), _) => (count_statements(&pool).await, &OF_POSTGRES[..]),
        (Counter::Redis(monitor), Server::Redis(server)) => (monitor.end(server), &OF_REDIS[..]),
        (Counter::Redis(_), Server::Postgres(_)) => unreachable!("it was started for this server"),
    };

    let label = server.kind().name();
    println!(
        "{label}: {REQUESTS} requests in {:.1} s, half of them with new tokens; counted for {:.1} s",
        sent.as_secs_f64(),
        counted_for.as_secs_f64()
    );
    let (mut calls, mut unknown) = (BTreeMap::new(), 0);
    for (text, count) in asked {
        match background.iter().find(|(part, ..)| text.starts_with(part)) {
            Some((_, name, most)) => calls.entry(*name).or_insert((0, *most)).0 += count,
            None => {
                unknown += count;
                println!("{count:>10}  not of the background task: {text}");
            }
        }
    }
    let (mut others, mut polls) = (unknown, 0);
    for (name, (count, most)) in calls {
        println!("{count:>10}  {name}");
        // A tick at each end.
        others += count.saturating_sub(most * (counted_for.as_secs() + 2));
        polls += if name.starts_with("poll") { count } else { 0 };
    }
    println!("{others:>10}  of the requests");
    goals.expect(polls > 0, || format!("hot path: {label}: not even the poll was counted"));
    goals.expect(others == 0, || {
        format!("hot path: {label}: {others} commands of {REQUESTS} requests, and 0 is the goal")
    });
}

enum Counter {
    Postgres(PgPool),
    Redis(Monitor),
}

/// Tokens that the instance has not seen, of sessions that the store does not know.
fn new_tokens(key: &str) -> Vec<String> {
    let auth = Auth::builder().token_issuer(issuer(key)).build().expect("an engine");
    let tokens = auth.tokens().expect("an issuer");
    let issue = |number| tokens.issue_access(&Subject::new(format!("new {number}"))).expect("a token");
    (0..REQUESTS / 2).map(issue).collect()
}

fn send(client: &mut Client, known: &[String], new: &[String]) {
    for (known, new) in known.iter().cycle().zip(new) {
        assert_eq!((client.guarded(known), client.guarded(new)), (200, 200));
    }
}

/// Begins to count statements.
async fn statements(server: &PostgresServer) -> PgPool {
    let pool = pool(&server.url()).await;
    let extension = pool.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").await;
    extension.expect("the extension, which Debian has in the package of the server");
    pool.execute("SELECT pg_stat_statements_reset()").await.expect("a function");
    pool
}

/// The statements, and how often each was run.
async fn count_statements(pool: &PgPool) -> Vec<(String, u64)> {
    let counted = "SELECT query, calls FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat_statements%'";
    let rows: Vec<(String, i64)> = sqlx::query_as(counted).fetch_all(pool).await.expect("a view");
    let on_one_line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    rows.into_iter().map(|(text, calls)| (on_one_line(text), calls.unsigned_abs())).collect()
}

/// A connection that is sent all commands of all others.
struct Monitor(JoinHandle<Vec<(String, u64)>>);

/// A command that ends it.
const END: &str = "end of the requests";

impl Monitor {
    fn start(server: &RedisServer) -> Self {
        let mut stream =
            TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).expect("the server answers");
        stream.write_all(b"MONITOR\r\n").expect("the server takes commands");
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        assert_eq!(lines.next().as_deref(), Some("+OK"));
        Self(thread::spawn(move || count_commands(lines.take_while(|line| !line.contains(END)))))
    }

    fn end(self, server: &RedisServer) -> Vec<(String, u64)> {
        server.command(&["ECHO", END]);
        self.0.join().expect("a thread")
    }
}

/// The commands, and how often each was sent. A line is `+TIME [DATABASE CLIENT] "COMMAND" "ARGUMENT" ..`; what a script calls comes after
/// the script, and its client is `lua`.
fn count_commands(lines: impl Iterator<Item = String>) -> Vec<(String, u64)> {
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    for line in lines {
        let Some((client, rest)) = line.split_once("] ") else { continue };
        let command = rest.split('"').nth(1).unwrap_or_default().to_lowercase();
        match commands.last_mut().filter(|_| client.ends_with(" lua")) {
            Some((_, calls)) if calls.contains(&command) => {}
            Some((_, calls)) => calls.push(command),
            None => commands.push((command, Vec::new())),
        }
    }
    let mut counts = BTreeMap::new();
    for (command, calls) in commands {
        let text = if calls.is_empty() { command } else { format!("{command}: {}", calls.join(" ")) };
        *counts.entry(text).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}
