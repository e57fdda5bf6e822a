//! The macro that mounts, guards and documents handlers in one list.

/// Mounts, guards and documents a list of handlers that have `#[auth]` and `#[utoipa::path]`, in either order: a
/// [`Router`](crate::Router) with each handler at the path and for the methods of its `#[utoipa::path]`.
///
/// [`OpenApi::fill`](crate::openapi::OpenApi::fill) then adds what `utoipa` made of them to a document, at the path where
/// the router was nested, with what is enforced. Your crate needs `utoipa` 6 in its dependencies. If a handler `list` has
/// no `#[utoipa::path]`, the compiler reports that it can't find `__path_list`.
///
/// ```
/// use auth_runtime::openapi::OpenApi;
/// use auth_runtime::{Auth, Router, auth, documented};
/// use axum::extract::Path;
/// # use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
///
/// /// Reads an article.
/// #[auth(scopes = ["article:read"])]
/// #[utoipa::path(get, path = "/articles/{id}", params(("id" = u32, Path)), responses((status = 200, body = String)))]
/// async fn article(Path(id): Path<u32>) -> String {
///     format!("Article {id}")
/// }
///
/// # let issuer = TrustedIssuer::new("i").audience("a").key(Key::secret(Algorithm::HS256, [7; 32]));
/// let auth = Auth::builder().issuer(issuer).build()?;
/// let routes: Router = Router::new().nest("/v1", documented![article]);
/// let mut document = utoipa::openapi::OpenApi::default(); // or one that is derived
/// let coverage = OpenApi::new("Shop", "1.0.0").fill(&mut document, &routes.routes(), &auth)?;
/// assert!(coverage.is_complete(), "{coverage}");
/// assert!(document.paths.paths.contains_key("/v1/articles/{id}"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! documented {
    ($($handlers:tt)*) => {
        $crate::__private::documented!($crate; $($handlers)*)
    };
}
