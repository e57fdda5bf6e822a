//! The clients of alice and bob: they log in, call guarded routes, refresh, log out, and log out everywhere.

use std::net::Ipv4Addr;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use benches::quickstart::client::{log_in, request, send};
use serde_json::json;

use crate::books::{ACCESS_TOKEN_AGE, Account, Ended, Session};
use crate::life::Life;
use crate::random::Random;
use crate::requests::{call, check_ended, refresh, refresh_request};
use crate::tally::Expected;

/// Between two requests of a client, except shortly before a kill.
const PAUSE: Duration = Duration::from_millis(12);

/// A client that has more sessions ends some.
const SESSIONS: usize = 4;

const OK: Expected = Expected::one_of(&[200]);
const FORBIDDEN: Expected = Expected::one_of(&[403]);
const NO_CONTENT: Expected = Expected::one_of(&[204]);
const JSON: (&str, &str) = ("content-type", "application/json");

/// What one client does, until the server is killed.
pub(crate) struct Actor<'l, 's> {
    pub(crate) life: &'l Life<'s>,
    pub(crate) account: &'l Account,
    pub(crate) client: usize,
    pub(crate) random: Random,
    /// The flood in which it has logged in.
    pub(crate) flood: usize,
    pub(crate) is_logged_out_everywhere: bool,
}

impl Actor<'_, '_> {
    pub(crate) fn run(&mut self) {
        while !self.life.is_killed() {
            if self.life.is_last_seconds() {
                self.write_until_the_kill();
            } else if self.life.fills_cache() && self.life.flood.load(Ordering::Relaxed) == self.flood {
                self.fill_the_cache();
            } else {
                self.act();
                thread::sleep(PAUSE);
            }
        }
    }

    fn act(&mut self) {
        let flood = self.life.flood.load(Ordering::Relaxed);
        if flood != self.flood {
            self.flood = flood;
            if self.account.take_attempt(3) {
                self.log_in("right login, known address, flood");
            }
            if self.client == 1 && self.account.take_attempt(3) {
                self.wrong_password();
            }
        }
        let sessions = self.sessions();
        if sessions > SESSIONS && self.random.once_in(40) {
            self.log_out();
        } else if sessions > SESSIONS && self.random.once_in(150) {
            self.replay();
        } else if self.random.once_in(25) {
            self.refresh();
        } else if self.random.once_in(12) {
            self.check_an_ended_one();
        } else {
            let route = self.random.below(7);
            self.call(route);
        }
    }

    /// Uses a new token on a route that asks for its roles and one that asks for its claims, so that the cache of the server fills.
    fn fill_the_cache(&mut self) {
        self.refresh();
        self.call(0);
        self.call(3);
    }

    /// What the store writes, so that the kill comes while it writes.
    fn write_until_the_kill(&mut self) {
        if self.client == 0 && self.life.logs_out_everywhere(self.account) && !self.is_logged_out_everywhere {
            return self.log_out_everywhere();
        }
        // A login rests, so that the check after the restart finds it as it was acknowledged.
        match self.random.below(400) {
            0..4 if self.account.take_attempt(0) => self.log_in("right login, known address"),
            4 if self.sessions() > 2 => self.log_out(),
            5 if self.sessions() > SESSIONS => self.replay(),
            6..50 => self.call(0),
            _ => self.refresh(),
        }
    }

    fn address(&self) -> Ipv4Addr {
        self.account.clients[self.client].address
    }

    fn sessions(&self) -> usize {
        self.account.clients[self.client].sessions.lock().unwrap().len()
    }

    /// Takes any session; in the last seconds, one that was refreshed before, and to fill the cache, the one that was put back last.
    /// It is put back if it is known what holds of it.
    fn take(&mut self) -> Option<Session> {
        let mut sessions = self.account.clients[self.client].sessions.lock().unwrap();
        let may_be_new = !self.life.is_last_seconds();
        let takable = |(_, session): &(usize, &Session)| may_be_new || !session.former.is_empty();
        let indices: Vec<usize> =
            sessions.iter().enumerate().filter(takable).map(|(index, _)| index).collect();
        let chosen = match self.life.fills_cache() {
            true => indices.len().saturating_sub(1),
            false => self.random.below(indices.len()),
        };
        Some(sessions.swap_remove(*indices.get(chosen)?))
    }

    fn put(&self, session: Session) {
        self.account.clients[self.client].sessions.lock().unwrap().push(session);
    }

    pub(crate) fn log_in(&mut self, kind: &'static str) {
        let _shared = self.account.everywhere.read().unwrap();
        self.account.session_may_begin();
        let sent = log_in(self.life.port, self.address(), self.account.name, self.account.password);
        match self.life.judge(kind, OK, sent) {
            Some(answer) => {
                if let Some(tokens) = self.life.tokens(kind, &answer.body) {
                    self.life.soak.logins.fetch_add(1, Ordering::Relaxed);
                    self.put(Session::new(tokens));
                }
            }
            None => self.life.lose_track(1),
        }
    }

