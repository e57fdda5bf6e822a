//! A rule as a constant → its conditions, with those of the rules that it names.
//!
//! What a macro writes is the JSON of conditions, with one node more, `{"rule":0}`, which is replaced here by the
//! conditions of that named rule; and next to it what the vocabulary of the crate said of the names. A rule is decoded when
//! a route is mounted or listed.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::condition::{Condition, Expected};
use super::rule::{NamedRule, Requirements, Rule};

/// A rule with all that it names.
#[derive(Debug, Default)]
pub(super) struct DecodedRule {
    /// They must all hold.
    pub(super) conditions: Vec<Condition>,
    /// For the rule and for each that it names, if a vocabulary was there when the compiler checked it.
    pub(super) assumptions: Vec<VocabularyAssumptions>,
}

/// What the vocabulary of a crate said of the names of a rule, when the compiler checked it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VocabularyAssumptions {
    /// For each role that the rule names, the roles that imply it.
    pub(super) implied: BTreeMap<String, Vec<String>>,
    /// Roles that the rule names and of which no caller has both.
    pub(super) excluded: Vec<(String, String)>,
    /// For each permission that the rule names, the roles that are granted it.
    pub(super) granted: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    all: Vec<Value>,
    vocabulary: Option<VocabularyAssumptions>,
}

impl Rule {
    /// The conditions, which must all hold. What `rule = CONST` names is replaced by its conditions.
    #[must_use]
    pub fn conditions(&self) -> Vec<Condition> {
        self.decode().map_or_else(|_| vec![Condition::NEVER], |decoded| decoded.conditions)
    }

    /// The path parameters that the rule compares claims with.
    pub(crate) fn path_parameters(&self) -> Vec<String> {
        path_parameters(&self.conditions())
    }

    /// # Errors
    /// Why this rule, or one that it names, can't be decoded. Macros and runtime are of one version, so this would be a
    /// fault of the library. No router is finished with such a rule, and it lets no caller in: under a `not`, "no caller"
    /// would be every caller.
    pub(super) fn decode(&self) -> Result<DecodedRule, String> {
        match self.requirements {
            Requirements::Conditions(conditions) => {
                let conditions = Condition::flattened(conditions.iter().cloned());
                Ok(DecodedRule { conditions, assumptions: Vec::new() })
            }
            Requirements::Encoded { text, named } => decode(text, named).map_err(|why| {
                format!("the rule `{text}` can't be decoded, which is a bug of auth-runtime: {why}")
            }),
        }
    }
}

fn decode(text: &str, named: &'static [NamedRule]) -> Result<DecodedRule, String> {
    let envelope: Envelope = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut assumptions: Vec<_> = envelope.vocabulary.into_iter().collect();
    let conditions: Result<Vec<_>, _> =
        envelope.all.into_iter().map(|node| resolve(node, named, &mut assumptions)).collect();
    Ok(DecodedRule { conditions: Condition::flattened(conditions?), assumptions })
}

/// The condition of a node.
fn resolve(
    node: Value,
    named: &'static [NamedRule],
    assumptions: &mut Vec<VocabularyAssumptions>,
) -> Result<Condition, String> {
    let Value::Object(mut fields) = node else { return Err(format!("{node} is not a condition")) };
    if fields.len() != 1 {
        return Err(format!("a condition has {} keys in place of one", fields.len()));
    }
    let mut parts = |key: &str| match fields.remove(key) {
        Some(Value::Array(parts)) => Some(
            parts.into_iter().map(|part| resolve(part, named, assumptions)).collect::<Result<Vec<_>, _>>(),
        ),
        Some(other) => Some(Err(format!("`{key}` is {other}, which is not a list"))),
        None => None,
    };
    if let Some(parts) = parts("all") {
        return parts.map(Condition::All);
    }
    if let Some(parts) = parts("any") {
        return parts.map(Condition::Any);
    }
    if let Some(part) = fields.remove("not") {
        return Ok(Condition::Not(Box::new(resolve(part, named, assumptions)?)));
    }
    if let Some(index) = fields.remove("rule") {
        let named = index.as_u64().and_then(|index| named.get(usize::try_from(index).ok()?));
        let decoded = named.ok_or("it refers to a rule that is not there")?.rule.decode()?;
        assumptions.extend(decoded.assumptions);
        return Ok(Condition::All(decoded.conditions));
    }
    serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())
}

