//! Against brute force: the truth of every formula for every caller that there can be.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::explain::without;
use crate::{Fact, Finding, Formula, OverBudget, Redundancy, Relations, analyze, example};

const BUDGET: usize = 1 << 16;

/// A vocabulary as it is written, and a rule over its roles and permissions and some atoms more.
#[derive(Clone, Debug)]
struct World {
    roles: usize,
    permissions: usize,
    others: usize,
    implies: Vec<(usize, usize)>,
    excludes: Vec<(usize, usize)>,
    grants: Vec<(usize, usize)>,
    formula: Formula,
}

impl World {
    fn atoms(&self) -> usize {
        self.roles + self.permissions + self.others
    }

    fn relations(&self) -> Relations {
        Relations::new(self.roles, &self.implies, &self.excludes, &self.grants)
    }

    /// The facts between the atoms that the rule mentions, as the macros would list them.
    fn facts(&self) -> Vec<Fact> {
        let relations = self.relations();
        let mut mentioned = Vec::new();
        self.formula.atoms(&mut |atom| mentioned.push(atom));
        mentioned.sort_unstable();
        mentioned.dedup();
        let mut facts = Vec::new();
        for &a in &mentioned {
            for &b in &mentioned {
                let permission = b.wrapping_sub(self.roles);
                if a < self.roles && b < self.roles && relations.implies(a, b) {
                    facts.push(Fact::Implies(a, b));
                }
                if a < b && b < self.roles && relations.excludes(a, b) {
                    facts.push(Fact::Excludes(a, b));
                }
                if a < self.roles && permission < self.permissions && relations.grants(a, permission) {
                    facts.push(Fact::Implies(a, b));
                }
            }
        }
        facts
    }

    /// For each assignment of all atoms, whether somebody can be like that: from what is written, one step at a time.
    fn possible(&self) -> Vec<bool> {
        let has = |caller: usize, atom: usize| caller >> atom & 1 == 1;
        (0..1 << self.atoms())
            .map(|caller| {
                self.implies.iter().all(|&(a, b)| !has(caller, a) || has(caller, b))
                    && self.excludes.iter().all(|&(a, b)| !(has(caller, a) && has(caller, b)))
                    && self.grants.iter().all(|&(a, p)| !has(caller, a) || has(caller, self.roles + p))
            })
            .collect()
    }
}

fn truth(formula: &Formula, caller: usize) -> bool {
    match formula {
        Formula::Atom(atom) => caller >> atom & 1 == 1,
        Formula::All(parts) => parts.iter().all(|part| truth(part, caller)),
        Formula::Any(parts) => parts.iter().any(|part| truth(part, caller)),
        Formula::Not(part) => !truth(part, caller),
    }
}

fn world() -> impl Strategy<Value = World> {
    (1..7usize, 0..4usize, 0..3usize).prop_flat_map(|(roles, permissions, others)| {
        let atoms = roles + permissions + others;
        let leaf = (0..atoms).prop_map(Formula::Atom);
        let formula = leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                3 => vec(inner.clone(), 1..4).prop_map(Formula::All),
                3 => vec(inner.clone(), 1..4).prop_map(Formula::Any),
                1 => inner.prop_map(|part| Formula::Not(Box::new(part))),
            ]
        });
        let pairs = |most| vec((0..roles, 0..roles), 0..most);
        let grants = vec((0..roles, 0..permissions.max(1)), 0..=2 * permissions.min(1));
        (pairs(7), pairs(3), grants, formula).prop_map(move |(implies, excludes, grants, formula)| World {
            roles,
            permissions,
            others,
            // A cycle, or a role that no caller can hold, is an error in the file that is reported as that.
            implies: implies.into_iter().filter(|(a, b)| a < b).collect(),
            excludes,
            grants,
            formula,
        })
    })
}

/// The numbers of the parts that could be left out one by one, by the definition.
fn superfluous(world: &World, formula: &Formula, possible: &[bool]) -> Vec<usize> {
    let mut candidates = Vec::new();
    removable(0, formula, &mut candidates);
    candidates.retain(|&part| same(formula, &without(0, formula, &[part]), possible));
    assert!(world.atoms() <= 12);
    candidates
}

