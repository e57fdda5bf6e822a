//! The tree of a rule, in the one form that is written: by the macros, in the lock, in published documents.

use auth_analysis::ListKind;
use serde::{Deserialize, Serialize};

use crate::vocabulary::NameKind;

/// One node of a rule.
///
/// As JSON an object of one key, which is the keyword of the attribute: `{"roles":["admin"]}`, `{"maxAge":300}`,
/// `{"not":{"roles":["suspended"]}}`, `{"claim":{"name":"plan","oneOf":["pro"]}}`. [`Display`](std::fmt::Display) describes it in
/// English.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Condition {
    /// The caller has any one of these roles, or a role that implies one.
    Roles(Vec<String>),
    /// The token carries all of these scopes.
    Scopes(Vec<String>),
    /// The caller is granted all of these permissions.
    Permissions(Vec<String>),
    /// A claim is as expected. A claim that is a list matches if one of its elements does.
    Claim(ClaimCondition),
    /// The login (`auth_time`) is at most this many seconds old (RFC 9470 §3).
    MaxAge(u64),
    /// The login was of one of these authentication context classes (`acr`, RFC 9470 §3).
    Acr(Vec<String>),
    /// The login used one of these authentication methods (`amr`, RFC 8176), such as `hwk` or `otp`.
    Amr(Vec<String>),
    /// At least one part holds; false where there is no part.
    Any(Vec<Condition>),
    /// Every part holds.
    All(Vec<Condition>),
    /// The part does not hold.
    Not(Box<Condition>),
}

/// A claim and what it is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "ClaimFields", try_from = "ClaimFields")]
pub struct ClaimCondition {
    /// The claim's name.
    pub name: String,
    /// What it is compared with.
    pub expected: Expected,
}

/// What a claim is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// The claim equals one of these.
    OneOf(Vec<Literal>),
    /// The claim, a string or an integer, equals this parameter of the route's path, percent-decoded.
    PathParameter(String),
}

/// A value that a claim is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Literal {
    /// A boolean.
    Boolean(bool),
    /// An integer; a claim such as `3.0` is not an integer.
    Integer(i64),
    /// A string, compared byte for byte.
    String(String),
}

