//! The declarations of the file → the vocabulary, with names looked up and relations that can hold.

use auth_analysis::Relations;

use super::declarations::{Declarations, FileErrors, Name, RoleDeclaration, key_text};
use super::model::{BUILT_IN_SOURCES, Permission, Role, Scope, Source, Vocabulary};
use crate::suggest;

/// The vocabulary that is declared; what can't be goes to `errors`.
pub(super) fn resolve(declarations: Declarations, errors: &mut FileErrors) -> Vocabulary {
    let roles = Roles { declared: &declarations.roles };
    let implies = roles.pairs(|role| &role.implies, "implies", errors);
    let excludes = roles.pairs(|role| &role.excludes, "excludes", errors);
    let mut grants = Vec::new();
    for (index, (permission, granted)) in declarations.permissions.iter().enumerate() {
        for role in granted {
            match roles.find(&role.text) {
                Some(found) => grants.push((found, index)),
                None => roles.unknown(role, &format!("`{}` is granted to", permission.text), errors),
            }
        }
    }
    let relations = Relations::new(declarations.roles.len(), &implies, &excludes, &grants);
    cycles(&declarations.roles, &implies, &relations, errors);
    contradictions(&declarations.roles, &excludes, &relations, errors);
    for name in &declarations.default_source {
        default_source(name, &declarations, errors);
    }

    let named = |name: Name| name.text;
    Vocabulary {
        default_source: declarations.default_source.into_iter().map(named).collect(),
        roles: declarations
            .roles
            .into_iter()
            .enumerate()
            .map(|(index, role)| Role {
                name: role.name.text,
                description: role.description,
                excludes: excludes.iter().filter(|(one, _)| *one == index).map(|(_, other)| *other).collect(),
            })
            .collect(),
        scopes: declarations
            .scopes
            .into_iter()
            .map(|(name, description)| Scope { name: name.text, description })
            .collect(),
        permissions: declarations
            .permissions
            .into_iter()
            .map(|(name, _)| Permission { name: name.text })
            .collect(),
        sources: declarations
            .sources
            .into_iter()
            .map(|(name, kind)| Source { name: name.text, kind })
            .collect(),
        relations,
        ..Vocabulary::default()
    }
    .indexed()
}

struct Roles<'d> {
    declared: &'d [RoleDeclaration],
}

impl Roles<'_> {
    fn find(&self, name: &str) -> Option<usize> {
        self.declared.iter().position(|role| role.name.text == name)
    }

    /// Each role with each that `list` names for it.
    fn pairs(
        &self,
        list: impl Fn(&RoleDeclaration) -> &[Name],
        verb: &str,
        errors: &mut FileErrors,
    ) -> Vec<(usize, usize)> {
        let mut pairs = Vec::new();
        for (index, role) in self.declared.iter().enumerate() {
            for other in list(role) {
                match self.find(&other.text) {
                    Some(found) => pairs.push((index, found)),
                    None => self.unknown(other, &format!("`{}` {verb}", role.name.text), errors),
                }
            }
        }
        pairs
    }

    fn unknown(&self, name: &Name, who: &str, errors: &mut FileErrors) {
        let declared: Vec<&str> = self.declared.iter().map(|role| &*role.name.text).collect();
        let message = format!(
            "{who} `{}`, which is not a declared role: {}. To declare it, write `{} = {{}}` below `[roles]`",
            name.text,
            suggest::among(&name.text, &declared),
            key_text(&name.text),
        );
        errors.push(name.at, message);
    }
}

/// A role that implies itself, once for all that imply each other.
fn cycles(
    roles: &[RoleDeclaration],
    implies: &[(usize, usize)],
    relations: &Relations,
    errors: &mut FileErrors,
) {
    for (index, role) in roles.iter().enumerate() {
        let is_reported =
            (0..index).any(|other| relations.implies(index, other) && relations.implies(other, index));
        if !relations.is_in_cycle(index) || is_reported {
            continue;
        }
        let names = cycle_of(index, implies).into_iter().filter_map(|index| roles.get(index));
        let names: Vec<_> = names.map(|role| format!("`{}`", role.name.text)).collect();
        let message = format!(
            "{}, so that all of them would be the same role: remove one of these `implies`",
            names.join(" implies ")
        );
        let at = role.implies.first().map_or(role.name.at, |name| name.at);
        errors.push(at, message);
    }
}

/// The shortest chain of implications from a role that implies itself to itself.
fn cycle_of(role: usize, implies: &[(usize, usize)]) -> Vec<usize> {
    let mut chains = vec![vec![role]];
    let mut next = 0;
    while let Some(chain) = chains.get(next).cloned() {
        for &(_, to) in implies.iter().filter(|(from, _)| chain.last() == Some(from)) {
            let longer = [chain.as_slice(), &[to]].concat();
            if to == role {
                return longer;
            }
            if !chains.iter().any(|chain| chain.last() == Some(&to)) {
                chains.push(longer);
            }
        }
        next += 1;
    }
    Vec::new()
}

/// A role that no caller could have.
fn contradictions(
    roles: &[RoleDeclaration],
    excludes: &[(usize, usize)],
    relations: &Relations,
    errors: &mut FileErrors,
) {
    let name = |index: usize| roles.get(index).map_or("", |role| &*role.name.text);
    for (index, role) in roles.iter().enumerate() {
        // What follows from a cycle is reported with the cycle.
        if !relations.excludes(index, index) || relations.is_in_cycle(index) {
            continue;
        }
        let counts_as = |other: usize| other == index || relations.implies(index, other);
        let Some(&(one, other)) = excludes.iter().find(|&&(a, b)| counts_as(a) && counts_as(b)) else {
            continue;
        };
        let message = match (one == index, other == index) {
            (true, true) => format!("`{}` excludes itself: remove it from `excludes`", name(one)),
            (true, false) => format!(
                "`{0}` excludes `{1}` and implies it, so that no caller could have `{0}`: remove one of the two",
                name(one),
                name(other)
            ),
            (false, true) => format!(
                "`{0}` excludes `{1}`, which implies it, so that no caller could have `{1}`: remove one of the two",
                name(one),
                name(other)
            ),
            (false, false) => format!(
                "`{}` implies both `{}` and `{}`, which exclude each other, so that no caller could have it: remove one of the three",
                name(index),
                name(one),
                name(other)
            ),
        };
        errors.push(role.name.at, message);
    }
}

fn default_source(name: &Name, declarations: &Declarations, errors: &mut FileErrors) {
    let declared = declarations.sources.iter().map(|(source, _)| &*source.text);
    let known: Vec<&str> = BUILT_IN_SOURCES.iter().copied().chain(declared).collect();
    if !known.contains(&&*name.text) {
        let message = format!(
            "`{}` is not a declared source: {}. To declare it, write `[sources.{}]`",
            name.text,
            suggest::among(&name.text, &known),
            key_text(&name.text),
        );
        errors.push(name.at, message);
    }
}
