//! The requirements of a rule as one literal, in the JSON of the runtime's `Condition`. The compiler takes next to
//! no time for a literal, and some milliseconds for a tree of constants of the same length.

use auth_analysis::ListKind;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{LitStr, Path};

use crate::rule::{Claim, Expected, Literal, Part, Requirement, Text, Value};
use crate::vocabulary::Vocabulary;

/// What `Rule::encoded` takes: the text, how many requirements there are at the top level, and the named rules. With the place
/// where an error of a named rule is shown, since only the compiler's evaluation of the constant can find it.
pub(super) struct EncodedRule {
    pub(super) arguments: TokenStream,
    pub(super) first_named: Option<Span>,
}

impl EncodedRule {
    pub(super) fn new(parts: &[Part], vocabulary: Option<&Vocabulary>, private: &TokenStream) -> Self {
        let mut encoder = Encoder::default();
        let all = encoder.list(parts, false);
        let assumptions = vocabulary.map_or_else(String::new, |vocabulary| encoder.assumptions(vocabulary));
        let text = LitStr::new(&format!("{{\"all\":{all}{assumptions}}}"), Span::call_site());
        let count = parts.len();
        let named = encoder.named.iter().map(
            |(path, is_nested)| quote_spanned!(path.span()=> #private::NamedRule::new(&#path, #is_nested)),
        );
        Self {
            arguments: quote!(#text, #count, &[#(#named),*]),
            first_named: encoder.named.first().map(|(path, _)| path.span()),
        }
    }
}

#[derive(Default)]
struct Encoder<'p> {
    named: Vec<(&'p Path, bool)>,
    roles: Vec<&'p str>,
    permissions: Vec<&'p str>,
}

impl<'p> Encoder<'p> {
    fn list(&mut self, parts: &'p [Part], is_nested: bool) -> String {
        array(parts.iter().map(|part| self.part(part, is_nested)))
    }

    fn part(&mut self, part: &'p Part, is_nested: bool) -> String {
        let (key, value) = match &part.requirement {
            Requirement::List(kind, names) => {
                let names = names.iter().map(Text::value);
                match kind {
                    ListKind::Roles => self.roles.extend(names.clone()),
                    ListKind::Permissions => self.permissions.extend(names.clone()),
                    _ => {}
                }
                (kind.keyword(), array(names.map(string)))
            }
            Requirement::MaxAge(seconds) => ("maxAge", seconds.to_string()),
            Requirement::Claims(claims) => match claims.as_slice() {
                [one] => return claim(one),
                several => ("all", array(several.iter().map(claim))),
            },
            Requirement::Named(path) => {
                self.named.push((path, is_nested));
                ("rule", (self.named.len() - 1).to_string())
            }
            Requirement::Any(parts) => ("any", self.list(parts, true)),
            Requirement::All(parts) => ("all", self.list(parts, true)),
            Requirement::Not(part) => ("not", self.part(part, true)),
        };
        object(key, &value)
    }

    /// What the vocabulary says of the names: an engine must say no less. Empty where the rule has no names that it says
    /// something of.
    fn assumptions(&self, vocabulary: &Vocabulary) -> String {
        if self.roles.is_empty() && self.permissions.is_empty() {
            return String::new();
        }
        let relations = &vocabulary.relations;
        let roles = numbered(&self.roles, |name| vocabulary.role(name));
        let permissions = numbered(&self.permissions, |name| vocabulary.permission(name));
        let roles_that = |wanted: &dyn Fn(usize) -> bool| {
            let roles = vocabulary.roles.iter().enumerate().filter(|(role, _)| wanted(*role));
            array(roles.map(|(_, role)| string(&role.name)))
        };
        let implied =
            roles.iter().map(|&(role, name)| (name, roles_that(&|other| relations.implies(other, role))));
        let excluded = roles.iter().flat_map(|&(a, one)| {
            let others = roles.iter().filter(move |(b, _)| a < *b && relations.excludes(a, *b));
            others.map(move |(_, other)| format!("[{},{}]", string(one), string(other)))
        });
        let granted = permissions
            .iter()
            .map(|&(permission, name)| (name, roles_that(&|role| relations.grants(role, permission))));
        format!(
            ",\"vocabulary\":{{\"implied\":{},\"excluded\":{},\"granted\":{}}}",
            members(implied),
            array(excluded),
            members(granted)
        )
    }
}

/// The declared ones among `names`, each once, with their numbers.
fn numbered<'n>(names: &[&'n str], number: impl Fn(&str) -> Option<usize>) -> Vec<(usize, &'n str)> {
    let mut numbered: Vec<_> = names.iter().filter_map(|name| Some((number(name)?, *name))).collect();
    numbered.sort_unstable();
    numbered.dedup();
    numbered
}

fn claim(claim: &Claim) -> String {
    let (key, expected) = match &claim.expected {
        Expected::PathParameter(name) => ("path", string(name.value())),
        Expected::OneOf(literals) => ("oneOf", array(literals.iter().map(literal))),
    };
    let name = string(claim.name.value());
    object("claim", &format!("{{\"name\":{name},\"{key}\":{expected}}}"))
}

fn literal(literal: &Literal) -> String {
    match &literal.value {
        Value::String(text) => string(text),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
    }
}

fn array(elements: impl Iterator<Item = String>) -> String {
    format!("[{}]", elements.collect::<Vec<_>>().join(","))
}

fn object(key: &str, value: &str) -> String {
    format!("{{\"{key}\":{value}}}")
}

fn members<'n>(members: impl Iterator<Item = (&'n str, String)>) -> String {
    let members: Vec<_> = members.map(|(name, value)| format!("{}:{value}", string(name))).collect();
    format!("{{{}}}", members.join(","))
}

/// RFC 8259 §7.
fn string(text: &str) -> String {
    if !text.contains(['"', '\\']) && !text.contains(|letter: char| letter < ' ') {
        return format!("\"{text}\"");
    }
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for letter in text.chars() {
        match letter {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\0'..='\u{1f}' => json.push_str(&format!("\\u{:04x}", u32::from(letter))),
            _ => json.push(letter),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::string;

    #[test]
    fn strings_are_json() {
        assert_eq!(string("a\"b\\c\n\u{1}é\u{7f}😀"), "\"a\\\"b\\\\c\\u000a\\u0001é\u{7f}😀\"");
    }
}
