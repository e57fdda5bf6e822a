//! Names of functions as documents show them.

/// The name of a function without its module.
pub(crate) fn short_name(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}
