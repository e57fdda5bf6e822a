//! The caller's user as an argument of a handler.

use std::any::{TypeId, type_name};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;

use super::extract::{accepted, reject, required};
use crate::pipeline::RequestAuth;
use crate::principal::Principal;
use crate::rejection::{Rejection, RejectionKind};

/// The user of the caller, as the engine's [`UserStore`](crate::users::UserStore) has loaded it: an argument of a handler, of a
/// `#[check]`, and of extractors of yours. A clone copies an `Arc`.
///
/// ```
/// use auth_runtime::{User, auth};
///
/// struct Account {
///     name: String,
/// }
///
/// #[auth]
/// async fn greet(User(account): User<Account>) -> String {
///     format!("Hello, {}", account.name)
/// }
/// ```
///
/// The engine has loaded it before the rule was decided, so this does not wait, and a request has one user: what a check saw, the
/// handler gets. It needs `.users(..)` on the builder, with a store of this type; if that is missing,
/// [`finish`](crate::Router::finish) fails, and names the handler. Implement [`TakesUser`](crate::users::TakesUser) for an extractor of
/// yours that takes a `User<T>`, so that `finish` sees it there too. Where it can't be seen, such a request is rejected with 500, and the
/// log says what to write: within an extractor without `TakesUser`, in a generic handler, in one with its rule beside it, and on a
/// plain `axum::Router`. The same is true of a route that is public, where no user is loaded.
///
/// A caller for which there is no user ([`UserStore::has_user`](crate::users::UserStore::has_user)) is rejected with 403, and with
/// `Option<User<T>>` it is `None`; so is an anonymous caller of an optional route, which is otherwise rejected with 401. The audit hook
/// has already received the gate's decision, and is not called again.
#[allow(clippy::exhaustive_structs, reason = "a user is all that it is")]
pub struct User<T>(pub Arc<T>);

impl<T> Deref for User<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Clone for User<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Without the user, which is personal data.
impl<T> fmt::Debug for User<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").finish_non_exhaustive()
    }
}

impl<S: Sync, T: Send + Sync + 'static> FromRequestParts<S> for User<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let principal = required(parts)?;
        of(&principal, parts)?.ok_or_else(|| {
            let reason = "there are no users for callers such as this one";
            tracing::debug!("auth: the answer is 403, because {reason}");
            reject(RejectionKind::InsufficientScope, reason, parts)
        })
    }
}

impl<S: Sync, T: Send + Sync + 'static> OptionalFromRequestParts<S> for User<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Rejection> {
        match accepted(parts)? {
            Some(principal) => of(&principal, parts),
            None => Ok(None),
        }
    }
}

/// The user of a caller; `None` if there is none for callers such as this one.
fn of<T: Send + Sync + 'static>(principal: &Principal, parts: &Parts) -> Result<Option<User<T>>, Rejection> {
    let engine = RequestAuth::of(parts).map(RequestAuth::engine);
    let what = match engine.map(|engine| engine.users.as_deref()) {
        Some(Some(users)) if users.are(TypeId::of::<T>()) => match principal.user().map(|user| user.get()) {
            None => return Ok(None),
            Some(Some(user)) => return Ok(Some(User(user))),
            Some(None) => "it was loaded by another engine: use one engine around the route".to_owned(),
        },
        Some(Some(users)) => missing_store(type_name::<T>(), Some(users.type_name())),
        _ => missing_store(type_name::<T>(), None),
    };
    tracing::error!(
        what,
        "auth: the answer is 500, because the user can't be extracted. `finish` reports this where it sees the argument: implement \
         `TakesUser` for the extractor that took it, if it is one of yours"
    );
    Err(reject(RejectionKind::Misconfigured, format!("the user can't be extracted: {what}"), parts))
}

/// What to write, so that there is a user of this type. `other` is the type of the engine's users, if it has any.
pub(crate) fn missing_store(wanted: &str, other: Option<&str>) -> String {
    match other {
        Some(other) => format!(
            "it takes `User<{wanted}>`, and the users of the engine are `{other}`: take `User<{other}>`, or pass a `UserStore` whose `User` is \
             `{wanted}` to `.users(..)` of the builder"
        ),
        None => format!(
            "it takes `User<{wanted}>`, and the engine loads no users: call `.users(store)` on the builder, with a `UserStore` whose \
             `User` is `{wanted}`"
        ),
    }
}
