//! The origin check as an argument of a handler.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::pipeline::RequestAuth;
use crate::rejection::{Rejection, RejectionKind, misconfigured};

/// Checks, as an argument of a handler, that the request comes from a page of this service or of a trusted origin, or from no page.
///
/// The gate checks this on every request with an ambient credential. A request to log in has no credential yet, so its
/// handler must check it: otherwise another site could log its visitors in as another user, and see what they do here.
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
/// A request from a page of another origin is rejected with 403, unless its method is safe. A login that accepts `GET`,
/// such as a link in a mail, must protect itself with a value that only the browser that requested the link has.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SameOrigin;

impl<S: Sync> FromRequestParts<S> for SameOrigin {
    type Rejection = Rejection;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let Some(auth) = RequestAuth::of(head) else {
            return Err(misconfigured(
                "`SameOrigin` is extracted without the layer of `Auth`: build the app with `auth_runtime::Router` and \
                 `.finish(&auth)`, or add `.layer(auth.layer())` to the `axum::Router`",
            ));
        };
        if auth.engine().authentication.origins.admits(head) {
            Ok(Self)
        } else {
            Err(auth.reject(RejectionKind::CrossOrigin, "a page of another origin sent the request", head))
        }
    }
}
