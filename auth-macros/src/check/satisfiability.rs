//! Rules that can't be intended: no caller satisfies them, every caller does, or a part changes nothing.

use auth_analysis::{Atom, Clash, Fact, Finding, Formula, ListKind, Redundancy, analyze};

use super::display;
use super::formula::RuleFormula;
use crate::diagnostics::Diagnostics;
use crate::rule::{Arguments, Range};
use crate::vocabulary::Vocabulary;

/// Bounds the analysis of one rule, and the search for reasons of its findings, to a fraction of a second, also in a
/// compiler plugin without optimization. A rule of a hundred names that all bind each other stays within it.
const BUDGET: usize = 100_000;

/// Analyzes the rule, with what the vocabulary says of its names.
pub(crate) fn check(arguments: &Arguments, vocabulary: Option<&Vocabulary>, diagnostics: &Diagnostics) {
    let (Some(first), Some(last)) = (arguments.requirements.first(), arguments.requirements.last()) else {
        return;
    };
    let whole = Range { first: first.range.first, last: last.range.last };
    let mut rule = RuleFormula::default();
    let formula = rule.all(&arguments.requirements, whole);
    let facts = rule.facts(vocabulary);
    let report = Report { arguments, rule: &rule, formula: &formula, facts: &facts, whole, diagnostics };
    match analyze(&formula, &facts, BUDGET) {
        Ok(findings) => findings.iter().for_each(|finding| report.finding(finding)),
        Err(_) => diagnostics.warning(
            whole,
            "rule_not_analyzed",
            "this rule was not analyzed, since it combines too many names: it is enforced as it is written, but it was not checked \
             whether a caller can satisfy it and whether each part makes a difference. Give a part of it a name, `rule = CONST`, \
             so that the part is analyzed by itself",
        ),
    }
}

/// Findings → errors and warnings.
struct Report<'t> {
    arguments: &'t Arguments,
    rule: &'t RuleFormula<'t>,
    formula: &'t Formula,
    facts: &'t [Fact],
    whole: Range,
    diagnostics: &'t Diagnostics,
}

impl Report<'_> {
    fn finding(&self, finding: &Finding) {
        match finding {
            Finding::Unsatisfiable { clash, facts } => self.unsatisfiable(clash, facts),
            Finding::Tautology { facts } => self.tautology(facts),
            Finding::Redundant { part, why, facts } => self.redundant(*part, *why, facts),
        }
    }

    /// At the last of the parts that contradict each other, with the others in the message.
    fn unsatisfiable(&self, clash: &[Clash], facts: &[usize]) {
        let text = |clash: &Clash| {
            let text = self.rule.source(clash.part)?.text();
            // The opposite of what is inside of a `not`.
            Some(if clash.negated { format!("`not({text})`") } else { format!("`{text}`") })
        };
        let mut texts: Vec<String> = clash.iter().filter_map(text).collect();
        let last = texts.pop().unwrap_or_default();
        let last_source = clash.last().and_then(|clash| self.rule.source(clash.part));
        let why = if texts.is_empty() {
            match clash.first().and_then(|clash| self.formula.part(clash.part)) {
                Some(Formula::Any(_)) => format!("no alternative of {last} can be satisfied"),
                _ => format!("{last} can't be satisfied"),
            }
        } else {
            format!("{last} contradicts {}", texts.join(" together with "))
        };
        self.diagnostics.error_in(
            last_source.map_or(self.whole, |source| source.range),
            format!("no caller can satisfy this rule: {why}{}", self.since(facts)),
        );
    }

    fn tautology(&self, facts: &[usize]) {
        let since = self.since(facts);
        let message = match &self.arguments.check {
            None => format!(
                "every authenticated caller satisfies this rule, though it has requirements{since}: write `#[auth]`, \
                 or `rule!()`, if that is intended"
            ),
            Some(check) => {
                let check = display::path(check);
                format!(
                    "every authenticated caller satisfies these requirements{since}, so that only the check decides: \
                     write `#[auth(check = {check})]` if that is intended"
                )
            }
        };
        self.diagnostics.error_in(self.whole, message);
    }

    fn redundant(&self, part: usize, why: Redundancy, facts: &[usize]) {
        let Some(source) = self.rule.source(part) else { return };
        let (why, remedy) = match why {
            Redundancy::Impossible => ("no caller satisfies it", "Correct it, or remove it"),
            Redundancy::Certain => ("every caller satisfies it", "Correct it, or remove it"),
            Redundancy::Covered => {
                ("every caller that satisfies it satisfies another alternative", "Remove it")
            }
            Redundancy::Settled => {
                ("wherever it could make a difference, the rest of the rule has decided already", "Remove it")
            }
            Redundancy::Implied => {
                ("every caller that satisfies the other requirements satisfies it", "Remove it")
            }
        };
        let since = self.since(facts);
        let message = format!("`{}` has no effect here: {why}{since}. {remedy}", source.text());
        self.diagnostics.warning(source.range, "redundant", &message);
    }

    /// ", since `admin` implies `editor`"; empty where no fact is needed.
    fn since(&self, facts: &[usize]) -> String {
        let mut texts: Vec<String> = Vec::new();
        for fact in facts.iter().filter_map(|&fact| self.facts.get(fact)) {
            texts.extend(self.fact(*fact).filter(|text| !texts.contains(text)));
        }
        if texts.is_empty() { String::new() } else { format!(", since {}", texts.join(" and ")) }
    }

    fn fact(&self, fact: Fact) -> Option<String> {
        let (Fact::Implies(a, b) | Fact::Excludes(a, b)) = fact;
        let (one, other) = (self.rule.atoms.get(a)?, self.rule.atoms.get(b)?);
        Some(match (one, other) {
            (Atom::Name(ListKind::Roles, one), Atom::Name(ListKind::Permissions, other)) => {
                format!("the role `{one}` is granted `{other}`")
            }
            (Atom::Name(ListKind::Roles, one), Atom::Name(_, other)) => match fact {
                Fact::Implies(..) => format!("`{one}` implies `{other}`"),
                Fact::Excludes(..) => format!("no caller can have both `{one}` and `{other}`"),
            },
            (Atom::MaxAge(one), Atom::MaxAge(other)) => format!(
                "a login at most {} old is at most {} old",
                display::duration(*one),
                display::duration(*other)
            ),
            _ => "a login has one `acr` class".to_owned(),
        })
    }
}
