//! What a check has loaded, on its way to the handler.

use std::any::{Any, type_name};
use std::fmt;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::head_state::HeadState;
use crate::rejection::{Rejection, misconfigured};

/// What the `#[check]` of a handler has loaded, as an argument of the handler, so that no row is read twice.
///
/// ```
/// use auth_runtime::rejection::Rejection;
/// use auth_runtime::{Checked, Principal, auth, check};
/// use axum::extract::Path;
///
/// struct Article {
///     owner: String,
///     text: String,
/// }
///
/// # async fn load(id: u64) -> Result<Option<Article>, std::io::Error> {
/// #     Ok((id == 1).then(|| Article { owner: "alice".into(), text: "a text".into() }))
/// # }
/// #[check]
/// async fn owns(user: &Principal, Path(id): Path<u64>) -> Result<Option<Checked<Article>>, std::io::Error> {
///     let article = load(id).await?;
///     Ok(article.filter(|article| article.owner == user.subject()).map(Checked))
/// }
///
/// #[auth(check = owns)]
/// async fn article(Checked(article): Checked<Article>) -> String {
///     article.text
/// }
/// ```
///
/// A check that gives a value returns `Option<Checked<T>>`, `Result<Checked<T>, E>` or `Result<Option<Checked<T>>, E>`, written so
/// and not as the alias of such a type. The handler takes `Checked<T>` as an argument of its own, once: whether its check gives
/// a `T` is decided by the compiler. The value is moved to that argument, and is in no request that the handler passes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "the value is all that it is")]
pub struct Checked<T>(pub T);

/// The check gives its handler a `T`. `#[check]` writes the implementations.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the check `{Self}` gives its handler no `{T}`",
    label = "the handler takes `Checked<{T}>`",
    note = "a check gives what its return type names: `Option<Checked<{T}>>`, `Result<Checked<{T}>, E>` or `Result<Option<Checked<{T}>>, E>`"
)]
pub trait Gives<T> {}

/// What a check hands over, if it does.
#[derive(Default)]
#[non_exhaustive]
pub struct HandedOver(Option<Box<dyn Any + Send>>);

impl HandedOver {
    pub(super) fn new<T: Send + 'static>(value: T) -> Self {
        Self(Some(Box::new(value)))
    }

    /// To the handler, whose next arguments are extracted from this head.
    pub(crate) fn hand_to(self, head: &mut Parts) {
        if let Some(value) = self.0 {
            HeadState::hand_over(head, value);
        }
    }
}

impl fmt::Debug for HandedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandedOver").finish_non_exhaustive()
    }
}

impl<S: Sync, T: Send + 'static> FromRequestParts<S> for Checked<T> {
    type Rejection = Rejection;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Rejection> {
        match HeadState::take_handed_over(head).map(|value| value.downcast::<T>()) {
            Some(Ok(value)) => Ok(Self(*value)),
            _ => Err(misconfigured(&format!(
                "`Checked<{}>` is extracted, and no check hands over a value here: write `Checked<..>` as an argument of the function \
                 that has `#[auth(check = ..)]`, once, under this name",
                type_name::<T>()
            ))),
        }
    }
}
