//! Paths as OpenAPI writes them.

use serde_json::json;

use super::Parameter;
use crate::routing::path_shape;

/// What the part of a path is called that a wildcard without a name takes.
const REST: &str = "rest";

/// A path of axum's as OpenAPI writes it, and its parameters: each with a name of its own, and braces that are none percent-encoded.
pub(super) fn template(path: &str) -> (String, Vec<Parameter>) {
    // A service that is mounted with a slash at the end of its path has two.
    let path = path.replace("//{*}", "/{*}");
    let mut template = String::new();
    let mut parameters: Vec<Parameter> = Vec::new();
    let mut rest = &*path;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, behind) = rest.split_at(at);
        template += before;
        if let Some(behind) = behind.strip_prefix("{{") {
            template += "%7B";
            rest = behind;
        } else if let Some(behind) = behind.strip_prefix("}}") {
            template += "%7D";
            rest = behind;
        } else {
            let (name, behind) = behind.trim_start_matches('{').split_once('}').unwrap_or_default();
            let takes_rest = name.starts_with('*');
            let parameter = parameter(name.trim_start_matches('*'), takes_rest, &parameters);
            template += &format!("{{{}}}", parameter.name);
            parameters.push(parameter);
            rest = behind;
        }
    }
    (template + rest, parameters)
}

fn parameter(name: &str, takes_rest: bool, earlier: &[Parameter]) -> Parameter {
    let name = if name.is_empty() { REST } else { name };
    let is_taken = |name: &str| earlier.iter().any(|parameter| parameter.name == name);
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    let free = std::iter::once(name.to_owned()).chain(numbered).find(|name| !is_taken(name));
    Parameter {
        name: free.unwrap_or_default(),
        place: "path".into(),
        required: true,
        description: takes_rest.then(|| "The rest of the path, slashes and all.".into()),
        schema: json!({ "type": "string" }),
    }
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
            ("/o/{id}/x/{id}", "/o/{id}/x/{id_2}", &["id", "id_2"]),
            ("/f/{rest}/{*}", "/f/{rest}/{rest_2}", &["rest", "rest_2"]),
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
