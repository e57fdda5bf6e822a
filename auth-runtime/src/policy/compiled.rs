//! A rule in terms of one engine: declared names are bits, so that deciding compares no strings.

use super::evaluate::Facts;
use super::rule::{Requirement, Rule};
use crate::vocabulary::{Mask, NameKind, VocabularyIndex};

/// A rule that is ready to be decided.
#[derive(Clone, Debug)]
pub(crate) struct CompiledRule {
    pub(super) rule: Rule,
    test: Test,
    path_parameters: Box<[&'static str]>,
    fault: Option<&'static str>,
}

#[derive(Clone, Debug)]
enum Test {
    /// One of these bits is set.
    AnyOf(Mask),
    /// All of these bits are set.
    AllOf(Mask),
    /// What bits can't tell: claims, the login, names that are not declared.
    Other(&'static Requirement),
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
}

impl CompiledRule {
    /// For an engine with this lexicon.
    pub(crate) fn new(rule: Rule, lexicon: &VocabularyIndex) -> Self {
        let test = all(rule.requirements(), lexicon);
        Self { rule, test, path_parameters: rule.path_parameters().into(), fault: rule.fault() }
    }

    /// To be decided by comparing names: for a caller of whom no engine is known.
    pub(crate) fn by_names(rule: Rule) -> Self {
        Self::new(rule, &VocabularyIndex::default())
    }

    /// Whether the rule compares a claim with the path.
    pub(crate) fn reads_path(&self) -> bool {
        !self.path_parameters.is_empty()
    }

    /// The path parameters that the rule compares claims with.
    pub(super) fn path_parameters(&self) -> &[&'static str] {
        &self.path_parameters
    }

    /// Why the rule could not be read.
    pub(super) fn fault(&self) -> Option<&'static str> {
        self.fault
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
            Self::All(tests) => tests.iter().all(|test| test.holds(facts)),
            Self::Any(tests) => tests.iter().any(|test| test.holds(facts)),
            Self::Not(test) => !test.holds(facts),
        }
    }
}

fn test(part: &'static Requirement, lexicon: &VocabularyIndex) -> Test {
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
        Requirement::Named(_, rule) => all(rule.requirements(), lexicon),
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

fn all(parts: &'static [Requirement], lexicon: &VocabularyIndex) -> Test {
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
    lexicon: &VocabularyIndex,
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

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::json;

    use super::CompiledRule;
    use crate::policy::{Decision, Expected, Facts, Literal, Requirement, Rule};
    use crate::principal::Principal;
    use crate::verify::{TokenClaims, VerifiedToken};
    use crate::vocabulary::{DeclaredPermission, DeclaredRole, DeclaredScope, Vocabulary, VocabularyIndex};

    /// More than fit into one word of bits, with those that are declared at both ends.
    const NAMES: usize = 80;

    fn name(kind: &str, index: usize) -> &'static str {
        format!("{kind}{index}").leak()
    }

    fn names(kind: &'static str) -> impl Strategy<Value = &'static [&'static str]> {
        // Few of many, and mostly the same few: else nobody would ever have what a rule asks for.
        let index = prop_oneof![4 => 0..4usize, 1 => NAMES - 2..NAMES + 2];
        vec(index, 1..4).prop_map(move |indices| {
            &*indices.into_iter().map(|index| name(kind, index)).collect::<Vec<_>>().leak()
        })
    }

    fn requirement() -> impl Strategy<Value = Requirement> {
        let leaf = prop_oneof![
            3 => names("r").prop_map(Requirement::Roles),
            3 => names("s").prop_map(Requirement::Scopes),
            3 => names("p").prop_map(Requirement::Permissions),
            1 => (0..3i64).prop_map(|n| Requirement::Claim("c", Expected::OneOf(vec![Literal::Integer(n)].leak()))),
            1 => Just(Requirement::MaxAge(60)),
            1 => names("r").prop_map(|names| {
                Requirement::Named("N", Box::leak(Box::new(Rule::authenticated().requires(vec![Requirement::Roles(names)].leak()))))
            }),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(|parts| Requirement::All(parts.leak())),
                vec(inner.clone(), 0..4).prop_map(|parts| Requirement::Any(parts.leak())),
                inner.prop_map(|part| Requirement::Not(Box::leak(Box::new(part)))),
            ]
        })
    }

    /// Each role implies some that stand before it, which is its closure as the macro would write it.
    fn vocabulary() -> impl Strategy<Value = &'static Vocabulary> {
        (vec(vec(any::<prop::sample::Index>(), 0..3), NAMES), vec(names("r"), NAMES)).prop_map(
            |(implies, granted)| {
                let mut closures: Vec<Vec<&'static str>> = Vec::new();
                for (role, direct) in implies.iter().enumerate() {
                    let mut closure: Vec<&'static str> = Vec::new();
                    for index in direct.iter().filter(|_| role > 0).map(|index| index.index(role)) {
                        closure.push(name("r", index));
                        closure.extend(closures[index].clone());
                    }
                    closures.push(closure);
                }
                let roles = closures.into_iter().enumerate();
                let roles: Vec<_> = roles
                    .map(|(role, closure)| DeclaredRole::new(name("r", role), None, closure.leak(), &[]))
                    .collect();
                let scopes: Vec<_> =
                    (0..NAMES).map(|index| DeclaredScope::new(name("s", index), "")).collect();
                let permissions = granted.into_iter().enumerate();
                let permissions: Vec<_> = permissions
                    .map(|(index, roles)| DeclaredPermission::new(name("p", index), roles))
                    .collect();
                &*Box::leak(Box::new(Vocabulary::new(
                    &[],
                    roles.leak(),
                    scopes.leak(),
                    permissions.leak(),
                    &[],
                )))
            },
        )
    }

    #[test]
    fn bits_agree_with_names() {
        let principals = (names("r"), names("s"), names("p"), 0..3i64, any::<bool>());
        let cases = (vocabulary(), vec(requirement(), 1..4), vec(principals, 1..8));
        let (allowed, denied) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
        auth_tests_random::runner(100)
            .run(&cases, |(vocabulary, requirements, principals)| {
                let lexicon = VocabularyIndex::new(Some(vocabulary));
                let rule = Rule::authenticated().requires(requirements.leak());
                let by_bits = CompiledRule::new(rule, &lexicon);
                let by_names = CompiledRule::by_names(rule);
                for (roles, scopes, permissions, claim, fresh) in principals {
                    let auth_time = if fresh { 990 } else { 0 };
                    let claims = json!({
                        "sub": "alice", "roles": roles, "scope": scopes.join(" "), "permissions": permissions,
                        "c": claim, "auth_time": auth_time,
                    });
                    let claims = TokenClaims::from_json(claims.to_string().as_bytes()).unwrap();
                    let principal = Principal::identify(VerifiedToken::new(claims), &lexicon).unwrap();
                    let facts = Facts { principal: &principal, path: &[], now: 1000, leeway: 0 };
                    let decision = by_bits.evaluate(&facts);
                    prop_assert_eq!(&decision, &by_names.evaluate(&facts));
                    match decision {
                        Decision::Allow => allowed.set(allowed.get() + 1),
                        Decision::Deny(denial) => {
                            prop_assert!(!denial.reason().is_empty());
                            denied.set(denied.get() + 1);
                        }
                    }
                }
                Ok(())
            })
            .unwrap();
        assert!(allowed.get().min(denied.get()) > auth_tests_random::times(50), "{allowed:?} {denied:?}");
    }
}
