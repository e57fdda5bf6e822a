//! A rule as a formula, with the place of each of its parts.

use auth_analysis::{Atom, Atoms, Fact, Formula, ListKind};
use quote::ToTokens as _;

use super::display;
use crate::rule::{Claim, Expected, Literal, Part, Range, Requirement, Text};
use crate::vocabulary::Vocabulary;

/// The formula of a rule. Its parts are numbered as they are met, as those of [`Formula`] are.
#[derive(Default)]
pub(super) struct RuleFormula<'r> {
    pub(super) atoms: Atoms,
    parts: Vec<Source<'r>>,
}

/// What a part of the formula comes from. It is described only where there is a finding.
pub(super) struct Source<'r> {
    pub(super) range: Range,
    node: Node<'r>,
}

#[derive(Clone, Copy)]
enum Node<'r> {
    Part(&'r Part),
    Parts(&'r [Part]),
    /// One name of a list.
    Name(ListKind, &'r Text),
    Claim(&'r Claim),
    /// One of the values of this claim.
    Value(&'r Claim, &'r Literal),
}

impl Source<'_> {
    /// As it is written in the attribute.
    pub(super) fn text(&self) -> String {
        match self.node {
            Node::Part(part) => display::part(part),
            Node::Parts(parts) => display::parts("all", parts),
            Node::Name(kind, name) => display::list(kind, std::slice::from_ref(name)),
            Node::Claim(claim) => display::claims(std::slice::from_ref(claim)),
            Node::Value(claim, value) => {
                let name = display::claim_name(claim.name.value());
                format!("claims({name} = {})", display::literal(value))
            }
        }
    }
}

impl<'r> RuleFormula<'r> {
    /// The source of the part of this number.
    pub(super) fn source(&self, part: usize) -> Option<&Source<'r>> {
        self.parts.get(part)
    }

    pub(super) fn all(&mut self, parts: &'r [Part], range: Range) -> Formula {
        match parts {
            [one] => self.part(one),
            _ => {
                self.push(range, Node::Parts(parts));
                Formula::All(parts.iter().map(|part| self.part(part)).collect())
            }
        }
    }

    fn part(&mut self, part: &'r Part) -> Formula {
        let (range, node) = (part.range, Node::Part(part));
        match &part.requirement {
            Requirement::List(kind, names) => self.list(*kind, names, part),
            Requirement::Claims(claims) => match claims.as_slice() {
                [one] => self.claim(one, range),
                several => {
                    self.push(range, node);
                    Formula::All(several.iter().map(|claim| self.claim(claim, claim.range)).collect())
                }
            },
            Requirement::MaxAge(seconds) => self.atom(Atom::MaxAge(*seconds), range, node),
            Requirement::Named(path) => {
                self.atom(Atom::Other(path.to_token_stream().to_string()), range, node)
            }
            Requirement::All(parts) => self.all(parts, range),
            Requirement::Any(parts) => match parts.as_slice() {
                [one] => self.part(one),
                _ => {
                    self.push(range, node);
                    Formula::Any(parts.iter().map(|part| self.part(part)).collect())
                }
            },
            Requirement::Not(inner) => {
                self.push(range, node);
                Formula::Not(Box::new(self.part(inner)))
            }
        }
    }

    /// A list of one name is one part; the names of a longer one are parts of it.
    fn list(&mut self, kind: ListKind, names: &'r [Text], part: &'r Part) -> Formula {
        let atom = |name: &Text| Atom::Name(kind, name.value().to_owned());
        match names {
            [one] => self.atom(atom(one), part.range, Node::Part(part)),
            several => {
                self.push(part.range, Node::Part(part));
                let each = several
                    .iter()
                    .map(|name| self.atom(atom(name), Range::of(name.span()), Node::Name(kind, name)));
                kind.join(each.collect())
            }
        }
    }

    fn claim(&mut self, claim: &'r Claim, range: Range) -> Formula {
        let name = claim.name.value();
        match &claim.expected {
            Expected::PathParameter(parameter) => {
                let value = format!("{{{}}}", parameter.value());
                self.atom(Atom::Claim(name.to_owned(), value), range, Node::Claim(claim))
            }
            Expected::OneOf(literals) => {
                let atom = |literal| Atom::Claim(name.to_owned(), display::literal(literal));
                match literals.as_slice() {
                    [one] => self.atom(atom(one), range, Node::Claim(claim)),
                    several => {
                        self.push(range, Node::Claim(claim));
                        let each = several.iter().map(|literal| {
                            self.atom(atom(literal), Range::of(literal.span), Node::Value(claim, literal))
                        });
                        Formula::Any(each.collect())
                    }
                }
            }
        }
    }

    fn atom(&mut self, atom: Atom, range: Range, node: Node<'r>) -> Formula {
        self.push(range, node);
        Formula::Atom(self.atoms.number(atom))
    }

    fn push(&mut self, range: Range, node: Node<'r>) {
        self.parts.push(Source { range, node });
    }

    /// What is true of the atoms for every caller.
    pub(super) fn facts(&self, vocabulary: Option<&Vocabulary>) -> Vec<Fact> {
        let mut facts = self.atoms.facts();
        let Some(vocabulary) = vocabulary else { return facts };
        let relations = &vocabulary.relations;
        let mut roles = Vec::new();
        let mut permissions = Vec::new();
        for (number, atom) in self.atoms.iter().enumerate() {
            match atom {
                Atom::Name(ListKind::Roles, name) => {
                    roles.extend(vocabulary.role(name).map(|role| (number, role)));
                }
                Atom::Name(ListKind::Permissions, name) => {
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
}
