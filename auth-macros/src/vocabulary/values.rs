//! Values of TOML as what is expected of them; another one is an error.

use auth_analysis::Named;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::declarations::{FileErrors, Name};
use crate::suggest;

pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// The names of a table and their values; a name that can't be one is an error too.
pub(super) fn entries<'v, 't>(
    value: &'v Value<'t>,
    named: Named,
    expected: &str,
    errors: &mut FileErrors,
) -> Vec<(Name, &'v Value<'t>)> {
    let Some(table) = value.get_ref().as_table() else {
        errors.push(start(value), expected);
        return Vec::new();
    };
    let mut entries = in_order(table);
    entries.retain(|(name, value)| {
        if name.text == "default_source" && value.get_ref().as_table().is_none() {
            errors.push(
                name.at,
                "`default_source` belongs to no table: move it above the first line in brackets",
            );
            return false;
        }
        // It stays: what refers to it has no second error.
        named.objection(&name.text).into_iter().for_each(|objection| errors.push(name.at, objection));
        true
    });
    entries
}

pub(super) fn names(value: &Value<'_>, expected: &str, errors: &mut FileErrors) -> Vec<Name> {
    let Some(list) = value.get_ref().as_array() else {
        errors.push(start(value), expected);
        return Vec::new();
    };
    let mut names: Vec<Name> = Vec::new();
    for element in list {
        match element.get_ref().as_str() {
            None => errors.push(start(element), expected),
            Some(text) if names.iter().any(|name| name.text == text) => {
                errors.push(start(element), format!("`{text}` is in this list twice: remove one"));
            }
            Some(text) => names.push(Name { text: text.into(), at: start(element) }),
        }
    }
    names
}

pub(super) fn text(value: &Value<'_>, key: &str, errors: &mut FileErrors) -> Option<String> {
    let text = value.get_ref().as_str();
    if text.is_none() {
        errors.push(start(value), format!("`{key}` is a string: write `{key} = \"..\"`"));
    }
    text.map(str::to_owned)
}

pub(super) fn boolean(value: &Value<'_>, key: &str, errors: &mut FileErrors) -> Option<bool> {
    let boolean = value.get_ref().as_bool();
    if boolean.is_none() {
        errors.push(start(value), format!("`{key}` is true or false: write `{key} = true`"));
    }
    boolean
}

pub(super) fn unknown_key(key: &Name, known: &[&str], errors: &mut FileErrors) {
    let text = &key.text;
    let message = match suggest::nearest(text, known.iter().copied()) {
        Some(near) => format!("unknown key `{text}`: did you mean `{near}`?"),
        None => format!("unknown key `{text}`: expected one of {}", suggest::list(known.iter().copied())),
    };
    errors.push(key.at, message);
}

/// The byte at which the value begins.
pub(super) fn start(value: &Value<'_>) -> usize {
    value.span().start
}

/// In the order of the file.
pub(super) fn in_order<'v, 't>(table: &'v DeTable<'t>) -> Vec<(Name, &'v Value<'t>)> {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(key, value)| (Name { text: key.get_ref().to_string(), at: key.span().start }, value))
        .collect();
    entries.sort_by_key(|(name, _)| name.at);
    entries
}

/// `invoice.read = [..]` is a table in TOML: the whole name that was intended.
pub(super) fn whole_name(name: &str, value: &Value<'_>) -> String {
    match value.get_ref().as_table().and_then(|table| table.iter().next()) {
        Some((key, value)) => format!("{name}.{}", whole_name(key.get_ref(), value)),
        None => name.to_owned(),
    }
}

/// A hint for a name with a dot.
pub(super) fn quotes_hint(value: &Value<'_>) -> &'static str {
    if value.get_ref().as_table().is_some_and(|table| !table.is_empty()) {
        ". A name with a dot is written in quotes"
    } else {
        ""
    }
}
