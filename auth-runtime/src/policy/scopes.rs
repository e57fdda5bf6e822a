//! The scopes of rules: those that are named at all, and those that a caller without a token is to ask for.

use std::collections::BTreeSet;

use super::condition::Condition;
use super::rule::Rule;

/// The scopes that help a token to satisfy these rules, in the order of the alphabet. One that a caller must not have is not among them.
pub(crate) fn named_scopes(rules: &[Rule]) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    rules.iter().flat_map(Rule::conditions).for_each(|condition| name(&condition, true, &mut named));
    named
}

fn name(condition: &Condition, must_hold: bool, named: &mut BTreeSet<String>) {
    match condition {
        Condition::Scopes(scopes) if must_hold => named.extend(scopes.iter().cloned()),
        Condition::Any(parts) | Condition::All(parts) => {
            parts.iter().for_each(|part| name(part, must_hold, named));
        }
        Condition::Not(part) => name(part, !must_hold, named),
        _ => {}
    }
}

/// The scopes to ask for, so that these rules can hold: a caller has no token yet that would say what is missing (RFC 6750 §3). In the
/// order of the rules, each once.
pub(crate) fn needed_scopes(rules: &[Rule]) -> Vec<String> {
    let conditions: Vec<Condition> = rules.iter().flat_map(Rule::conditions).collect();
    of_all(&conditions)
}

fn of_all(parts: &[Condition]) -> Vec<String> {
    let mut needed: Vec<String> = Vec::new();
    for scope in parts.iter().flat_map(of_one) {
        if !needed.contains(&scope) {
            needed.push(scope);
        }
    }
    needed
}

fn of_one(condition: &Condition) -> Vec<String> {
    match condition {
        Condition::Scopes(scopes) => scopes.clone(),
        Condition::All(parts) => of_all(parts),
        // Of several ways, the first that scopes alone open: whether the user has a role is not known, and none is asked for.
        Condition::Any(parts) => {
            let with_scopes = parts.iter().filter(|part| !of_one(part).is_empty());
            with_scopes.min_by_key(|part| !is_of_scopes_alone(part)).map(of_one).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn is_of_scopes_alone(condition: &Condition) -> bool {
    match condition {
        Condition::Scopes(_) => true,
        Condition::All(parts) | Condition::Any(parts) => parts.iter().all(is_of_scopes_alone),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{named_scopes, needed_scopes};
    use crate::policy::{Condition, Rule};

    fn scopes(names: &[&str]) -> Condition {
        Condition::Scopes(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn not(condition: Condition) -> Condition {
        Condition::Not(Box::new(condition))
    }

    #[test]
    fn the_table() {
        use Condition::{All, Any};
        let role = || Condition::Roles(vec!["admin".into()]);
        type Row = (Vec<Vec<Condition>>, &'static [&'static str], &'static [&'static str]);
        let rows: Vec<Row> = vec![
            (vec![], &[], &[]),
            (vec![vec![]], &[], &[]),
            (vec![vec![role(), Condition::MaxAge(60)]], &[], &[]),
            (vec![vec![scopes(&["b", "a"])]], &["a", "b"], &["b", "a"]),
            (vec![vec![scopes(&["b"])], vec![scopes(&["a", "b"])]], &["a", "b"], &["b", "a"]),
            (vec![vec![role(), scopes(&["a"])]], &["a"], &["a"]),
            (vec![vec![not(scopes(&["guest"]))]], &[], &[]),
            (vec![vec![not(not(scopes(&["a"])))]], &["a"], &[]),
            (vec![vec![not(All(vec![scopes(&["a"]), not(scopes(&["b"]))]))]], &["b"], &[]),
            (vec![vec![Any(vec![role(), scopes(&["a"])])]], &["a"], &["a"]),
            (vec![vec![Any(vec![scopes(&["a"]), scopes(&["b"])])]], &["a", "b"], &["a"]),
            // Not the scope of administrators, for a caller that can do without.
            (
                vec![vec![Any(vec![All(vec![role(), scopes(&["admin"])]), scopes(&["read"])])]],
                &["admin", "read"],
                &["read"],
            ),
            (vec![vec![Any(vec![All(vec![role(), scopes(&["a"])]), role()])]], &["a"], &["a"]),
            (vec![vec![Any(vec![])]], &[], &[]),
            (
                vec![vec![All(vec![scopes(&["a"]), Any(vec![scopes(&["b"]), scopes(&["c"])])])]],
                &["a", "b", "c"],
                &["a", "b"],
            ),
        ];
        for (rules, named, needed) in rows {
            let rules: Vec<Rule> = rules
                .into_iter()
                .map(|conditions| Rule::authenticated().requires(conditions.leak()))
                .collect();
            assert_eq!(Vec::from_iter(named_scopes(&rules)), named, "{rules:?}");
            assert_eq!(needed_scopes(&rules), needed, "{rules:?}");
        }
    }
}
