//! How a document of the handlers and the routes differ.

use std::fmt;

/// How a document and the routes differ that it was [filled](super::OpenApi::fill) from. `Display` prints a line for each
/// difference, and nothing where there is none.
///
/// Operations of a router that was merged without a guard count as not served, because its routes are not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// Routes that are served and not documented, by method and path.
    pub undocumented: Vec<String>,
    /// Operations of the document that no route serves, by method and path.
    pub not_served: Vec<String>,
    /// Operation ids that several operations have.
    pub repeated_ids: Vec<String>,
    /// Operations whose documentation has a `security` of its own that differs from what is enforced, by method and path.
    pub own_security: Vec<String>,
    /// Operations whose handler has no `#[auth]`, by method and path. Only the routes [of `aide`](crate::router::Routes)
    /// can show them.
    pub unguarded: Vec<String>,
    /// References in the document to what is not in it.
    pub dangling: Vec<String>,
}

impl Coverage {
    /// Whether there is no difference.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = [
            ("served, and not documented", &self.undocumented),
            ("documented, and not served", &self.not_served),
            ("several operations have the operation id", &self.repeated_ids),
            ("the documented security differs from what is enforced", &self.own_security),
            ("documented, and not guarded", &self.unguarded),
            ("a reference to what is not in the document", &self.dangling),
        ];
        for (difference, list) in lists {
            list.iter().try_for_each(|one| writeln!(f, "{difference}: {one}"))?;
        }
        Ok(())
    }
}
