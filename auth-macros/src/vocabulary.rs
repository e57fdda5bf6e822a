//! The vocabulary: what `auth.toml` declares.

mod file;
mod meaning;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use auth_analysis::Relations;

pub(crate) use self::file::{Loaded, load};
pub(crate) use self::meaning::is_scope;
pub(crate) use self::read::key_text;

/// The sources that every engine knows; `query` once its builder allows it.
pub(crate) const BUILT_IN_SOURCES: &[&str] = &["bearer", "cookie", "query"];

/// What a file declares, without mistakes, in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    pub(crate) default_source: Vec<String>,
    pub(crate) roles: Vec<Role>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) sources: Vec<Source>,
    /// Of roles and permissions, by where they stand in these lists.
    pub(crate) relations: Relations,
    places: Places,
}

/// Where each name stands in its list.
#[derive(Debug, Default)]
struct Places {
    roles: BTreeMap<String, usize>,
    scopes: BTreeMap<String, usize>,
    permissions: BTreeMap<String, usize>,
}

#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// As written, by the other role's place in the list.
    pub(crate) excludes: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) name: String,
    pub(crate) description: String,
}

#[derive(Debug)]
pub(crate) struct Permission {
    pub(crate) name: String,
}

#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) kind: SourceKind,
}

#[derive(Debug)]
pub(crate) enum SourceKind {
    /// The vocabulary says all of it.
    Header { name: String, scheme: Option<String> },
    /// The engine's builder is given it.
    Custom,
}

impl Vocabulary {
    /// Fills in where each name stands.
    fn placed(mut self) -> Self {
        fn places<'n>(names: impl Iterator<Item = &'n String>) -> BTreeMap<String, usize> {
            names.cloned().zip(0..).collect()
        }
        self.places = Places {
            roles: places(self.roles.iter().map(|role| &role.name)),
            scopes: places(self.scopes.iter().map(|scope| &scope.name)),
            permissions: places(self.permissions.iter().map(|permission| &permission.name)),
        };
        self
    }

    /// Its place in the list.
    pub(crate) fn role(&self, name: &str) -> Option<usize> {
        self.places.roles.get(name).copied()
    }

    pub(crate) fn scope(&self, name: &str) -> Option<usize> {
        self.places.scopes.get(name).copied()
    }

    pub(crate) fn permission(&self, name: &str) -> Option<usize> {
        self.places.permissions.get(name).copied()
    }

    pub(crate) fn role_names(&self) -> Vec<&str> {
        self.roles.iter().map(|role| &*role.name).collect()
    }

    pub(crate) fn scope_names(&self) -> Vec<&str> {
        self.scopes.iter().map(|scope| &*scope.name).collect()
    }

    pub(crate) fn permission_names(&self) -> Vec<&str> {
        self.permissions.iter().map(|permission| &*permission.name).collect()
    }

    /// Built in, and declared.
    pub(crate) fn source_names(&self) -> Vec<&str> {
        let declared = self.sources.iter().map(|source| &*source.name);
        BUILT_IN_SOURCES.iter().copied().chain(declared).collect()
    }
}