fn removable(number: usize, formula: &Formula, parts: &mut Vec<usize>) {
    let several = formula.children().len() > 1;
    for (part, child) in formula.numbered_children(number) {
        if several {
            parts.push(part);
        }
        removable(part, child, parts);
    }
}

fn same(one: &Formula, other: &Formula, possible: &[bool]) -> bool {
    let mut callers = possible.iter().enumerate().filter(|(_, possible)| **possible);
    callers.all(|(caller, _)| truth(one, caller) == truth(other, caller))
}

fn agrees(world: &World) -> Result<(), TestCaseError> {
    let relations = world.relations();
    prop_assume!((0..world.roles).all(|role| !relations.excludes(role, role)));
    let possible = world.possible();
    let callers = || possible.iter().enumerate().filter(|(_, possible)| **possible).map(|(caller, _)| caller);
    let (formula, facts) = (&world.formula, world.facts());
    let findings = analyze(formula, &facts, BUDGET).map_err(|_| TestCaseError::fail("over budget"))?;

    let no_caller = callers().all(|caller| !truth(formula, caller));
    let every_caller = callers().all(|caller| truth(formula, caller));
    match findings.as_slice() {
        [Finding::Unsatisfiable { clash, .. }] => {
            prop_assert!(no_caller);
            let parts: Vec<Formula> = clash.iter().map(|clash| clashing(formula, clash)).collect();
            prop_assert!(callers().all(|caller| !parts.iter().all(|part| truth(part, caller))), "they clash");
            for left_out in 0..parts.len() {
                let rest = || parts.iter().enumerate().filter(|(index, _)| *index != left_out);
                let some = callers().any(|caller| rest().all(|(_, part)| truth(part, caller)));
                prop_assert!(some, "part {left_out} is none of those that clash");
            }
        }
        [Finding::Tautology { .. }] => prop_assert!(every_caller),
        redundant => {
            prop_assert!(!no_caller && !every_caller);
            let mut dropped = Vec::new();
            for finding in redundant {
                let Finding::Redundant { part, .. } = finding else {
                    return Err(TestCaseError::fail("a finding that comes alone"));
                };
                dropped.push(*part);
                prop_assert!(same(formula, &without(0, formula, &dropped), &possible), "{dropped:?}");
            }
            prop_assert_eq!(dropped.is_empty(), superfluous(world, formula, &possible).is_empty());
        }
    }
    let found = example(formula, &facts, BUDGET).map_err(|_| TestCaseError::fail("over budget"))?;
    let fewest = callers().filter(|caller| truth(formula, *caller)).map(|caller| {
        // Of what the rule mentions: what else comes along is not reported.
        let mut mentioned = Vec::new();
        formula.atoms(&mut |atom| mentioned.push(atom));
        (0..world.atoms()).filter(|atom| caller >> atom & 1 == 1 && mentioned.contains(atom)).count()
    });
    prop_assert_eq!(found.as_ref().map(Vec::len), fewest.min());
    if let Some(found) = found {
        let reported = found.iter().fold(0, |caller, atom| caller | 1 << atom);
        prop_assert!(truth(formula, reported));
    }
    let mut dropped = Vec::new();
    for finding in &findings {
        reasons_hold(formula, finding, &facts, &dropped, &possible)?;
        if let Finding::Redundant { part, .. } = finding {
            dropped.push(*part);
        }
    }
    Ok(())
}