/// The path parameters that claims are compared with.
pub(super) fn path_parameters(conditions: &[Condition]) -> Vec<String> {
    let mut names = Vec::new();
    for condition in conditions {
        condition.visit(&mut |part| {
            if let Condition::Claim(claim) = part
                && let Expected::PathParameter(name) = &claim.expected
            {
                names.push(name.clone());
            }
        });
    }
    names
}

/// Two rules are equal if they require the same, in the same order.
impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        let parts = |rule: &Self| (rule.access(), rule.source_names(), rule.conditions());
        parts(self) == parts(other)
    }
}

impl Eq for Rule {}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("access", &self.access())
            .field("sources", &self.source_names())
            .field("conditions", &self.conditions())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::decode;
    use crate::policy::{CompiledRule, Condition, NamedRule, Rule, objections};
    use crate::principal::Principal;
    use crate::verify::{TokenClaims, VerifiedToken};
    use crate::vocabulary::VocabularyIndex;

    static ONE: Rule = Rule::authenticated().encoded(r#"{"all":[{"roles":["one"]}]}"#, 1, &[]);
    static TWO: Rule = Rule::authenticated().encoded(r#"{"all":[{"roles":["two"]}]}"#, 1, &[]);
    static NAMED: [[NamedRule; 1]; 2] = [[NamedRule::new(&ONE, false)], [NamedRule::new(&TWO, false)]];

    #[test]
    fn the_same_text_may_name_other_rules() {
        let text = r#"{"all":[{"rule":0}]}"#;
        for (named, rule) in [(&NAMED[0], &ONE), (&NAMED[1], &TWO), (&NAMED[0], &ONE)] {
            assert_eq!(decode(text, named).unwrap().conditions, rule.conditions());
        }
    }

    #[test]
    fn a_named_rule_is_replaced_by_its_conditions_wherever_it_is_named() {
        let text = r#"{"all":[{"any":[{"scopes":["a"]},{"not":{"rule":0}}]}]}"#;
        let one = Condition::Roles(vec!["one".into()]);
        let scopes = Condition::Scopes(vec!["a".into()]);
        assert_eq!(
            decode(text, &NAMED[0]).unwrap().conditions,
            [Condition::Any(vec![scopes, Condition::Not(Box::new(one))])]
        );
    }

    #[test]
    fn what_can_not_be_decoded_refuses_everyone() {
        for text in [
            "",
            "{}",
            r#"{"all":[{"rule":1}]}"#,
            r#"{"all":[{"role":[]}]}"#,
            r#"{"all":[{"any":{}}]}"#,
            r#"{"all":["roles"]}"#,
            r#"{"all":[{"roles":[],"scopes":[]}]}"#,
            r#"{"all":[],"more":1}"#,
            r#"{"all":[]"#,
        ] {
            assert!(decode(text, &NAMED[0]).is_err(), "{text}");
            let rule = Rule::authenticated().encoded(text.to_owned().leak(), 1, &NAMED[0]);
            assert_eq!(rule.conditions(), [Condition::NEVER], "{text}");
        }
    }

    /// No macro writes it.
    static BROKEN: Rule = Rule::authenticated().encoded("[[[", 1, &[]);

    #[test]
    fn under_a_not_it_still_refuses_everyone() {
        static NAMED: [NamedRule; 1] = [NamedRule::new(&BROKEN, true)];
        static NOT: Rule = Rule::authenticated().encoded(r#"{"all":[{"not":{"rule":0}}]}"#, 1, &NAMED);
        let claims = TokenClaims::from_json(br#"{"sub":"alice"}"#).unwrap();
        let index = VocabularyIndex::default();
        let alice = Principal::identify(VerifiedToken::new(claims), &index, None).unwrap();
        for rule in [&BROKEN, &NOT] {
            assert!(!rule.decide(&alice, std::time::SystemTime::now()).is_allow());
            assert!(!CompiledRule::new(*rule, &index).reads_path());
            let objections = objections(&[*rule], &index);
            assert!(objections[0].contains("the rule `[[[` can't be decoded"), "{objections:?}");
        }
    }
}
