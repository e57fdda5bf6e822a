use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use auth_tests_random::runner;
use proptest::prelude::*;

use super::*;

fn network(number: u8) -> IpAddr {
    Ipv4Addr::new(203, 0, 113, number).into()
}

/// A queue for four, of which three may have priority.
fn small() -> FairQueue<&'static str> {
    FairQueue::new(4, 3)
}

/// Lets one wait, by a name, and returns who was displaced.
fn enter(
    queue: &mut FairQueue<&'static str>,
    from: u8,
    has_priority: bool,
    name: &'static str,
) -> Result<Option<(&'static str, Refused)>, Refused> {
    queue.enter(network(from), has_priority, name).map(|(_, displaced)| displaced)
}

fn all(queue: &mut FairQueue<&'static str>) -> String {
    std::iter::from_fn(|| queue.next()).collect::<Vec<_>>().join(" ")
}

#[test]
fn networks_take_turns_and_within_one_the_oldest_is_next() {
    let mut queue = FairQueue::new(100, 75);
    for (from, name) in
        [(1, "a1"), (1, "a2"), (1, "a3"), (1, "a4"), (2, "b1"), (2, "b2"), (3, "c1"), (1, "a5")]
    {
        assert_eq!(enter(&mut queue, from, false, name), Ok(None));
    }
    assert_eq!((queue.next(), queue.next()), (Some("a1"), Some("b1")));
    // one that comes again waits for its turn
    assert_eq!(enter(&mut queue, 4, false, "d1"), Ok(None));
    assert_eq!(all(&mut queue), "c1 a2 b2 d1 a3 a4 a5");
    assert_eq!((queue.len(), queue.next()), (0, None));
}

#[test]
fn three_with_priority_are_next_and_then_one_of_the_others() {
    let mut queue = FairQueue::new(100, 75);
    for (from, has_priority, name) in [
        (1, false, "a"),
        (2, false, "b"),
        (3, false, "c"),
        (4, true, "P"),
        (4, true, "Q"),
        (4, true, "R"),
        (4, true, "S"),
        (5, true, "T"),
    ] {
        assert_eq!(enter(&mut queue, from, has_priority, name), Ok(None));
    }
    assert_eq!(all(&mut queue), "P T Q a R S b c");
    // Many with priority while none of the others waits, and one of these comes.
    for name in ["U", "V", "W", "X", "Y"] {
        enter(&mut queue, 4, true, name).unwrap();
    }
    assert_eq!([(); 4].map(|()| queue.next().unwrap()), ["U", "V", "W", "X"]);
    enter(&mut queue, 1, false, "d").unwrap();
    assert_eq!(all(&mut queue), "d Y");
}

#[test]
fn a_full_queue_refuses_the_network_of_which_most_wait() {
    let mut queue = small();
    for name in ["a1", "a2", "a3"] {
        enter(&mut queue, 1, false, name).unwrap();
    }
    enter(&mut queue, 2, false, "b1").unwrap();
    assert_eq!(enter(&mut queue, 1, false, "a4"), Err(Refused::OwnNetwork));
    assert_eq!(enter(&mut queue, 3, false, "c1"), Ok(Some(("a3", Refused::OwnNetwork))));
    assert_eq!(enter(&mut queue, 2, false, "b2"), Ok(Some(("a2", Refused::OwnNetwork))));
    // of two that are as long, the newest
    assert_eq!(all(&mut queue), "a1 b1 c1 b2");
    for (from, name) in [(1, "a1"), (2, "b1"), (2, "b2"), (1, "a2")] {
        enter(&mut queue, from, false, name).unwrap();
    }
    assert_eq!(enter(&mut queue, 1, false, "a3"), Err(Refused::OwnNetwork));
    assert_eq!(enter(&mut queue, 3, false, "c1"), Ok(Some(("a2", Refused::OwnNetwork))));
    assert_eq!(enter(&mut queue, 4, false, "d1"), Ok(Some(("b2", Refused::OwnNetwork))));
    // each has one now
    assert_eq!(enter(&mut queue, 5, false, "e1"), Err(Refused::Full));
    assert_eq!(enter(&mut queue, 4, false, "d2"), Err(Refused::OwnNetwork));
    assert_eq!(enter(&mut queue, 5, true, "E"), Ok(Some(("d1", Refused::Full))));
    assert_eq!(all(&mut queue), "E a1 b1 c1");
}

#[test]
fn one_with_priority_gives_way_to_none_without() {
    let mut queue = small();
    for name in ["P", "Q", "R"] {
        assert_eq!(enter(&mut queue, 1, true, name), Ok(None));
    }
    // of those with priority, there is no room for more: these are fair among themselves
    assert_eq!(enter(&mut queue, 1, true, "S"), Err(Refused::OwnNetwork));
    assert_eq!(enter(&mut queue, 2, true, "T"), Ok(Some(("R", Refused::OwnNetwork))));
    assert_eq!(enter(&mut queue, 3, false, "a"), Ok(None));
    assert_eq!(enter(&mut queue, 4, false, "b"), Err(Refused::Full));
    assert_eq!(enter(&mut queue, 3, false, "c"), Err(Refused::OwnNetwork));
    assert_eq!(enter(&mut queue, 3, true, "U"), Ok(Some(("Q", Refused::OwnNetwork))));
    assert_eq!(enter(&mut queue, 4, true, "V"), Err(Refused::Full));
    assert_eq!(all(&mut queue), "P T U a");
}

