//! A policy as a list of security requirements: exact where OpenAPI can express it, and otherwise a necessary condition.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{NameKind, NameKinds};
use super::schemes::{Scheme, Schemes};
use crate::policy::{Condition, PolicyAccess, PolicyDocument};

/// The names that a caller needs, by security scheme.
type Requirement = BTreeMap<String, Vec<String>>;
/// Names that a caller needs together, each with its kind.
type NameSet<'p> = BTreeSet<(NameKind, &'p str)>;

/// Of a rule with more alternatives than these no names are listed.
const MOST_ALTERNATIVES: usize = 64;

/// The `security` of an operation.
pub(super) fn requirements(
    policy: &PolicyDocument,
    schemes: &Schemes,
    kinds: &NameKinds,
) -> Vec<Requirement> {
    let sources: Vec<&Scheme> = policy.sources.iter().filter_map(|source| schemes.of(source)).collect();
    match policy.access {
        PolicyAccess::Public | PolicyAccess::Unguarded => return Vec::new(),
        PolicyAccess::Optional => {
            let credentials =
                sources.iter().map(|scheme| BTreeMap::from([(scheme.name.clone(), Vec::new())]));
            return std::iter::once(BTreeMap::new()).chain(credentials).collect();
        }
        PolicyAccess::Authenticated => {}
    }
    let parts: Vec<_> = policy.all.iter().map(|part| alternatives(part, true)).collect();
    let rule = joined(parts).filter(|rule| rule.len() * sources.len() <= MOST_ALTERNATIVES);
    // Where no caller can satisfy the rule, an empty list would say that the operation is public.
    let rule = rule.filter(|rule| !rule.is_empty()).unwrap_or_else(|| vec![NameSet::new()]);
    let mut requirements: Vec<Requirement> = Vec::new();
    for scheme in sources {
        for names in &rule {
            let listed =
                names.iter().filter(|(kind, _)| !scheme.lists_scopes_only || *kind == NameKind::Scope);
            let listed = listed.map(|(kind, name)| match scheme.lists_scopes_only {
                true => (*name).to_owned(),
                false => kinds.listed(*kind, name),
            });
            let requirement = BTreeMap::from([(scheme.name.clone(), listed.collect())]);
            if !requirements.contains(&requirement) {
                requirements.push(requirement);
            }
        }
    }
    requirements
}

/// Sets of names: a caller that satisfies the condition (or, if not `wanted`, does not satisfy it) has all names of at
/// least one set. `None`: there are too many sets. What can't be expressed by names counts as true.
fn alternatives(condition: &Condition, wanted: bool) -> Option<Vec<NameSet<'_>>> {
    let anything = || Some(vec![NameSet::new()]);
    let single = |kind, name| NameSet::from([(kind, name)]);
    match (condition, wanted) {
        (Condition::Roles(names), true) => {
            Some(shortest(names.iter().map(|name| single(NameKind::Role, &**name)).collect()))
        }
        (Condition::Scopes(names), true) => {
            Some(vec![names.iter().map(|name| (NameKind::Scope, &**name)).collect()])
        }
        (Condition::Permissions(names), true) => {
            Some(vec![names.iter().map(|name| (NameKind::Permission, &**name)).collect()])
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

/// The sets of several conditions that must all hold. A condition with too many sets is left out.
fn joined(parts: Vec<Option<Vec<NameSet<'_>>>>) -> Option<Vec<NameSet<'_>>> {
    let mut product = vec![NameSet::new()];
    for part in parts.into_iter().flatten() {
        if product.len() * part.len() > MOST_ALTERNATIVES * 4 {
            return None;
        }
        let pairs = product.iter().flat_map(|names| part.iter().map(move |more| names | more));
        product = shortest(pairs.collect());
    }
    (product.len() <= MOST_ALTERNATIVES).then_some(product)
}

/// Without the sets that contain another one: a caller that has all names of the larger set has those of the smaller one.
fn shortest(alternatives: Vec<NameSet<'_>>) -> Vec<NameSet<'_>> {
    let mut by_length: Vec<(usize, NameSet<'_>)> = alternatives.into_iter().enumerate().collect();
    by_length.sort_by_key(|(_, names)| names.len());
    let mut shortest: Vec<(usize, NameSet<'_>)> = Vec::new();
    for (place, names) in by_length {
        if !shortest.iter().any(|(_, shorter)| shorter.is_subset(&names)) {
            shortest.push((place, names));
        }
    }
    // In the order of the rule.
    shortest.sort_by_key(|(place, _)| *place);
    shortest.into_iter().map(|(_, names)| names).collect()
}
