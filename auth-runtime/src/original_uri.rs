//! The URI of a request, as its client sent it.

use axum::extract::OriginalUri;
use axum::http::Uri;
use axum::http::request::Parts;

/// Returns the URI that was requested: a router that is nested sees only a part of it.
pub(crate) fn original_uri(head: &Parts) -> &Uri {
    head.extensions.get::<OriginalUri>().map_or(&head.uri, |original| &original.0)
}
