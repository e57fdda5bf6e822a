//! A route's policy as data that leaves the program: in the access table, in its lock, in published documents.

use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::rule::{Access, Rule};

/// Everything that is enforced on a route, as data.
///
/// As JSON: `{"access":"authenticated","sources":["bearer"],"all":[{"roles":["admin"]}],"check":"owns"}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct PolicyDocument {
    /// Who is let in before any requirement is looked at.
    pub access: PolicyAccess,
    /// The sources that a credential may come from, in the order in which they count. Empty where none is looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// The requirements, which must all hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub all: Vec<Condition>,
    /// The name of the check that must allow the request too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
}

/// Whether a credential is required, before any requirement is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum PolicyAccess {
    /// Nothing is enforced on the route: it came by `dangerously_merge_unguarded`.
    Unguarded,
    /// No credential is looked at.
    Public,
    /// A credential is used if one is sent.
    Optional,
    /// A valid credential must be sent.
    Authenticated,
}

impl PolicyDocument {
    /// Of a route on which nothing is enforced.
    pub(crate) fn unguarded() -> Self {
        Self { access: PolicyAccess::Unguarded, sources: Vec::new(), all: Vec::new(), check: None }
    }

    /// Of a route with these rules, whose strictest access and whose sources are these.
    pub(crate) fn new(access: Access, sources: Vec<String>, rules: &[Rule], check: Option<&str>) -> Self {
        let access = match access {
            Access::Public => PolicyAccess::Public,
            Access::Optional => PolicyAccess::Optional,
            Access::Authenticated => PolicyAccess::Authenticated,
        };
        let has_requirements = access == PolicyAccess::Authenticated;
        Self {
            access,
            sources: if access == PolicyAccess::Public { Vec::new() } else { sources },
            all: if has_requirements {
                rules.iter().flat_map(Rule::conditions).collect()
            } else {
                Vec::new()
            },
            check: check.map(|check| short_name(check).to_owned()),
        }
    }
}

/// The name of a function without its module.
pub(crate) fn short_name(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}
