//! Which extractors of the application take a user.

/// An extractor that takes a [`User`](crate::User), as [`finish`](crate::Router::finish) sees it. Implement it for an extractor of yours that extracts
/// a `User<T>` in its body: a handler with it is then an error of `finish` where the engine loads no users, or others, and not
/// 500 for the first request. An authenticator with it is an error of the compiler.
///
/// ```
/// use auth_runtime::rejection::Rejection;
/// use auth_runtime::users::TakesUser;
/// use auth_runtime::{User, auth};
/// use axum::extract::FromRequestParts;
/// use axum::http::request::Parts;
///
/// struct Account {
///     tenant: u64,
/// }
///
/// /// The tenant of the caller.
/// struct Tenant(u64);
///
/// impl<S: Sync> FromRequestParts<S> for Tenant {
///     type Rejection = Rejection;
///
///     async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Rejection> {
///         let account = User::<Account>::from_request_parts(head, state).await?;
///         Ok(Self(account.tenant))
///     }
/// }
///
/// impl TakesUser for Tenant {
///     type User = Account;
/// }
///
/// #[auth]
/// async fn orders(Tenant(tenant): Tenant) -> String {
///     format!("orders of {tenant}")
/// }
/// ```
///
/// What is extracted is not compared with it: an extractor without it is served, and answers 500 where there are no such users.
pub trait TakesUser {
    /// The `T` of its `User<T>`.
    type User: Send + Sync + 'static;
}
