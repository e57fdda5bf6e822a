//! Random faults of two instances and their store, against a model of the promise.

use std::collections::BTreeMap;
use std::time::Duration;

use auth_runtime::clock::Clock as _;
use auth_runtime::revocation::Revocation;
use auth_runtime::session::Subject;
use proptest::prelude::*;

use super::store::{Data, Fault};
use super::world::{Answer, ISSUER, Inactive, Instance, MAX_STALENESS, World};
use crate::support::people::ISSUER as OWN_ISSUER;

/// Of each kind.
const TOKENS: usize = 3;

/// What has a token be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Token,
    Session,
    User,
    /// A logout everywhere of the service's own issuer: a generation of sessions.
    Generation,
    /// A hint: its user was made inactive, and is forgotten.
    Forgotten,
}

impl By {
    /// The name of the token of this number. Each of the first three is for the same tokens.
    fn name(self, token: usize) -> String {
        let kind = match self {
            Self::Token | Self::Session | Self::User => "t",
            Self::Generation => "g",
            Self::Forgotten => "f",
        };
        format!("{kind}{token}")
    }

    /// The id in the token, and in the entry.
    fn id(self, token: usize) -> String {
        let name = self.name(token);
        match self {
            Self::Token => name,
            Self::Session => format!("session-{name}"),
            Self::User | Self::Generation | Self::Forgotten => format!("user-{name}"),
        }
    }

    /// Has the token of this number be refused by an instance, whatever the clocks show. Returns whether it was acknowledged.
    async fn end(self, token: usize, instance: &Instance, inactive: &Inactive) -> bool {
        let (issuer, id) = (ISSUER.to_owned(), self.id(token));
        let now = instance.clock.now();
        let revocation = match self {
            Self::Token => Revocation::Token { issuer, token_id: id },
            Self::Session => Revocation::Session { issuer, session_id: id },
            Self::User => Revocation::User { issuer, subject: id, issued_at_or_before: now },
            Self::Generation => {
                Revocation::User { issuer: OWN_ISSUER.to_owned(), subject: id, issued_at_or_before: now }
            }
            Self::Forgotten => {
                inactive.add(&id);
                return instance.forget(&id).await;
            }
        };
        instance.try_revoke(revocation).await.is_some_and(|answer| answer.is_ok())
    }
}

#[derive(Clone, Debug)]
enum Step {
    Revoke {
        at: usize,
        token: usize,
        by: By,
    },
    /// In milliseconds.
    Pass(u64),
    Fault(usize, Fault),
    /// In milliseconds.
    Delay(usize, u64),
    /// In seconds.
    Clock(usize, i64),
    StoreClock(i64),
    Restart(usize),
    Dump,
    Restore,
    Wipe,
}

fn step() -> impl Strategy<Value = Step> {
    let fault =
        prop_oneof![Just(Fault::None), Just(Fault::Cut), Just(Fault::LostAnswers), Just(Fault::Silent)];
    let ahead = prop_oneof![Just(0_i64), Just(3600), Just(-3600), -20..20_i64];
    let by = prop_oneof![
        Just(By::Token),
        Just(By::Session),
        Just(By::User),
        Just(By::Generation),
        Just(By::Forgotten)
    ];
    prop_oneof![
        8 => (0..2_usize, 0..TOKENS, by).prop_map(|(at, token, by)| Step::Revoke { at, token, by }),
        8 => (1..15_000_u64).prop_map(Step::Pass),
        3 => (0..2_usize, fault).prop_map(|(at, fault)| Step::Fault(at, fault)),
        1 => (0..2_usize, 0..1500_u64).prop_map(|(at, delay)| Step::Delay(at, delay)),
        2 => (0..2_usize, ahead.clone()).prop_map(|(at, ahead)| Step::Clock(at, ahead)),
        1 => ahead.prop_map(Step::StoreClock),
        1 => (0..2_usize).prop_map(Step::Restart),
        1 => Just(Step::Dump),
        1 => Just(Step::Restore),
        1 => Just(Step::Wipe),
    ]
}

/// What was promised of a revocation.
#[derive(Clone, Debug, Default)]
struct Promise {
    /// The instances that acknowledged it: which, and its number of starts then.
    by: Vec<(usize, u32)>,
    /// Those that enforce it at once: they have acknowledged it, or were given a hint.
    enforced_by: Vec<(usize, u32)>,
    /// When the store had it, acknowledged, in milliseconds; `None` while it has lost it.
    kept_since: Option<u64>,
}

struct Run {
    world: World,
    /// By their names.
    tokens: BTreeMap<String, String>,
    promises: BTreeMap<(usize, By), Promise>,
    dump: Data,
    was_set_back: bool,
}

