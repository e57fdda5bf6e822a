//! One life of the server, from its start to `kill -9`: what was acknowledged is checked, and then there is load.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use benches::quickstart::client::{Answer, request, send};
use benches::quickstart::server::Server;

use crate::Soak;
use crate::books::{ACCESS_TOKEN_AGE, Account, CLIENTS};
use crate::flood::{between_floods, flood};
use crate::hostile::attack;
use crate::memory::{Sample, Samples};
use crate::random::Random;
use crate::requests::{call, check_ended, refresh};
use crate::tally::Expected;
use crate::users::Actor;

const MINUTE: u64 = 60;
const FLOOD_SECONDS: u64 = 10;
/// Before the kill, clients do what the store writes, without pauses.
const LAST_SECONDS: u64 = 3;
const HOSTILE_CLIENTS: u8 = 3;
/// How many access tokens the cache of the server holds.
const CACHE: u64 = 10_000;
/// How many tokens of sessions that ended long ago are checked.
const OLD_ONES: usize = 100;
/// Of the checks and of `/ready`.
const CHECKER: Ipv4Addr = Ipv4Addr::new(127, 9, 9, 8);

const ANY: Expected = Expected::one_of(&[200, 400, 401]);

/// A life that goes on.
pub(crate) struct Life<'s> {
    pub(crate) soak: &'s Soak,
    pub(crate) port: u16,
    number: usize,
    /// The number of the last flood that has begun.
    pub(crate) flood: AtomicUsize,
    /// How many access tokens a guarded route was called with.
    pub(crate) tokens_used: AtomicU64,
    fills_cache: AtomicBool,
    is_last_seconds: AtomicBool,
    is_killed: AtomicBool,
}

struct SetOnDrop<'f>(&'f AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// When things happen in a life, in seconds from its start.
struct Timetable {
    floods: Vec<u64>,
    end: u64,
}

impl Timetable {
    /// In every second life of a minute, the kill comes during a flood. A long one has a flood in each minute.
    fn new(number: usize, minutes: u64, random: &mut Random) -> Self {
        let end = minutes * MINUTE;
        let first = 10 + random.below(8) as u64;
        let floods = match minutes {
            1 if number % 2 == 1 => vec![end - FLOOD_SECONDS],
            _ => (0..minutes).map(|minute| minute * MINUTE + first).collect(),
        };
        Self { floods, end }
    }
}

impl<'s> Life<'s> {
    /// Starts the server, checks what it has acknowledged before, and puts it under load for so many minutes. Then it is killed.
    /// With none, the check is all.
    pub(crate) fn run(soak: &'s Soak, number: usize, minutes: u64) -> Samples {
        let log = soak.log.clone();
        let mut server = Server::start(&soak.binary, &soak.folder.0, move |line| log.add(line));
        let life = Self {
            soak,
            port: server.port,
            number,
            flood: AtomicUsize::new(0),
            tokens_used: AtomicU64::new(0),
            fills_cache: AtomicBool::new(false),
            is_last_seconds: AtomicBool::new(false),
            is_killed: AtomicBool::new(false),
        };
        life.wait_until_ready();
        life.check_what_was_acknowledged();
        let mut samples = Samples::default();
        if minutes > 0 && soak.tally.failed() == 0 {
            life.put_under_load(&mut server, minutes, &mut samples);
        }
        server.kill();
        samples
    }

    pub(crate) fn judge(
        &self,
        kind: &'static str,
        expected: Expected,
        answer: std::io::Result<Answer>,
    ) -> Option<Answer> {
        self.soak.tally.judge(kind, expected, answer, self.is_killed())
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.is_killed.load(Ordering::SeqCst)
    }

    pub(crate) fn is_last_seconds(&self) -> bool {
        self.is_last_seconds.load(Ordering::Relaxed)
    }

    /// Whether each access token is to be used, so that the server's cache of tokens is full and grows no more.
    pub(crate) fn fills_cache(&self) -> bool {
        self.fills_cache.load(Ordering::Relaxed)
    }

    /// Alice and bob in turns, each in every fourth life: the sessions of the others stay for the check.
    pub(crate) fn logs_out_everywhere(&self, account: &Account) -> bool {
        self.number % 4 == if account.is_admin { 2 } else { 0 }
    }

    pub(crate) fn count_slow(&self) {
        self.soak.slow.fetch_add(1, Ordering::Relaxed);
    }

    /// The documented 503 just after the start: the log of the store was not read yet.
    fn wait_until_ready(&self) {
        const EITHER: Expected = Expected::one_of(&[204, 503]);
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(60) {
            match self.ready("ready, after the start", EITHER) {
                Some(204) => return,
                _ => thread::sleep(Duration::from_millis(20)),
            }
        }
        self.soak.tally.fail("the server is not ready after a minute".into());
    }

    fn ready(&self, kind: &'static str, expected: Expected) -> Option<u16> {
        let answer = send(self.port, CHECKER, &request("GET", "/ready", &[], ""));
        Some(self.judge(kind, expected, answer)?.status)
    }

