//! Why an engine can't enforce a rule as the compiler checked it.

use super::decode::{DecodedRule, VocabularyAssumptions};
use super::rule::Rule;
use crate::vocabulary::{NameKind, VocabularyIndex};

/// Why these rules can't be enforced with this vocabulary, each reason once; empty where they can.
pub(crate) fn objections(rules: &[Rule], index: &VocabularyIndex) -> Vec<String> {
    let mut objections = Vec::new();
    for rule in rules {
        match rule.decode() {
            Err(why) => objections.push(why),
            Ok(decoded) if index.vocabulary().is_some() => {
                objections.extend(undeclared(&decoded, index));
                let disagreements = decoded.assumptions.iter().filter_map(|assumed| disagreement(assumed, index));
                objections.extend(disagreements.map(|assumed| {
                    format!(
                        "the auth.toml that the compiler read says that {assumed}, and the engine's vocabulary does not say it: make the two \
                         files agree, since the rule would mean something else than was checked"
                    )
                }));
            }
            Ok(decoded) if decoded.assumptions.is_empty() => {}
            Ok(_) => objections.push(
                "the compiler checked the rule with an auth.toml, and the engine has no vocabulary, so that the rule would mean \
                 something else: call `.vocabulary(&VOCABULARY)` on the builder, with what `auth_runtime::vocabulary!()` makes"
                    .to_owned(),
            ),
        }
    }
    let mut distinct: Vec<String> = Vec::new();
    for objection in objections {
        if !distinct.contains(&objection) {
            distinct.push(objection);
        }
    }
    distinct
}

/// The names of the rule that are not declared.
fn undeclared(rule: &DecodedRule, index: &VocabularyIndex) -> Vec<String> {
    let mut objections = Vec::new();
    for condition in &rule.conditions {
        condition.visit(&mut |part| {
            let Some((kind, names)) = part.declared_names() else { return };
            let undeclared = names.iter().filter(|name| !index.is_declared(kind, name));
            objections.extend(undeclared.map(|name| not_declared(kind, name, index)));
        });
    }
    objections
}

fn not_declared(kind: NameKind, name: &str, index: &VocabularyIndex) -> String {
    let declared = index.names(kind);
    let declared = if declared.is_empty() { "none".to_owned() } else { declared.join(", ") };
    format!(
        "the rule names the {kind} `{name}`, which the engine's vocabulary does not declare: add it to auth.toml, or use \
         one of those that are declared ({declared})"
    )
}

/// What the compiler assumed and this vocabulary does not say, if there is such a thing: then a rule would let in callers that it
/// was written to keep out.
fn disagreement(assumed: &VocabularyAssumptions, index: &VocabularyIndex) -> Option<String> {
    for (implied, by) in &assumed.implied {
        if let Some(role) = by.iter().find(|role| !index.counts_as(role, implied)) {
            return Some(format!("`{role}` implies `{implied}`"));
        }
    }
    for (one, other) in &assumed.excluded {
        if !index.excludes(one, other) {
            return Some(format!("no caller has both `{one}` and `{other}`"));
        }
    }
    for (permission, roles) in &assumed.granted {
        if let Some(role) = roles.iter().find(|role| !index.grants(role, permission)) {
            return Some(format!("`{role}` is granted `{permission}`"));
        }
    }
    None
}
