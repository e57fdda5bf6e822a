//! What was acknowledged, and whether an answer breaks the promise: a logout that was acknowledged at T is enforced at once by the process that
//! has acknowledged it, and by the other for requests that start after T + `max_staleness`. A process that can't know answers 503.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use auth_tests::instances::MAX_STALENESS;

/// The number of instances that have clients.
pub(super) const INSTANCES: usize = 2;

/// A session, and its tokens.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// The instance that has issued them.
    pub(super) issued_by: usize,
    pub(super) access: Vec<String>,
    pub(super) refresh: String,
    /// `None` while it lives.
    pub(super) ended: Option<Ended>,
}

/// A logout that was acknowledged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) by: usize,
    /// When its client had the answer.
    pub(super) at: Instant,
    /// Which instances have refused the session since.
    pub(super) refused: [bool; INSTANCES],
}

/// A request with an access token, and its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) asked: usize,
    pub(super) started: Instant,
    pub(super) answered: Instant,
    pub(super) status: u16,
}

/// What each instance has done.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// The logouts that it has acknowledged.
    pub(super) acknowledged: [usize; INSTANCES],
    /// The requests with a token that it has served.
    pub(super) served: [usize; INSTANCES],
    /// The logins, refreshes and logouts that it has answered 503.
    pub(super) not_written: [usize; INSTANCES],
}

impl Counts {
    /// Whether each has done so much more than before.
    pub(super) fn exceeds(&self, before: Self, more: Self) -> bool {
        let all = |counts: &Self| [counts.acknowledged, counts.served, counts.not_written].concat();
        let least = all(&before).into_iter().zip(all(&more)).map(|(before, more)| before + more);
        all(self).into_iter().zip(least).all(|(count, least)| count >= least)
    }
}

/// A time in which an instance can't read the store.
#[derive(Clone, Copy, Debug)]
struct Dark {
    instance: usize,
    from: Instant,
    until: Option<Instant>,
}

/// What the clients of a test have seen.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// By how much the clock of each instance is ahead, in seconds.
    pub(super) clock_ahead: [i64; INSTANCES],
    /// Whether the store loses data in this test, and until when it has: what was acknowledged before counts from then on.
    pub(super) loses_data: bool,
    pub(super) lost_until: Option<Instant>,
    /// The sessions whose clients have gone, living and ended.
    pub(super) sessions: Vec<Session>,
    /// How often each route was answered with each status.
    pub(super) answers: BTreeMap<(&'static str, u16), usize>,
    pub(super) counts: Counts,
    /// How often each instance has answered 503 because its view was too old for certain.
    pub(super) dark_answers: [usize; INSTANCES],
    /// The sessions of which it is unknown whether they have ended.
    unknown: usize,
    /// The longest time from a logout to the first request that the other instance refused.
    longest: Duration,
    dark: Vec<Dark>,
    broken: Vec<String>,
}

impl Books {
    pub(super) fn new(clock_ahead: [i64; INSTANCES], loses_data: bool) -> Self {
        Self { clock_ahead, loses_data, ..Self::default() }
    }

    /// From now on, this instance can't read the store.
    pub(super) fn begin_dark(&mut self, instance: usize) {
        self.dark.push(Dark { instance, from: Instant::now(), until: None });
    }

    pub(super) fn end_dark(&mut self) {
        let now = Instant::now();
        self.dark.iter_mut().for_each(|dark| dark.until = dark.until.or(Some(now)));
    }

    /// Whether a token of the one instance is valid by the clock of the other.
    pub(super) fn accepts(&self, asked: usize, issued_by: usize) -> bool {
        self.clock_ahead[asked] >= self.clock_ahead[issued_by]
    }

    /// What a route of the token service has answered, and whether it may.
    pub(super) fn note_call(&mut self, route: &'static str, asked: usize, status: u16, may_refuse: bool) {
        *self.answers.entry((route, status)).or_default() += 1;
        match status {
            200 | 204 => {}
            503 => self.counts.not_written[asked] += 1,
            _ if may_refuse => {}
            _ => self.broken.push(format!("a {route} at {asked} was answered {status}")),
        }
    }

    /// A logout was asked for, and was not acknowledged.
    pub(super) fn note_unknown(&mut self) {
        self.unknown += 1;
    }

    /// A request with a token of this session was answered.
    pub(super) fn note(&mut self, session: &mut Session, answer: Answer) {
        *self.answers.entry(("request", answer.status)).or_default() += 1;
        self.note_dark(answer);
        let asked = answer.asked;
        let accepts = self.accepts(asked, session.issued_by);
        match (answer.status, &mut session.ended) {
            (200, None) if accepts => self.counts.served[asked] += 1,
            (200, Some(ended)) if accepts => {
                let due = match self.lost_until {
                    Some(lost_until) => Some(ended.at.max(lost_until)),
                    None if self.loses_data => None,
                    None => Some(ended.at),
                };
                let is_late = due.is_some_and(|due| answer.started > due + MAX_STALENESS);
                let after = answer.started.duration_since(ended.at);
                let Ended { by, refused, .. } = *ended;
                if asked == by || refused[asked] || is_late {
                    self.broken.push(format!(
                        "{asked} let a session in {after:?} after its logout by {by} (refused before: {refused:?})"
                    ));
                }
            }
            (401, Some(ended)) => {
                if asked != ended.by && !ended.refused[asked] && accepts {
                    self.longest = self.longest.max(answer.started.saturating_duration_since(ended.at));
                }
                ended.refused[asked] = true;
            }
            (401, None) if !accepts => {}
            (503, _) => {}
            (status, ended) => self.broken.push(format!(
                "{asked} answered {status} to a token of {}, ended: {ended:?}",
                session.issued_by
            )),
        }
    }

