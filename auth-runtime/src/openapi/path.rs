//! Paths as OpenAPI writes them.

use serde_json::json;

use super::Parameter;
use crate::router::path_shape;

/// What the part of a path is called that a wildcard without a name takes.
const REST: &str = "rest";

/// A path of axum's as OpenAPI writes it, and its parameters. Each has a name of its own: of several that have one name the last keeps it,
/// which is the one that the handler knows. Braces that are no parameter's are percent-encoded.
pub(super) fn template(path: &str) -> (String, Vec<Parameter>) {
    // A service that is mounted with a slash at the end of its path has two.
    let path = path.replace("//{*}", "/{*}");
    let pieces = pieces(&path);
    let names: Vec<&str> = pieces.iter().filter_map(Piece::name).collect();
    let parameters = parameters(&names);
    let mut named = parameters.iter();
    let written = pieces.iter().map(|piece| match piece {
        Piece::Literal(literal) => (*literal).to_owned(),
        Piece::Parameter(_) => named.next().map_or_else(String::new, |one| format!("{{{}}}", one.name)),
    });
    (written.collect(), parameters)
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
        let (before, behind) = rest.split_at(at);
        pieces.push(Piece::Literal(before));
        rest = if let Some(behind) = behind.strip_prefix("{{") {
            pieces.push(Piece::Literal("%7B"));
            behind
        } else if let Some(behind) = behind.strip_prefix("}}") {
            pieces.push(Piece::Literal("%7D"));
            behind
        } else {
            let (name, behind) = behind.trim_start_matches('{').split_once('}').unwrap_or_default();
            pieces.push(Piece::Parameter(name));
            behind
        };
    }
    pieces.push(Piece::Literal(rest));
    pieces
}

fn parameters(names: &[&str]) -> Vec<Parameter> {
    let mut parameters: Vec<Parameter> = Vec::new();
    for name in names.iter().rev() {
        let bare = name.trim_start_matches('*');
        let bare = if bare.is_empty() { REST } else { bare };
        let is_free = |name: &String| !parameters.iter().any(|parameter| parameter.name == *name);
        let numbered = (2..).map(|number| format!("{bare}_{number}"));
        parameters.push(Parameter {
            name: std::iter::once(bare.to_owned()).chain(numbered).find(is_free).unwrap_or_default(),
            place: "path".into(),
            required: true,
            description: name.starts_with('*').then(|| "The rest of the path, slashes and all.".into()),
            schema: json!({ "type": "string" }),
        });
    }
    parameters.reverse();
    parameters
}

/// What tells of a place and nothing else: names of parameters don't.
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
        let takes_rest =
            |path: &str| template(path).1.iter().map(|one| one.description.is_some()).collect::<Vec<_>>();
        assert_eq!(takes_rest("/{rest}/{*more}"), [false, true]);
        assert_eq!(place("/f/{*path}"), place("/f/{id}"), "OpenAPI knows no wildcard");
    }
}
