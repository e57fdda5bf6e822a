//! A caller that satisfies a rule.

use crate::budget::OverBudget;
use crate::formula::{Fact, Formula};
use crate::search::Search;

/// The atoms of a caller that satisfies the rule, as few as possible; `None` if no caller can.
///
/// # Errors
/// [`OverBudget`]: nothing is known of this formula.
pub fn example(formula: &Formula, facts: &[Fact], budget: usize) -> Result<Option<Vec<usize>>, OverBudget> {
    let mut search = Search::new(formula, facts, budget)?;
    let satisfied = search.diagram.and(search.care, search.function(0))?;
    let levels = search.diagram.least_true(satisfied);
    Ok(levels.map(|levels| levels.into_iter().filter_map(|level| search.order.get(level).copied()).collect()))
}
