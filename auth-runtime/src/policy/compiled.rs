//! A rule in terms of one engine: declared names are bits, so that a decision compares no strings.
//!
//! A decision is two walks: the first answers yes or no and allocates nothing, by bits where the engine has a vocabulary;
//! the second, for a denial only, is by names and finds the reason.

use std::time::SystemTime;

use super::condition::{Condition, Shape};
use super::decision::{Decision, Remedy};
use super::decode::path_parameters;
use super::evaluate::Facts;
use super::rule::Rule;
use crate::clock::unix_seconds;
use crate::principal::Principal;
use crate::vocabulary::{Mask, VocabularyIndex};

/// A rule that is ready to be evaluated.
#[derive(Debug)]
pub(crate) struct CompiledRule {
    /// They must all hold; or why the rule could not be decoded.
    conditions: Result<Vec<Condition>, String>,
    test: Test,
    path_parameters: Box<[String]>,
}

#[derive(Debug)]
enum Test {
    /// One of these bits is set.
    AnyOf(Mask),
    /// All of these bits are set.
    AllOf(Mask),
    /// What bits do not say: claims, the login, names that are not declared.
    ByNames(Condition),
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
}

impl Rule {
    /// Whether all requirements hold for `principal` now. A rule that compares a claim with the path denies: there is no path here.
    ///
    /// This does not decide whether a credential is required at all: see [`Rule::access`]. The rule is decoded at each call; routes
    /// decode it once, when they are mounted.
    pub fn decide(&self, principal: &Principal, now: SystemTime) -> Decision {
        let facts = Facts { principal, path: &[], now: unix_seconds(now), leeway: 0, is_negated: false };
        CompiledRule::new(*self, &VocabularyIndex::default()).evaluate(&facts)
    }
}

impl CompiledRule {
    /// For an engine with this vocabulary.
    pub(crate) fn new(rule: Rule, index: &VocabularyIndex) -> Self {
        let conditions = rule.decode().map(|decoded| decoded.conditions);
        let known = conditions.as_deref().unwrap_or_default();
        Self { test: all(known, index), path_parameters: path_parameters(known).into(), conditions }
    }

    /// Whether the rule compares a claim with the path.
    pub(crate) fn reads_path(&self) -> bool {
        !self.path_parameters.is_empty()
    }

    /// Whether the caller may, without a reason.
    pub(crate) fn allows(&self, facts: &Facts<'_>) -> bool {
        self.conditions.is_ok()
            && facts.unreadable_parameter(&self.path_parameters).is_none()
            && self.test.holds(facts)
    }

    pub(crate) fn evaluate(&self, facts: &Facts<'_>) -> Decision {
        if self.allows(facts) {
            return Decision::Allow;
        }
        let conditions = match &self.conditions {
            Ok(conditions) => conditions,
            Err(why) => return Decision::deny(why, Remedy::None),
        };
        // Nothing can be said of the claim then, and under a `not` nothing would be taken for no.
        if let Some(name) = facts.unreadable_parameter(&self.path_parameters) {
            let reason = format!(
                "the rule compares a claim with {{{name}}}, which the path does not have exactly once"
            );
            return Decision::deny(reason, Remedy::None);
        }
        facts.explain_all(conditions)
    }
}

impl Test {
    fn holds(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::AnyOf(mask) => facts.bits().has_any(mask),
            Self::AllOf(mask) => facts.bits().has_all(mask),
            Self::ByNames(condition) => facts.holds(condition),
            Self::All(tests) => tests.iter().all(|test| test.holds(facts)),
            Self::Any(tests) => tests.iter().any(|test| test.holds(facts)),
            Self::Not(test) => !test.holds(&facts.negated()),
        }
    }

    fn of(condition: &Condition, index: &VocabularyIndex) -> Self {
        match condition {
            Condition::All(parts) => all(parts, index),
            Condition::Any(parts) => any(parts, index),
            Condition::Not(part) => Self::Not(Box::new(Self::of(part, index))),
            leaf => Self::by_bits(leaf, index).unwrap_or_else(|| Self::ByNames(leaf.clone())),
        }
    }

    /// `None` if a name is not declared, or could not be.
    fn by_bits(condition: &Condition, index: &VocabularyIndex) -> Option<Self> {
        let (kind, names) = condition.declared_names()?;
        let mask = index.mask(kind, names)?;
        let requires_all = matches!(condition.shape(), Shape::List(list, _) if list.requires_all());
        Some(if requires_all { Self::AllOf(mask) } else { Self::AnyOf(mask) })
    }
}

