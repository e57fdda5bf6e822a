//! Rules in English, for tables, documents and logs.
//!
//! ```text
//! rule        = ["from " source {" or " source} ": "] who
//! who         = "public" | "optional" | "any authenticated caller" | conjunction
//! conjunction = part {", and " part}
//! disjunction = part {", or " part}
//! part        = names | "not " part | "(" conjunction | disjunction ")"
//! names       = noun " " name {" or " name}      or, where all are required, {" and " name}
//! ```
//!
//! What must hold comes before what must not. A comma only joins parts, and parts that are joined inside of others are in
//! parentheses, so that no precedence has to be known. A name that could be read as something else is in quotes.

use std::fmt;

use auth_analysis::ListKind;

use super::condition::{ClaimCondition, Condition, Expected, Literal, Shape};
use super::rule::{Access, Rule};

/// Who is let in by these conditions, which must all hold, and by the check of this name.
pub(crate) fn who(access: Access, conditions: &[Condition], check: Option<&str>) -> String {
    let count = conditions.len() + usize::from(check.is_some());
    let mut parts: Vec<String> = match access {
        Access::Authenticated => in_order(conditions)
            .map(|part| if count > 1 { Part(part).to_string() } else { part.to_string() })
            .collect(),
        Access::Public | Access::Optional => Vec::new(),
    };
    if parts.is_empty() {
        parts.push(access.to_string());
    }
    parts.extend(check.map(|check| format!("check {check}")));
    parts.join(", and ")
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.source_names().is_empty() {
            write!(f, "from {}: ", self.source_names().join(" or "))?;
        }
        f.write_str(&who(self.access(), &self.conditions(), None))
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Optional => "optional",
            Self::Authenticated => "any authenticated caller",
        })
    }
}

/// In English: "role admin, and not role suspended".
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shape() {
            Shape::Any([]) => f.write_str("no caller"),
            Shape::Any(parts) => joined(f, in_order(parts).map(Part), ", or "),
            Shape::All([]) => Access::Authenticated.fmt(f),
            Shape::All(parts) => joined(f, in_order(parts).map(Part), ", and "),
            Shape::Not(part) if part.needs_parentheses() => write!(f, "not ({part})"),
            Shape::Not(part) => write!(f, "not {part}"),
            Shape::MaxAge(seconds) => write!(f, "a login at most {seconds} s old"),
            Shape::Claim(claim) => claim.fmt(f),
            Shape::List(kind, names) => list(f, kind, names),
        }
    }
}

impl Condition {
    /// Whether it is in parentheses after a "not".
    fn needs_parentheses(&self) -> bool {
        match self.shape() {
            Shape::Any(parts) | Shape::All(parts) => parts.len() > 1,
            Shape::List(_, names) => names.len() > 1,
            Shape::Claim(claim) => matches!(&claim.expected, Expected::OneOf(values) if values.len() > 1),
            Shape::Not(_) => true,
            Shape::MaxAge(_) => false,
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, kind: ListKind, names: &[String]) -> fmt::Result {
    write!(f, "{} ", kind.noun(names.len()))?;
    joined(f, names.iter().map(|name| Name(name)), if kind.requires_all() { " and " } else { " or " })
}

impl fmt::Display for ClaimCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "claim {} equal to ", Name(&self.name))?;
        match &self.expected {
            Expected::PathParameter(parameter) => write!(f, "{{{parameter}}} of the path"),
            Expected::OneOf(literals) => joined(f, literals, " or "),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => write!(f, "{text:?}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Boolean(flag) => write!(f, "{flag}"),
        }
    }
}

/// A condition next to others.
struct Part<'c>(&'c Condition);

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.shape() {
            Shape::Any([_, _, ..]) | Shape::All([_, _, ..]) => write!(f, "({})", self.0),
            _ => self.0.fmt(f),
        }
    }
}

/// In quotes where it is more than one word, or a word of the grammar.
struct Name<'n>(&'n str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_special = |letter: char| {
            letter.is_whitespace() || letter.is_control() || matches!(letter, ',' | '(' | ')' | '"')
        };
        if self.0.is_empty() || self.0.contains(is_special) || matches!(self.0, "and" | "or" | "not") {
            write!(f, "{:?}", self.0)
        } else {
            f.write_str(self.0)
        }
    }
}

/// What must hold, and then what must not.
fn in_order(parts: &[Condition]) -> impl Iterator<Item = &Condition> {
    let is_negative = |part: &&Condition| matches!(part, Condition::Not(_));
    parts.iter().filter(move |part| !is_negative(part)).chain(parts.iter().filter(is_negative))
}