#[test]
fn one_that_leaves_makes_room() {
    let mut queue = small();
    let tickets: Vec<_> = [(1, "a1"), (1, "a2"), (2, "b1"), (3, "c1")]
        .map(|(from, name)| queue.enter(network(from), false, name).unwrap().0)
        .into();
    assert_eq!(queue.remove(tickets[2]), Some("b1"));
    assert_eq!(queue.remove(tickets[2]), None);
    assert_eq!(queue.remove(tickets[0]), Some("a1"));
    assert_eq!(queue.len(), 2);
    assert_eq!(enter(&mut queue, 4, false, "d1"), Ok(None));
    assert_eq!(all(&mut queue), "a2 c1 d1");
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Enter(u8, bool),
    Next,
    /// The one that has waited for this many of the present ones.
    Leave(usize),
}

/// One that waits, in the model: a plain list in the order of arrival.
#[derive(Clone, Debug)]
struct Waits {
    ticket: u64,
    network: u8,
    has_priority: bool,
    /// How many of each other network, with as much priority, were next since it is the oldest of its own.
    passed_by: BTreeMap<u8, u32>,
}

/// The most that wait of a network, with this priority, and how many wait of each.
fn most(model: &[Waits], has_priority: bool) -> (usize, BTreeMap<u8, usize>) {
    let mut counts = BTreeMap::new();
    for waits in model.iter().filter(|waits| waits.has_priority == has_priority) {
        *counts.entry(waits.network).or_insert(0) += 1;
    }
    (counts.values().copied().max().unwrap_or(0), counts)
}

#[test]
fn what_is_promised_holds_for_random_steps() {
    let step = prop_oneof![
        6 => (0..6_u8, prop::bool::weighted(0.4)).prop_map(|(network, has_priority)| Step::Enter(network, has_priority)),
        3 => Just(Step::Next),
        1 => (0..10_usize).prop_map(Step::Leave),
    ];
    runner(500)
        .run(&prop::collection::vec(step, 1..200), |steps| {
            let mut queue = FairQueue::new(8, 6);
            let mut model: Vec<Waits> = Vec::new();
            let mut others_waited_for = 0;
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Enter(from, has_priority) => {
                        entered(&mut queue, &mut model, number, from, has_priority)?;
                    }
                    Step::Next => next(&mut queue, &mut model, &mut others_waited_for)?,
                    Step::Leave(index) => {
                        if index < model.len() {
                            prop_assert!(queue.remove(model.remove(index).ticket).is_some());
                        }
                    }
                }
                prop_assert_eq!(queue.len(), model.len());
                prop_assert!(model.len() <= 8);
                prop_assert!(model.iter().filter(|waits| waits.has_priority).count() <= 6);
            }
            Ok(())
        })
        .unwrap();
}

fn entered(
    queue: &mut FairQueue<usize>,
    model: &mut Vec<Waits>,
    number: usize,
    from: u8,
    has_priority: bool,
) -> Result<(), TestCaseError> {
    let with_priority = model.iter().filter(|waits| waits.has_priority).count();
    let full_of = has_priority && with_priority >= 6;
    let is_full = full_of || model.len() >= 8;
    let (longest, counts) = most(model, full_of);
    let own = if full_of == has_priority { counts.get(&from).copied().unwrap_or(0) } else { 0 };
    match queue.enter(network(from), has_priority, number) {
        Ok((ticket, displaced)) => {
            prop_assert_eq!(displaced.is_some(), is_full);
            if displaced.is_some() {
                prop_assert!(own < longest && (longest > 1 || full_of != has_priority));
                let of_the_longest =
                    |waits: &&Waits| waits.has_priority == full_of && counts[&waits.network] == longest;
                let gone = model.iter().filter(of_the_longest).map(|waits| waits.ticket).max().unwrap();
                prop_assert!(queue.remove(gone).is_none());
                model.retain(|waits| waits.ticket != gone);
            }
            model.push(Waits { ticket, network: from, has_priority, passed_by: BTreeMap::new() });
        }
        Err(why) => {
            prop_assert!(is_full);
            let expected = if own >= longest { Refused::OwnNetwork } else { Refused::Full };
            prop_assert_eq!(why, expected);
            prop_assert!(own >= longest || (longest == 1 && full_of == has_priority));
        }
    }
    Ok(())
}

fn next(
    queue: &mut FairQueue<usize>,
    model: &mut Vec<Waits>,
    others_waited_for: &mut u32,
) -> Result<(), TestCaseError> {
    let before: Vec<_> = model.clone();
    if queue.next().is_none() {
        prop_assert!(before.is_empty());
        *others_waited_for = 0;
        return Ok(());
    }
    // Who was next: the one that is not there any more.
    let is_gone = |waits: &Waits| {
        !queue
            .with_priority
            .networks
            .iter()
            .chain(&queue.others.networks)
            .any(|(_, waiters)| waiters.iter().any(|waiter| waiter.ticket == waits.ticket))
    };
    let index = before.iter().position(is_gone).unwrap();
    let gone = model.remove(index);
    let has_the_same = |waits: &Waits| waits.has_priority == gone.has_priority;
    prop_assert!(
        !before[..index].iter().any(|waits| has_the_same(waits) && waits.network == gone.network),
        "the oldest of its network"
    );
    if gone.has_priority {
        *others_waited_for =
            if before.iter().any(|waits| !waits.has_priority) { *others_waited_for + 1 } else { 0 };
        prop_assert!(*others_waited_for <= 3);
    } else {
        *others_waited_for = 0;
    }
    let indices: Vec<usize> = (0..model.len()).filter(|&index| has_the_same(&model[index])).collect();
    for index in indices {
        let is_oldest = !model[..index]
            .iter()
            .any(|waits| waits.has_priority == gone.has_priority && waits.network == model[index].network);
        if is_oldest && model[index].network != gone.network {
            let passed_by = model[index].passed_by.entry(gone.network).or_insert(0);
            *passed_by += 1;
            prop_assert!(*passed_by <= 1, "it waits for one of each other network");
        }
    }
    Ok(())
}
