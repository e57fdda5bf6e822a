//! The combination of the rules of a route. The gate, the table and the checks at start use this one.

use crate::policy::{Access, Rule, short_name, who};

/// The strictest access of the rules: if one of them requires a caller, the route does.
pub(super) fn access(rules: &[Rule]) -> Access {
    let strictest = rules.iter().find(|rule| rule.access() == Access::Authenticated).or(rules.last());
    strictest.map_or(Access::Authenticated, Rule::access)
}

/// The sources that every rule which names some takes, in the order of the innermost; `None`: the engine's default.
pub(super) fn sources(rules: &[Rule]) -> Option<Vec<&'static str>> {
    let named = rules.iter().rev().map(Rule::source_names).filter(|names| !names.is_empty());
    named.fold(None, |common: Option<Vec<&'static str>>, names| match common {
        None => Some(names.to_vec()),
        Some(inner) => Some(inner.into_iter().filter(|name| names.contains(name)).collect()),
    })
}

/// Who is let in, in words.
pub(crate) fn words(rules: &[Rule], check: Option<&str>) -> String {
    let access = access(rules);
    let conditions: Vec<_> = rules.iter().flat_map(Rule::conditions).collect();
    let words = who(access, &conditions, check.map(short_name));
    match sources(rules) {
        Some(names) => format!("from {}: {words}", names.join(" or ")),
        None => words,
    }
}