fn joined<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    parts: impl IntoIterator<Item = T>,
    separator: &str,
) -> fmt::Result {
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        write!(f, "{part}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::who;
    use crate::policy::{Access, Condition, Rule};

    fn described(conditions: Value) -> String {
        let conditions: Vec<Condition> = serde_json::from_value(conditions).unwrap();
        Rule::authenticated().requires(conditions.leak()).to_string()
    }

    #[test]
    fn each_condition() {
        for (condition, expected) in [
            (json!({ "roles": ["admin"] }), "role admin"),
            (json!({ "roles": ["admin", "editor", "author"] }), "role admin or editor or author"),
            (json!({ "scopes": ["read"] }), "scope read"),
            (json!({ "scopes": ["read", "write"] }), "scopes read and write"),
            (json!({ "permissions": ["a", "b"] }), "permissions a and b"),
            (json!({ "acr": ["mfa", "gold"] }), "a login of class mfa or gold"),
            (json!({ "maxAge": 300 }), "a login at most 300 s old"),
            (json!({ "claim": { "name": "plan", "oneOf": ["pro"] } }), r#"claim plan equal to "pro""#),
            (
                json!({ "claim": { "name": "plan", "oneOf": ["pro", 3, true] } }),
                r#"claim plan equal to "pro" or 3 or true"#,
            ),
            (json!({ "claim": { "name": "t", "path": "tenant" } }), "claim t equal to {tenant} of the path"),
            (json!({ "any": [] }), "no caller"),
            (json!({ "all": [] }), "any authenticated caller"),
        ] {
            assert_eq!(described(json!([condition])), expected);
        }
    }

    #[test]
    fn parts_that_are_joined_inside_of_others_are_in_parentheses() {
        let (a, b, c) = (json!({ "roles": ["a"] }), json!({ "scopes": ["b"] }), json!({ "acr": ["c"] }));
        let (not_a, several) = (json!({ "not": a }), json!({ "roles": ["x", "y"] }));
        for (conditions, expected) in [
            (json!([not_a, b]), "scope b, and not role a"),
            (json!([{ "any": [a, b] }]), "role a, or scope b"),
            (json!([{ "any": [not_a, b] }]), "scope b, or not role a"),
            (json!([{ "any": [a, b] }, c]), "(role a, or scope b), and a login of class c"),
            (json!([{ "any": [{ "all": [a, b] }, c] }]), "(role a, and scope b), or a login of class c"),
            (json!([a, { "all": [b, c] }]), "role a, and scope b, and a login of class c"),
            (json!([{ "any": [a, { "any": [b, c] }] }]), "role a, or (scope b, or a login of class c)"),
            (json!([{ "not": { "any": [a, b] } }]), "not (role a, or scope b)"),
            (json!([{ "not": { "all": [a, not_a] } }, b]), "scope b, and not (role a, and not role a)"),
            (json!([{ "not": several }, several]), "role x or y, and not (role x or y)"),
            (json!([{ "not": { "not": a } }]), "not (not role a)"),
            (json!([{ "not": { "any": [a] } }]), "not role a"),
            (
                json!([{ "not": { "claim": { "name": "n", "oneOf": [1, 2] } } }]),
                "not (claim n equal to 1 or 2)",
            ),
        ] {
            assert_eq!(described(conditions), expected);
        }
    }

    #[test]
    fn a_name_that_could_be_read_as_something_else_is_in_quotes() {
        assert_eq!(
            described(json!([{ "roles": ["a, and role b", "or", "x:y"] }])),
            r#"role "a, and role b" or "or" or x:y"#
        );
        let claim = json!({ "claim": { "name": "https://example.com/plan name", "oneOf": [1] } });
        assert_eq!(described(json!([claim])), r#"claim "https://example.com/plan name" equal to 1"#);
    }

    #[test]
    fn the_check_is_the_last_part() {
        let either: Vec<Condition> =
            serde_json::from_value(json!([{ "any": [{ "roles": ["a"] }, { "roles": ["b"] }] }])).unwrap();
        assert_eq!(who(Access::Authenticated, &either, Some("owns")), "(role a, or role b), and check owns");
        assert_eq!(who(Access::Authenticated, &[], Some("owns")), "any authenticated caller, and check owns");
        assert_eq!(who(Access::Public, &either, None), "public");
        assert_eq!(
            Rule::optional().sources(&["cookie", "bearer"]).to_string(),
            "from cookie or bearer: optional"
        );
    }
}
