//! Random faults of two instances and their store, against a model of the promise.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use auth_runtime::clock::Clock as _;
use auth_runtime::revocation::Revocation;
use proptest::prelude::*;

use super::store::{Data, Fault};
use super::world::{Answer, ISSUER, MAX_STALENESS, World};

const TOKENS: usize = 3;

/// What is revoked, so that a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Token,
    Session,
    User,
}

impl By {
    /// The revocation, by which the token of this number is refused whatever the clocks show.
    fn revocation(self, token: usize, now: SystemTime) -> Revocation {
        let issuer = ISSUER.to_owned();
        let id = self.id(token);
        match self {
            Self::Token => Revocation::Token { issuer, token_id: id },
            Self::Session => Revocation::Session { issuer, session_id: id },
            Self::User => Revocation::User { issuer, subject: id, issued_at_or_before: now },
        }
    }

    /// The id in the token, and in the entry.
    fn id(self, token: usize) -> String {
        match self {
            Self::Token => format!("t{token}"),
            Self::Session => format!("session-t{token}"),
            Self::User => format!("user-t{token}"),
        }
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
    let by = prop_oneof![Just(By::Token), Just(By::Session), Just(By::User)];
    prop_oneof![
        6 => (0..2_usize, 0..TOKENS, by).prop_map(|(at, token, by)| Step::Revoke { at, token, by }),
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
    /// When the store had it, acknowledged, in milliseconds; `None` while it has lost it.
    kept_since: Option<u64>,
}

struct Run {
    world: World,
    tokens: Vec<String>,
    promises: BTreeMap<(usize, By), Promise>,
    dump: Data,
}

impl Run {
    async fn step(&mut self, step: &Step) {
        let world = &mut self.world;
        match step {
            Step::Revoke { at, token, by } => {
                let instance = &world.instances[*at];
                let revocation = by.revocation(*token, instance.clock.now());
                if instance.try_revoke(revocation).await.is_some_and(|answer| answer.is_ok()) {
                    let promise = self.promises.entry((*token, *by)).or_default();
                    promise.by.push((*at, instance.starts));
                    promise.kept_since.get_or_insert(world.time());
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
        let time = world.time();
        for ((token, by), promise) in &mut self.promises {
            let is_there = has(world, *by, *token);
            promise.kept_since = promise.kept_since.or(Some(time)).filter(|_| is_there);
        }
    }

    /// What was promised of the token.
    fn promises(&self, token: usize) -> impl Iterator<Item = (By, &Promise)> {
        self.promises.iter().filter(move |((of, _), _)| *of == token).map(|((_, by), promise)| (*by, promise))
    }

    /// Whether the instance has to know that the token was revoked.
    fn must_refuse(&self, at: usize, token: usize) -> bool {
        let staleness = u64::try_from(MAX_STALENESS.as_millis()).unwrap();
        self.promises(token).any(|(_, promise)| {
            let has_acknowledged = promise.by.contains(&(at, self.world.instances[at].starts));
            has_acknowledged || promise.kept_since.is_some_and(|since| self.world.time() > since + staleness)
        })
    }

    async fn check(&self) {
        for (at, instance) in self.world.instances.iter().enumerate() {
            for (token, text) in self.tokens.iter().enumerate() {
                let answer = instance.ask(text).await;
                let is_let_through = answer == Answer::Accepted && self.must_refuse(at, token);
                assert!(
                    !is_let_through,
                    "instance {at} has accepted t{token}: {:?}",
                    self.promises(token).collect::<Vec<_>>()
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
            for (token, text) in self.tokens.iter().enumerate() {
                let lives = |(at, starts): &(usize, u32)| self.world.instances[*at].starts == *starts;
                let answer = instance.ask(text).await;
                assert_ne!(answer, Answer::Unavailable, "instance {at} and t{token}");
                for (by, promise) in self.promises(token) {
                    let is_there = has(&self.world, by, token);
                    let is_known = is_there || promise.by.iter().any(lives);
                    assert!(
                        !is_known || answer == Answer::Revoked,
                        "instance {at} has lost {by:?} of t{token}: {promise:?}"
                    );
                    assert!(!is_known || is_there, "{by:?} of t{token} was not appended again");
                }
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
    let tokens = (0..TOKENS).map(|token| world.token(&format!("t{token}"))).collect();
    let mut run = Run { world, tokens, promises: BTreeMap::new(), dump: Data::default() };
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
