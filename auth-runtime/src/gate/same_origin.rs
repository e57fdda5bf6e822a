//! The page that sent a request, as an argument of a handler.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::pipeline::RequestAuth;
use crate::rejection::{Rejection, RejectionKind, misconfigured};

/// The page that sends this request is one of this service's own, or one that it trusts, or there is no page: as an
/// argument of a handler that takes no credential and issues one.
///
/// The gate checks this on every request with an ambient credential. A login has none yet, and must check for itself: else
/// another site could log its visitors in as another user, and see what they do there.
///
/// ```
/// use auth_runtime::{SameOrigin, auth};
///
/// #[auth(public)]
/// async fn log_in(_: SameOrigin, form: String) -> String {
///     form
/// }
/// ```
///
/// A request of a page of another origin is rejected with 403, unless its method is safe: a login that answers `GET`, such as a link in a
/// mail, must protect itself, with a value that only the browser that asked for it has.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SameOrigin;

impl<S: Sync> FromRequestParts<S> for SameOrigin {
    type Rejection = Rejection;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let Some(auth) = RequestAuth::of(head) else {
            return Err(misconfigured("`SameOrigin` is extracted without the layer of `Auth`"));
        };
        if auth.engine().authentication.origins.admits(head) {
            Ok(Self)
        } else {
            Err(auth.reject(RejectionKind::CrossOrigin, head))
        }
    }
}