    /// An instance that has read the log at the latest when the store was cut off can't know, `max_staleness` later.
    fn note_dark(&mut self, answer: Answer) {
        let is_dark = self.dark.iter().any(|dark| {
            dark.instance == answer.asked
                && answer.started > dark.from + MAX_STALENESS
                && dark.until.is_none_or(|until| answer.answered < until)
        });
        match answer.status {
            503 if is_dark => self.dark_answers[answer.asked] += 1,
            200 if is_dark => {
                self.broken.push(format!("{} served a request past `max_staleness`", answer.asked));
            }
            _ => {}
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        !self.broken.is_empty()
    }

    /// Nothing was answered that breaks it.
    pub(super) fn check_promise(&self) {
        let first: Vec<_> = self.broken.iter().take(10).collect();
        assert!(first.is_empty(), "{} answers are wrong: {first:#?}", self.broken.len());
    }

    pub(super) fn ended(&self) -> impl Iterator<Item = (&Session, Ended)> {
        self.sessions.iter().filter_map(|session| Some((session, session.ended?)))
    }

    #[allow(clippy::print_stdout, reason = "the figures, with `--nocapture`")]
    pub(super) fn print(&self, name: &str, recovery: Duration) {
        let all = |status| {
            let of = self.answers.iter().filter(|((_, found), _)| *found == status);
            of.map(|(_, count)| count).sum::<usize>()
        };
        println!(
            "{name}: {} requests, {} accepted, {} refused with 401, {} with 503, {} of these past `max_staleness`; {} logouts acknowledged \
             and {} unknown; refused by the other instance after {} ms at most; recovered in {} ms",
            self.answers.values().sum::<usize>(),
            all(200) + all(204),
            all(401),
            all(503),
            self.dark_answers.iter().sum::<usize>(),
            self.counts.acknowledged.iter().sum::<usize>(),
            self.unknown,
            self.longest.as_millis(),
            recovery.as_millis(),
        );
    }
}

#[test]
fn the_books_find_what_breaks_the_promise() {
    let start = Instant::now();
    let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
    let answer = |asked, seconds, status| {
        let started = at(seconds);
        Answer { asked, started, answered: started + Duration::from_millis(1), status }
    };
    let session = |ended: Option<usize>| Session {
        issued_by: 0,
        access: Vec::new(),
        refresh: String::new(),
        ended: ended.map(|by| Ended { by, at: at(1.0), refused: [false; INSTANCES] }),
    };
    let books = |loses_data, lost_until: Option<f64>| Books {
        lost_until: lost_until.map(at),
        dark: vec![Dark { instance: 1, from: at(10.0), until: Some(at(20.0)) }],
        ..Books::new([0, 0], loses_data)
    };
    let is_broken = |mut books: Books, ended: Option<usize>, answers: &[Answer]| {
        let mut session = session(ended);
        answers.iter().for_each(|answer| books.note(&mut session, *answer));
        books.is_broken()
    };
    for (what, ended, answers, expected) in [
        ("at once where it was acknowledged", Some(0), vec![answer(0, 1.1, 200)], true),
        ("not yet at the other", Some(0), vec![answer(1, 6.0, 200)], false),
        ("past the bound at the other", Some(0), vec![answer(1, 6.1, 200)], true),
        ("undone", Some(0), vec![answer(1, 2.0, 401), answer(1, 3.0, 200)], true),
        ("refused", Some(0), vec![answer(1, 7.0, 401), answer(1, 8.0, 503)], false),
        ("a session that lives", None, vec![answer(1, 7.0, 401)], true),
        ("a store that was read lately", None, vec![answer(1, 15.0, 200)], false),
        ("a store that was not read for too long", None, vec![answer(1, 15.1, 200)], true),
        ("the other reads it", None, vec![answer(0, 15.1, 200)], false),
        ("it is read again", None, vec![answer(1, 20.0, 200)], false),
    ] {
        assert_eq!(is_broken(books(false, None), ended, &answers), expected, "{what}");
    }
    for (lost_until, seconds, expected) in
        [(None, 9.0, false), (Some(3.0), 8.0, false), (Some(3.0), 8.1, true)]
    {
        let found = is_broken(books(true, lost_until), Some(0), &[answer(1, seconds, 200)]);
        assert_eq!(found, expected, "{seconds} s, lost until {lost_until:?}");
    }
}
