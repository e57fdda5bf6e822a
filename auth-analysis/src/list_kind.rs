//! The requirements that are a list of names: `roles = ["admin", "editor"]`.

use crate::formula::Formula;

/// What the names of a list are, and so what the list requires.
///
/// A new kind is added here, to the conditions of `auth-runtime` and to their evaluation; attribute, messages, access table and
/// analysis take it from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListKind {
    /// The caller has one of these roles, or a role that implies one.
    Roles,
    /// The token carries all of these scopes.
    Scopes,
    /// The caller is granted all of these permissions.
    Permissions,
    /// The login is of one of these authentication context classes.
    Acr,
    /// The login used one of these authentication methods.
    Amr,
}

struct Description {
    keyword: &'static str,
    example: &'static str,
    one: &'static str,
    several: &'static str,
    with_article: &'static str,
    name_with_article: &'static str,
    requires_all: bool,
    excludes_others: bool,
}

impl ListKind {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 5] = [Self::Roles, Self::Scopes, Self::Permissions, Self::Acr, Self::Amr];

    const fn description(self) -> Description {
        match self {
            Self::Roles => Description {
                keyword: "roles",
                example: "admin",
                one: "role",
                several: "role",
                with_article: "the role",
                name_with_article: "a role",
                requires_all: false,
                excludes_others: false,
            },
            Self::Scopes => Description {
                keyword: "scopes",
                example: "article:write",
                one: "scope",
                several: "scopes",
                with_article: "the scope",
                name_with_article: "a scope",
                requires_all: true,
                excludes_others: false,
            },
            Self::Permissions => Description {
                keyword: "permissions",
                example: "invoice.read",
                one: "permission",
                several: "permissions",
                with_article: "the permission",
                name_with_article: "a permission",
                requires_all: true,
                excludes_others: false,
            },
            Self::Acr => Description {
                keyword: "acr",
                example: "mfa",
                one: "a login of class",
                several: "a login of class",
                with_article: "a login of class",
                name_with_article: "a class of a login (`acr`)",
                requires_all: false,
                excludes_others: true,
            },
            Self::Amr => Description {
                keyword: "amr",
                example: "hwk",
                one: "a login by method",
                several: "a login by method",
                with_article: "a login by method",
                name_with_article: "a method of a login (`amr`)",
                requires_all: false,
                excludes_others: false,
            },
        }
    }

    /// The argument of the attribute, and the key in the JSON of a condition.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        self.description().keyword
    }

    /// The kind of this keyword.
    #[must_use]
    pub fn from_keyword(keyword: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.keyword() == keyword)
    }

    /// A name that such a list could have, for messages.
    #[must_use]
    pub const fn example(self) -> &'static str {
        self.description().example
    }

    /// What comes before the names in a description of a rule: "role", "scopes", "a login of class".
    #[must_use]
    pub const fn noun(self, names: usize) -> &'static str {
        if names == 1 { self.description().one } else { self.description().several }
    }

    /// What comes before one name in a description of a caller: "the role", "a login of class".
    #[must_use]
    pub const fn with_article(self) -> &'static str {
        self.description().with_article
    }

    /// What a name of this kind is: "a role", "a scope".
    #[must_use]
    pub const fn name_with_article(self) -> &'static str {
        self.description().name_with_article
    }

    /// Whether the list requires all of its names; otherwise any one is enough.
    #[must_use]
    pub const fn requires_all(self) -> bool {
        self.description().requires_all
    }

    /// Whether a caller has at most one name of this kind.
    #[must_use]
    pub const fn excludes_others(self) -> bool {
        self.description().excludes_others
    }

    /// What the list requires, where each name requires its part.
    #[must_use]
    pub fn join(self, parts: Vec<Formula>) -> Formula {
        if self.requires_all() { Formula::All(parts) } else { Formula::Any(parts) }
    }
}
