//! Why an engine can't enforce a rule as the compiler checked it.

use auth_analysis::Named;

use super::condition::Shape;
use super::decode::{DecodedRule, VocabularyAssumptions};
use super::rule::Rule;
use crate::vocabulary::{NameKind, VocabularyIndex};

/// Why these rules can't be enforced with this vocabulary, each reason once; empty where they can.
pub(crate) fn objections(rules: &[Rule], index: &VocabularyIndex) -> Vec<String> {
    let mut objections = Vec::new();
    for rule in rules {
        match rule.decode() {
            Err(why) => objections.push(why),
            Ok(decoded) => objections.extend(of_decoded(&decoded, index)),
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

fn of_decoded(rule: &DecodedRule, index: &VocabularyIndex) -> Vec<String> {
    // What the macros refuse, a rule that is made at run time may have.
    let mut objections = impossible(rule);
    if !objections.is_empty() || index.vocabulary().is_none() && rule.assumptions.is_empty() {
        return objections;
    }
    if index.vocabulary().is_none() {
        objections.push(
            "the compiler checked the rule with an auth.toml, and the engine has no vocabulary, so that the rule would mean \
             something else: call `.vocabulary(&VOCABULARY)` on the builder, with what `auth_runtime::vocabulary!()` makes"
                .to_owned(),
        );
        return objections;
    }
    objections.extend(undeclared(rule, index));
    let disagreements = rule.assumptions.iter().filter_map(|assumed| disagreement(assumed, index));
    objections.extend(disagreements.map(|assumed| {
        format!(
            "the auth.toml that the compiler read says that {assumed}, and the engine's vocabulary does not say it: make the two \
             files agree, since the rule would mean something else than was checked"
        )
    }));
    objections
}

/// Why names of the rule can't be, by the table that the macros use.
fn impossible(rule: &DecodedRule) -> Vec<String> {
    let mut objections = Vec::new();
    for condition in &rule.conditions {
        condition.visit(&mut |part| match part.shape() {
            Shape::List(kind, names) => {
                objections.extend(names.iter().filter_map(|name| Named::Listed(kind).objection(name)));
            }
            Shape::Claim(claim) => objections.extend(Named::Claim.objection(&claim.name)),
            Shape::MaxAge(_) | Shape::Any(_) | Shape::All(_) | Shape::Not(_) => {}
        });
    }
    objections
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

#[cfg(test)]
mod tests {
    use super::objections;
    use crate::policy::{ClaimCondition, Condition, Literal, Rule};
    use crate::vocabulary::VocabularyIndex;

    /// The table itself is tested where it is.
    #[test]
    fn names_that_can_not_be_are_objected_to_wherever_they_are() {
        let index = VocabularyIndex::default();
        let list = |name: &str| vec![name.to_owned()];
        let claim = |name: &str| Condition::Claim(ClaimCondition::one_of(name, [Literal::Integer(1)]));
        type Row = (fn(Vec<String>) -> Condition, &'static str, &'static str);
        let rows: [Row; 5] = [
            (Condition::Roles, "admin ", "can't be a role"),
            (Condition::Scopes, "a b", "can't be a scope"),
            (Condition::Permissions, "", "can't be a permission"),
            (Condition::Acr, "a b", "can't be a class of a login"),
            (Condition::Amr, "\u{430}tp", "can't be a method of a login"),
        ];
        let mut conditions: Vec<(Condition, &str)> =
            rows.into_iter().map(|(condition, name, expected)| (condition(list(name)), expected)).collect();
        conditions.push((claim("exp"), "\"exp\" can't be a claim of a rule"));
        conditions
            .push((Condition::Not(Box::new(Condition::Any(vec![claim(" ")]))), "can't be a claim of a rule"));
        for (condition, expected) in conditions {
            let rule = Rule::authenticated().requires(vec![condition].leak());
            let found = objections(&[rule], &index);
            assert!(found.len() == 1 && found[0].contains(expected), "{expected}: {found:?}");
        }
        let fine = vec![Condition::Roles(list("billing admin")), claim("sub")];
        assert_eq!(objections(&[Rule::authenticated().requires(fine.leak())], &index), [""; 0]);
    }
}
