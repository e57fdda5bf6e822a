//! Where a claim is: a path of names through objects.

use std::fmt;

use super::claims::TokenClaims;
use super::json::{Json, Known};

/// The name of a claim: a path of names through objects, or one literal name.
///
/// A string is converted to a path with dots between the names, such as `realm_access.roles`. A string that contains `://` is
/// converted to one literal name, such as `https://example.com/roles`. [`ClaimName::path`] makes a path of names that contain dots
/// themselves, and [`ClaimName::literal`] one literal name of any string.
///
/// A name has one meaning: with `a.b`, a claim of the top level that is called `a.b` is never found, and with the literal name
/// `a.b`, the member `b` of the claim `a` is never found.
#[derive(Clone, PartialEq, Eq)]
pub struct ClaimName {
    path: Box<[Box<str>]>,
    /// The first name, if it has a place of its own.
    known: Option<Known>,
}

impl ClaimName {
    /// Returns one literal name of the top level. Dots are a part of it.
    pub fn literal(name: impl Into<String>) -> Self {
        Self::path([name])
    }

    /// Returns a path of literal names, from the top level through objects. Dots are a part of a name.
    ///
    /// ```
    /// use auth_runtime::verify::{ClaimName, TrustedIssuer};
    ///
    /// let issuer = TrustedIssuer::new("https://id.example.com")
    ///     .roles_at(ClaimName::path(["clients", "my.client", "roles"]));
    /// # let _ = issuer;
    /// ```
    pub fn path(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let path: Box<[Box<str>]> = names.into_iter().map(|name| name.into().into_boxed_str()).collect();
        let known = path.first().and_then(|first| Known::of(first));
        Self { path, known }
    }

    pub(crate) fn find<'c>(&self, claims: &'c TokenClaims) -> Option<Json<'c>> {
        self.below().iter().try_fold(self.find_first(claims)?, |value, name| value.get(name))
    }

    fn find_first<'c>(&self, claims: &'c TokenClaims) -> Option<Json<'c>> {
        match self.known {
            Some(known) => claims.known(known),
            None => claims.find(self.path.first()?),
        }
    }

    /// Returns whether an object on the path has no member of the next name. A value on the path that is not an object leaves it
    /// open where the claim is, so the claim does not count as absent. With `null_is_absent`, `null` counts as absent.
    pub(super) fn is_absent(&self, claims: &TokenClaims, null_is_absent: bool) -> bool {
        let mut found = self.find_first(claims);
        for name in self.below() {
            found = match found {
                Some(value) if value.is_object() => value.get(name),
                _ => break,
            };
        }
        found.is_none_or(|value| null_is_absent && value.is_null())
    }

    /// Returns the first name of the path.
    fn top_level(&self) -> Option<&str> {
        self.path.first().map(|name| &**name)
    }

    /// Returns whether it is this one name of the top level.
    pub(super) fn is(&self, name: &str) -> bool {
        self.top_level() == Some(name) && self.below().is_empty()
    }

    /// Returns the names of the path below the top level.
    fn below(&self) -> &[Box<str>] {
        self.path.get(1..).unwrap_or_default()
    }

    pub(super) fn is_blank(&self) -> bool {
        self.path.is_empty() || self.path.iter().any(|name| name.is_empty())
    }
}

impl fmt::Debug for ClaimName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClaimName").field(&self.path).finish()
    }
}

impl From<&str> for ClaimName {
    fn from(name: &str) -> Self {
        if name.contains("://") { Self::literal(name) } else { Self::path(name.split('.')) }
    }
}

impl From<String> for ClaimName {
    fn from(name: String) -> Self {
        name.as_str().into()
    }
}

#[cfg(test)]
mod tests {
    use super::{ClaimName, TokenClaims};

    #[test]
    fn a_name_has_one_meaning() {
        let claims = TokenClaims::from_json(
            br#"{"a":{"b":1,"c.d":{"e":2}},"a.b":3,"https://x/roles":4,"https://x":{"y":5},"n":null}"#,
        )
        .unwrap();
        for (name, expected) in [
            ("a.b".into(), Some(1)),
            (ClaimName::literal("a.b"), Some(3)),
            (ClaimName::path(["a.b"]), Some(3)),
            (ClaimName::path(["a", "b"]), Some(1)),
            (ClaimName::path(["a", "c.d", "e"]), Some(2)),
            ("a.c.d.e".into(), None),
            ("https://x/roles".into(), Some(4)),
            (ClaimName::path(["https://x", "y"]), Some(5)),
            (ClaimName::path([""; 0]), None),
        ] {
            assert_eq!(name.find(&claims).and_then(|value| value.to_value().as_u64()), expected, "{name:?}");
        }
    }

    #[test]
    fn absent_means_that_an_object_has_no_such_member() {
        let claims =
            TokenClaims::from_json(br#"{"a":{"b":1,"n":null},"text":"x","list":[1],"n":null}"#).unwrap();
        for (name, absent, absent_if_null_is) in [
            ("a", false, false),
            ("a.b", false, false),
            ("c", true, true),
            ("c.d.e", true, true),
            ("a.c", true, true),
            ("a.c.d", true, true),
            ("a.b.c", false, false),
            ("text.x", false, false),
            ("list.0", false, false),
            ("n", false, true),
            ("n.x", false, true),
            ("a.n", false, true),
            ("a.n.x", false, true),
        ] {
            let name = ClaimName::from(name);
            assert_eq!(name.is_absent(&claims, false), absent, "{name:?}");
            assert_eq!(name.is_absent(&claims, true), absent_if_null_is, "{name:?}");
        }
    }
}
