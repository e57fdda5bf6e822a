//! A policy as a list of security requirements: exact where OpenAPI has words for it, and else a necessary condition.

use std::collections::{BTreeMap, BTreeSet};

use super::SecurityRequirement;
use super::scheme::Schemes;
use crate::policy::{Condition, PolicyAccess, PolicyDocument};
use crate::vocabulary::Vocabulary;

/// More alternatives than that nobody reads; the requirements are then left out.
const MOST_ALTERNATIVES: usize = 64;

/// What a name is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Role,
    Scope,
    Permission,
}

/// A name with its kind.
type Name<'p> = (Kind, &'p str);
/// Names that are required together.
type Joint<'p> = BTreeSet<Name<'p>>;

/// The names of all rules and of the vocabulary, to tell those apart that are of two kinds.
pub(super) struct Kinds(BTreeMap<String, BTreeSet<Kind>>);

impl Kinds {
    pub(super) fn of<'p>(
        policies: impl Iterator<Item = &'p PolicyDocument>,
        vocabulary: Option<&Vocabulary>,
    ) -> Self {
        let mut kinds = Self(BTreeMap::new());
        if let Some(vocabulary) = vocabulary {
            let roles = vocabulary.roles.iter().map(|role| (Kind::Role, role.name));
            let scopes = vocabulary.scopes.iter().map(|scope| (Kind::Scope, scope.name));
            let permissions = vocabulary.permissions.iter();
            let permissions = permissions.map(|permission| (Kind::Permission, permission.name));
            for (kind, name) in roles.chain(scopes).chain(permissions) {
                kinds.0.entry(name.to_owned()).or_default().insert(kind);
            }
        }
        policies.flat_map(|policy| &policy.all).for_each(|condition| kinds.add(condition));
        kinds
    }

    fn add(&mut self, condition: &Condition) {
        let (kind, names) = match condition {
            Condition::Roles(names) => (Kind::Role, names),
            Condition::Scopes(names) => (Kind::Scope, names),
            Condition::Permissions(names) => (Kind::Permission, names),
            Condition::Any(parts) | Condition::All(parts) => {
                return parts.iter().for_each(|part| self.add(part));
            }
            Condition::Not(part) => return self.add(part),
            _ => return,
        };
        for name in names {
            self.0.entry(name.clone()).or_default().insert(kind);
        }
    }

    /// The names of this kind.
    pub(super) fn names(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(_, kinds)| kinds.contains(&kind)).map(|(name, _)| &**name)
    }

    /// The name as the document lists it.
    fn listed(&self, (kind, name): Name<'_>) -> String {
        let prefix = match kind {
            _ if self.0.get(name).is_none_or(|kinds| kinds.len() < 2) => return name.to_owned(),
            Kind::Role => "role",
            Kind::Scope => "scope",
            Kind::Permission => "permission",
        };
        format!("{prefix}:{name}")
    }
}

/// The `security` of an operation.
pub(super) fn requirements(
    policy: &PolicyDocument,
    schemes: &Schemes,
    kinds: &Kinds,
) -> Vec<SecurityRequirement> {
    match policy.access {
        PolicyAccess::Public | PolicyAccess::Unguarded => return Vec::new(),
        PolicyAccess::Optional => {
            let sources = policy.sources.iter().filter_map(|source| schemes.of(source));
            let credentials = sources.map(|(scheme, _)| BTreeMap::from([(scheme.to_owned(), Vec::new())]));
            return std::iter::once(BTreeMap::new()).chain(credentials).collect();
        }
        PolicyAccess::Authenticated => {}
    }
    let sources: Vec<_> = policy.sources.iter().filter_map(|source| schemes.of(source)).collect();
    let parts: Vec<_> = policy.all.iter().map(|part| alternatives(part, true)).collect();
    let rule = joined(parts).filter(|rule| rule.len() * sources.len() <= MOST_ALTERNATIVES);
    // An empty list would say that it is public, where nobody can keep the rule.
    let rule = rule.filter(|rule| !rule.is_empty()).unwrap_or_else(|| vec![Joint::new()]);
    let mut requirements: Vec<SecurityRequirement> = Vec::new();
    for (scheme, scopes_only) in sources {
        for joint in &rule {
            let names = joint.iter().filter(|(kind, _)| !scopes_only || *kind == Kind::Scope);
            let names = names.map(|name| if scopes_only { name.1.to_owned() } else { kinds.listed(*name) });
            let requirement = BTreeMap::from([(scheme.to_owned(), names.collect())]);
            if !requirements.contains(&requirement) {
                requirements.push(requirement);
            }
        }
    }
    requirements
}

/// Sets of names of which a caller has one whole, whom the condition admits (or, not `wanted`, refuses). `None`: more than are
/// written down. What can't be said with names counts as true.
fn alternatives(condition: &Condition, wanted: bool) -> Option<Vec<Joint<'_>>> {
    let anything = || Some(vec![Joint::new()]);
    let single = |kind, name| Joint::from([(kind, name)]);
    match (condition, wanted) {
        (Condition::Roles(names), true) => {
            Some(shortest(names.iter().map(|name| single(Kind::Role, &**name)).collect()))
        }
        (Condition::Scopes(names), true) => {
            Some(vec![names.iter().map(|name| (Kind::Scope, &**name)).collect()])
        }
        (Condition::Permissions(names), true) => {
            Some(vec![names.iter().map(|name| (Kind::Permission, &**name)).collect()])
        }
        (Condition::Not(part), _) => alternatives(part, !wanted),
        (Condition::All(parts), true) | (Condition::Any(parts), false) => {
            joined(parts.iter().map(|part| alternatives(part, wanted)).collect())
        }
        (Condition::Any(parts), true) | (Condition::All(parts), false) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(alternatives(part, wanted)?);
            }
            let all = shortest(all);
            (all.len() <= MOST_ALTERNATIVES).then_some(all)
        }
        // A role that is not held, a claim, a login.
        _ => anything(),
    }
}

/// Of several conditions that must all hold. One of which nothing can be written down is left out.
fn joined(parts: Vec<Option<Vec<Joint<'_>>>>) -> Option<Vec<Joint<'_>>> {
    let mut product = vec![Joint::new()];
    for part in parts.into_iter().flatten() {
        if product.len() * part.len() > MOST_ALTERNATIVES * 4 {
            return None;
        }
        let pairs = product.iter().flat_map(|joint| part.iter().map(move |more| joint | more));
        product = shortest(pairs.collect());
    }
    (product.len() <= MOST_ALTERNATIVES).then_some(product)
}

/// Without those that another is part of: who has more has that one too.
fn shortest(mut alternatives: Vec<Joint<'_>>) -> Vec<Joint<'_>> {
    let mut by_length: Vec<(usize, Joint<'_>)> = alternatives.drain(..).enumerate().collect();
    by_length.sort_by_key(|(_, joint)| joint.len());
    let mut kept: Vec<(usize, Joint<'_>)> = Vec::new();
    for (place, joint) in by_length {
        if !kept.iter().any(|(_, shorter)| shorter.is_subset(&joint)) {
            kept.push((place, joint));
        }
    }
    // As they were written.
    kept.sort_by_key(|(place, _)| *place);
    kept.into_iter().map(|(_, joint)| joint).collect()
}