/// What is given as the reason is enough, none of it is idle, and the kind of it is true.
fn reasons_hold(
    formula: &Formula,
    finding: &Finding,
    facts: &[Fact],
    dropped: &[usize],
    possible: &[bool],
) -> Result<(), TestCaseError> {
    let (Finding::Unsatisfiable { facts: used, .. }
    | Finding::Tautology { facts: used }
    | Finding::Redundant { facts: used, .. }) = finding;
    let has = |caller: usize, atom: usize| caller >> atom & 1 == 1;
    // Whether the finding would be one if these facts alone were true.
    let would_be = |used: &[usize]| {
        let callers: Vec<bool> = (0..possible.len())
            .map(|caller| {
                used.iter().all(|&fact| match facts[fact] {
                    Fact::Implies(a, b) => !has(caller, a) || has(caller, b),
                    Fact::Excludes(a, b) => !(has(caller, a) && has(caller, b)),
                })
            })
            .collect();
        let never = Formula::Any(Vec::new());
        let always = Formula::All(Vec::new());
        match finding {
            Finding::Unsatisfiable { .. } => same(formula, &never, &callers),
            Finding::Tautology { .. } => same(formula, &always, &callers),
            Finding::Redundant { part, why: Redundancy::Impossible, .. } => {
                same(formula.part(*part).unwrap(), &never, &callers)
            }
            Finding::Redundant { part, why: Redundancy::Certain, .. } => {
                same(formula.part(*part).unwrap(), &always, &callers)
            }
            Finding::Redundant { part, .. } => {
                let rest = without(0, formula, &[dropped, &[*part]].concat());
                same(&without(0, formula, dropped), &rest, &callers)
            }
        }
    };
    prop_assert!(would_be(used), "{finding:?} takes more");
    for left_out in 0..used.len() {
        let mut fewer = used.clone();
        fewer.remove(left_out);
        prop_assert!(!would_be(&fewer), "{finding:?} takes less");
    }
    if let Finding::Redundant { part, why, .. } = finding {
        let (parent, siblings) = around(0, formula, *part).expect("a part of another");
        let others = siblings.into_iter().filter(|other| other != part && !dropped.contains(other));
        let others: Vec<&Formula> = others.map(|other| formula.part(other).unwrap()).collect();
        let part = formula.part(*part).unwrap();
        let is_any = matches!(parent, Formula::Any(_));
        let by_siblings =
            possible.iter().enumerate().filter(|(_, possible)| **possible).all(|(caller, _)| {
                if is_any {
                    !truth(part, caller) || others.iter().any(|other| truth(other, caller))
                } else {
                    truth(part, caller) || !others.iter().all(|other| truth(other, caller))
                }
            });
        let expected: &[Redundancy] = match (is_any, by_siblings) {
            (_, false) => &[Redundancy::Settled],
            (true, true) => &[Redundancy::Covered, Redundancy::Impossible],
            (false, true) => &[Redundancy::Implied, Redundancy::Certain],
        };
        prop_assert!(expected.contains(why), "{why:?}, not {expected:?}");
    }
    Ok(())
}

/// The part that contains this one, and the numbers of all its children.
fn around(number: usize, formula: &Formula, wanted: usize) -> Option<(&Formula, Vec<usize>)> {
    let children: Vec<_> = formula.numbered_children(number).collect();
    if children.iter().any(|(child, _)| *child == wanted) {
        return Some((formula, children.into_iter().map(|(child, _)| child).collect()));
    }
    children.into_iter().find_map(|(number, child)| around(number, child, wanted))
}

fn clashing(formula: &Formula, clash: &crate::Clash) -> Formula {
    let part = formula.part(clash.part).expect("a part of this number").clone();
    if clash.negated { Formula::Not(Box::new(part)) } else { part }
}

#[test]
fn random_vocabularies_and_rules_agree_with_brute_force() {
    let config = auth_tests_random::config(1_000);
    let config = Config { max_global_rejects: config.cases, ..config };
    TestRunner::new(config).run(&world(), |world| agrees(&world)).unwrap();
}

#[test]
fn it_stops_at_its_budget() {
    // The disjunction of n pairs, whose halves are named n apart: every diagram in that order has 2ⁿ nodes.
    let n = 24;
    let halves = |from: usize| Formula::Any((from..from + n).map(Formula::Atom).collect());
    let pairs = (0..n).map(|pair| Formula::All(vec![Formula::Atom(pair), Formula::Atom(n + pair)]));
    let formula = Formula::All(vec![halves(0), halves(n), Formula::Any(pairs.collect())]);
    assert_eq!(analyze(&formula, &[], BUDGET), Err(OverBudget));
}