    fn wrong_password(&mut self) {
        let sent = log_in(self.life.port, self.address(), self.account.name, "wrong");
        self.life.judge("wrong password of a user", Expected::one_of(&[400]), sent);
    }

    fn refresh(&mut self) {
        let _shared = self.account.everywhere.read().unwrap();
        let Some(mut session) = self.take() else { return };
        match refresh(self.life, self.address(), "refresh", &session.tokens, OK) {
            Some(next) => {
                session.rotate(next);
                self.life.soak.rotations.fetch_add(1, Ordering::Relaxed);
                self.put(session);
            }
            None => self.life.lose_track(1),
        }
    }

    /// Calls a guarded route with a valid token.
    fn call(&mut self, route: usize) {
        let _shared = self.account.everywhere.read().unwrap();
        let Some(mut session) = self.take() else { return };
        if session.tokens.at.elapsed() < ACCESS_TOKEN_AGE {
            let admin = if self.account.is_admin { OK } else { FORBIDDEN };
            let user = if self.account.is_admin { FORBIDDEN } else { OK };
            let (path, expected) = [
                ("/me", OK),
                ("/admin", admin),
                ("/reports", admin),
                ("/org/acme/invoices", admin),
                ("/org/other/invoices", user),
                ("/notes/1", admin),
                ("/notes/2", user),
            ][route];
            let kind =
                if expected.statuses == [200] { "valid token, allowed" } else { "valid token, not allowed" };
            call(self.life, self.address(), kind, path, &session.tokens.access, expected);
            self.life.tokens_used.fetch_add(u64::from(!session.is_used), Ordering::Relaxed);
            session.is_used = true;
            if self.random.once_in(50) {
                *self.life.soak.sample.lock().unwrap() = session.tokens.access.clone();
            }
        }
        self.put(session);
    }

    fn log_out(&mut self) {
        let _shared = self.account.everywhere.read().unwrap();
        let Some(session) = self.take() else { return };
        let body = json!({ "refresh_token": session.tokens.refresh }).to_string();
        let bearer = format!("Bearer {}", session.tokens.access);
        let bytes = if self.random.once_in(2) {
            request("POST", "/auth/logout", &[JSON], &body)
        } else {
            request("POST", "/auth/logout", &[("authorization", &bearer)], "")
        };
        let sent = send(self.life.port, self.address(), &bytes);
        self.ended("logout", NO_CONTENT, sent, session);
    }

    /// Uses a refresh token that was used before its predecessor's successor: its session ends.
    fn replay(&mut self) {
        let _shared = self.account.everywhere.read().unwrap();
        let Some(session) = self.take() else { return };
        if session.former.len() < 2 {
            return self.put(session);
        }
        let bytes = refresh_request(&session.former[0]);
        let sent = send(self.life.port, self.address(), &bytes);
        self.ended("refresh token used again", Expected::one_of(&[400]), sent, session);
    }

    fn ended(
        &self,
        kind: &'static str,
        expected: Expected,
        sent: std::io::Result<benches::quickstart::client::Answer>,
        session: Session,
    ) {
        match self.life.judge(kind, expected, sent) {
            Some(_) => {
                self.account.session_has_ended();
                self.remember_ended(kind, vec![session]);
            }
            None => self.life.lose_track(1),
        }
    }

    fn remember_ended(&self, kind: &'static str, sessions: Vec<Session>) {
        let ended: Vec<Ended> = sessions.into_iter().flat_map(|session| session.end(kind)).collect();
        if let Some(newest) = ended.last() {
            check_ended(self.life, newest, "token of an ended session");
        }
        self.life.soak.books.ended.lock().unwrap().extend(ended);
    }

    fn log_out_everywhere(&mut self) {
        let _alone = self.account.everywhere.write().unwrap();
        let Some(session) = self.take() else { return };
        self.is_logged_out_everywhere = true;
        let bearer = format!("Bearer {}", session.tokens.access);
        let bytes = request("POST", "/auth/logout-everywhere", &[("authorization", &bearer)], "");
        let sent = send(self.life.port, self.address(), &bytes);
        let is_acknowledged = self.life.judge("logout everywhere", NO_CONTENT, sent).is_some();
        let mut sessions = vec![session];
        for client in &self.account.clients {
            sessions.append(&mut client.sessions.lock().unwrap());
        }
        if is_acknowledged {
            self.account.all_sessions_have_ended();
            self.remember_ended("logout everywhere", sessions);
        } else {
            self.life.lose_track(sessions.len());
        }
    }

    fn check_an_ended_one(&mut self) {
        let ended = {
            let ended = self.life.soak.books.ended.lock().unwrap();
            let index = self.random.below(ended.len());
            ended.get(index).cloned()
        };
        if let Some(ended) = ended {
            check_ended(self.life, &ended, "token of an ended session");
        }
    }
}

impl Life<'_> {
    /// An answer was lost: it is not known what holds of so many sessions.
    fn lose_track(&self, sessions: usize) {
        self.soak.books.unknown.fetch_add(sessions, Ordering::Relaxed);
    }
}