fn all(parts: &[Condition], index: &VocabularyIndex) -> Test {
    let bits = |test| match test {
        Test::AllOf(mask) => Ok(mask),
        Test::AnyOf(mask) if mask.is_single() => Ok(mask),
        other => Err(other),
    };
    joined(parts, index, Test::All, bits, Test::AllOf)
}

fn any(parts: &[Condition], index: &VocabularyIndex) -> Test {
    let bits = |test| match test {
        Test::AnyOf(mask) => Ok(mask),
        Test::AllOf(mask) if mask.is_single() => Ok(mask),
        other => Err(other),
    };
    joined(parts, index, Test::Any, bits, Test::AnyOf)
}

/// The tests of `parts`. Those that `bits` knows as bits become one test, which comes first: it takes the least time.
fn joined(
    parts: &[Condition],
    index: &VocabularyIndex,
    join: impl Fn(Vec<Test>) -> Test,
    bits: impl Fn(Test) -> Result<Mask, Test>,
    of_bits: impl Fn(Mask) -> Test,
) -> Test {
    let mut mask: Option<Mask> = None;
    let mut others = Vec::new();
    for part in parts {
        match bits(Test::of(part, index)) {
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
    use crate::policy::{ClaimCondition, Condition, Decision, Facts, Literal, Rule};
    use crate::principal::Principal;
    use crate::verify::{TokenClaims, VerifiedToken};
    use crate::vocabulary::{DeclaredPermission, DeclaredRole, DeclaredScope, Vocabulary, VocabularyIndex};

    /// More than fit into one word of bits, with those that are declared at both ends.
    const NAMES: usize = 80;

    fn name(kind: &str, index: usize) -> &'static str {
        format!("{kind}{index}").leak()
    }

    fn names(kind: &'static str) -> impl Strategy<Value = Vec<String>> {
        // Few of many, and mostly the same few: else no caller would ever have what a rule requires.
        let index = prop_oneof![4 => 0..4usize, 1 => NAMES - 2..NAMES + 2];
        vec(index.prop_map(move |index| format!("{kind}{index}")), 1..4)
    }

    fn condition() -> impl Strategy<Value = Condition> {
        let claim = |n| Condition::Claim(ClaimCondition::one_of("c", [Literal::Integer(n)]));
        let leaf = prop_oneof![
            3 => names("r").prop_map(Condition::Roles),
            3 => names("s").prop_map(Condition::Scopes),
            3 => names("p").prop_map(Condition::Permissions),
            1 => (0..3i64).prop_map(claim),
            1 => Just(Condition::MaxAge(60)),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(Condition::All),
                vec(inner.clone(), 0..4).prop_map(Condition::Any),
                inner.prop_map(|part| Condition::Not(Box::new(part))),
            ]
        })
    }

    /// Each role implies some of those before it; the closure is as the macro would write it.
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
                    .map(|(index, roles)| {
                        let roles: Vec<&'static str> = roles.into_iter().map(|role| &*role.leak()).collect();
                        DeclaredPermission::new(name("p", index), roles.leak())
                    })
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
        let cases = (vocabulary(), vec(condition(), 1..4), vec(principals, 1..8));
        let (allowed, denied) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
        auth_tests_random::runner(100)
            .run(&cases, |(vocabulary, conditions, principals)| {
                let index = VocabularyIndex::new(Some(vocabulary));
                let rule = Rule::authenticated().requires(conditions.leak());
                let by_bits = CompiledRule::new(rule, &index);
                let by_names = CompiledRule::new(rule, &VocabularyIndex::default());
                for (roles, scopes, permissions, claim, fresh) in principals {
                    let auth_time = if fresh { 990 } else { 0 };
                    let claims = json!({
                        "sub": "alice", "roles": roles, "scope": scopes.join(" "), "permissions": permissions,
                        "c": claim, "auth_time": auth_time,
                    });
                    let claims = TokenClaims::from_json(claims.to_string().as_bytes()).unwrap();
                    let principal = Principal::identify(VerifiedToken::new(claims), &index, None).unwrap();
                    let facts =
                        Facts { principal: &principal, path: &[], now: 1000, leeway: 0, is_negated: false };
                    let decision = by_bits.evaluate(&facts);
                    prop_assert_eq!(&decision, &by_names.evaluate(&facts));
                    match decision {
                        Decision::Allow => allowed.set(allowed.get() + 1),
                        Decision::Deny { reason, .. } => {
                            prop_assert!(!reason.is_empty());
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
