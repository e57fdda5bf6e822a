//! Authenticators that are plain async functions.

use std::fmt;

use axum::BoxError;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};

use super::{Authentication, Authenticator};

/// The credential that a request came with, and the request's head without its extensions: the argument of an authenticator that is a
/// plain function.
///
/// ```
/// use auth_runtime::Auth;
/// use auth_runtime::authenticator::{BoxError, Credential, CredentialPlace, Subject};
///
/// /// Which names there are.
/// async fn device(credential: Credential, names: &'static [&'static str]) -> Result<Option<Subject>, BoxError> {
///     let is_known = names.contains(&credential.text());
///     Ok(is_known.then(|| Subject::new(credential.text()).roles(["device"])))
/// }
///
/// let auth = Auth::builder()
///     .authenticator_with("device", CredentialPlace::header("X-Device"), device, &["scale-17"])
///     .build()?;
/// # Ok::<(), auth_runtime::BuildError>(())
/// ```
#[derive(Clone)]
pub struct Credential {
    text: String,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl Credential {
    fn new(text: &str, head: &Parts) -> Self {
        let (method, uri) = (head.method.clone(), head.uri.clone());
        Self { text: text.to_owned(), method, uri, headers: head.headers.clone() }
    }

    /// Returns the credential: visible ASCII, not empty.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the method of the request.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the URI of the request. Within a nested router the prefix is missing.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Returns the headers of the request, for credentials that sign some of them.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

/// Prints neither the credential nor the headers and the query, which may contain it.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("method", &self.method)
            .field("path", &self.uri.path())
            .finish_non_exhaustive()
    }
}

/// A function with its state.
pub(crate) struct FunctionAuthenticator<F, S> {
    pub(crate) function: F,
    pub(crate) state: S,
}

impl<F, S, Fut, A, E> Authenticator for FunctionAuthenticator<F, S>
where
    F: Fn(Credential, S) -> Fut + Send + Sync + 'static,
    S: Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<A, E>> + Send,
    A: Into<Authentication>,
    E: Into<BoxError>,
{
    async fn authenticate(&self, credential: &str, head: &Parts) -> Result<Authentication, BoxError> {
        let answer = (self.function)(Credential::new(credential, head), self.state.clone());
        answer.await.map(Into::into).map_err(Into::into)
    }
}
