//! What the file says → the vocabulary: names that stand for something, and relations that can be.

use auth_analysis::Relations;

use super::read::{Mistake, Name, Written, WrittenRole, key_text};
use super::{BUILT_IN_SOURCES, Permission, Role, Scope, Source, Vocabulary};
use crate::suggest;

/// What `written` means; whatever can't be goes to `mistakes`.
pub(super) fn of(written: Written, mistakes: &mut Vec<Mistake>) -> Vocabulary {
    let roles = Roles { written: &written.roles };
    let implies = roles.pairs(|role| &role.implies, "implies", mistakes);
    let excludes = roles.pairs(|role| &role.excludes, "excludes", mistakes);
    let mut grants = Vec::new();
    for (index, (permission, granted)) in written.permissions.iter().enumerate() {
        for role in granted {
            match roles.find(&role.text) {
                Some(found) => grants.push((found, index)),
                None => mistakes.push(roles.unknown(role, &format!("`{}` is granted to", permission.text))),
            }
        }
    }
    let relations = Relations::new(written.roles.len(), &implies, &excludes, &grants);
    cycles(&written.roles, &implies, &relations, mistakes);
    contradictions(&written.roles, &excludes, &relations, mistakes);
    for (name, _) in &written.scopes {
        scope(name, mistakes);
    }
    for name in &written.default_source {
        default_source(name, &written, mistakes);
    }

    let named = |name: Name| name.text;
    Vocabulary {
        default_source: written.default_source.into_iter().map(named).collect(),
        roles: written
            .roles
            .into_iter()
            .enumerate()
            .map(|(index, role)| Role {
                name: role.name.text,
                description: role.description,
                excludes: excludes.iter().filter(|(one, _)| *one == index).map(|(_, other)| *other).collect(),
            })
            .collect(),
        scopes: written
            .scopes
            .into_iter()
            .map(|(name, description)| Scope { name: name.text, description })
            .collect(),
        permissions: written
            .permissions
            .into_iter()
            .map(|(name, _)| Permission { name: name.text })
            .collect(),
        sources: written.sources.into_iter().map(|(name, kind)| Source { name: name.text, kind }).collect(),
        relations,
        ..Vocabulary::default()
    }
    .placed()
}

struct Roles<'w> {
    written: &'w [WrittenRole],
}

impl Roles<'_> {
    fn find(&self, name: &str) -> Option<usize> {
        self.written.iter().position(|role| role.name.text == name)
    }

    /// Each role with each that `list` names for it.
    fn pairs(
        &self,
        list: impl Fn(&WrittenRole) -> &[Name],
        verb: &str,
        mistakes: &mut Vec<Mistake>,
    ) -> Vec<(usize, usize)> {
        let mut pairs = Vec::new();
        for (index, role) in self.written.iter().enumerate() {
            for other in list(role) {
                match self.find(&other.text) {
                    Some(found) => pairs.push((index, found)),
                    None => mistakes.push(self.unknown(other, &format!("`{}` {verb}", role.name.text))),
                }
            }
        }
        pairs
    }

    fn unknown(&self, name: &Name, who: &str) -> Mistake {
        let declared: Vec<&str> = self.written.iter().map(|role| &*role.name.text).collect();
        let message = format!(
            "{who} `{}`, which is no declared role: {}. To declare it, write `{} = {{}}` below `[roles]`",
            name.text,
            suggest::among(&name.text, &declared),
            key_text(&name.text),
        );
        Mistake { at: name.at, message }
    }
}

/// A role that implies itself, once for all that imply each other.
fn cycles(
    roles: &[WrittenRole],
    implies: &[(usize, usize)],
    relations: &Relations,
    mistakes: &mut Vec<Mistake>,
) {
    for (index, role) in roles.iter().enumerate() {
        let told = (0..index).any(|other| relations.implies(index, other) && relations.implies(other, index));
        if !relations.is_in_cycle(index) || told {
            continue;
        }
        let names = way_back(index, implies).into_iter().filter_map(|index| roles.get(index));
        let names: Vec<_> = names.map(|role| format!("`{}`", role.name.text)).collect();
        let message = format!(
            "{}, so all of them would be one role: take one `implies` of these away",
            names.join(" implies ")
        );
        let at = role.implies.first().map_or(role.name.at, |name| name.at);
        mistakes.push(Mistake { at, message });
    }
}

/// The shortest way from a role that implies itself to itself.
fn way_back(role: usize, implies: &[(usize, usize)]) -> Vec<usize> {
    let mut ways = vec![vec![role]];
    let mut next = 0;
    while let Some(way) = ways.get(next).cloned() {
        for &(_, to) in implies.iter().filter(|(from, _)| way.last() == Some(from)) {
            let longer = [way.as_slice(), &[to]].concat();
            if to == role {
                return longer;
            }
            if !ways.iter().any(|way| way.last() == Some(&to)) {
                ways.push(longer);
            }
        }
        next += 1;
    }
    Vec::new()
}

/// A role that nobody could hold, or that excludes one in vain.
fn contradictions(
    roles: &[WrittenRole],
    excludes: &[(usize, usize)],
    relations: &Relations,
    mistakes: &mut Vec<Mistake>,
) {
    let name = |index: usize| roles.get(index).map_or("", |role| &*role.name.text);
    for (index, role) in roles.iter().enumerate() {
        // What a cycle makes of it, the cycle's own mistake says.
        if !relations.excludes(index, index) || relations.is_in_cycle(index) {
            continue;
        }
        let counts_as = |other: usize| other == index || relations.implies(index, other);
        let Some(&(one, other)) = excludes.iter().find(|&&(a, b)| counts_as(a) && counts_as(b)) else {
            continue;
        };
        let message = match (one == index, other == index) {
            (true, true) => format!("`{}` excludes itself: take it out of `excludes`", name(one)),
            (true, false) => format!(
                "`{0}` excludes `{1}` and implies it, so nobody could hold `{0}`: take one of the two away",
                name(one),
                name(other)
            ),
            (false, true) => format!(
                "`{0}` excludes `{1}`, which implies it, so nobody could hold `{1}`: take one of the two away",
                name(one),
                name(other)
            ),
            (false, false) => format!(
                "`{}` implies both `{}` and `{}`, which exclude each other, so nobody could hold it: take one of the three away",
                name(index),
                name(one),
                name(other)
            ),
        };
        mistakes.push(Mistake { at: role.name.at, message });
    }
}

/// RFC 6749 §3.3.
pub(crate) fn is_scope(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

fn scope(name: &Name, mistakes: &mut Vec<Mistake>) {
    if !is_scope(&name.text) {
        let message = format!(
            "{:?} can't be a scope (RFC 6749 §3.3): visible ASCII without spaces, `\"` and `\\` can",
            name.text
        );
        mistakes.push(Mistake { at: name.at, message });
    }
}

fn default_source(name: &Name, written: &Written, mistakes: &mut Vec<Mistake>) {
    let declared = written.sources.iter().map(|(source, _)| &*source.text);
    let known: Vec<&str> = BUILT_IN_SOURCES.iter().copied().chain(declared).collect();
    if !known.contains(&&*name.text) {
        let message = format!(
            "`{}` is no declared source: {}. To declare it, write `[sources.{}]`",
            name.text,
            suggest::among(&name.text, &known),
            key_text(&name.text),
        );
        mistakes.push(Mistake { at: name.at, message });
    }
}
