//! Why a finding is one: the least of parts and facts that it takes.

use std::cell::Cell;

use crate::bdd::Function;
use crate::budget::OverBudget;
use crate::findings::Clash;
use crate::formula::{Fact, Formula};
use crate::search::Search;

/// Looks for reasons, within a budget of its own: a finding is valid without them.
pub(crate) struct Explain<'f> {
    facts: &'f [Fact],
    budget: Cell<usize>,
}

impl<'f> Explain<'f> {
    pub(crate) fn within(facts: &'f [Fact], budget: usize) -> Self {
        Self { facts, budget: Cell::new(budget) }
    }

    /// The facts without which a caller could satisfy `formula`.
    pub(crate) fn impossible(&self, formula: &Formula) -> Vec<usize> {
        self.needed(formula)
    }

    /// The facts without which a caller could fail `formula`.
    pub(crate) fn certain(&self, formula: &Formula) -> Vec<usize> {
        self.needed(&Formula::Not(Box::new(formula.clone())))
    }

    /// The facts that it takes for `part` to change nothing, where the parts in `dropped` are gone.
    pub(crate) fn redundant(&self, formula: &Formula, dropped: &[usize], part: usize) -> Vec<usize> {
        let with = without(0, formula, dropped);
        let rest = without(0, formula, &[dropped, &[part]].concat());
        // No caller satisfies the one and not the other.
        let differ = Formula::All(vec![
            Formula::Any(vec![with.clone(), rest.clone()]),
            Formula::Not(Box::new(Formula::All(vec![with, rest]))),
        ]);
        self.needed(&differ)
    }

    /// The parts of an unsatisfiable rule that can't hold together, and of which none could be left out.
    pub(crate) fn clash(&self, formula: &Formula, search: &mut Search) -> Vec<Clash> {
        let mut parts = Vec::new();
        asked(0, formula, false, &mut parts);
        let all: Vec<usize> = (0..parts.len()).collect();
        let chosen = least(&all, &mut |chosen| {
            let mut together = search.care;
            for clash in chosen.iter().filter_map(|&index| parts.get(index)) {
                let function = search.function(clash.part).negated_if(clash.negated);
                together = search.diagram.and(together, function)?;
            }
            Ok(together == Function::FALSE)
        });
        let chosen = chosen.unwrap_or(all);
        chosen.into_iter().filter_map(|index| parts.get(index).copied()).collect()
    }

    /// A list of facts with which no caller can satisfy `formula`, and of which none could be left out: indices, in order.
    fn needed(&self, formula: &Formula) -> Vec<usize> {
        if self.facts.is_empty() {
            return Vec::new();
        }
        let all: Vec<usize> = (0..self.facts.len()).collect();
        let chosen = least(&all, &mut |chosen| {
            let chosen: Vec<Fact> =
                chosen.iter().filter_map(|&index| self.facts.get(index).copied()).collect();
            let budget = self.budget.replace(0);
            let mut search = Search::new(formula, &chosen, budget)?;
            let impossible = search.is_impossible();
            self.budget.set(budget.saturating_sub(search.diagram.spent()));
            impossible
        });
        chosen.unwrap_or_default()
    }
}

/// The formula without the children of these numbers.
pub(crate) fn without(number: usize, formula: &Formula, dropped: &[usize]) -> Formula {
    let children = || {
        formula
            .numbered_children(number)
            .filter(|(part, _)| !dropped.contains(part))
            .map(|(part, child)| without(part, child, dropped))
    };
    match formula {
        Formula::Atom(atom) => Formula::Atom(*atom),
        Formula::All(_) => Formula::All(children().collect()),
        Formula::Any(_) => Formula::Any(children().collect()),
        Formula::Not(part) => Formula::Not(Box::new(without(number + 1, part, dropped))),
    }
}

/// The parts that must all hold, as deep as that goes.
fn asked(number: usize, formula: &Formula, negated: bool, parts: &mut Vec<Clash>) {
    let joined = match formula {
        Formula::All(_) => !negated,
        Formula::Any(_) => negated,
        Formula::Not(part) => return asked(number + 1, part, !negated, parts),
        Formula::Atom(_) => false,
    };
    if joined || formula.children().len() == 1 {
        formula.numbered_children(number).for_each(|(part, child)| asked(part, child, negated, parts));
    } else {
        parts.push(Clash { part: number, negated });
    }
}

/// Of `items`, for which `holds` is true, a list for which it still is and of which nothing can be taken away
/// (QuickXplain: Junker 2004).
fn least(
    items: &[usize],
    holds: &mut impl FnMut(&[usize]) -> Result<bool, OverBudget>,
) -> Result<Vec<usize>, OverBudget> {
    if holds(&[])? {
        return Ok(Vec::new());
    }
    let mut chosen = beside(&[], false, items, holds)?;
    chosen.sort_unstable();
    Ok(chosen)
}

/// What it takes of `items` beside `given`, where `grown` says that `given` has changed since it was last asked about.
fn beside(
    given: &[usize],
    grown: bool,
    items: &[usize],
    holds: &mut impl FnMut(&[usize]) -> Result<bool, OverBudget>,
) -> Result<Vec<usize>, OverBudget> {
    if grown && holds(given)? {
        return Ok(Vec::new());
    }
    if items.len() <= 1 {
        return Ok(items.to_vec());
    }
    let (first, second) = items.split_at(items.len() / 2);
    let of_second = beside(&[given, first].concat(), true, second, holds)?;
    let of_first = beside(&[given, &of_second].concat(), !of_second.is_empty(), first, holds)?;
    Ok([of_first, of_second].concat())
}
