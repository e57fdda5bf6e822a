//! Who keeps a rule.

use crate::OverBudget;
use crate::formula::{Fact, Formula};
use crate::search::Search;

/// The atoms that a caller has who keeps the rule, as few as can be; `None` if nobody keeps it.
///
/// # Errors
/// [`OverBudget`]: nothing is known of this formula.
pub fn example(formula: &Formula, facts: &[Fact], budget: usize) -> Result<Option<Vec<usize>>, OverBudget> {
    let mut search = Search::new(formula, facts, budget)?;
    let kept = search.diagram.and(search.care, search.function(0))?;
    let levels = search.diagram.least_true(kept);
    Ok(levels.map(|levels| levels.into_iter().filter_map(|level| search.order.get(level).copied()).collect()))
}
