//! Paths as OpenAPI writes them.

use serde_json::{Value, json};

use crate::router::path_shape;

/// The name of a wildcard that has none.
const REST: &str = "rest";

/// A parameter of a path.
#[derive(Clone, Debug)]
pub(super) struct PathParameter {
    pub(super) name: String,
    is_wildcard: bool,
}

impl PathParameter {
    /// The Parameter Object.
    pub(super) fn to_value(&self) -> Value {
        let mut parameter =
            json!({ "name": self.name, "in": "path", "required": true, "schema": { "type": "string" } });
        if let (true, Some(parameter)) = (self.is_wildcard, parameter.as_object_mut()) {
            parameter.insert("description".into(), "The rest of the path, including its slashes.".into());
        }
        parameter
    }
}

/// A path of axum's as OpenAPI writes it, and its parameters. Where several parameters have the same name, the last one
/// keeps it, because that is the one that the handler reads; the others get a number. Braces that belong to no parameter
/// are percent-encoded.
pub(super) fn template(path: &str) -> (String, Vec<PathParameter>) {
    // The path of a service that is mounted with a slash at its end has two slashes.
    let path = path.replace("//{*}", "/{*}");
    let pieces = pieces(&path);
    let names: Vec<&str> = pieces.iter().filter_map(Piece::name).collect();
    let parameters = parameters(&names);
    let mut named = parameters.iter();
    let template = pieces.iter().map(|piece| match piece {
        Piece::Literal(literal) => (*literal).to_owned(),
        Piece::Parameter(_) => named.next().map_or_else(String::new, |one| format!("{{{}}}", one.name)),
    });
    (template.collect(), parameters)
}

enum Piece<'p> {
    Literal(&'p str),
    Parameter(&'p str),
}

impl<'p> Piece<'p> {
    fn name(&self) -> Option<&'p str> {
        match self {
            Self::Literal(_) => None,
            Self::Parameter(name) => Some(name),
        }
    }
}

fn pieces(path: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = path;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at(at);
        pieces.push(Piece::Literal(before));
        rest = if let Some(after) = after.strip_prefix("{{") {
            pieces.push(Piece::Literal("%7B"));
            after
        } else if let Some(after) = after.strip_prefix("}}") {
            pieces.push(Piece::Literal("%7D"));
            after
        } else {
            let (name, after) = after.trim_start_matches('{').split_once('}').unwrap_or_default();
            pieces.push(Piece::Parameter(name));
            after
        };
    }
    pieces.push(Piece::Literal(rest));
    pieces
}

fn parameters(names: &[&str]) -> Vec<PathParameter> {
    let mut parameters: Vec<PathParameter> = Vec::new();
    for name in names.iter().rev() {
        let bare = name.trim_start_matches('*');
        let bare = if bare.is_empty() { REST } else { bare };
        let is_free = |name: &String| !parameters.iter().any(|parameter| parameter.name == *name);
        let numbered = (2..).map(|number| format!("{bare}_{number}"));
        let name_of_its_own = std::iter::once(bare.to_owned()).chain(numbered).find(is_free);
        parameters.push(PathParameter {
            name: name_of_its_own.unwrap_or_default(),
            is_wildcard: name.starts_with('*'),
        });
    }
    parameters.reverse();
    parameters
}

/// What two paths have in common that OpenAPI takes for the same: the path without the names of its parameters.
pub(super) fn place(path: &str) -> String {
    path_shape(&template(path).0)
}

#[cfg(test)]
mod tests {
    use super::{place, template};

    #[test]
    fn each_parameter_has_a_name_of_its_own() {
        for (path, expected, names) in [
            ("/", "/", &[][..]),
            ("/org/{tenant}/f/{*path}", "/org/{tenant}/f/{path}", &["tenant", "path"]),
            ("/o/{id}/x/{id}", "/o/{id_2}/x/{id}", &["id_2", "id"]),
            ("/f/{rest}/{*}", "/f/{rest_2}/{rest}", &["rest_2", "rest"]),
            ("/{{id}}/{id}", "/%7Bid%7D/{id}", &["id"]),
            ("/files//{*}", "/files/{rest}", &["rest"]),
        ] {
            let (written, parameters) = template(path);
            assert_eq!(written, expected);
            assert_eq!(parameters.iter().map(|parameter| &*parameter.name).collect::<Vec<_>>(), names);
        }
        let takes_rest = |path: &str| template(path).1.iter().map(|one| one.is_wildcard).collect::<Vec<_>>();
        assert_eq!(takes_rest("/{rest}/{*more}"), [false, true]);
        assert_eq!(place("/f/{*path}"), place("/f/{id}"), "OpenAPI knows no wildcard");
    }
}