    fn check_what_was_acknowledged(&self) {
        for account in &self.soak.books.accounts {
            account.refill();
            account.clients.iter().for_each(|client| self.check_sessions(account, client));
        }
        let mut ended = self.soak.books.ended.lock().unwrap().clone();
        let mut random = Random::new(self.soak.seed, 1_000 + self.number as u64);
        let (fresh, mut old): (Vec<_>, Vec<_>) =
            ended.drain(..).partition(|ended| ended.tokens.at.elapsed() < ACCESS_TOKEN_AGE);
        while old.len() > OLD_ONES {
            old.swap_remove(random.below(old.len()));
        }
        for ended in fresh.iter().chain(&old) {
            check_ended(self, ended, "after a restart: ended session");
            self.soak.checked_ended.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn check_sessions(&self, account: &Account, client: &crate::books::Client) {
        let mut sessions = client.sessions.lock().unwrap();
        for mut session in std::mem::take(&mut *sessions) {
            let (name, age) = (account.name, session.tokens.at.elapsed());
            let what = if session.former.is_empty() { "login" } else { "rotation" };
            if age < ACCESS_TOKEN_AGE {
                let access = &session.tokens.access;
                let status = call(self, CHECKER, "after a restart: access token", "/me", access, ANY);
                if status != Some(200) {
                    self.soak
                        .tally
                        .lose(format!("{what} of {name}, {age:.0?} ago: access token: {status:?}"));
                }
            }
            match refresh(self, CHECKER, "after a restart: refresh token", &session.tokens, ANY) {
                Some(next) => {
                    let checked = if what == "login" {
                        &self.soak.checked_logins
                    } else {
                        &self.soak.checked_rotations
                    };
                    checked.fetch_add(1, Ordering::Relaxed);
                    session.rotate(next);
                    sessions.push(session);
                }
                None => self.soak.tally.lose(format!("{what} of {name}, {age:.0?} ago: no refresh")),
            }
        }
    }

    fn actors(&self) -> Vec<Actor<'_, 's>> {
        let accounts = self.soak.books.accounts.iter();
        let all = accounts.flat_map(|account| (0..CLIENTS).map(move |client| (account, client)));
        let actor = |(number, (account, client))| {
            let random = Random::new(self.soak.seed, (self.number * 100 + number) as u64);
            Actor { life: self, account, client, random, flood: 0, is_logged_out_everywhere: false }
        };
        all.enumerate().map(actor).collect()
    }

    fn put_under_load(&self, server: &mut Server, minutes: u64, samples: &mut Samples) {
        let mut random = Random::new(self.soak.seed, 2_000 + self.number as u64);
        let timetable = Timetable::new(self.number, minutes, &mut random);
        let mut actors = self.actors();
        // Before any flood: each client's address is known then.
        for actor in &mut actors {
            if actor.account.take_attempt(0) {
                actor.log_in("right login, first of an address");
            }
        }
        self.fills_cache.store(minutes > 1, Ordering::Relaxed);
        let began = Instant::now();
        thread::scope(|scope| {
            // Also if this panics: a scope waits for its threads.
            let _end = SetOnDrop(&self.is_killed);
            actors.into_iter().for_each(|mut actor| drop(scope.spawn(move || actor.run())));
            for client in 0..HOSTILE_CLIENTS {
                let random =
                    Random::new(self.soak.seed, (3_000 + self.number * 10) as u64 + u64::from(client));
                scope.spawn(move || attack(self, client, random));
            }
            scope.spawn(|| between_floods(self));
            for second in 1..timetable.end {
                let next = began + Duration::from_secs(second);
                thread::sleep(next.saturating_duration_since(Instant::now()));
                if timetable.floods.contains(&second) {
                    scope.spawn(move || flood(self, next + Duration::from_secs(FLOOD_SECONDS)));
                    self.flood.fetch_add(1, Ordering::Relaxed);
                }
                self.sample(server, second, timetable.end, samples);
                self.is_last_seconds.store(second + LAST_SECONDS >= timetable.end, Ordering::Relaxed);
            }
            thread::sleep(Duration::from_millis(random.below(1_000) as u64));
            self.is_killed.store(true, Ordering::SeqCst);
            server.kill();
            self.soak.kills.fetch_add(1, Ordering::Relaxed);
        });
    }

    fn sample(&self, server: &Server, second: u64, end: u64, samples: &mut Samples) {
        self.ready("ready, later", Expected::one_of(&[204]));
        let used = self.tokens_used.load(Ordering::Relaxed);
        if self.fills_cache() && (used > CACHE || second > end / 2) {
            self.fills_cache.store(false, Ordering::Relaxed);
        }
        match (server.memory("VmRSS"), server.memory("VmHWM")) {
            (Some(now), Some(most)) => {
                samples.add(Sample { second, now, most, is_warm: !self.fills_cache() })
            }
            _ => self.soak.tally.fail("the server ended by itself".into()),
        }
    }
}
