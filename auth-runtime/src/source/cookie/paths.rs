//! The paths with which a browser sends a cookie.

/// How many of them are named for one request.
const MAX_PATHS: usize = 16;

/// The length above which a browser ignores the attribute `Path` (RFC 6265bis §5.6).
const MAX_LENGTH: usize = 1024;

/// Returns the paths of the cookies that a browser sends with a request to `path` (RFC 6265bis §5.1.4), the shortest first: `/`, what is above
/// the path, with and without a slash at its end, and the path itself. After one that can't be in an attribute no other follows.
pub(super) fn sending_paths(path: &str) -> impl Iterator<Item = &str> {
    let above = path.match_indices('/').flat_map(|(at, _)| [path.get(..at), path.get(..=at)]);
    let all = above.chain([(!path.ends_with('/')).then_some(path)]).flatten();
    all.filter(|path| !path.is_empty()).take_while(|path| is_cookie_path(path)).take(MAX_PATHS)
}

/// Whether a browser sends a cookie that is for `cookie_path` with a request to `path` (RFC 6265bis §5.1.4).
pub(super) fn is_within(path: &str, cookie_path: &str) -> bool {
    let rest = path.strip_prefix(cookie_path);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || cookie_path.ends_with('/'))
}

/// Whether the path can be the value of an attribute. A parameter of a path is what the client sent: a character such as `;` would end it.
pub(crate) fn is_cookie_path(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte);
    path.starts_with('/') && path.len() <= MAX_LENGTH && path.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::{MAX_LENGTH, MAX_PATHS, is_within, sending_paths};

    #[test]
    fn all_paths_that_match_are_named() {
        for (path, expected) in [
            ("/", &["/"][..]),
            ("/refresh", &["/", "/refresh"]),
            ("/auth/refresh", &["/", "/auth", "/auth/", "/auth/refresh"]),
            ("/auth/refresh/", &["/", "/auth", "/auth/", "/auth/refresh", "/auth/refresh/"]),
            ("/a%3bc/x", &["/", "/a%3bc", "/a%3bc/", "/a%3bc/x"]),
            ("/a;Domain=evil.example/x", &["/"]),
            ("/a/b c/x", &["/", "/a", "/a/"]),
            ("", &[]),
            ("*", &[]),
        ] {
            assert_eq!(sending_paths(path).collect::<Vec<_>>(), expected, "{path}");
        }
    }

    #[test]
    fn a_path_is_within_that_of_a_cookie_and_no_other() {
        for (path, cookie_path, expected) in [
            ("/auth", "/auth", true),
            ("/auth/refresh", "/auth", true),
            ("/auth/refresh", "/auth/", true),
            ("/auth/refresh", "/", true),
            ("/author", "/auth", false),
            ("/auth", "/auth/", false),
            ("/refresh", "/shop", false),
        ] {
            assert_eq!(is_within(path, cookie_path), expected, "{path} in {cookie_path}");
        }
    }

    #[test]
    fn their_number_and_their_length_are_bounded() {
        assert_eq!(sending_paths(&"/a".repeat(400)).count(), MAX_PATHS);
        let long = format!("/{}", "a".repeat(MAX_LENGTH));
        assert_eq!(sending_paths(&long).collect::<Vec<_>>(), ["/"]);
    }
}
