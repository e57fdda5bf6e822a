//! The requirements of a rule as one literal: JSON, which the runtime reads when the route is mounted. The compiler takes next to
//! no time for a literal, and some milliseconds for a tree of constants of the same length.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{LitStr, Path};

use crate::check::words;
use crate::rule::{Claim, Expected, Literal, Part, Requirement, Text, Value};
use crate::vocabulary::Vocabulary;

/// What `Rule::written` takes: the text, how many requirements stand at the top level, and the named rules. With the place
/// where a mistake with a named rule is shown, since only the compiler's evaluation of the constant can find it.
pub(super) struct Written {
    pub(super) arguments: TokenStream,
    pub(super) named_at: Option<Span>,
}

impl Written {
    pub(super) fn new(parts: &[Part], vocabulary: Option<&Vocabulary>, private: &TokenStream) -> Self {
        let mut writer = Writer::default();
        let all = writer.list(parts, false);
        let relies = vocabulary.map_or_else(String::new, |vocabulary| writer.relies(vocabulary));
        let text = LitStr::new(&format!("{{\"all\":{all}{relies}}}"), Span::call_site());
        let count = parts.len();
        let named = writer.named.iter().map(|(path, is_nested)| {
            let name = words::path(path);
            quote_spanned!(path.span()=> #private::NamedRule::new(#name, &#path, #is_nested))
        });
        Self {
            arguments: quote!(#text, #count, &[#(#named),*]),
            named_at: writer.named.first().map(|(path, _)| path.span()),
        }
    }
}

#[derive(Default)]
struct Writer<'p> {
    named: Vec<(&'p Path, bool)>,
    roles: Vec<&'p str>,
    permissions: Vec<&'p str>,
}

impl<'p> Writer<'p> {
    fn list(&mut self, parts: &'p [Part], is_nested: bool) -> String {
        array(parts.iter().map(|part| self.part(part, is_nested)))
    }

    fn part(&mut self, part: &'p Part, is_nested: bool) -> String {
        let (key, value) = match &part.requirement {
            Requirement::Roles(names) => {
                self.roles.extend(names.iter().map(Text::value));
                ("roles", names_array(names))
            }
            Requirement::Permissions(names) => {
                self.permissions.extend(names.iter().map(Text::value));
                ("permissions", names_array(names))
            }
            Requirement::Scopes(names) => ("scopes", names_array(names)),
            Requirement::Acr(names) => ("acr", names_array(names)),
            Requirement::MaxAge(seconds) => ("max_age", seconds.to_string()),
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

    /// What the vocabulary says of the names: an engine must say no less. Nothing where the rule has no names that it says
    /// something of.
    fn relies(&self, vocabulary: &Vocabulary) -> String {
        if self.roles.is_empty() && self.permissions.is_empty() {
            return String::new();
        }
        let relations = &vocabulary.relations;
        let mut roles: Vec<(usize, &str)> =
            self.roles.iter().filter_map(|name| Some((vocabulary.role(name)?, *name))).collect();
        roles.sort_unstable();
        roles.dedup();
        let names_of = |wanted: &dyn Fn(usize) -> bool| {
            let roles = vocabulary.roles.iter().enumerate().filter(|(role, _)| wanted(*role));
            array(roles.map(|(_, role)| string(&role.name)))
        };
        let implied =
            roles.iter().map(|&(role, name)| (name, names_of(&|other| relations.implies(other, role))));
        let pairs = roles.iter().flat_map(|&(a, one)| {
            let others = roles.iter().filter(move |(b, _)| a < *b && relations.excludes(a, *b));
            others.map(move |(_, other)| format!("[{},{}]", string(one), string(other)))
        });
        let mut permissions: Vec<(usize, &str)> =
            self.permissions.iter().filter_map(|name| Some((vocabulary.permission(name)?, *name))).collect();
        permissions.sort_unstable();
        permissions.dedup();
        let granted = permissions
            .iter()
            .map(|&(permission, name)| (name, names_of(&|role| relations.grants(role, permission))));
        format!(
            ",\"relies\":{{\"implied\":{},\"excluded\":{},\"granted\":{}}}",
            members(implied),
            array(pairs),
            members(granted)
        )
    }
}

fn claim(claim: &Claim) -> String {
    let expected = match &claim.expected {
        Expected::PathParameter(name) => object("path", &string(name.value())),
        Expected::OneOf(literals) => object("one_of", &array(literals.iter().map(literal))),
    };
    object("claim", &format!("[{},{expected}]", string(claim.name.value())))
}

fn literal(literal: &Literal) -> String {
    match &literal.value {
        Value::String(text) => object("string", &string(text)),
        Value::Integer(number) => object("integer", &number.to_string()),
        Value::Boolean(flag) => object("boolean", &flag.to_string()),
    }
}

fn names_array(names: &[Text]) -> String {
    array(names.iter().map(|name| string(name.value())))
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
