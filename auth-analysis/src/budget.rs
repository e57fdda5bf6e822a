//! The bound of the analysis.

/// The diagram has grown past the budget: nothing is known of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverBudget;
