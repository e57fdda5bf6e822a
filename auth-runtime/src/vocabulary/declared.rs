//! What `auth.toml` declares, as constants.

/// What `auth.toml` declares. Only [`vocabulary!`](crate::vocabulary!) makes one, after it checked the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vocabulary {
    /// The sources of a rule that names none; empty where the file does not say.
    pub default_source: &'static [&'static str],
    /// The roles, in the order of the file.
    pub roles: &'static [DeclaredRole],
    /// The scopes, in the order of the file.
    pub scopes: &'static [DeclaredScope],
    /// The permissions, in the order of the file.
    pub permissions: &'static [DeclaredPermission],
    /// The sources that are added to those of every engine.
    pub sources: &'static [DeclaredSource],
}

/// A role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeclaredRole {
    /// Its name, as tokens and rules have it.
    pub name: &'static str,
    /// What it is for.
    pub description: Option<&'static str>,
    /// The roles that it implies, in any number of steps.
    pub implies: &'static [&'static str],
    /// The roles that no caller may have together with it. It is written at one of the two.
    pub excludes: &'static [&'static str],
}

/// A scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeclaredScope {
    /// Its name, as tokens and rules have it.
    pub name: &'static str,
    /// What it allows.
    pub description: &'static str,
}

/// A permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeclaredPermission {
    /// Its name, as tokens and rules have it.
    pub name: &'static str,
    /// The roles that are granted it, also those that imply one that is.
    pub roles: &'static [&'static str],
}

/// A source of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeclaredSource {
    /// What `source = ".."` calls it.
    pub name: &'static str,
    /// What it is.
    pub kind: DeclaredSourceKind,
}

/// What a declared source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeclaredSourceKind {
    /// A header: the engine adds a [`Header`](crate::source::Header) by itself.
    Header {
        /// The header's name.
        name: &'static str,
        /// The word in front of the credential.
        scheme: Option<&'static str>,
        /// Whether a proxy adds it: see [`Header::added_by_proxy`](crate::source::Header::added_by_proxy).
        is_added_by_proxy: bool,
    },
    /// One that the engine's builder is given, with [`AuthBuilder::source`](crate::AuthBuilder::source).
    Custom,
}

/// For the expansion of `vocabulary!`.
#[doc(hidden)]
impl Vocabulary {
    #[must_use]
    pub const fn new(
        default_source: &'static [&'static str],
        roles: &'static [DeclaredRole],
        scopes: &'static [DeclaredScope],
        permissions: &'static [DeclaredPermission],
        sources: &'static [DeclaredSource],
    ) -> Self {
        Self { default_source, roles, scopes, permissions, sources }
    }
}

#[doc(hidden)]
impl DeclaredRole {
    #[must_use]
    pub const fn new(
        name: &'static str,
        description: Option<&'static str>,
        implies: &'static [&'static str],
        excludes: &'static [&'static str],
    ) -> Self {
        Self { name, description, implies, excludes }
    }
}

#[doc(hidden)]
impl DeclaredScope {
    #[must_use]
    pub const fn new(name: &'static str, description: &'static str) -> Self {
        Self { name, description }
    }
}

#[doc(hidden)]
impl DeclaredPermission {
    #[must_use]
    pub const fn new(name: &'static str, roles: &'static [&'static str]) -> Self {
        Self { name, roles }
    }
}

#[doc(hidden)]
impl DeclaredSource {
    #[must_use]
    pub const fn new(name: &'static str, kind: DeclaredSourceKind) -> Self {
        Self { name, kind }
    }
}
