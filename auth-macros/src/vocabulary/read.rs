//! The text of `auth.toml` → what it says, or every mistake in it, each with its line and what to write instead.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{BUILT_IN_SOURCES, SourceKind, Vocabulary, meaning};
use crate::suggest;

/// A mistake, and the byte of the text where it is.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) at: usize,
    pub(super) message: String,
}

/// A name as it stands in the file.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) at: usize,
}

/// The file, word for word.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) default_source: Vec<Name>,
    pub(super) roles: Vec<WrittenRole>,
    pub(super) scopes: Vec<(Name, String)>,
    pub(super) permissions: Vec<(Name, Vec<Name>)>,
    pub(super) sources: Vec<(Name, SourceKind)>,
}

#[derive(Debug)]
pub(super) struct WrittenRole {
    pub(super) name: Name,
    pub(super) implies: Vec<Name>,
    pub(super) excludes: Vec<Name>,
    pub(super) description: Option<String>,
}

type Value<'t> = Spanned<DeValue<'t>>;

/// The vocabulary, or the mistakes, as "line 7: ..", in the order of the file. Never an empty list.
pub(super) fn vocabulary(text: &str) -> Result<Vocabulary, Vec<(usize, String)>> {
    let mut mistakes = Vec::new();
    let (table, errors) = DeTable::parse_recoverable(text);
    // What follows from the first is none of the writer's.
    if let Some(error) = errors.first() {
        let at = error.span().map_or(0, |span| span.start);
        let message = error.message().trim();
        let hint = if message.contains("unquoted key") {
            ". A name with other signs than letters, digits, `-` and `_` stands in quotes: `\"article:write\"`"
        } else {
            ""
        };
        mistakes.push(Mistake { at, message: format!("this is not TOML: {message}{hint}") });
    }
    let written = if errors.is_empty() { file(table.get_ref(), &mut mistakes) } else { Written::default() };
    let vocabulary = meaning::of(written, &mut mistakes);
    if mistakes.is_empty() {
        return Ok(vocabulary);
    }
    mistakes.sort_by_key(|mistake| mistake.at);
    let line = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
    Err(mistakes.into_iter().map(|mistake| (line(mistake.at), mistake.message)).collect())
}

fn file(table: &DeTable<'_>, mistakes: &mut Vec<Mistake>) -> Written {
    let mut written = Written::default();
    for (key, value) in in_order(table) {
        match &*key.text {
            "default_source" => written.default_source = source_names(value, mistakes),
            "roles" => {
                let example = "`[roles]` is a table: write `[roles]` and below it `admin = {}`";
                for (name, value) in entries(value, example, mistakes) {
                    written.roles.extend(role(name, value, mistakes));
                }
            }
            "scopes" => {
                let example = "`[scopes]` is a table: write `[scopes]` and below it `\"article:write\" = \"Change articles\"`";
                for (name, value) in entries(value, example, mistakes) {
                    match value.get_ref().as_str() {
                        Some(description) => written.scopes.push((name, description.to_owned())),
                        None => mistakes.push(wrong(
                            value,
                            format!(
                                "a scope has its description: write `{:?} = \"What it allows\"`{}",
                                whole_name(&name.text, value),
                                in_quotes(value)
                            ),
                        )),
                    }
                }
            }
            "permissions" => {
                let example = "`[permissions]` is a table: write `[permissions]` and below it `\"invoice.read\" = [\"billing\"]`";
                for (name, value) in entries(value, example, mistakes) {
                    let expected = format!(
                        "a permission has the list of roles that are granted it: write `{:?} = [\"billing\", \"admin\"]`, or `[]` \
                         where only tokens carry it{}",
                        whole_name(&name.text, value),
                        in_quotes(value)
                    );
                    let roles = names(value, &expected, mistakes);
                    written.permissions.push((name, roles));
                }
            }
            "sources" => {
                let example = "`[sources]` has a table for each source: write `[sources.partner]` and below it \
                               `kind = \"header\"` and `name = \"X-Partner-Token\"`";
                for (name, value) in entries(value, example, mistakes) {
                    written.sources.extend(source(name, value, mistakes));
                }
            }
            unknown => {
                let known = ["default_source", "roles", "scopes", "permissions", "sources"];
                mistakes.push(unknown_key(unknown, key.at, &known));
            }
        }
    }
    written
}

