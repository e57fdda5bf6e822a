//! The order in which findings are looked for: callers for whom everything matters, and then the diagram.

use crate::bdd::Function;
use crate::budget::OverBudget;
use crate::explain::Explain;
use crate::findings::{Finding, Redundancy};
use crate::formula::{Fact, Formula};
use crate::search::Search;
use crate::witness::Witnesses;

/// How deep a formula may be, and of how many parts: its walks are recursive.
const MOST_DEPTH: usize = 64;
const MOST_PARTS: usize = 2_000;

/// How many times the budget the reasons may take, beside the finding itself.
const EXPLAINING: usize = 2;

/// Finds what is surely not meant. `budget` bounds the nodes of the diagram, and so the time.
///
/// Empty where there is nothing to find: one caller can satisfy the rule, another can't, and no part could be left out.
///
/// # Errors
/// [`OverBudget`]: nothing is known of this formula.
pub fn analyze(formula: &Formula, facts: &[Fact], budget: usize) -> Result<Vec<Finding>, OverBudget> {
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

/// Whether every atom occurs once and none binds another: then each part can hold and can fail by itself, and
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

/// By the part's number, whether it contains something of which it is not known that it matters.
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
