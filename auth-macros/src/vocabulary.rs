//! The vocabulary: what `auth.toml` declares.

mod file;
mod meaning;
mod read;
#[cfg(test)]
mod tests;

use auth_analysis::Relations;

pub(crate) use self::file::{Loaded, load};
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
    pub(crate) fn role(&self, name: &str) -> Option<usize> {
        self.roles.iter().position(|role| role.name == name)
    }

    pub(crate) fn permission(&self, name: &str) -> Option<usize> {
        self.permissions.iter().position(|permission| permission.name == name)
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
