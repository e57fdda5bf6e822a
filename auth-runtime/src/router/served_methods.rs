//! Which requests to its path a route serves, by their methods.

use axum::routing::MethodFilter;

use super::method_router::METHODS;
use crate::method::takes_credentials_in_url;

/// How a route is listed that serves every method.
pub(crate) const ANY: &str = "ANY";

/// How a route is listed that serves the methods for which its path has no other route.
pub(crate) const OTHER: &str = "OTHER";

/// The methods that a route serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ServedMethods {
    /// Those that it was mounted for.
    Named(Vec<&'static str>),
    /// All for which the path has no other handler: `any`.
    Any,
    /// The same as `Any`, of a fallback: it is not an operation of an API.
    Other,
    /// Those of axum's method router that has a rule beside it; which ones it has is not known.
    Unknown,
    /// All, of a service that has the path for itself.
    Service,
}

/// The names of these methods.
pub(crate) fn names(filter: MethodFilter) -> Vec<&'static str> {
    let methods = METHODS.into_iter().filter(|&(method, _)| filter.or(method) == filter);
    methods.map(|(_, name)| name).collect()
}

impl ServedMethods {
    pub(super) fn of(filter: MethodFilter) -> Self {
        Self::Named(names(filter))
    }

    /// What the list shows: a line for each.
    pub(super) fn labels(&self) -> &[&'static str] {
        match self {
            Self::Named(names) => names,
            Self::Any | Self::Unknown | Self::Service => &[ANY],
            Self::Other => &[OTHER],
        }
    }

    /// Whether for each of the methods a credential in the URL may count.
    pub(super) fn take_credentials_in_url(&self) -> bool {
        // `ANY` and `OTHER` are not among these.
        self.labels().iter().all(|method| takes_credentials_in_url(method))
    }

    /// Whether the method router has a fallback by this, and takes no default.
    pub(super) fn is_fallback(&self) -> bool {
        matches!(self, Self::Any | Self::Other)
    }
}
