//! Requirements as the macros write them: one literal, read once when a route is mounted.
//!
//! A tree of constants takes the compiler some milliseconds for a long rule, and a literal nothing. It is data all the same: a list
//! of what [`Requirement`] has, and beside it what the vocabulary of the crate said of the names.

use std::collections::{BTreeMap, HashMap};
use std::sync::{PoisonError, RwLock};

use serde::Deserialize;

use super::rule::{Expected, Literal, Requirement, Rule};

/// What a macro wrote.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    text: &'static str,
    named: &'static [NamedRule],
}

/// A rule that another one names. For the expansion of the macros.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct NamedRule {
    pub(crate) name: &'static str,
    pub(crate) rule: &'static Rule,
    /// It stands inside `any`, `all` or `not`.
    pub(crate) is_nested: bool,
}

impl NamedRule {
    #[must_use]
    pub const fn new(name: &'static str, rule: &'static Rule, is_nested: bool) -> Self {
        Self { name, rule, is_nested }
    }
}

/// What was read.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) relies: Option<Relies>,
    /// Why it could not be read. A rule in which there is such a thing, anywhere, lets nobody in, and no router is finished with it:
    /// under a `not` "nobody" would be everybody.
    pub(crate) fault: Option<String>,
}

/// What the vocabulary of a crate said of the names of a rule, when the compiler judged it by that.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Relies {
    /// For each role that the rule names, the roles that imply it.
    pub(crate) implied: BTreeMap<String, Vec<String>>,
    /// Roles that the rule names and nobody holds both.
    pub(crate) excluded: Vec<(String, String)>,
    /// For each permission that the rule names, the roles that are granted it.
    pub(crate) granted: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    all: Vec<Node>,
    relies: Option<Relies>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Node {
    Roles(Vec<String>),
    Scopes(Vec<String>),
    Permissions(Vec<String>),
    Acr(Vec<String>),
    MaxAge(u64),
    Claim(String, Comparison),
    /// The place in the list of named rules.
    Rule(usize),
    Any(Vec<Node>),
    All(Vec<Node>),
    Not(Box<Node>),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Comparison {
    OneOf(Vec<WrittenLiteral>),
    Path(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenLiteral {
    String(String),
    Integer(i64),
    Boolean(bool),
}

/// Each literal is read once, and what was read is kept for good: there are no more of them than the program has rules.
static READ: RwLock<Option<HashMap<(&'static str, usize), &'static Read>>> = RwLock::new(None);

impl Written {
    pub(crate) const fn new(text: &'static str, named: &'static [NamedRule]) -> Self {
        Self { text, named }
    }

    pub(crate) fn read(self) -> &'static Read {
        // The same words may name other rules.
        let key = (self.text, self.named.as_ptr() as usize);
        if let Some(read) =
            READ.read().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(|known| known.get(&key))
        {
            return read;
        }
        let read = self.parse();
        let mut known = READ.write().unwrap_or_else(PoisonError::into_inner);
        known.get_or_insert_default().entry(key).or_insert_with(|| Box::leak(Box::new(read)))
    }

    fn parse(self) -> Read {
        let read =
            serde_json::from_str::<Text>(self.text).map_err(|error| error.to_string()).and_then(|text| {
                let requirements = text.all.into_iter().map(|node| self.requirement(node));
                let requirements: Option<Vec<_>> = requirements.collect();
                let requirements = requirements.ok_or("it refers to a rule that is not there")?;
                Ok(Read { requirements, relies: text.relies, fault: None })
            });
        // Macros and runtime are of one version, so this would be a fault of the library.
        read.unwrap_or_else(|why| Read {
            requirements: vec![Requirement::Any(&[])],
            relies: None,
            fault: Some(format!("the rule `{}` can't be read: {why}", self.text)),
        })
    }

    fn requirement(self, node: Node) -> Option<Requirement> {
        let parts = |nodes: Vec<Node>| {
            let parts: Option<Vec<_>> = nodes.into_iter().map(|node| self.requirement(node)).collect();
            Some(&*parts?.leak())
        };
        Some(match node {
            Node::Roles(names) => Requirement::Roles(kept(names)),
            Node::Scopes(names) => Requirement::Scopes(kept(names)),
            Node::Permissions(names) => Requirement::Permissions(kept(names)),
            Node::Acr(names) => Requirement::Acr(kept(names)),
            Node::MaxAge(seconds) => Requirement::MaxAge(seconds),
            Node::Claim(name, comparison) => Requirement::Claim(name.leak(), comparison.into_expected()),
            Node::Rule(index) => {
                let named = self.named.get(index)?;
                Requirement::Named(named.name, named.rule)
            }
            Node::Any(nodes) => Requirement::Any(parts(nodes)?),
            Node::All(nodes) => Requirement::All(parts(nodes)?),
            Node::Not(node) => Requirement::Not(Box::leak(Box::new(self.requirement(*node)?))),
        })
    }
}

impl Comparison {
    fn into_expected(self) -> Expected {
        match self {
            Self::Path(parameter) => Expected::PathParameter(parameter.leak()),
            Self::OneOf(literals) => {
                let literals = literals.into_iter().map(|literal| match literal {
                    WrittenLiteral::String(text) => Literal::String(text.leak()),
                    WrittenLiteral::Integer(number) => Literal::Integer(number),
                    WrittenLiteral::Boolean(flag) => Literal::Boolean(flag),
                });
                Expected::OneOf(literals.collect::<Vec<_>>().leak())
            }
        }
    }
}

fn kept(names: Vec<String>) -> &'static [&'static str] {
    names.into_iter().map(|name| &*name.leak()).collect::<Vec<_>>().leak()
}

#[cfg(test)]
mod tests {
    use super::{NamedRule, Written};
    use crate::policy::{Requirement, Rule};
    use crate::principal::Principal;
    use crate::verify::{TokenClaims, VerifiedToken};
    use crate::vocabulary::VocabularyIndex;

    static ONE: Rule = Rule::authenticated().requires(&[Requirement::Roles(&["one"])]);
    static TWO: Rule = Rule::authenticated().requires(&[Requirement::Roles(&["two"])]);
    static NAMED: [[NamedRule; 1]; 2] =
        [[NamedRule::new("R", &ONE, false)], [NamedRule::new("R", &TWO, false)]];

    #[test]
    fn the_same_words_may_name_other_rules() {
        let text = r#"{"all":[{"rule":0}]}"#;
        for (named, rule) in [(&NAMED[0], &ONE), (&NAMED[1], &TWO), (&NAMED[0], &ONE)] {
            let read = Written::new(text, named).read();
            assert!(matches!(read.requirements[..], [Requirement::Named("R", found)] if found == rule));
        }
    }

    #[test]
    fn what_can_not_be_read_refuses_everyone() {
        for text in [
            "",
            "{}",
            r#"{"all":[{"rule":1}]}"#,
            r#"{"all":[{"role":[]}]}"#,
            r#"{"all":[],"more":1}"#,
            r#"{"all":[]"#,
        ] {
            let read = Written::new(text, &NAMED[0]).read();
            assert_eq!(read.requirements, [Requirement::Any(&[])], "{text}");
            assert!(read.fault.is_some(), "{text}");
        }
    }

    /// Too deep for the reader: no macro writes it.
    static DEEP: Rule = Rule::authenticated().written("[[[", 1, &[]);

    #[test]
    fn under_a_not_it_still_refuses_everyone() {
        static NOT: Rule =
            Rule::authenticated().requires(&[Requirement::Not(&Requirement::Named("DEEP", &DEEP))]);
        let claims = TokenClaims::from_json(br#"{"sub":"alice"}"#).unwrap();
        let alice = Principal::identify(VerifiedToken::new(claims), &VocabularyIndex::default()).unwrap();
        for rule in [&DEEP, &NOT] {
            assert!(!rule.decide(&alice, std::time::SystemTime::now()).is_allow());
            let objections = VocabularyIndex::default().objections(&[*rule]);
            assert!(objections[0].starts_with("the rule `[[[` can't be read"), "{objections:?}");
        }
    }
}
