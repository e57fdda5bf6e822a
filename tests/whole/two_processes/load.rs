//! Clients: each logs in, asks both instances, refreshes, and logs out, at one instance or the other. And readers: each stays logged in, and
//! asks both instances all the time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use super::books::{Answer, Books, Counts, Ended, INSTANCES, Session};
use super::process::{Process, Tokens};
use super::world::World;

const CLIENTS: usize = 4;

/// So much load, and not more, also of a fast machine: one turn of each client in this time.
const PACE: Duration = Duration::from_millis(30);

/// How many sessions a client that logs out tries again in each turn.
const AGAIN: usize = 3;

const PATIENCE: Duration = Duration::from_secs(60);

/// The clients, while they run.
pub(super) struct Load {
    books: Arc<watch::Sender<Books>>,
    is_over: watch::Sender<bool>,
    clients: JoinSet<()>,
}

impl Load {
    pub(super) fn start(world: &World, loses_data: bool) -> Self {
        let books = Arc::new(watch::Sender::new(Books::new(world.clock_ahead, loses_data)));
        let is_over = watch::Sender::new(false);
        let mut clients = JoinSet::new();
        let client = |number| {
            let (instances, books) = (Arc::clone(&world.instances), Arc::clone(&books));
            Client { number, instances, books, is_over: is_over.subscribe(), left: Vec::new(), next: 0 }
        };
        for number in 0..CLIENTS {
            clients.spawn(client(number).come_and_go());
        }
        for instance in 0..INSTANCES {
            clients.spawn(client(instance).stay());
        }
        Self { books, is_over, clients }
    }

    /// Waits until the clients have seen this.
    pub(super) async fn until(&self, what: &str, mut holds: impl FnMut(&Books) -> bool) {
        let mut books = self.books.subscribe();
        let seen = books.wait_for(|books| books.is_broken() || holds(books));
        let is_seen = timeout(PATIENCE, seen).await.is_ok();
        let books = self.books.borrow();
        books.check_promise();
        assert!(is_seen, "{what}: not yet, {:?}", books.answers);
    }

    /// Waits until the instances have done so much more.
    pub(super) async fn until_more(&self, more: Counts) {
        let before = self.read(|books| books.counts);
        self.until("they have done so much more", |books| books.counts.exceeds(before, more)).await;
    }

    /// Waits until each instance has acknowledged so many logouts more.
    pub(super) async fn until_acknowledged_by_each(&self, count: usize) {
        self.until_more(Counts { acknowledged: [count; INSTANCES], ..Counts::default() }).await;
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&Books) -> T) -> T {
        read(&self.books.borrow())
    }

    pub(super) fn write(&self, write: impl FnOnce(&mut Books)) {
        self.books.send_modify(write);
    }

    /// The store has lost data that the instances had until now to append again.
    pub(super) fn data_was_lost_until(&self, until: Instant) {
        self.write(|books| books.lost_until = Some(until));
    }

    /// Ends the clients. Then every session that has ended is tried until both instances refuse it.
    pub(super) async fn end(self, world: &World) -> Books {
        self.is_over.send_replace(true);
        self.clients.join_all().await;
        let mut books = self.books.send_replace(Books::default());
        for mut session in std::mem::take(&mut books.sessions) {
            while let Some(asked) = not_refused(&session) {
                // Of an instance that lets it in for too long, this is noted, and ends it.
                let answer = ask(&world.instances, asked, &session, 0).await;
                books.note(&mut session, answer);
                if books.is_broken() {
                    break;
                }
            }
            books.sessions.push(session);
        }
        books
    }
}

