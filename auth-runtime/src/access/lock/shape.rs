//! Shapes of paths: what two of them share, and a path that has one.

use std::collections::BTreeSet;

/// The literal part of a segment, and the parameter after it: `{}`, `{*}`, or none.
fn parts(segment: &str) -> (&str, &str) {
    if let Some(literal) = segment.strip_suffix("{}") {
        (literal, "{}")
    } else if let Some(literal) = segment.strip_suffix("{*}") {
        (literal, "{*}")
    } else {
        (segment, "")
    }
}

/// The shape of the paths that have both shapes; `None` where none has.
pub(super) fn intersection(mut one: &str, mut other: &str) -> Option<String> {
    let mut shared = String::new();
    loop {
        let (one_segment, one_rest) = first(one);
        let (other_segment, other_rest) = first(other);
        let is_literal = |segment: &str| !segment.ends_with('}');
        if is_literal(one_segment) && is_literal(other_segment) && one_segment != other_segment {
            return None; // Early, because most pairs differ here.
        }
        let ((a, a_parameter), (b, b_parameter)) = (parts(one_segment), parts(other_segment));
        let literal = if a.len() < b.len() { b } else { a };
        let takes = |own: &str, parameter: &str| match parameter {
            "" => own == literal,
            _ => literal.starts_with(own),
        };
        if !takes(a, a_parameter) || !takes(b, b_parameter) {
            return None;
        }
        shared += literal;
        // A wildcard matches the rest of the other one.
        match (a_parameter, b_parameter) {
            ("{*}", _) => return Some(shared + other.get(b.len()..)?),
            (_, "{*}") => return Some(shared + one.get(a.len()..)?),
            ("", _) | (_, "") => {}
            _ => shared += "{}",
        }
        match (one_rest, other_rest) {
            (None, None) => return Some(shared),
            (Some(one_rest), Some(other_rest)) => (one, other) = (one_rest, other_rest),
            _ => return None,
        }
        shared.push('/');
    }
}

/// The first segment of a path, and what follows its slash.
fn first(path: &str) -> (&str, Option<&str>) {
    path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)))
}

/// A wildcard matches one segment or more, with a slash at the end or without: the shape for each of these lengths, up to
/// this number of segments in all. Other shapes may match some of these paths and not others. Nothing for a shape without a
/// wildcard.
pub(super) fn lengths(shape: &str, longest: usize) -> impl Iterator<Item = String> {
    let prefix = shape.strip_suffix("{*}").map(|prefix| format!("{prefix}{{}}"));
    let more = longest.saturating_sub(shape.split('/').count());
    let of_length = move |prefix: String| (0..=more).map(move |more| prefix.clone() + &"/{}".repeat(more));
    prefix.into_iter().flat_map(of_length).flat_map(|shape| [format!("{shape}/"), shape])
}

/// Paths of given shapes, each as different from all other shapes as possible: the route that serves such a path serves
/// most paths of its shape.
pub(super) struct Probes {
    /// For a parameter: a letter that no literal has.
    parameter: String,
    /// For a wildcard: more segments than any other shape has.
    wildcard: String,
    /// The number of segments of the longest shape.
    pub(super) longest: usize,
}

impl Probes {
    pub(super) fn new<'s>(shapes: impl Iterator<Item = &'s str> + Clone) -> Self {
        let used: BTreeSet<char> = shapes.clone().flat_map(str::chars).collect();
        let unused = ('a'..=char::MAX).find(|letter| !used.contains(letter)).unwrap_or_default();
        let longest = shapes.map(|shape| shape.split('/').count()).max().unwrap_or_default();
        Self {
            parameter: unused.to_string(),
            wildcard: format!("{unused}/").repeat(longest) + "end",
            longest,
        }
    }

    pub(super) fn path(&self, shape: &str) -> String {
        let segments = shape.split('/').map(|segment| {
            let (literal, parameter) = parts(segment);
            let literal = literal.replace("{{", "{").replace("}}", "}");
            match parameter {
                "{}" => literal + &self.parameter,
                "{*}" => literal + &self.wildcard,
                _ => literal,
            }
        });
        segments.collect::<Vec<_>>().join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::{Probes, intersection, lengths};

    #[test]
    fn shapes_share_the_paths_that_both_have() {
        for (one, other, expected) in [
            ("/a", "/a", Some("/a")),
            ("/a", "/b", None),
            ("/a/{}", "/{}/b", Some("/a/b")),
            ("/{}", "/{}", Some("/{}")),
            ("/{}/b", "/a", None),
            ("/a/{*}", "/{}/b/c", Some("/a/b/c")),
            ("/a/{*}", "/{}/{}/c", Some("/a/{}/c")),
            ("/a/{*}", "/{*}", Some("/a/{*}")),
            ("/a/{*}", "/a", None),
            ("/a-{}", "/{}", Some("/a-{}")),
            ("/a-{}/x", "/a-b{*}", Some("/a-b{}/x")),
            ("/a-{}", "/a-b", Some("/a-b")),
            ("/a-{}", "/b", None),
            ("/{{}}", "/{}", Some("/{{}}")),
        ] {
            assert_eq!(intersection(one, other).as_deref(), expected, "{one} {other}");
            assert_eq!(intersection(other, one).as_deref(), expected, "{other} {one}");
        }
    }

    #[test]
    fn a_wildcard_takes_paths_of_each_length() {
        assert_eq!(lengths("/a/{*}", 4).collect::<Vec<_>>(), ["/a/{}/", "/a/{}", "/a/{}/{}/", "/a/{}/{}"]);
        assert_eq!(lengths("/a/{*}", 3).count(), 2);
        assert_eq!(lengths("/a/{}", 4).count(), 0);
    }

    #[test]
    fn a_probe_has_its_shape_and_no_other() {
        let probes = Probes::new(["/a/{}", "/b{{/{*}"].into_iter());
        assert_eq!(probes.path("/a/{}"), "/a/c");
        assert_eq!(probes.path("/b{{/{*}"), "/b{/c/c/c/end");
    }
}