impl Run {
    async fn step(&mut self, step: &Step) {
        let world = &mut self.world;
        match step {
            Step::Revoke { at, token, by } => {
                let instance = &world.instances[*at];
                let is_acknowledged = by.end(*token, instance, &world.inactive).await;
                // A hint is followed at once where it was given, also if the store did not take it.
                if is_acknowledged || *by == By::Forgotten {
                    let promise = self.promises.entry((*token, *by)).or_default();
                    promise.enforced_by.push((*at, instance.starts));
                    if is_acknowledged {
                        promise.by.push((*at, instance.starts));
                        promise.kept_since.get_or_insert(world.time());
                    }
                }
            }
            Step::Pass(time) => world.pass(Duration::from_millis(*time)).await,
            Step::Fault(at, fault) => world.instances[*at].connection.set_fault(*fault),
            Step::Delay(at, delay) => {
                world.instances[*at].connection.set_delay(Duration::from_millis(*delay));
            }
            Step::Clock(at, ahead) => world.instances[*at].clock.set_ahead(*ahead),
            Step::StoreClock(ahead) => world.store_clock.set_ahead(*ahead),
            Step::Restart(at) => world.instances[*at].restart().await,
            Step::Dump => self.dump = world.store.data().clone(),
            Step::Restore => world.store.restore(self.dump.clone()),
            Step::Wipe => world.store.restore(Data::default()),
        }
        self.was_set_back |= matches!(step, Step::Restore | Step::Wipe);
        let time = world.time();
        for ((token, by), promise) in &mut self.promises {
            let is_there = has(world, *by, *token) && !promise.by.is_empty();
            promise.kept_since = promise.kept_since.or(Some(time)).filter(|_| is_there);
        }
    }

    /// What was promised of the token of this name.
    fn promises(&self, name: &str) -> impl Iterator<Item = (usize, By, &Promise)> {
        let of_it = self.promises.iter().filter(move |((token, by), _)| by.name(*token) == name);
        of_it.map(|((token, by), promise)| (*token, *by, promise))
    }

    /// Whether the instance has to know that the token was revoked.
    fn must_refuse(&self, at: usize, name: &str) -> bool {
        let staleness = u64::try_from(MAX_STALENESS.as_millis()).unwrap();
        self.promises(name).any(|(_, _, promise)| {
            let is_at_once = promise.enforced_by.contains(&(at, self.world.instances[at].starts));
            is_at_once || promise.kept_since.is_some_and(|since| self.world.time() > since + staleness)
        })
    }

    async fn check(&self) {
        for (at, instance) in self.world.instances.iter().enumerate() {
            for (name, text) in &self.tokens {
                let answer = instance.ask(text).await;
                let is_let_through = answer == Answer::Accepted && self.must_refuse(at, name);
                assert!(
                    !is_let_through,
                    "instance {at} has accepted {name}: {:?}",
                    self.promises(name).collect::<Vec<_>>()
                );
            }
        }
    }

    /// When every fault is over, everything is served, and what a process or the store knows is enforced everywhere.
    async fn heal(&mut self) {
        self.world.store_clock.set_ahead(0);
        for instance in &self.world.instances {
            instance.connection.set_fault(Fault::None);
            instance.connection.set_delay(Duration::ZERO);
            instance.clock.set_ahead(0);
        }
        self.world.pass(MAX_STALENESS).await;
        for (at, instance) in self.world.instances.iter().enumerate() {
            assert!(instance.status().ready, "instance {at}: {:?}", instance.status());
            for (name, text) in &self.tokens {
                let lives = |(at, starts): &(usize, u32)| self.world.instances[*at].starts == *starts;
                let answer = instance.ask(text).await;
                assert_ne!(answer, Answer::Unavailable, "instance {at} and {name}");
                for (token, by, promise) in self.promises(name) {
                    let is_there = has(&self.world, by, token);
                    let is_known = is_there || promise.by.iter().any(lives);
                    assert!(
                        !is_known || answer == Answer::Revoked,
                        "instance {at} has lost {by:?} of {name}: {promise:?}"
                    );
                    assert!(!is_known || is_there, "{by:?} of {name} was not appended again");
                }
            }
        }
        self.log_in_again().await;
    }

    /// A logout everywhere ends no session that begins after it, on whichever instance. A store that was set back may have lost which the
    /// last one was.
    async fn log_in_again(&self) {
        if self.was_set_back {
            return;
        }
        for (at, instance) in self.world.instances.iter().enumerate() {
            let user = Subject::new(By::Generation.id(at));
            let token = instance.auth.tokens().unwrap().issue_access(&user).unwrap();
            for (other, instance) in self.world.instances.iter().enumerate() {
                assert_eq!(instance.ask(&token).await, Answer::Accepted, "of {at} at {other}");
            }
        }
    }
}

/// Whether the store has the revocation.
fn has(world: &World, by: By, token: usize) -> bool {
    world.store.has(&format!("\"{}\"", by.id(token)))
}

async fn run(steps: Vec<Step>) {
    let world = World::new(2).await;
    let mut tokens = BTreeMap::new();
    for by in [By::Token, By::Generation, By::Forgotten] {
        for name in (0..TOKENS).map(|token| by.name(token)) {
            let text = if by == By::Generation { world.own_token(&name) } else { world.token(&name) };
            tokens.insert(name, text);
        }
    }
    let promises = BTreeMap::new();
    let mut run = Run { world, tokens, promises, dump: Data::default(), was_set_back: false };
    for step in steps {
        run.step(&step).await;
        run.check().await;
    }
    run.heal().await;
}

/// 300 runs, and 10,000 in `.ci/nightly`.
#[test]
fn whatever_fails_nothing_is_let_through_and_everything_recovers() {
    let mut runner = auth_tests_random::runner(300);
    let steps = proptest::collection::vec(step(), 1..25);
    let result = runner.run(&steps, |steps| {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(run(steps));
        Ok(())
    });
    result.unwrap();
}
