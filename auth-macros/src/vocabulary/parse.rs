//! The text of the file → its declarations.

use auth_analysis::{ListKind, Named};
use toml::de::DeTable;

use super::declarations::{Declarations, FileErrors, Name, RoleDeclaration, key_text};
use super::sources::{default_source, source};
use super::values::{Value, entries, in_order, names, quotes_hint, start, text, unknown_key, whole_name};

/// What the file declares; every error goes to `errors`.
pub(super) fn parse(text: &str, errors: &mut FileErrors) -> Declarations {
    let (table, syntax_errors) = DeTable::parse_recoverable(text);
    let Some(error) = syntax_errors.first() else { return declarations(table.get_ref(), errors) };
    // The others may follow from the first.
    let at = error.span().map_or(0, |span| span.start);
    let message = error.message().trim();
    let hint = if message.contains("unquoted key") {
        ". A name with characters other than letters, digits, `-` and `_` is written in quotes: `\"article:write\"`"
    } else {
        ""
    };
    errors.push(at, format!("this is not valid TOML: {message}{hint}"));
    Declarations::default()
}

fn declarations(table: &DeTable<'_>, errors: &mut FileErrors) -> Declarations {
    let mut declarations = Declarations::default();
    for (key, value) in in_order(table) {
        match &*key.text {
            "default_source" => declarations.default_source = default_source(value, errors),
            "roles" => {
                let expected = "`[roles]` is a table: write `[roles]` and below it `admin = {}`";
                for (name, value) in entries(value, Named::Listed(ListKind::Roles), expected, errors) {
                    declarations.roles.extend(role(name, value, errors));
                }
            }
            "scopes" => {
                let expected = "`[scopes]` is a table: write `[scopes]` and below it `\"article:write\" = \"Change articles\"`";
                for (name, value) in entries(value, Named::Listed(ListKind::Scopes), expected, errors) {
                    declarations.scopes.extend(scope(name, value, errors));
                }
            }
            "permissions" => {
                let expected = "`[permissions]` is a table: write `[permissions]` and below it `\"invoice.read\" = [\"billing\"]`";
                for (name, value) in entries(value, Named::Listed(ListKind::Permissions), expected, errors) {
                    let roles = permission(&name, value, errors);
                    declarations.permissions.push((name, roles));
                }
            }
            "sources" => {
                let expected = "`[sources]` has a table for each source: write `[sources.partner]` and below it \
                                `kind = \"header\"` and `name = \"X-Partner-Token\"`";
                for (name, value) in entries(value, Named::Source, expected, errors) {
                    let kind = source(&name, value, errors);
                    declarations.sources.extend(kind.map(|kind| (name, kind)));
                }
            }
            _ => {
                unknown_key(&key, &["default_source", "roles", "scopes", "permissions", "sources"], errors);
            }
        }
    }
    declarations
}

fn role(name: Name, value: &Value<'_>, errors: &mut FileErrors) -> Option<RoleDeclaration> {
    let Some(table) = value.get_ref().as_table() else {
        let message = format!(
            "a role is a table: write `{0} = {{}}`, or `{0} = {{ implies = [..], description = \"..\" }}`",
            key_text(&name.text)
        );
        errors.push(start(value), message);
        return None;
    };
    let mut role = RoleDeclaration { name, implies: Vec::new(), excludes: Vec::new(), description: None };
    for (key, value) in in_order(table) {
        let list =
            |example: &str| format!("`{0}` is a list of roles: write `{0} = [\"{example}\"]`", key.text);
        match &*key.text {
            "implies" => role.implies = names(value, &list("editor"), errors),
            "excludes" => role.excludes = names(value, &list("auditor"), errors),
            "description" => role.description = text(value, "description", errors),
            _ if value.get_ref().as_table().is_some() => {
                let whole = format!("{}.{}", role.name.text, key.text);
                errors.push(
                    key.at,
                    format!("a name with a dot is written in quotes: write `{whole:?} = {{}}`"),
                );
            }
            _ => unknown_key(&key, &["implies", "excludes", "description"], errors),
        }
    }
    Some(role)
}

fn scope(name: Name, value: &Value<'_>, errors: &mut FileErrors) -> Option<(Name, String)> {
    let Some(description) = value.get_ref().as_str() else {
        let message = format!(
            "a scope needs a description: write `{:?} = \"What it allows\"`{}",
            whole_name(&name.text, value),
            quotes_hint(value)
        );
        errors.push(start(value), message);
        return None;
    };
    Some((name, description.to_owned()))
}

/// The roles that are granted it.
fn permission(name: &Name, value: &Value<'_>, errors: &mut FileErrors) -> Vec<Name> {
    let expected = format!(
        "a permission has the list of roles that are granted it: write `{:?} = [\"billing\", \"admin\"]`, or `[]` \
         if no role is and only tokens carry it{}",
        whole_name(&name.text, value),
        quotes_hint(value)
    );
    names(value, &expected, errors)
}
