//! A rule in terms of one engine: declared names are bits, so that deciding compares no strings.

use super::evaluate::Facts;
use super::rule::{Requirement, Rule};
use crate::vocabulary::{Lexicon, Mask, NameKind};

/// A rule that is ready to be decided.
#[derive(Clone, Debug)]
pub(crate) struct CompiledRule {
    pub(super) rule: Rule,
    test: Test,
    reads_path: bool,
}

#[derive(Clone, Debug)]
enum Test {
    /// One of these bits is set.
    AnyOf(Mask),
    /// All of these bits are set.
    AllOf(Mask),
    /// What bits can't tell: claims, the log-in, names that are not declared.
    Other(&'static Requirement),
    Requirements(&'static [Requirement]),
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
}

impl CompiledRule {
    /// For an engine with this lexicon.
    pub(crate) fn new(rule: Rule, lexicon: &Lexicon) -> Self {
        let test = match lexicon.vocabulary() {
            Some(_) => all(rule.requirements, lexicon),
            None => Test::Requirements(rule.requirements),
        };
        Self { rule, test, reads_path: rule.reads_path() }
    }

    /// To be decided by comparing names: for a rule that is met for the first time with the request.
    pub(crate) fn by_names(rule: Rule) -> Self {
        Self::new(rule, &Lexicon::default())
    }

    /// Whether the rule compares a claim with the path.
    pub(crate) fn reads_path(&self) -> bool {
        self.reads_path
    }

    /// Whether the requirements hold, by the caller's bits.
    pub(super) fn holds(&self, facts: &Facts<'_>) -> bool {
        self.test.holds(facts)
    }
}

impl Test {
    fn holds(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::AnyOf(mask) => facts.principal.bits().has_any(mask),
            Self::AllOf(mask) => facts.principal.bits().has_all(mask),
            Self::Other(requirement) => facts.holds(requirement),
            Self::Requirements(requirements) => facts.all_hold(requirements),
            Self::All(tests) => tests.iter().all(|test| test.holds(facts)),
            Self::Any(tests) => tests.iter().any(|test| test.holds(facts)),
            Self::Not(test) => !test.holds(facts),
        }
    }
}

fn test(part: &'static Requirement, lexicon: &Lexicon) -> Test {
    match part {
        Requirement::Roles(names) => {
            lexicon.mask(NameKind::Role, names).map_or(Test::Other(part), Test::AnyOf)
        }
        Requirement::Scopes(names) => {
            lexicon.mask(NameKind::Scope, names).map_or(Test::Other(part), Test::AllOf)
        }
        Requirement::Permissions(names) => {
            lexicon.mask(NameKind::Permission, names).map_or(Test::Other(part), Test::AllOf)
        }
        Requirement::Named(_, rule) => all(rule.requirements, lexicon),
        Requirement::All(parts) => all(parts, lexicon),
        Requirement::Any(parts) => joined(
            parts,
            lexicon,
            Test::Any,
            |test| match test {
                Test::AnyOf(mask) => Ok(mask),
                Test::AllOf(mask) if mask.is_single() => Ok(mask),
                other => Err(other),
            },
            Test::AnyOf,
        ),
        Requirement::Not(part) => Test::Not(Box::new(test(part, lexicon))),
        Requirement::Claim(..) | Requirement::MaxAge(_) | Requirement::Acr(_) => Test::Other(part),
    }
}

fn all(parts: &'static [Requirement], lexicon: &Lexicon) -> Test {
    joined(
        parts,
        lexicon,
        Test::All,
        |test| match test {
            Test::AllOf(mask) => Ok(mask),
            Test::AnyOf(mask) if mask.is_single() => Ok(mask),
            other => Err(other),
        },
        Test::AllOf,
    )
}

/// The tests of `parts`, with those that `bits` knows as bits put together into one, which comes first: it is the cheapest.
fn joined(
    parts: &'static [Requirement],
    lexicon: &Lexicon,
    join: impl Fn(Vec<Test>) -> Test,
    bits: impl Fn(Test) -> Result<Mask, Test>,
    of_bits: impl Fn(Mask) -> Test,
) -> Test {
    let mut mask: Option<Mask> = None;
    let mut others = Vec::new();
    for part in parts {
        match bits(test(part, lexicon)) {
            Ok(more) => mask.get_or_insert_default().join(&more),
            Err(other) => others.push(other),
        }
    }
    match (mask, others.is_empty()) {
        (Some(mask), true) => of_bits(mask),
        (mask, _) => join(mask.map(of_bits).into_iter().chain(others).collect()),
    }
}
