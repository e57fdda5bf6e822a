//! `[sources]` and `default_source`.

use super::declarations::{FileErrors, Name};
use super::model::{BUILT_IN_SOURCES, SourceKind};
use super::values::{Value, boolean, in_order, names, start, text, unknown_key};

const EXAMPLE: &str = "write `kind = \"header\"` and `name = \"X-Partner-Token\"`, or `kind = \"custom\"` for a source that is \
                       passed to the engine's builder";

/// A value with the byte at which it begins.
type Placed = (String, usize);

/// The keys of one source.
#[derive(Default)]
struct Fields {
    kind: Option<Placed>,
    name: Option<Placed>,
    scheme: Option<Placed>,
    added_by_proxy: Option<(bool, usize)>,
}

pub(super) fn source(name: &Name, value: &Value<'_>, errors: &mut FileErrors) -> Option<SourceKind> {
    if BUILT_IN_SOURCES.contains(&&*name.text) {
        errors.push(name.at, format!("the source `{}` is built in: give this one another name", name.text));
        return None;
    }
    let fields = fields(value, errors)?;
    for (key, text) in [("name", &fields.name), ("scheme", &fields.scheme)] {
        if let Some((text, at)) = text.as_ref().filter(|(text, _)| !is_token(text)) {
            errors.push(
                *at,
                format!(
                    "{text:?} can't be the `{key}` of a header (RFC 9110 §5.6.2): use letters, digits and `-`"
                ),
            );
        }
    }
    let Some((kind, at)) = &fields.kind else {
        errors.push(name.at, format!("the source `{}` has no `kind`: {EXAMPLE}", name.text));
        return None;
    };
    match &**kind {
        "header" => header(fields, errors),
        "custom" => Some(custom(fields, errors)),
        _ => {
            errors.push(*at, format!("{kind:?} is not a kind of source: {EXAMPLE}"));
            None
        }
    }
}

fn fields(value: &Value<'_>, errors: &mut FileErrors) -> Option<Fields> {
    let Some(table) = value.get_ref().as_table() else {
        errors.push(start(value), format!("a source is a table: {EXAMPLE}"));
        return None;
    };
    let mut fields = Fields::default();
    for (key, value) in in_order(table) {
        let mut placed = |key: &str| text(value, key, errors).map(|text| (text, start(value)));
        match &*key.text {
            "kind" => fields.kind = placed("kind"),
            "name" => fields.name = placed("name"),
            "scheme" => fields.scheme = placed("scheme"),
            "added_by_proxy" => {
                fields.added_by_proxy = boolean(value, &key.text, errors).map(|is| (is, start(value)));
            }
            _ => unknown_key(&key, &["kind", "name", "scheme", "added_by_proxy"], errors),
        }
    }
    Some(fields)
}

fn header(fields: Fields, errors: &mut FileErrors) -> Option<SourceKind> {
    let Some((name, _)) = fields.name else {
        let at = fields.kind.map_or(0, |(_, at)| at);
        errors.push(
            at,
            "a source of kind `header` needs the header's name: write `name = \"X-Partner-Token\"`",
        );
        return None;
    };
    let is_added_by_proxy = fields.added_by_proxy.is_some_and(|(is_added, _)| is_added);
    Some(SourceKind::Header { name, scheme: fields.scheme.map(|(scheme, _)| scheme), is_added_by_proxy })
}

fn custom(fields: Fields, errors: &mut FileErrors) -> SourceKind {
    let place = |text: Option<Placed>| text.map(|(_, at)| at);
    let added_by_proxy = fields.added_by_proxy.map(|(_, at)| at);
    let keys =
        [("name", place(fields.name)), ("scheme", place(fields.scheme)), ("added_by_proxy", added_by_proxy)];
    for (key, at) in keys {
        if let Some(at) = at {
            errors.push(
                at,
                format!("a source of kind `custom` finds the credential by itself: remove `{key}`"),
            );
        }
    }
    SourceKind::Custom
}

pub(super) fn default_source(value: &Value<'_>, errors: &mut FileErrors) -> Vec<Name> {
    if let Some(one) = value.get_ref().as_str() {
        return vec![Name { text: one.to_owned(), at: start(value) }];
    }
    let expected =
        "`default_source` is a name or a list of names: write `default_source = [\"bearer\", \"cookie\"]`";
    let sources = names(value, expected, errors);
    if value.get_ref().as_array().is_some_and(|list| list.is_empty()) {
        errors.push(
            start(value),
            "`default_source` is empty, so that every rule would need a `source`: write at least one name, or remove it",
        );
    }
    sources
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
