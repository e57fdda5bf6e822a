//! Where a claim is: a path of names through objects.

use serde_json::Value;

use super::claims::TokenClaims;

/// The name of a claim: a path of names through objects, or one literal name.
///
/// A string is converted to a path with dots between the names, such as `realm_access.roles`. A string that contains `://` is
/// converted to one literal name, such as `https://example.com/roles`. [`ClaimName::path`] makes a path of names that contain dots
/// themselves, and [`ClaimName::literal`] one literal name of any string.
///
/// A name has one meaning: with `a.b`, a claim of the top level that is called `a.b` is never found, and with the literal name
/// `a.b`, the member `b` of the claim `a` is never found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimName(Box<[Box<str>]>);

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
        Self(names.into_iter().map(|name| name.into().into_boxed_str()).collect())
    }

    pub(crate) fn find<'c>(&self, claims: &'c TokenClaims) -> Option<&'c Value> {
        let (first, rest) = self.0.split_first()?;
        rest.iter().try_fold(claims.get(first)?, |value, name| value.get(&**name))
    }

    /// Returns whether an object on the path has no member of the next name. A value on the path that is not an object leaves it
    /// open where the claim is, so the claim does not count as absent. With `null_is_absent`, `null` counts as absent.
    pub(super) fn is_absent(&self, claims: &TokenClaims, null_is_absent: bool) -> bool {
        let mut names = self.0.iter();
        let mut found = names.next().and_then(|first| claims.get(first));
        for name in names {
            found = match found {
                Some(Value::Object(members)) => members.get(&**name),
                _ => break,
            };
        }
        match found {
            None => true,
            Some(Value::Null) => null_is_absent,
            Some(_) => false,
        }
    }

    /// Returns the first name of the path.
    pub(super) fn top_level(&self) -> Option<&str> {
        self.0.first().map(|name| &**name)
    }

    /// Returns whether it is this one name of the top level.
    pub(super) fn is(&self, name: &str) -> bool {
        self.top_level() == Some(name) && self.below().is_empty()
    }

    /// Returns the names of the path below the top level.
    pub(super) fn below(&self) -> &[Box<str>] {
        self.0.get(1..).unwrap_or_default()
    }

    pub(super) fn is_blank(&self) -> bool {
        self.0.is_empty() || self.0.iter().any(|name| name.is_empty())
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
            assert_eq!(name.find(&claims).and_then(serde_json::Value::as_u64), expected, "{name:?}");
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
