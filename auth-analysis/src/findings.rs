//! What can be found, and in which order it is looked for: callers for whom everything matters, and then the diagram.

use crate::OverBudget;
use crate::bdd::Function;
use crate::explain::Explain;
use crate::formula::{Fact, Formula};
use crate::search::Search;
use crate::witness::Witnesses;

/// Something that is surely not meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Nobody can keep the rule.
    Unsatisfiable {
        /// Parts that can't hold together, of which none could be left out.
        clash: Vec<Clash>,
        /// The facts that make it so, as indices into the list that was given; none where to find them takes too long.
        facts: Vec<usize>,
    },
    /// Everybody keeps the rule.
    Tautology {
        /// The facts that make it so.
        facts: Vec<usize>,
    },
    /// A part that changes nothing. Without all the parts that are found the rule means the same.
    Redundant {
        /// The number of the part.
        part: usize,
        /// Why it changes nothing.
        why: Redundancy,
        /// The facts that make it so.
        facts: Vec<usize>,
    },
}

/// One of several parts that can't hold together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The number of the part.
    pub part: usize,
    /// It is the part's opposite that is asked for.
    pub negated: bool,
}

/// Why a part changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redundancy {
    /// Nobody can keep this alternative.
    Impossible,
    /// Whoever keeps this alternative keeps another one.
    Covered,
    /// Everybody keeps this requirement.
    Certain,
    /// Whoever keeps the others keeps this requirement.
    Implied,
    /// For everybody for whom it would make a difference, the rest of the rule has decided already.
    Settled,
}

/// How deep a formula may be, and of how many parts: its walks are recursive.
const MOST_DEPTH: usize = 64;
const MOST_PARTS: usize = 2_000;

/// How many times the budget the reasons may take, beside the finding itself.
const EXPLAINING: usize = 2;

/// Finds what is surely not meant. `budget` bounds the nodes of the diagram, and so the time.
///
/// Empty where there is nothing to find: somebody can keep the rule, somebody can't, and no part could be left out.
///
/// # Errors
/// [`OverBudget`]: nothing is known of this formula.
pub fn analyse(formula: &Formula, facts: &[Fact], budget: usize) -> Result<Vec<Finding>, OverBudget> {
    if formula.depth() > MOST_DEPTH || formula.parts() > MOST_PARTS {
        return Err(OverBudget);
    }
    if is_plain(formula, facts) {
        return Ok(Vec::new());
    }
    let witnesses = Witnesses::find(formula, facts);
    let open = undecided(0, formula, &witnesses.matters);
    if witnesses.decides && !open.first().copied().unwrap_or(false) {
        return Ok(Vec::new());
    }
    let mut search = Search::new(formula, facts, budget)?;
    let root = search.function(0);
    let care = search.care;
    let explain = Explain::within(facts, budget.saturating_mul(EXPLAINING));
    if search.diagram.and(care, root)? == Function::FALSE {
        let clash = explain.clash(formula, &mut search);
        return Ok(vec![Finding::Unsatisfiable { clash, facts: explain.impossible(formula) }]);
    }
    if search.diagram.and(care, root.not())? == Function::FALSE {
        return Ok(vec![Finding::Tautology { facts: explain.certain(formula) }]);
    }
    let redundant = search.redundant(formula, witnesses.matters, open)?;
    let mut dropped = Vec::new();
    let findings = redundant.into_iter().map(|(part, why)| {
        let facts = match (why, formula.part(part)) {
            (Redundancy::Impossible, Some(part)) => explain.impossible(part),
            (Redundancy::Certain, Some(part)) => explain.certain(part),
            _ => explain.redundant(formula, &dropped, part),
        };
        dropped.push(part);
        Finding::Redundant { part, why, facts }
    });
    Ok(findings.collect())
}

/// Whether every atom stands there once and none binds another: then each part can be had and can be missed by itself, and
/// there is nothing to find. Most rules are like that.
fn is_plain(formula: &Formula, facts: &[Fact]) -> bool {
    let mut seen = Vec::new();
    let mut once = true;
    formula.atoms(&mut |atom| {
        once &= !seen.contains(&atom);
        seen.push(atom);
    });
    once && facts.is_empty() && !has_empty(formula)
}

/// By the part's number, whether something stands in it of which it is not known that it matters.
fn undecided(number: usize, formula: &Formula, matters: &[bool]) -> Vec<bool> {
    let mut open = vec![false];
    let several = formula.children().len() > 1;
    for (part, child) in formula.numbered_children(number) {
        let inside = undecided(part, child, matters);
        let is_open = several && !matters.get(part).copied().unwrap_or(false);
        if let Some(open) = open.first_mut() {
            *open |= is_open || inside.first().copied().unwrap_or(false);
        }
        open.extend(inside);
    }
    open
}

fn has_empty(formula: &Formula) -> bool {
    let children = formula.children();
    !matches!(formula, Formula::Atom(_)) && children.is_empty() || children.iter().any(has_empty)
}