fn role(name: Name, value: &Value<'_>, mistakes: &mut Vec<Mistake>) -> Option<WrittenRole> {
    let Some(table) = value.get_ref().as_table() else {
        let message = format!(
            "a role is a table: write `{0} = {{}}`, or `{0} = {{ implies = [..], description = \"..\" }}`",
            key_text(&name.text)
        );
        mistakes.push(wrong(value, message));
        return None;
    };
    let mut role = WrittenRole { name, implies: Vec::new(), excludes: Vec::new(), description: None };
    for (key, value) in in_order(table) {
        let list =
            |example: &str| format!("`{0}` is a list of roles: write `{0} = [\"{example}\"]`", key.text);
        match &*key.text {
            "implies" => role.implies = names(value, &list("editor"), mistakes),
            "excludes" => role.excludes = names(value, &list("auditor"), mistakes),
            "description" => role.description = text(value, "description", mistakes),
            _ if value.get_ref().as_table().is_some() => {
                let whole = format!("{}.{}", role.name.text, key.text);
                let message = format!("a name with a dot stands in quotes: write `{whole:?} = {{}}`");
                mistakes.push(Mistake { at: key.at, message });
            }
            unknown => {
                mistakes.push(unknown_key(unknown, key.at, &["implies", "excludes", "description"]));
            }
        }
    }
    Some(role)
}

fn source(name: Name, value: &Value<'_>, mistakes: &mut Vec<Mistake>) -> Option<(Name, SourceKind)> {
    let example = "write `kind = \"header\"` and `name = \"X-Partner-Token\"`, or `kind = \"custom\"` for one that the engine's \
                   builder is given";
    if BUILT_IN_SOURCES.contains(&&*name.text) {
        let message = format!("the source `{}` is there already: give this one another name", name.text);
        mistakes.push(Mistake { at: name.at, message });
        return None;
    }
    let Some(table) = value.get_ref().as_table() else {
        mistakes.push(wrong(value, format!("a source is a table: {example}")));
        return None;
    };
    let (mut kind, mut header, mut scheme) = (None, None, None);
    for (key, value) in in_order(table) {
        match &*key.text {
            "kind" => kind = text(value, "kind", mistakes).map(|text| (text, value.span().start)),
            "name" => header = text(value, "name", mistakes).map(|text| (text, value.span().start)),
            "scheme" => scheme = text(value, "scheme", mistakes).map(|text| (text, value.span().start)),
            unknown => mistakes.push(unknown_key(unknown, key.at, &["kind", "name", "scheme"])),
        }
    }
    for (what, text) in [("name", &header), ("scheme", &scheme)] {
        if let Some((text, at)) = text.as_ref().filter(|(text, _)| !is_token(text)) {
            let message = format!(
                "{text:?} can't be the `{what}` of a header (RFC 9110 §5.6.2): letters, digits and `-` can"
            );
            mistakes.push(Mistake { at: *at, message });
        }
    }
    match kind {
        None => {
            let message = format!("the source `{}` has no `kind`: {example}", name.text);
            mistakes.push(Mistake { at: name.at, message });
            None
        }
        Some((kind, at)) if kind == "header" => match header {
            Some((header, _)) => {
                let scheme = scheme.map(|(scheme, _)| scheme);
                Some((name, SourceKind::Header { name: header, scheme }))
            }
            None => {
                let message =
                    "a source of kind `header` has the header's name: write `name = \"X-Partner-Token\"`";
                mistakes.push(Mistake { at, message: message.into() });
                None
            }
        },
        Some((kind, _)) if kind == "custom" => {
            for (what, text) in [("name", header), ("scheme", scheme)] {
                if let Some((_, at)) = text {
                    let message = format!(
                        "a source of kind `custom` says for itself where the credential stands: leave out `{what}`"
                    );
                    mistakes.push(Mistake { at, message });
                }
            }
            Some((name, SourceKind::Custom))
        }
        Some((kind, at)) => {
            mistakes.push(Mistake { at, message: format!("{kind:?} is no kind of source: {example}") });
            None
        }
    }
}

