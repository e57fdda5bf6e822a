//! The walk down the formula, with the callers for whom a part matters.

use std::collections::BTreeSet;

use crate::bdd::{Diagram, Function};
use crate::budget::OverBudget;
use crate::findings::Redundancy;
use crate::formula::{Fact, Formula};

/// The functions of all parts, and what was found.
pub(crate) struct Search {
    pub(crate) diagram: Diagram,
    /// By the part's number.
    functions: Vec<Function>,
    /// By the part's number, whether none of its atoms occurs anywhere else, nor in a fact. Then it can hold or not whatever the
    /// others do, and is never found to change nothing.
    free: Vec<bool>,
    /// By the part's number, whether a caller was found for whom it matters.
    is_known: Vec<bool>,
    /// By the part's number, whether something in it has to be looked at.
    is_open: Vec<bool>,
    /// The callers that there can be.
    pub(crate) care: Function,
    /// The atoms, as their variables stand.
    pub(crate) order: Vec<usize>,
    redundant: Vec<(usize, Redundancy)>,
}

impl Search {
    pub(crate) fn new(formula: &Formula, facts: &[Fact], budget: usize) -> Result<Self, OverBudget> {
        let order = order(formula, facts);
        let mut diagram = Diagram::new(budget);
        let mut levels = vec![None; order.iter().max().map_or(0, |most| most + 1)];
        for (level, &atom) in order.iter().enumerate() {
            if let Some(place) = levels.get_mut(atom) {
                *place = Some(level);
            }
        }
        let level = |atom: usize| levels.get(atom).copied().flatten();

        // The clauses whose first variable is deepest come first: each next one is put on top of the last.
        let mut clauses: Vec<(usize, usize, bool)> = direct(facts)
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
        let mut search = Self {
            diagram,
            functions: Vec::new(),
            free: Vec::new(),
            is_known: Vec::new(),
            is_open: Vec::new(),
            care,
            order,
            redundant: Vec::new(),
        };
        let mut uses = vec![0; levels.len()];
        let mut used = |atom: usize| uses.get_mut(atom).into_iter().for_each(|uses| *uses += 1);
        formula.atoms(&mut used);
        for fact in facts {
            let (Fact::Implies(a, b) | Fact::Excludes(a, b)) = *fact;
            [a, b].into_iter().for_each(&mut used);
        }
        search.build(formula, &level, &|atom| uses.get(atom) == Some(&1))?;
        Ok(search)
    }

