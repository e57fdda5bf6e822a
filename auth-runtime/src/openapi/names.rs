//! The names of roles, scopes and permissions, as a document lists them.

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::{Condition, PolicyDocument};
use crate::vocabulary::Vocabulary;

/// What a name is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NameKind {
    Role,
    Scope,
    Permission,
}

/// The kinds of each name that the rules and the vocabulary have: a name of two kinds is listed with its kind.
pub(super) struct NameKinds(BTreeMap<String, BTreeSet<NameKind>>);

impl NameKinds {
    pub(super) fn new<'p>(
        policies: impl Iterator<Item = &'p PolicyDocument>,
        vocabulary: Option<&Vocabulary>,
    ) -> Self {
        let mut kinds = Self(BTreeMap::new());
        if let Some(vocabulary) = vocabulary {
            let roles = vocabulary.roles.iter().map(|role| (NameKind::Role, role.name));
            let scopes = vocabulary.scopes.iter().map(|scope| (NameKind::Scope, scope.name));
            let permissions = vocabulary.permissions.iter();
            let permissions = permissions.map(|permission| (NameKind::Permission, permission.name));
            for (kind, name) in roles.chain(scopes).chain(permissions) {
                kinds.0.entry(name.to_owned()).or_default().insert(kind);
            }
        }
        policies.flat_map(|policy| &policy.all).for_each(|condition| kinds.add(condition));
        kinds
    }

    fn add(&mut self, condition: &Condition) {
        let (kind, names) = match condition {
            Condition::Roles(names) => (NameKind::Role, names),
            Condition::Scopes(names) => (NameKind::Scope, names),
            Condition::Permissions(names) => (NameKind::Permission, names),
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
    pub(super) fn of_kind(&self, kind: NameKind) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(_, kinds)| kinds.contains(&kind)).map(|(name, _)| &**name)
    }

    /// The name as the document lists it.
    pub(super) fn listed(&self, kind: NameKind, name: &str) -> String {
        let prefix = match kind {
            _ if self.0.get(name).is_none_or(|kinds| kinds.len() < 2) => return name.to_owned(),
            NameKind::Role => "role",
            NameKind::Scope => "scope",
            NameKind::Permission => "permission",
        };
        format!("{prefix}:{name}")
    }
}
