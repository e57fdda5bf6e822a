//! What `auth.toml` declares, with names that refer to something and relations that can hold.

use std::collections::BTreeMap;

use auth_analysis::Relations;

/// The sources that every engine knows; `query` once its builder allows it.
pub(crate) const BUILT_IN_SOURCES: &[&str] = &["bearer", "cookie", "query"];

/// What a file without errors declares, in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    pub(crate) default_source: Vec<String>,
    pub(crate) roles: Vec<Role>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) sources: Vec<Source>,
    /// Of roles and permissions, by their indices in these lists.
    pub(crate) relations: Relations,
    pub(super) indices: Indices,
}

/// The index of each name in its list.
#[derive(Debug, Default)]
pub(super) struct Indices {
    roles: BTreeMap<String, usize>,
    scopes: BTreeMap<String, usize>,
    permissions: BTreeMap<String, usize>,
}

#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// As written, by the other role's index.
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
    Header { name: String, scheme: Option<String>, is_added_by_proxy: bool },
    /// The engine's builder is given it.
    Custom,
}

impl Vocabulary {
    /// Fills in the index of each name.
    pub(super) fn indexed(mut self) -> Self {
        fn indices<'n>(names: impl Iterator<Item = &'n String>) -> BTreeMap<String, usize> {
            names.cloned().zip(0..).collect()
        }
        self.indices = Indices {
            roles: indices(self.roles.iter().map(|role| &role.name)),
            scopes: indices(self.scopes.iter().map(|scope| &scope.name)),
            permissions: indices(self.permissions.iter().map(|permission| &permission.name)),
        };
        self
    }

    /// Its index in the list.
    pub(crate) fn role(&self, name: &str) -> Option<usize> {
        self.indices.roles.get(name).copied()
    }

    pub(crate) fn scope(&self, name: &str) -> Option<usize> {
        self.indices.scopes.get(name).copied()
    }

    pub(crate) fn permission(&self, name: &str) -> Option<usize> {
        self.indices.permissions.get(name).copied()
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