    fn build(
        &mut self,
        formula: &Formula,
        level: &impl Fn(usize) -> Option<usize>,
        is_free: &impl Fn(usize) -> bool,
    ) -> Result<Function, OverBudget> {
        let number = self.functions.len();
        self.functions.push(Function::TRUE);
        self.free.push(true);
        let mut children = Vec::new();
        let mut free = match formula {
            Formula::Atom(atom) => is_free(*atom),
            _ => !formula.children().is_empty(),
        };
        for child in formula.children() {
            let number = self.functions.len();
            children.push(self.build(child, level, is_free)?);
            free &= self.is_free(number);
        }
        if let Some(place) = self.free.get_mut(number) {
            *place = free;
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

    fn is_free(&self, part: usize) -> bool {
        self.free.get(part).copied().unwrap_or(false)
    }

    fn surely_matters(&self, part: usize) -> bool {
        self.is_free(part) || self.is_known.get(part).copied().unwrap_or(false)
    }

    pub(crate) fn function(&self, part: usize) -> Function {
        self.functions.get(part).copied().unwrap_or(Function::TRUE)
    }

    pub(crate) fn is_impossible(&mut self) -> Result<bool, OverBudget> {
        Ok(self.diagram.and(self.care, self.function(0))? == Function::FALSE)
    }

    /// The parts that can be left out together, with the reason of each. Of the others it `is_known` already that they matter; and
    /// something has to be looked at in those that are open.
    pub(crate) fn redundant(
        mut self,
        formula: &Formula,
        is_known: Vec<bool>,
        is_open: Vec<bool>,
    ) -> Result<Vec<(usize, Redundancy)>, OverBudget> {
        (self.is_known, self.is_open) = (is_known, is_open);
        self.simplify(0, formula, self.care)?;
        Ok(self.redundant)
    }

    /// Walks the parts of `formula`, which matters only to the callers in `care`, and returns what it means without
    /// those that change nothing.
    ///
    /// A part of `all` changes nothing if it holds for every caller to whom it matters: those for whom the rule comes to this
    /// `all`, and who satisfy the other parts. In `any` it is the other way around. From the last to the first, so that of two
    /// that say the same the second is named; and each is judged by the others as they are left, so that all that are found
    /// can be taken away together.
    fn simplify(&mut self, number: usize, formula: &Formula, care: Function) -> Result<Function, OverBudget> {
        let any = match formula {
            Formula::Atom(_) => return Ok(self.function(number)),
            Formula::Not(part) => return Ok(self.simplify(number + 1, part, care)?.not()),
            Formula::All(_) => false,
            Formula::Any(_) => true,
        };
        let parts: Vec<(usize, &Formula)> = formula.numbered_children(number).collect();
        let mut dropped = Vec::new();
        let functions: Vec<(usize, Function)> =
            parts.iter().map(|&(part, _)| (part, self.function(part).negated_if(any))).collect();
        self.judge(&functions, care, functions.len(), &mut dropped)?;
        for (index, &part) in dropped.iter().enumerate() {
            let gone = dropped.get(..=index).unwrap_or_default();
            let others = functions.iter().filter(|(other, _)| !gone.contains(other));
            let others: Vec<Function> = others.map(|&(_, function)| function).collect();
            let why = self.why(self.function(part).negated_if(any), &others, any)?;
            self.redundant.push((part, why));
        }
        let left: Vec<_> = parts.into_iter().filter(|(part, _)| !dropped.contains(part)).collect();
        self.simplify_each(formula, &left, any, care)
    }

    /// Of parts that are joined, finds those that can be left out; `open` are the callers for whom all others leave the
    /// decision to these. Of how many there are in all, the last one is not asked about. Returns what the rest comes to.
    fn judge(
        &mut self,
        parts: &[(usize, Function)],
        open: Function,
        mut left: usize,
        dropped: &mut Vec<usize>,
    ) -> Result<Function, OverBudget> {
        match parts {
            _ if parts.iter().all(|&(part, _)| self.surely_matters(part)) => self.product(parts),
            [] => Ok(Function::TRUE),
            [(part, function)] => {
                if left > 1 && self.diagram.and(open, function.not())? == Function::FALSE {
                    dropped.push(*part);
                    return Ok(Function::TRUE);
                }
                Ok(*function)
            }
            // By halves, so that of many parts none is put together with all others one by one.
            _ => {
                let (first, second) = parts.split_at(parts.len() / 2);
                let before = self.product(first)?;
                let open_to_second = self.diagram.and(open, before)?;
                let already = dropped.len();
                let second = self.judge(second, open_to_second, left, dropped)?;
                left -= dropped.len() - already;
                let open_to_first = self.diagram.and(open, second)?;
                let first = self.judge(first, open_to_first, left, dropped)?;
                self.diagram.and(first, second)
            }
        }
    }

    fn product(&mut self, parts: &[(usize, Function)]) -> Result<Function, OverBudget> {
        parts.iter().rev().try_fold(Function::TRUE, |joined, &(_, part)| self.diagram.and(part, joined))
    }

    /// Why a part can be left out beside these others, all of them negated where they are alternatives.
    fn why(&mut self, part: Function, others: &[Function], any: bool) -> Result<Redundancy, OverBudget> {
        let mut callers = self.care;
        if self.diagram.and(callers, part.not())? == Function::FALSE {
            return Ok(if any { Redundancy::Impossible } else { Redundancy::Certain });
        }
        for &other in others.iter().rev() {
            callers = self.diagram.and(callers, other)?;
        }
        Ok(match (self.diagram.and(callers, part.not())? == Function::FALSE, any) {
            (false, _) => Redundancy::Settled,
            (true, true) => Redundancy::Covered,
            (true, false) => Redundancy::Implied,
        })
    }

    /// Walks into the parts that are left.
    fn simplify_each(
        &mut self,
        formula: &Formula,
        parts: &[(usize, &Formula)],
        any: bool,
        care: Function,
    ) -> Result<Function, OverBudget> {
        let mut behind = vec![Function::TRUE];
        for &(part, _) in parts.iter().rev() {
            let last = behind.last().copied().unwrap_or(Function::TRUE);
            behind.push(self.diagram.and(self.function(part).negated_if(any), last)?);
        }
        behind.pop();
        let mut left = care;
        let mut functions = Vec::with_capacity(parts.len());
        for &(part, child) in parts {
            let behind = behind.pop().unwrap_or(Function::TRUE);
            let function = match child {
                _ if !self.is_open.get(part).copied().unwrap_or(true) => self.function(part),
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

/// The atoms as the rule names them, each followed by those that a fact binds it to: so that what belongs together is close.
fn order(formula: &Formula, facts: &[Fact]) -> Vec<usize> {
    let mut named: Vec<usize> = Vec::new();
    formula.atoms(&mut |atom| named.push(atom));
    let count = named.iter().max().map_or(0, |most| most + 1);
    let mut bound: Vec<Vec<usize>> = vec![Vec::new(); count];
    for fact in facts {
        let (Fact::Implies(a, b) | Fact::Excludes(a, b)) = *fact;
        for (one, other) in [(a, b), (b, a)] {
            if other < count
                && let Some(list) = bound.get_mut(one)
            {
                list.push(other);
            }
        }
    }
    let mut open: Vec<bool> = vec![false; count];
    named.iter().for_each(|&atom| open.get_mut(atom).into_iter().for_each(|open| *open = true));
    let mut order = Vec::new();
    for atom in named {
        let mut next = vec![atom];
        while let Some(atom) = next.pop() {
            if open.get_mut(atom).is_some_and(std::mem::take) {
                order.push(atom);
                next.extend(bound.get(atom).into_iter().flatten().rev());
            }
        }
    }
    order
}

/// Without the implications that others lead to: they say nothing more.
fn direct(facts: &[Fact]) -> impl Iterator<Item = &Fact> {
    let implied: BTreeSet<(usize, usize)> = facts
        .iter()
        .filter_map(|fact| match *fact {
            Fact::Implies(a, b) => Some((a, b)),
            Fact::Excludes(..) => None,
        })
        .collect();
    facts.iter().filter(move |fact| match **fact {
        Fact::Excludes(..) => true,
        Fact::Implies(a, c) => {
            let mut between = implied.range((a, 0)..=(a, usize::MAX)).map(|&(_, b)| b);
            !between.any(|b| b != c && b != a && implied.contains(&(b, c)) && !implied.contains(&(c, b)))
        }
    })
}
