//! Rules that can't be meant: nobody keeps them, everybody does, or a part changes nothing.

use auth_analysis::{Atom, Atoms, Clash, Fact, Finding, Formula, Redundancy, analyse};
use quote::ToTokens as _;

use crate::check::words;
use crate::diagnostics::Diagnostics;
use crate::rule::{Arguments, Claim, Expected, Literal, Part, Range, Requirement, Text};
use crate::vocabulary::Vocabulary;

/// Bounds the analysis of one rule, and what it looks up to explain its findings, to a fraction of a second, also in a
/// compiler plugin without optimization. A rule of a hundred names that all bind each other stays within it.
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
    let tell = Tell { arguments, reading: &reading, facts: &facts, diagnostics };
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

/// A part of the formula, for people. Mostly nobody reads it, so it becomes text only where somebody does.
struct Told<'r> {
    range: Range,
    what: What<'r>,
}

enum What<'r> {
    Part(&'r Part),
    Parts(&'r [Part]),
    /// One of the names of this word.
    Name(&'static str, &'r Text),
    Claim(&'r Claim),
    /// One of the values of this claim.
    Value(&'r Claim, &'r Literal),
}

impl Told<'_> {
    fn text(&self) -> String {
        match self.what {
            What::Part(part) => words::part(part),
            What::Parts(parts) => words::parts("all", parts),
            What::Name(word, name) => format!("{word} = [{:?}]", name.value()),
            What::Claim(claim) => words::claims(std::slice::from_ref(claim)),
            What::Value(claim, value) => {
                format!("claims({} = {})", words::claim_name(claim.name.value()), words::literal(value))
            }
        }
    }
}

/// The rule as a formula is read off part by part; parts are numbered as they are met.
#[derive(Default)]
struct Reading<'r> {
    atoms: Atoms,
    parts: Vec<Told<'r>>,
}

impl<'r> Reading<'r> {
    fn tell(&mut self, range: Range, what: What<'r>) {
        self.parts.push(Told { range, what });
    }

    fn atom(&mut self, atom: Atom, range: Range, what: What<'r>) -> Formula {
        self.tell(range, what);
        Formula::Atom(self.atoms.number(atom))
    }

    fn all(&mut self, parts: &'r [Part], range: Range) -> Formula {
        match parts {
            [one] => self.part(one),
            _ => {
                self.tell(range, What::Parts(parts));
                Formula::All(parts.iter().map(|part| self.part(part)).collect())
            }
        }
    }

    fn part(&mut self, part: &'r Part) -> Formula {
        let (range, what) = (part.range, What::Part(part));
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
                    self.tell(range, what);
                    Formula::All(several.iter().map(|claim| self.claim(claim, claim.range)).collect())
                }
            },
            Requirement::MaxAge(seconds) => self.atom(Atom::MaxAge(*seconds), range, what),
            Requirement::Named(path) => {
                self.atom(Atom::Other(path.to_token_stream().to_string()), range, what)
            }
            Requirement::All(parts) => self.all(parts, range),
            Requirement::Any(parts) => match parts.as_slice() {
                [one] => self.part(one),
                _ => {
                    self.tell(range, what);
                    Formula::Any(parts.iter().map(|part| self.part(part)).collect())
                }
            },
            Requirement::Not(inner) => {
                self.tell(range, what);
                Formula::Not(Box::new(self.part(inner)))
            }
        }
    }

    /// One name is its word's; several are parts of it.
    fn names(
        &mut self,
        names: &'r [Text],
        part: &'r Part,
        word: &'static str,
        atom: impl Fn(String) -> Atom,
        join: impl Fn(Vec<Formula>) -> Formula,
    ) -> Formula {
        match names {
            [one] => self.atom(atom(one.value().to_owned()), part.range, What::Part(part)),
            several => {
                self.tell(part.range, What::Part(part));
                let each = several.iter().map(|name| {
                    self.atom(atom(name.value().to_owned()), Range::of(name.span()), What::Name(word, name))
                });
                join(each.collect())
            }
        }
    }

    fn claim(&mut self, claim: &'r Claim, range: Range) -> Formula {
        let name = claim.name.value().to_owned();
        match &claim.expected {
            Expected::PathParameter(parameter) => {
                let value = format!("{{{}}}", parameter.value());
                self.atom(Atom::Claim(name, value), range, What::Claim(claim))
            }
            Expected::OneOf(literals) => match literals.as_slice() {
                [one] => self.atom(Atom::Claim(name, words::literal(one)), range, What::Claim(claim)),
                several => {
                    self.tell(range, What::Claim(claim));
                    let each = several.iter().map(|literal| {
                        let atom = Atom::Claim(name.clone(), words::literal(literal));
                        self.atom(atom, Range::of(literal.span), What::Value(claim, literal))
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

    fn told(&self, part: usize) -> Option<&Told<'r>> {
        self.parts.get(part)
    }
}

struct Tell<'t> {
    arguments: &'t Arguments,
    reading: &'t Reading<'t>,
    facts: &'t [Fact],
    diagnostics: &'t Diagnostics,
}

impl Tell<'_> {
    fn finding(&self, finding: &Finding, formula: &Formula, whole: Range) {
        match finding {
            Finding::Unsatisfiable { clash, facts } => self.unsatisfiable(clash, facts, formula, whole),
            Finding::Tautology { facts } => {
                let since = self.since(facts);
                let message = match &self.arguments.check {
                    None => format!(
                        "this rule lets every authenticated caller in, though it names requirements{since}: write `#[auth]`, \
                         or `rule!()`, if that is meant"
                    ),
                    Some(check) => {
                        let check = words::path(check);
                        format!(
                            "every authenticated caller meets these requirements{since}, so that the check decides alone: \
                             write `#[auth(check = {check})]` if that is meant"
                        )
                    }
                };
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
                let message = format!("`{}` changes nothing here: {why}{since}. {remedy}", told.text());
                self.diagnostics.warning(told.range, "redundant", &message);
            }
        }
    }

    /// At the last of the parts that clash, with the others in words.
    fn unsatisfiable(&self, clash: &[Clash], facts: &[usize], formula: &Formula, whole: Range) {
        let told = |clash: &Clash| {
            let told = self.reading.told(clash.part)?;
            // The opposite of what stands inside of a `not`.
            Some(if clash.negated { format!("not({})", told.text()) } else { told.text() })
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

    /// ", since `admin` implies `editor`"; nothing where it takes no fact.
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
                        "a login at most {} old is at most {} old",
                        words::duration(*one),
                        words::duration(*other)
                    ),
                    _ => "a login is of one class".to_owned(),
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
