//! Parts of a rule as they are written, for messages.

use auth_analysis::ListKind;
use syn::ext::IdentExt as _;

use crate::rule::{Claim, Expected, Literal, Part, Requirement, Text, Value};

/// `roles = ["admin"]`, `any(..)`.
pub(crate) fn part(part: &Part) -> String {
    match &part.requirement {
        Requirement::List(kind, names) => list(*kind, names),
        Requirement::MaxAge(seconds) => format!("max_age = {:?}", duration(*seconds)),
        Requirement::Claims(these) => claims(these),
        Requirement::Named(named) => format!("rule = {}", path(named)),
        Requirement::Any(inner) => parts("any", inner),
        Requirement::All(inner) => parts("all", inner),
        Requirement::Not(inner) => format!("not({})", self::part(inner)),
    }
}

/// `all(roles = ["admin"], scopes = ["write"])`.
pub(crate) fn parts(keyword: &str, parts: &[Part]) -> String {
    let parts: Vec<_> = parts.iter().map(part).collect();
    format!("{keyword}({})", parts.join(", "))
}

/// `claims(plan = "pro")`.
pub(crate) fn claims(claims: &[Claim]) -> String {
    let claims: Vec<_> = claims
        .iter()
        .map(|claim| {
            let expected = match &claim.expected {
                Expected::PathParameter(name) => format!("path({:?})", name.value()),
                Expected::OneOf(literals) => match literals.as_slice() {
                    [one] => literal(one),
                    several => format!("[{}]", several.iter().map(literal).collect::<Vec<_>>().join(", ")),
                },
            };
            format!("{} = {expected}", claim_name(claim.name.value()))
        })
        .collect();
    format!("claims({})", claims.join(", "))
}

/// `a::b`, without the arguments of its segments.
pub(crate) fn path(path: &syn::Path) -> String {
    let segments: Vec<_> = path.segments.iter().map(|segment| segment.ident.unraw().to_string()).collect();
    segments.join("::")
}

/// In quotes where it is not an identifier.
pub(crate) fn claim_name(name: &str) -> String {
    if syn::parse_str::<syn::Ident>(name).is_ok() { name.to_owned() } else { format!("{name:?}") }
}

pub(crate) fn literal(literal: &Literal) -> String {
    match &literal.value {
        Value::String(text) => format!("{text:?}"),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
    }
}

/// `5m`: in the greatest unit that divides it.
pub(crate) fn duration(seconds: u64) -> String {
    let units = [(24 * 60 * 60, 'd'), (60 * 60, 'h'), (60, 'm')];
    let unit = units.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit));
    let (unit, letter) = unit.unwrap_or((1, 's'));
    format!("{}{letter}", seconds / unit)
}

/// `roles = ["admin", "editor"]`.
pub(crate) fn list(kind: ListKind, names: &[Text]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("{:?}", name.value())).collect();
    format!("{} = [{}]", kind.keyword(), names.join(", "))
}
