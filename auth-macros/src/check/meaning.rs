//! Rules that can't be meant: nobody keeps them, everybody does, or a part changes nothing.

use auth_analysis::{Atom, Atoms, Clash, Fact, Finding, Formula, Redundancy, analyse};
use quote::ToTokens as _;
use syn::Lit;

use crate::check::words;
use crate::diagnostics::Diagnostics;
use crate::rule::{Arguments, Claim, Expected, Part, Range, Requirement};
use crate::vocabulary::Vocabulary;

/// Bounds the analysis of one rule to some milliseconds, also in a compiler plugin without optimization. A rule of a
/// hundred different names takes a tenth of it.
const BUDGET: usize = 100_000;

/// Analyses the rule, with what the vocabulary says of its names.
pub(crate) fn of(arguments: &Arguments, vocabulary: Option<&Vocabulary>, diagnostics: &Diagnostics) {
    let (Some(first), Some(last)) = (arguments.requirements.first(), arguments.requirements.last()) else {
        return;
    };
    let whole = Range { first: first.range.first, last: last.range.last };
    let mut reading = Reading::default();
    let formula = reading.all(&arguments.requirements, whole);
    let facts = reading.facts(vocabulary);
    let tell = Tell { reading: &reading, facts: &facts, diagnostics };
    match analyse(&formula, &facts, BUDGET) {
        Ok(findings) => findings.iter().for_each(|finding| tell.finding(finding, &formula, whole)),
        Err(_) => diagnostics.warning(
            whole,
            "rule_not_analysed",
            "this rule was not analysed, since it combines too many names: it is enforced as it stands, but nobody looked \
             whether it can be kept and whether each part matters. Give a part of it a name, `rule = CONST`, to have it \
             analysed by itself",
        ),
    }
}

/// A part of the formula, for people.
struct Told {
    range: Range,
    text: String,
}

/// The rule as a formula is read off part by part; parts are numbered as they are met.
#[derive(Default)]
struct Reading {
    atoms: Atoms,
    parts: Vec<Told>,
}

impl Reading {
    fn atom(&mut self, atom: Atom, range: Range, text: impl FnOnce() -> String) -> Formula {
        self.parts.push(Told { range, text: text() });
        Formula::Atom(self.atoms.number(atom))
    }

    fn all(&mut self, parts: &[Part], range: Range) -> Formula {
        match parts {
            [one] => self.part(one),
            _ => {
                self.parts.push(Told { range, text: words::parts("all", parts) });
                Formula::All(parts.iter().map(|part| self.part(part)).collect())
            }
        }
    }

    fn part(&mut self, part: &Part) -> Formula {
        let range = part.range;
        match &part.requirement {
            Requirement::Roles(names) => self.names(names, part, "roles", Atom::Role, Formula::Any),
            Requirement::Acr(names) => self.names(names, part, "acr", Atom::Acr, Formula::Any),
            Requirement::Scopes(names) => self.names(names, part, "scopes", Atom::Scope, Formula::All),
            Requirement::Permissions(names) => {
                self.names(names, part, "permissions", Atom::Permission, Formula::All)
            }
            Requirement::Claims(claims) => match claims.as_slice() {
                [one] => self.claim(one, range),
                several => {
                    self.parts.push(Told { range, text: words::part(part) });
                    Formula::All(several.iter().map(|claim| self.claim(claim, claim.range)).collect())
                }
            },
            Requirement::MaxAge(seconds) => self.atom(Atom::MaxAge(*seconds), range, || words::part(part)),
            Requirement::Named(path) => {
                let path = path.to_token_stream().to_string();
                self.atom(Atom::Other(path), range, || words::part(part))
            }
            Requirement::All(parts) => self.all(parts, range),
            Requirement::Any(parts) => match parts.as_slice() {
                [one] => self.part(one),
                _ => {
                    self.parts.push(Told { range, text: words::part(part) });
                    Formula::Any(parts.iter().map(|part| self.part(part)).collect())
                }
            },
            Requirement::Not(inner) => {
                self.parts.push(Told { range, text: words::part(part) });
                Formula::Not(Box::new(self.part(inner)))
            }
        }
    }

    /// One name is its word's; several are parts of it.
    fn names(
        &mut self,
        names: &[syn::LitStr],
        part: &Part,
        word: &str,
        atom: impl Fn(String) -> Atom,
        join: impl Fn(Vec<Formula>) -> Formula,
    ) -> Formula {
        match names {
            [one] => self.atom(atom(one.value()), part.range, || words::part(part)),
            several => {
                self.parts.push(Told { range: part.range, text: words::part(part) });
                let each = several.iter().map(|name| {
                    let text = || format!("{word} = [{:?}]", name.value());
                    self.atom(atom(name.value()), Range::of(name.span()), text)
                });
                join(each.collect())
            }
        }
    }

    fn claim(&mut self, claim: &Claim, range: Range) -> Formula {
        let name = claim.name.value();
        let text = || words::claims(std::slice::from_ref(claim));
        match &claim.expected {
            Expected::PathParameter(parameter) => {
                self.atom(Atom::Claim(name, format!("{{{}}}", parameter.value())), range, text)
            }
            Expected::OneOf(literals) => match literals.as_slice() {
                [one] => self.atom(Atom::Claim(name, words::literal(one)), range, text),
                several => {
                    self.parts.push(Told { range, text: text() });
                    let each = several.iter().map(|literal: &Lit| {
                        let value = words::literal(literal);
                        let text = || format!("claims({} = {value})", words::claim_name(&name));
                        self.atom(Atom::Claim(name.clone(), value.clone()), Range::of(literal.span()), text)
                    });
                    Formula::Any(each.collect())
                }
            },
        }
    }