/// A [`Condition`] with all lists of names as one shape, for what treats them alike.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape<'c> {
    List(ListKind, &'c [String]),
    Claim(&'c ClaimCondition),
    MaxAge(u64),
    Any(&'c [Condition]),
    All(&'c [Condition]),
    Not(&'c Condition),
}

impl ClaimCondition {
    /// The claim of this name is one of these values.
    #[must_use]
    pub fn one_of(name: impl Into<String>, values: impl IntoIterator<Item = Literal>) -> Self {
        Self { name: name.into(), expected: Expected::OneOf(values.into_iter().collect()) }
    }
}

impl Condition {
    /// What no caller satisfies.
    pub(super) const NEVER: Self = Self::Any(Vec::new());

    /// The condition with all lists of names as one shape.
    pub(crate) fn shape(&self) -> Shape<'_> {
        match self {
            Self::Roles(names) => Shape::List(ListKind::Roles, names),
            Self::Scopes(names) => Shape::List(ListKind::Scopes, names),
            Self::Permissions(names) => Shape::List(ListKind::Permissions, names),
            Self::Acr(names) => Shape::List(ListKind::Acr, names),
            Self::Amr(names) => Shape::List(ListKind::Amr, names),
            Self::Claim(claim) => Shape::Claim(claim),
            Self::MaxAge(seconds) => Shape::MaxAge(*seconds),
            Self::Any(parts) => Shape::Any(parts),
            Self::All(parts) => Shape::All(parts),
            Self::Not(part) => Shape::Not(part),
        }
    }

    /// The names of a condition whose names a vocabulary declares.
    pub(super) fn declared_names(&self) -> Option<(NameKind, &[String])> {
        match self {
            Self::Roles(names) => Some((NameKind::Role, names)),
            Self::Scopes(names) => Some((NameKind::Scope, names)),
            Self::Permissions(names) => Some((NameKind::Permission, names)),
            _ => None,
        }
    }

    /// Whether it is about the login alone, so that a newer or stronger login can satisfy it.
    #[cfg(feature = "openapi")]
    pub(crate) fn is_about_login(&self) -> bool {
        matches!(self, Self::MaxAge(_) | Self::Acr(_) | Self::Amr(_))
    }

    /// The conditions that must all hold, in one list: a part that is an `all` is replaced by its own parts, and an `any` or `all`
    /// of one part by that part.
    pub(super) fn flattened(parts: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let each = parts.into_iter().flat_map(|part| match part.simplified() {
            Self::All(parts) => parts,
            other => vec![other],
        });
        each.collect()
    }

    fn simplified(self) -> Self {
        match self {
            Self::All(parts) => single(Self::flattened(parts), Self::All),
            Self::Any(parts) => single(parts.into_iter().map(Self::simplified).collect(), Self::Any),
            Self::Not(part) => Self::Not(Box::new(part.simplified())),
            other => other,
        }
    }

    /// Calls `visit` with this condition and every part of it.
    pub(super) fn visit<'c>(&'c self, visit: &mut impl FnMut(&'c Self)) {
        visit(self);
        match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().for_each(|part| part.visit(visit)),
            Self::Not(part) => part.visit(visit),
            _ => {}
        }
    }
}

/// The one part, or the parts joined.
fn single(mut parts: Vec<Condition>, join: impl FnOnce(Vec<Condition>) -> Condition) -> Condition {
    match parts.pop() {
        Some(one) if parts.is_empty() => one,
        last => {
            parts.extend(last);
            join(parts)
        }
    }
}

/// A claim condition as JSON has it: `oneOf` or `path`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClaimFields {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    one_of: Option<Vec<Literal>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

impl From<ClaimCondition> for ClaimFields {
    fn from(claim: ClaimCondition) -> Self {
        let (one_of, path) = match claim.expected {
            Expected::OneOf(values) => (Some(values), None),
            Expected::PathParameter(name) => (None, Some(name)),
        };
        Self { name: claim.name, one_of, path }
    }
}

impl TryFrom<ClaimFields> for ClaimCondition {
    type Error = String;

    fn try_from(fields: ClaimFields) -> Result<Self, String> {
        let expected = match (fields.one_of, fields.path) {
            (Some(values), None) => Expected::OneOf(values),
            (None, Some(name)) => Expected::PathParameter(name),
            _ => return Err(format!("the claim `{}` has `oneOf` or `path`, one of the two", fields.name)),
        };
        Ok(Self { name: fields.name, expected })
    }
}

#[cfg(test)]
mod tests {
    use auth_analysis::ListKind;
    use serde_json::{Value, json};

    use super::{Condition, Shape};

    /// The macros write a list with its keyword as the key.
    #[test]
    fn a_list_is_spelled_with_its_keyword() {
        for kind in ListKind::ALL {
            let json = json!({ kind.keyword(): ["x"] });
            let condition: Condition = serde_json::from_value(json.clone()).unwrap();
            assert!(matches!(condition.shape(), Shape::List(found, [name]) if found == kind && name == "x"));
            assert_eq!(serde_json::to_value(condition).unwrap(), json);
        }
    }

    #[test]
    fn a_claim_is_compared_with_values_or_with_a_parameter() {
        let read = |json: &Value| serde_json::from_value::<Condition>(json.clone());
        for json in [
            json!({ "claim": { "name": "plan", "oneOf": ["pro", 3, true] } }),
            json!({ "claim": { "name": "tenant", "path": "tenant" } }),
        ] {
            assert_eq!(serde_json::to_value(read(&json).unwrap()).unwrap(), json);
        }
        for json in [
            json!({ "claim": { "name": "plan" } }),
            json!({ "claim": { "name": "plan", "oneOf": [1], "path": "plan" } }),
            json!({ "claim": { "name": "plan", "oneOf": [1.5] } }),
            json!({ "claim": { "name": "plan", "oneOf": [1], "more": 1 } }),
        ] {
            assert!(read(&json).is_err(), "{json}");
        }
    }
}
