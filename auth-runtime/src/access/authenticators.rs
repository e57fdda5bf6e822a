//! Where the credentials of authenticators are, for the lock.

use std::collections::{BTreeMap, BTreeSet};

use super::RouteRow;
use crate::engine::Auth;
use crate::source::{CredentialLocation, CredentialSource};

/// The sources of these routes whose credentials an authenticator judges, each with its place.
pub(super) fn of_routes(routes: &[RouteRow], auth: &Auth) -> BTreeMap<String, String> {
    let sources = &auth.engine().authentication.sources;
    let named: BTreeSet<&str> =
        routes.iter().flat_map(|route| &route.policy.sources).map(String::as_str).collect();
    let indices = named.into_iter().filter_map(|name| sources.resolve(&[name]).ok()?.first().copied());
    let judged = indices.filter(|&index| sources.scheme(index).is_some());
    judged
        .filter_map(|index| sources.get(index))
        .map(|source| (source.name().to_owned(), place(source)))
        .collect()
}

fn place(source: &dyn CredentialSource) -> String {
    match source.location() {
        Some(CredentialLocation::Header { name, scheme: None }) => {
            format!("header {}", name.to_ascii_lowercase())
        }
        Some(CredentialLocation::Header { name, scheme: Some(scheme) }) => {
            format!("header {}, scheme {}", name.to_ascii_lowercase(), scheme.to_ascii_lowercase())
        }
        Some(CredentialLocation::Cookie { name }) => format!("cookie {name}"),
        Some(CredentialLocation::Query { name }) => format!("query parameter {name}"),
        None => "place that it does not report".to_owned(),
    }
}