    /// What is true of the atoms, whoever the caller is.
    fn facts(&self, vocabulary: Option<&Vocabulary>) -> Vec<Fact> {
        let mut facts = self.atoms.facts();
        let Some(vocabulary) = vocabulary else { return facts };
        let relations = &vocabulary.relations;
        let mut roles = Vec::new();
        let mut permissions = Vec::new();
        for (number, atom) in self.atoms.iter().enumerate() {
            match atom {
                Atom::Role(name) => roles.extend(vocabulary.role(name).map(|role| (number, role))),
                Atom::Permission(name) => {
                    permissions.extend(vocabulary.permission(name).map(|permission| (number, permission)));
                }
                _ => {}
            }
        }
        for &(a, role) in &roles {
            for &(b, other) in &roles {
                if relations.implies(role, other) {
                    facts.push(Fact::Implies(a, b));
                } else if a < b && relations.excludes(role, other) {
                    facts.push(Fact::Excludes(a, b));
                }
            }
            let granted = permissions.iter().filter(|(_, permission)| relations.grants(role, *permission));
            facts.extend(granted.map(|(b, _)| Fact::Implies(a, *b)));
        }
        facts
    }

    fn told(&self, part: usize) -> Option<&Told> {
        self.parts.get(part)
    }
}

struct Tell<'t> {
    reading: &'t Reading,
    facts: &'t [Fact],
    diagnostics: &'t Diagnostics,
}

impl Tell<'_> {
    fn finding(&self, finding: &Finding, formula: &Formula, whole: Range) {
        match finding {
            Finding::Unsatisfiable { clash, facts } => self.unsatisfiable(clash, facts, formula, whole),
            Finding::Tautology { facts } => {
                let message = format!(
                    "this rule lets every authenticated caller in, though it names requirements{}: write `#[auth]`, or \
                     `rule!()`, if that is meant",
                    self.since(facts)
                );
                self.diagnostics.error_in(whole, message);
            }
            Finding::Redundant { part, why, facts } => {
                let Some(told) = self.reading.told(*part) else { return };
                let (why, remedy) = match why {
                    Redundancy::Impossible => ("no caller meets it", "Mend it, or leave it out"),
                    Redundancy::Certain => ("every caller meets it", "Mend it, or leave it out"),
                    Redundancy::Covered => ("whoever meets it meets another alternative", "Leave it out"),
                    Redundancy::Settled => {
                        ("wherever it would matter the rest of the rule has decided already", "Leave it out")
                    }
                    Redundancy::Implied => ("whoever meets the others meets it", "Leave it out"),
                };
                let since = self.since(facts);
                let message = format!("`{}` changes nothing here: {why}{since}. {remedy}", told.text);
                self.diagnostics.warning(told.range, "redundant", &message);
            }
        }
    }

    /// At the last of the parts that clash, with the others in words.
    fn unsatisfiable(&self, clash: &[Clash], facts: &[usize], formula: &Formula, whole: Range) {
        let told = |clash: &Clash| {
            let told = self.reading.told(clash.part)?;
            // The opposite of what stands inside of a `not`.
            Some(if clash.negated { format!("not({})", told.text) } else { told.text.clone() })
        };
        let mut texts: Vec<String> = clash.iter().filter_map(told).map(|text| format!("`{text}`")).collect();
        let last = texts.pop().unwrap_or_default();
        let range =
            clash.last().and_then(|clash| self.reading.told(clash.part)).map_or(whole, |told| told.range);
        let why = if texts.is_empty() {
            match clash.first().and_then(|clash| formula.part(clash.part)) {
                Some(Formula::Any(_)) => format!("no alternative of {last} can be met"),
                _ => format!("{last} can't be met"),
            }
        } else {
            format!("{last} clashes with {}", texts.join(" and "))
        };
        self.diagnostics.error_in(range, format!("nobody can keep this rule: {why}{}", self.since(facts)));
    }

    /// «, since `admin` implies `editor`»; nothing where it takes no fact.
    fn since(&self, facts: &[usize]) -> String {
        let facts: Vec<String> = facts
            .iter()
            .filter_map(|&fact| {
                let (Fact::Implies(a, b) | Fact::Excludes(a, b)) = *self.facts.get(fact)?;
                let (one, other) = (self.reading.atoms.get(a)?, self.reading.atoms.get(b)?);
                Some(match (one, other) {
                    (Atom::Role(one), Atom::Permission(other)) => {
                        format!("the role `{one}` is granted `{other}`")
                    }
                    (Atom::Role(one), Atom::Role(other)) if self.implies(fact) => {
                        format!("`{one}` implies `{other}`")
                    }
                    (Atom::Role(one), Atom::Role(other)) => {
                        format!("nobody holds both `{one}` and `{other}`")
                    }
                    (Atom::MaxAge(one), Atom::MaxAge(other)) => format!(
                        "a log-in at most {} old is at most {} old",
                        words::duration(*one),
                        words::duration(*other)
                    ),
                    _ => "a log-in is of one class".to_owned(),
                })
            })
            .collect();
        let mut distinct: Vec<&str> = Vec::new();
        for fact in &facts {
            if !distinct.contains(&&**fact) {
                distinct.push(fact);
            }
        }
        if distinct.is_empty() { String::new() } else { format!(", since {}", distinct.join(" and ")) }
    }

    fn implies(&self, fact: usize) -> bool {
        matches!(self.facts.get(fact), Some(Fact::Implies(..)))
    }
}
