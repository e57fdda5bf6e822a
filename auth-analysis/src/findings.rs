//! The analysis: one walk down the formula, with the callers for whom a part matters.

use crate::OverBudget;
use crate::bdd::{Diagram, Function};
use crate::explain::Explain;
use crate::formula::{Fact, Formula};

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
}

/// How many times the budget the reasons may take, beside the finding itself.
const EXPLAINING: usize = 4;

/// Finds what is surely not meant. `budget` bounds the nodes of the diagram, and so the time.
///
/// Empty where there is nothing to find: somebody can keep the rule, somebody can't, and no part could be left out.
///
/// # Errors
/// [`OverBudget`]: nothing is known of this formula.
pub fn analyse(formula: &Formula, facts: &[Fact], budget: usize) -> Result<Vec<Finding>, OverBudget> {
    if is_plain(formula, facts) {
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
    search.simplify(0, formula, care)?;
    let mut dropped = Vec::new();
    let findings = std::mem::take(&mut search.redundant).into_iter().map(|(part, why)| {
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

fn has_empty(formula: &Formula) -> bool {
    let children = formula.children();
    !matches!(formula, Formula::Atom(_)) && children.is_empty() || children.iter().any(has_empty)
}

/// The functions of all parts, and what was found.
pub(crate) struct Search {
    pub(crate) diagram: Diagram,
    /// By the part's number.
    functions: Vec<Function>,
    /// The callers that there can be.
    pub(crate) care: Function,
    /// The atoms, as their variables stand.
    pub(crate) order: Vec<usize>,
    redundant: Vec<(usize, Redundancy)>,
}

impl Search {
    pub(crate) fn new(formula: &Formula, facts: &[Fact], budget: usize) -> Result<Self, OverBudget> {
        // In the order in which the rule names them, which keeps what belongs together together.
        let mut order: Vec<usize> = Vec::new();
        formula.atoms(&mut |atom| {
            if !order.contains(&atom) {
                order.push(atom);
            }
        });
        let mut diagram = Diagram::new(budget);
        let level = |atom: usize| order.iter().position(|other| *other == atom);

        // The clauses whose first variable is deepest come first: each next one is put on top of the last.
        let mut clauses: Vec<(usize, usize, bool)> = facts
            .iter()
            .filter_map(|fact| {
                let (a, b, excludes) = match *fact {
                    Fact::Implies(a, b) => (a, b, false),
                    Fact::Excludes(a, b) => (a, b, true),
                };
                Some((level(a)?, level(b)?, excludes))
            })
            .collect();
        clauses.sort_by_key(|&(a, b, _)| std::cmp::Reverse((a.min(b), a.max(b))));
        let mut care = Function::TRUE;
        for (a, b, excludes) in clauses {
            let (a, b) = (diagram.variable(a)?, diagram.variable(b)?);
            let forbidden = diagram.and(a, b.negated_if(!excludes))?;
            care = diagram.and(care, forbidden.not())?;
        }
        let mut search =
            Self { diagram, functions: Vec::new(), care, order: order.clone(), redundant: Vec::new() };
        search.build(formula, &level)?;
        Ok(search)
    }

    fn build(
        &mut self,
        formula: &Formula,
        level: &impl Fn(usize) -> Option<usize>,
    ) -> Result<Function, OverBudget> {
        let number = self.functions.len();
        self.functions.push(Function::TRUE);
        let mut children = Vec::new();
        for child in formula.children() {
            children.push(self.build(child, level)?);
        }
        let function = match formula {
            Formula::Atom(atom) => self.diagram.variable(level(*atom).ok_or(OverBudget)?)?,
            _ => self.join(formula, &children)?,
        };
        if let Some(place) = self.functions.get_mut(number) {
            *place = function;
        }
        Ok(function)
    }

    /// The function of a part whose children have these. From the last to the first, as the variables stand.
    fn join(&mut self, formula: &Formula, children: &[Function]) -> Result<Function, OverBudget> {
        let mut children = children.iter().rev();
        match formula {
            Formula::Not(_) => Ok(children.next().copied().unwrap_or(Function::TRUE).not()),
            Formula::Any(_) => {
                children.try_fold(Function::FALSE, |joined, &child| self.diagram.or(child, joined))
            }
            Formula::All(_) | Formula::Atom(_) => {
                children.try_fold(Function::TRUE, |joined, &child| self.diagram.and(child, joined))
            }
        }
    }

    pub(crate) fn function(&self, part: usize) -> Function {
        self.functions.get(part).copied().unwrap_or(Function::TRUE)
    }

    pub(crate) fn is_impossible(&mut self) -> Result<bool, OverBudget> {
        Ok(self.diagram.and(self.care, self.function(0))? == Function::FALSE)
    }

    /// Walks the parts of `formula`, which matters only to the callers in `care`, and returns what it means without
    /// those that change nothing.
    ///
    /// A part of `all` changes nothing if it holds for every caller to whom it matters: those for whom the rule comes to this
    /// `all`, and who keep the other parts. In `any` it is the other way around. From the last to the first, so that of two
    /// that say the same the second is named; and each is judged by the others as they are left, so that all that are found
    /// can be taken away together.
    fn simplify(&mut self, number: usize, formula: &Formula, care: Function) -> Result<Function, OverBudget> {
        let any = match formula {
            Formula::Atom(_) => return Ok(self.function(number)),
            Formula::Not(part) => return Ok(self.simplify(number + 1, part, care)?.not()),
            Formula::All(_) => false,
            Formula::Any(_) => true,
        };
        let mut kept: Vec<(usize, &Formula)> = formula.numbered_children(number).collect();
        // Where the parts before this one leave the decision to it; likewise behind.
        let mut before = vec![care];
        let mut left = care;
        for &(part, _) in &kept {
            left = self.diagram.and(left, self.function(part).negated_if(any))?;
            before.push(left);
        }
        let mut behind = Function::TRUE;
        for index in (0..kept.len()).rev() {
            let Some(&(part, _)) = kept.get(index) else { continue };
            let function = self.function(part).negated_if(any);
            let open = before.get(index).copied().unwrap_or(care);
            let matters = self.diagram.and(open, behind)?;
            if kept.len() > 1 && self.diagram.and(matters, function.not())? == Function::FALSE {
                let by_itself = self.diagram.and(self.care, function.not())? == Function::FALSE;
                let why = match (any, by_itself) {
                    (true, true) => Redundancy::Impossible,
                    (true, false) => Redundancy::Covered,
                    (false, true) => Redundancy::Certain,
                    (false, false) => Redundancy::Implied,
                };
                self.redundant.push((part, why));
                kept.remove(index);
            } else {
                behind = self.diagram.and(function, behind)?;
            }
        }
        self.simplify_each(formula, &kept, any, care)
    }

    /// Walks into the parts that are left.
    fn simplify_each(
        &mut self,
        formula: &Formula,
        kept: &[(usize, &Formula)],
        any: bool,
        care: Function,
    ) -> Result<Function, OverBudget> {
        let mut behind = vec![Function::TRUE];
        for &(part, _) in kept.iter().rev() {
            let last = behind.last().copied().unwrap_or(Function::TRUE);
            behind.push(self.diagram.and(self.function(part).negated_if(any), last)?);
        }
        behind.pop();
        let mut left = care;
        let mut functions = Vec::with_capacity(kept.len());
        for &(part, child) in kept {
            let behind = behind.pop().unwrap_or(Function::TRUE);
            let function = match child {
                Formula::Atom(_) => self.function(part),
                _ => {
                    let matters = self.diagram.and(left, behind)?;
                    self.simplify(part, child, matters)?
                }
            };
            functions.push(function);
            left = self.diagram.and(left, function.negated_if(any))?;
        }
        self.join(formula, &functions)
    }
}
