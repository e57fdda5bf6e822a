//! Asking, loading and forgetting in random orders, against what is promised.

use std::cell::{Cell, RefCell};
use std::pin::Pin;

use proptest::prelude::*;

use super::*;

/// What a load found: whose the key is, and when it looked.
#[derive(Debug)]
struct Row {
    subject: usize,
    read_at: u32,
}

#[derive(Clone, Debug)]
enum Step {
    Ask(u32),
    /// The key is now of this subject.
    Change(u32, usize),
    Forget(usize),
    /// A load that runs ends: its row does not count for later requests, in one of four cases.
    Finish(usize, u8),
    /// One that asked goes away.
    Leave(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..2_u32).prop_map(Step::Ask),
        2 => (0..2_u32, 0..2_usize).prop_map(|(key, subject)| Step::Change(key, subject)),
        3 => (0..2_usize).prop_map(Step::Forget),
        5 => (0..8_usize, 0..4_u8).prop_map(|(load, kind)| Step::Finish(load, kind)),
        1 => (0..8_usize).prop_map(Step::Leave),
    ];
    proptest::collection::vec(step, 1..60)
}

type Answer = Result<Option<Arc<Row>>, LoadError>;

type Asked<'c> = Pin<Box<dyn Future<Output = Answer> + 'c>>;

/// The same for all: the cache, and what the loads read.
struct Shared {
    cache: LoadCache<u32, Arc<Row>>,
    time: Cell<u32>,
    subject_of: RefCell<[usize; 2]>,
    /// Loads that run.
    loads: RefCell<Vec<oneshot::Sender<Duration>>>,
}

impl Shared {
    async fn load(&self, key: u32) -> Result<Loaded<Arc<Row>>, BoxError> {
        let subject = self.subject_of.borrow()[key as usize];
        let row = Row { subject, read_at: self.time.get() };
        let (ends, end) = oneshot::channel();
        self.loads.borrow_mut().push(ends);
        Ok(Loaded::new(Some(Arc::new(row)), end.await?))
    }
}

/// Whether a row that was read at `read_at` may be answered at `now`, to one who asked at `asked_at`.
fn is_from_before(row: &Row, asked_at: u32, forgotten_at: &[Vec<u32>; 2]) -> bool {
    forgotten_at[row.subject].iter().any(|&forgotten| row.read_at < forgotten && forgotten <= asked_at)
}

fn run(steps: &[Step]) -> Result<(), TestCaseError> {
    let bounds = Bounds { entries: 16, longest: MINUTE };
    let shared = Shared {
        cache: LoadCache::new("things", bounds, bounds),
        time: Cell::new(0),
        subject_of: RefCell::new([0, 1]),
        loads: RefCell::default(),
    };
    let mut forgotten_at = [Vec::new(), Vec::new()];
    let mut asking: Vec<(u32, Asked<'_>)> = Vec::new();
    for step in steps {
        let now = shared.time.get() + 1;
        shared.time.set(now);
        match *step {
            Step::Ask(key) => {
                asking.push((now, Box::pin(shared.cache.load(key, at(0), shared.load(key)))));
            }
            Step::Change(key, subject) => shared.subject_of.borrow_mut()[key as usize] = subject,
            Step::Forget(subject) => {
                forgotten_at[subject].push(now);
                shared.cache.forget(move |_, row| row.is_some_and(|row| row.subject == subject));
            }
            Step::Finish(load, kind) => {
                let mut loads = shared.loads.borrow_mut();
                loads.retain(|load| !load.is_closed());
                if load < loads.len() {
                    let _ = loads.swap_remove(load).send(if kind == 0 { Duration::ZERO } else { MINUTE });
                }
            }
            Step::Leave(caller) if caller < asking.len() => drop(asking.swap_remove(caller)),
            Step::Leave(_) => {}
        }
        // Twice: one that ends lets others go on.
        for _ in 0..2 {
            let mut answered = Vec::new();
            asking.retain_mut(|(asked_at, asked)| match asked.as_mut().now_or_never() {
                Some(answer) => {
                    answered.push((*asked_at, answer));
                    false
                }
                None => true,
            });
            for (asked_at, answer) in answered {
                let row = answer.unwrap().unwrap();
                prop_assert!(!is_from_before(&row, asked_at, &forgotten_at), "{row:?} {asked_at}");
            }
        }
        for key in 0..2 {
            if let Some(Some(row)) = shared.cache.get(&key, at(0)) {
                prop_assert!(!is_from_before(&row, now, &forgotten_at), "{row:?} is remembered");
            }
        }
    }
    drop(asking);
    let state = shared.cache.state();
    prop_assert!(state.flights.is_empty() && state.notes.is_empty() && state.loading == 0);
    Ok(())
}

#[test]
fn nothing_is_answered_from_before_it_was_forgotten() {
    auth_tests_random::runner(2000).run(&steps(), |steps| run(&steps)).unwrap();
}