fn source_names(value: &Value<'_>, mistakes: &mut Vec<Mistake>) -> Vec<Name> {
    if let Some(one) = value.get_ref().as_str() {
        return vec![Name { text: one.to_owned(), at: value.span().start }];
    }
    let expected =
        "`default_source` is a name or a list of names: write `default_source = [\"bearer\", \"cookie\"]`";
    let sources = names(value, expected, mistakes);
    if value.get_ref().as_array().is_some_and(|list| list.is_empty()) {
        let message = "`default_source` is empty, and no rule could do without `source`: name at least one, or leave it out";
        mistakes.push(wrong(value, message.into()));
    }
    sources
}

/// The names of a table and what they stand for; a name that can't be one is a mistake.
fn entries<'v, 't>(
    value: &'v Value<'t>,
    example: &str,
    mistakes: &mut Vec<Mistake>,
) -> Vec<(Name, &'v Value<'t>)> {
    let Some(table) = value.get_ref().as_table() else {
        mistakes.push(wrong(value, example.into()));
        return Vec::new();
    };
    let mut entries = in_order(table);
    entries.retain(|(name, value)| {
        if name.text == "default_source" && value.get_ref().as_table().is_none() {
            let message = "`default_source` belongs to no table: move it above the first line in brackets";
            mistakes.push(Mistake { at: name.at, message: message.into() });
            return false;
        }
        let blank = name.text.trim().is_empty();
        if blank {
            mistakes
                .push(Mistake { at: name.at, message: "a name is empty: write it, or take it out".into() });
        }
        !blank
    });
    entries
}

fn names(value: &Value<'_>, expected: &str, mistakes: &mut Vec<Mistake>) -> Vec<Name> {
    let Some(list) = value.get_ref().as_array() else {
        mistakes.push(wrong(value, expected.into()));
        return Vec::new();
    };
    let mut names: Vec<Name> = Vec::new();
    for element in list {
        match element.get_ref().as_str() {
            None => mistakes.push(wrong(element, expected.into())),
            Some(text) if names.iter().any(|name| name.text == text) => {
                mistakes.push(wrong(element, format!("`{text}` stands twice in this list: keep one")));
            }
            Some(text) => names.push(Name { text: text.into(), at: element.span().start }),
        }
    }
    names
}

fn text(value: &Value<'_>, key: &str, mistakes: &mut Vec<Mistake>) -> Option<String> {
    let text = value.get_ref().as_str();
    if text.is_none() {
        mistakes.push(wrong(value, format!("`{key}` is a text: write `{key} = \"..\"`")));
    }
    text.map(str::to_owned)
}

fn wrong(value: &Value<'_>, message: String) -> Mistake {
    Mistake { at: value.span().start, message }
}

fn unknown_key(key: &str, at: usize, known: &[&str]) -> Mistake {
    let message = match suggest::nearest(key, known.iter().copied()) {
        Some(near) => format!("unknown key `{key}`: did you mean `{near}`?"),
        None => format!("unknown key `{key}`: expected one of {}", suggest::list(known.iter().copied())),
    };
    Mistake { at, message }
}

/// `invoice.read = [..]` is a table to TOML: the whole name that was meant.
fn whole_name(name: &str, value: &Value<'_>) -> String {
    match value.get_ref().as_table().and_then(|table| table.iter().next()) {
        Some((key, value)) => format!("{name}.{}", whole_name(key.get_ref(), value)),
        None => name.to_owned(),
    }
}

fn in_quotes(value: &Value<'_>) -> &'static str {
    if value.get_ref().as_table().is_some_and(|table| !table.is_empty()) {
        ". A name with a dot stands in quotes"
    } else {
        ""
    }
}

/// In the order of the file.
fn in_order<'v, 't>(table: &'v DeTable<'t>) -> Vec<(Name, &'v Value<'t>)> {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(key, value)| (Name { text: key.get_ref().to_string(), at: key.span().start }, value))
        .collect();
    entries.sort_by_key(|(name, _)| name.at);
    entries
}

/// A name as a key is written: bare where it can be.
pub(crate) fn key_text(name: &str) -> String {
    let bare =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if bare { name.to_owned() } else { format!("{name:?}") }
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
