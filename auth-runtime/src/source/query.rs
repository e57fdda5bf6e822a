//! `?access_token=<token>` (RFC 6750 §2.3).

use axum::http::request::Parts;
use std::borrow::Cow;

use super::{Carrier, CredentialLocation, CredentialSource, Extracted, credential};

/// The source `query`: the query parameter `access_token`.
///
/// URLs appear in logs, in the history of browsers and in `Referer`. The source is off until
/// [`AuthBuilder::dangerously_allow_query_tokens`](crate::AuthBuilder::dangerously_allow_query_tokens) is called. Its token
/// is rejected on routes that change state, and responses to it carry `Cache-Control: no-store`.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Query;

impl CredentialSource for Query {
    fn name(&self) -> &'static str {
        "query"
    }

    fn carrier(&self) -> Carrier {
        Carrier::Explicit
    }

    fn location(&self) -> Option<CredentialLocation<'_>> {
        Some(CredentialLocation::Query { name: "access_token" })
    }

    fn extract<'r>(&self, head: &'r Parts) -> Extracted<'r> {
        find("access_token", head)
    }

    fn is_in_url(&self) -> bool {
        true
    }
}

/// The value of the query parameter of this name.
pub(super) fn find<'r>(name: &str, head: &'r Parts) -> Extracted<'r> {
    let query = head.uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes())
        .filter(|(found, _)| found == name)
        .map(|(_, value)| match value {
            Cow::Borrowed(text) => credential(text.as_bytes()),
            Cow::Owned(text) => credential(text.as_bytes()).into_owned(),
        })
        .fold(Extracted::Absent, Extracted::and)
}
