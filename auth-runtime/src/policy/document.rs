//! A route's policy as data that leaves the program: in the access table, in its lock, in published documents.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::router::short_name;

use super::rule::{Access, Expected, Literal, Requirement, Rule};

/// What is enforced on a route, whole.
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
    /// The name of the check that must say yes too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
}

/// Who is let in before any requirement is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum PolicyAccess {
    /// Nothing of this library stands before the route.
    Unguarded,
    /// No credential is looked at.
    Public,
    /// A credential is used if one is sent.
    Optional,
    /// A credential must be sent, and be good.
    Authenticated,
}

/// One node of a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Condition {
    /// The caller has any one of these roles, or a role that implies one.
    Roles(Vec<String>),
    /// The token carries all of these scopes.
    Scopes(Vec<String>),
    /// The caller is granted all of these permissions.
    Permissions(Vec<String>),
    /// A claim is as expected.
    Claim(ClaimCondition),
    /// The login is at most this many seconds old.
    MaxAge(u64),
    /// The login was of one of these classes.
    Acr(Vec<String>),
    /// At least one part holds.
    Any(Vec<Condition>),
    /// Every part holds.
    All(Vec<Condition>),
    /// The part does not hold.
    Not(Box<Condition>),
}

/// A claim and what it is compared with: `oneOf` literals, or a parameter of the `path`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ClaimCondition {
    /// The claim's name.
    pub name: String,
    /// The strings, integers or booleans of which it must be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Vec<Value>>,
    /// The parameter of the path that it must equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl PolicyDocument {
    /// Of a route that nothing stands before.
    pub(crate) fn unguarded() -> Self {
        Self { access: PolicyAccess::Unguarded, sources: Vec::new(), all: Vec::new(), check: None }
    }

    /// Of a route with these rules, whose strictest access and whose sources are these.
    pub(crate) fn new(access: Access, sources: Vec<String>, rules: &[Rule], check: Option<&str>) -> Self {
        let (access, asks) = match access {
            Access::Public => (PolicyAccess::Public, false),
            Access::Optional => (PolicyAccess::Optional, false),
            Access::Authenticated => (PolicyAccess::Authenticated, true),
        };
        let requirements = rules.iter().flat_map(|rule| rule.requirements());
        Self {
            access,
            sources: if access == PolicyAccess::Public { Vec::new() } else { sources },
            all: if asks { conditions(requirements) } else { Vec::new() },
            check: check.map(|check| short_name(check).to_owned()),
        }
    }
}

/// What must all hold: what is joined by `all` once more, or named, stands in the same list.
fn conditions<'r>(requirements: impl IntoIterator<Item = &'r Requirement>) -> Vec<Condition> {
    let each = requirements.into_iter().flat_map(|requirement| match Condition::from(requirement) {
        Condition::All(parts) => parts,
        condition => vec![condition],
    });
    each.collect()
}

impl From<&Requirement> for Condition {
    /// A named rule becomes what it asks for: its name is the program's.
    fn from(requirement: &Requirement) -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        match requirement {
            Requirement::Roles(names) => Self::Roles(owned(names)),
            Requirement::Scopes(names) => Self::Scopes(owned(names)),
            Requirement::Permissions(names) => Self::Permissions(owned(names)),
            Requirement::Acr(names) => Self::Acr(owned(names)),
            Requirement::MaxAge(seconds) => Self::MaxAge(*seconds),
            Requirement::Claim(name, expected) => Self::Claim(ClaimCondition::new(name, expected)),
            Requirement::Named(_, rule) => Self::all(conditions(rule.requirements())),
            Requirement::All(parts) => Self::all(conditions(*parts)),
            Requirement::Any(parts) => match *parts {
                [one] => Self::from(one),
                several => Self::Any(several.iter().map(Self::from).collect()),
            },
            Requirement::Not(part) => Self::Not(Box::new(Self::from(*part))),
        }
    }
}

impl Condition {
    fn all(mut parts: Vec<Self>) -> Self {
        match parts.pop() {
            Some(one) if parts.is_empty() => one,
            last => {
                parts.extend(last);
                Self::All(parts)
            }
        }
    }
}

impl ClaimCondition {
    fn new(name: &str, expected: &Expected) -> Self {
        let (one_of, path) = match expected {
            Expected::OneOf(literals) => (Some(literals.iter().map(Value::from).collect()), None),
            Expected::PathParameter(parameter) => (None, Some((*parameter).to_owned())),
        };
        Self { name: name.to_owned(), one_of, path }
    }
}

impl From<&Literal> for Value {
    fn from(literal: &Literal) -> Self {
        match literal {
            Literal::String(text) => Self::from(*text),
            Literal::Integer(number) => Self::from(*number),
            Literal::Boolean(flag) => Self::from(*flag),
        }
    }
}
