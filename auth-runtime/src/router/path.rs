//! Paths as axum's router reads them.

use super::{BELOW, FALLBACK};

/// A path inside a router that is nested at `prefix`, joined as `axum::Router::nest` does it. What is listed for all that is
/// below has the prefix as it is: with a slash at its end it answers other paths than without.
pub(super) fn join(prefix: &str, path: &str) -> String {
    if prefix.is_empty() {
        path.to_owned()
    } else if path == FALLBACK || path == BELOW {
        format!("{prefix}{path}")
    } else if prefix.ends_with('/') {
        format!("{prefix}{}", path.trim_start_matches('/'))
    } else if path == "/" {
        prefix.to_owned()
    } else {
        format!("{prefix}{path}")
    }
}

/// The names of the parameters: `{id}` and `{*rest}`; `{{` is a brace, and `{*}` has no name.
pub(crate) fn parameters(path: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = path;
    while let Some((_, behind)) = rest.split_once('{') {
        if let Some(escaped) = behind.strip_prefix('{') {
            rest = escaped;
            continue;
        }
        let Some((name, behind)) = behind.split_once('}') else { break };
        let name = name.strip_prefix('*').unwrap_or(name);
        if !name.is_empty() {
            names.push(name);
        }
        rest = behind;
    }
    names
}

/// The path without the names of its parameters: `/org/{}/{*}`.
pub(crate) fn shape(path: &str) -> String {
    let mut shape = String::new();
    let mut rest = path;
    while let Some((before, behind)) = rest.split_once('{') {
        shape += before;
        if let Some(escaped) = behind.strip_prefix('{') {
            shape += "{{";
            rest = escaped;
            continue;
        }
        let Some((name, behind)) = behind.split_once('}') else { break };
        shape += if name.starts_with('*') { "{*}" } else { "{}" };
        rest = behind;
    }
    shape + rest
}

#[cfg(test)]
mod tests {
    use super::{join, parameters, shape};

    #[test]
    fn a_shape_has_no_names() {
        for (path, expected) in [
            ("/org/{tenant}/f/{*rest}", "/org/{}/f/{*}"),
            ("/{{id}}/{id}", "/{{id}}/{}"),
            ("/a/{*}", "/a/{*}"),
            ("/a", "/a"),
        ] {
            assert_eq!(shape(path), expected);
        }
    }

    #[test]
    fn joins_as_axum_does() {
        for (prefix, path, expected) in [
            ("", "/x", "/x"),
            ("/v1", "/", "/v1"),
            ("/v1", "/x", "/v1/x"),
            ("/v1/", "/x", "/v1/x"),
            ("/org/{tenant}", "/{id}", "/org/{tenant}/{id}"),
            ("/v1", "/(fallback)", "/v1/(fallback)"),
            ("/v1/", "/(fallback)", "/v1//(fallback)"),
            ("/v1/", "/{*}", "/v1//{*}"),
            ("/a/", "/v1//{*}", "/a/v1//{*}"),
        ] {
            assert_eq!(join(prefix, path), expected);
        }
    }

    #[test]
    fn finds_parameters() {
        assert_eq!(parameters("/org/{tenant}/f/{*rest}"), ["tenant", "rest"]);
        assert_eq!(parameters("/{{no}}/{yes}"), ["yes"]);
        assert!(parameters("/a/b/{*}").is_empty());
    }
}