#[test]
fn each_finding_says_why() {
    use crate::Clash;
    use Finding::{Redundant, Tautology, Unsatisfiable};
    let [admin, editor, auditor] = [0, 1, 2].map(Formula::Atom);
    let facts = [Fact::Implies(0, 1), Fact::Excludes(0, 2), Fact::Implies(3, 4)];
    let all = |parts: &[&Formula]| Formula::All(parts.iter().map(|part| (*part).clone()).collect());
    let any = |parts: &[&Formula]| Formula::Any(parts.iter().map(|part| (*part).clone()).collect());
    let not = |part: &Formula| Formula::Not(Box::new(part.clone()));
    let found = |formula: &Formula| analyze(formula, &facts, BUDGET).unwrap();
    let redundant = |part, why, facts: &[usize]| vec![Redundant { part, why, facts: facts.to_vec() }];

    let clash = |part, negated| Clash { part, negated };
    let parts = vec![clash(1, false), clash(4, true)];
    assert_eq!(
        found(&all(&[&admin, &Formula::Atom(5), &not(&editor)])),
        [Unsatisfiable { clash: parts, facts: vec![0] }]
    );
    assert_eq!(found(&any(&[&not(&admin), &not(&auditor)])), [Tautology { facts: vec![1] }]);
    assert_eq!(found(&any(&[&editor, &admin])), redundant(2, Redundancy::Covered, &[0]));
    assert_eq!(found(&all(&[&editor, &admin])), redundant(1, Redundancy::Implied, &[0]));
    assert_eq!(found(&all(&[&editor, &editor])), redundant(2, Redundancy::Implied, &[]));
    assert_eq!(
        found(&any(&[&editor, &all(&[&admin, &auditor])])),
        redundant(2, Redundancy::Impossible, &[1])
    );
    assert_eq!(
        found(&all(&[&editor, &any(&[&not(&admin), &not(&auditor)])])),
        redundant(2, Redundancy::Certain, &[1])
    );
    assert_eq!(found(&all(&[&editor, &auditor])), []);
    assert_eq!(
        found(&Formula::Any(Vec::new())),
        [Unsatisfiable { clash: vec![clash(0, false)], facts: vec![] }]
    );
}

/// Large rules that a person might write: within the budget of the macros.
#[test]
fn large_rules_are_analysed() {
    const OF_THE_MACROS: usize = 100_000;
    let atoms = |n: usize| (0..n).map(Formula::Atom).collect::<Vec<_>>();
    let n = 300;
    let twice = Formula::All([atoms(n), vec![Formula::Atom(0)]].concat());
    let found = analyze(&twice, &[], OF_THE_MACROS).unwrap();
    assert_eq!(found, [Finding::Redundant { part: n + 1, why: Redundancy::Implied, facts: vec![] }]);

    let chain: Vec<Fact> = (0..100).flat_map(|a| (a + 1..100).map(move |b| Fact::Implies(a, b))).collect();
    assert_eq!(analyze(&Formula::Any(atoms(100)), &chain, OF_THE_MACROS).unwrap().len(), 99);
    let rivals: Vec<Fact> = (0..100).flat_map(|a| (a + 1..100).map(move |b| Fact::Excludes(a, b))).collect();
    assert_eq!(analyze(&Formula::Any(atoms(100)), &rivals, OF_THE_MACROS), Ok(vec![]));
    // A tree of roles, named level by level.
    let above = |mut role: usize| {
        std::iter::from_fn(move || {
            role = role.checked_sub(1)? / 2;
            Some(role)
        })
    };
    let tree: Vec<Fact> =
        (0..63).flat_map(|role| above(role).map(move |above| Fact::Implies(above, role))).collect();
    let leaves = Formula::All(vec![Formula::Any(atoms(63)), Formula::Not(Box::new(Formula::Atom(62)))]);
    assert!(analyze(&leaves, &tree, OF_THE_MACROS).is_ok());
}

#[test]
fn what_is_too_deep_is_not_walked() {
    let deep = (0..100_000).fold(Formula::Atom(0), |inner, _| Formula::All(vec![inner]));
    assert_eq!(analyze(&deep, &[], BUDGET), Err(OverBudget));
    // Taken apart by hand: else its end would overflow the stack.
    let mut next = Some(deep);
    while let Some(Formula::All(mut parts)) = next {
        next = parts.pop();
    }
}