fn pace() -> Interval {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

/// An instance that has not refused a session yet that has ended.
fn not_refused(session: &Session) -> Option<usize> {
    session.ended?.refused.iter().position(|is_refused| !is_refused)
}

/// Asks with one of the tokens of a session.
async fn ask(instances: &[Process; INSTANCES], asked: usize, session: &Session, turn: usize) -> Answer {
    let started = Instant::now();
    let status = instances[asked].ask(&session.access[turn % session.access.len()]).await;
    Answer { asked, started, answered: Instant::now(), status }
}

/// One client. It does one thing after the other.
struct Client {
    number: usize,
    instances: Arc<[Process; INSTANCES]>,
    books: Arc<watch::Sender<Books>>,
    is_over: watch::Receiver<bool>,
    /// Its sessions, living and ended, but those of which this is unknown.
    left: Vec<Session>,
    /// Which of them is tried next.
    next: usize,
}

impl Client {
    async fn come_and_go(mut self) {
        let mut pace = pace();
        for turn in self.number.. {
            pace.tick().await;
            if *self.is_over.borrow() {
                break;
            }
            self.begin_and_end(turn).await;
            self.try_again(turn).await;
        }
        self.books.send_modify(|books| books.sessions.append(&mut self.left));
    }

    async fn stay(self) {
        let (mut pace, mut session) = (pace(), None);
        while !*self.is_over.borrow() {
            pace.tick().await;
            match &mut session {
                None => session = self.log_in(self.number, format!("reader-{}", self.number)).await,
                Some(session) => {
                    for asked in 0..INSTANCES {
                        self.ask(asked, session, 0).await;
                    }
                }
            }
        }
        self.books.send_modify(|books| books.sessions.extend(session));
    }

    async fn log_in(&self, at: usize, name: String) -> Option<Session> {
        let tokens = self.instances[at].log_in(&name).await;
        self.note_call("login", at, tokens.as_ref().err().copied().unwrap_or(200), false);
        let Tokens { access, refresh } = tokens.ok()?;
        Some(Session { issued_by: at, access: vec![access], refresh, ended: None })
    }

    /// A session, from its login on. Some live on.
    async fn begin_and_end(&mut self, turn: usize) {
        let at = |bit: usize| turn >> bit & 1;
        let (begins, renews, ends) = (at(0), at(1), at(2));
        let name = format!("user-{}-{turn}", self.number);
        let Some(mut session) = self.log_in(begins, name).await else { return };
        for asked in [begins, 1 - begins] {
            self.ask(asked, &mut session, turn).await;
        }
        // The tokens of a session are all of one clock, which decides where they are valid.
        let may_renew = self.books.borrow().clock_ahead == [0; INSTANCES] || renews == begins;
        if turn.is_multiple_of(3) && may_renew && !self.renew(renews, &mut session).await {
            return;
        }
        let lives_on = turn % 11 == 9;
        match turn % 11 {
            _ if lives_on => {}
            // With a token that the instance accepts.
            4 => {
                let status = self.instances[begins].log_out_everywhere(&session.access[0]).await;
                self.end("logout everywhere", begins, status, &mut session, turn).await;
            }
            _ => {
                let status = self.instances[ends].log_out(&session.refresh).await;
                self.end("logout", ends, status, &mut session, turn).await;
            }
        }
        if lives_on || session.ended.is_some() {
            self.left.push(session);
        }
    }

    /// Returns whether the refresh token that the session has now is its last one.
    async fn renew(&self, at: usize, session: &mut Session) -> bool {
        let renewed = self.instances[at].refresh(&session.refresh).await;
        let may_refuse = self.books.borrow().loses_data;
        self.note_call("refresh", at, renewed.as_ref().err().copied().unwrap_or(200), may_refuse);
        let Ok(tokens) = renewed else { return false };
        session.access.push(tokens.access);
        session.refresh = tokens.refresh;
        true
    }

    /// A logout was answered with this status.
    async fn end(&self, route: &'static str, by: usize, status: u16, session: &mut Session, turn: usize) {
        let at = Instant::now();
        self.note_call(route, by, status, false);
        if status != 204 {
            return self.books.send_modify(Books::note_unknown);
        }
        session.ended = Some(Ended { by, at, refused: [false; INSTANCES] });
        self.books.send_modify(|books| books.counts.acknowledged[by] += 1);
        for asked in [by, 1 - by] {
            self.ask(asked, session, turn).await;
        }
    }

    /// Some sessions are tried again: those that an instance has not refused yet, and any other.
    async fn try_again(&mut self, turn: usize) {
        let mut left = std::mem::take(&mut self.left);
        let not_refused = left.iter_mut().filter_map(|session| Some((not_refused(session)?, session)));
        for (asked, session) in not_refused.take(AGAIN) {
            self.ask(asked, session, turn).await;
        }
        self.next = (self.next + 1) % left.len().max(1);
        if let Some(session) = left.get_mut(self.next) {
            self.ask(turn & 1, session, turn).await;
        }
        self.left = left;
    }

    async fn ask(&self, asked: usize, session: &mut Session, turn: usize) {
        let answer = ask(&self.instances, asked, session, turn).await;
        self.books.send_modify(|books| books.note(session, answer));
    }

    fn note_call(&self, route: &'static str, asked: usize, status: u16, may_refuse: bool) {
        self.books.send_modify(|books| books.note_call(route, asked, status, may_refuse));
    }
}
