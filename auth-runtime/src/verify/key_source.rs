//! Where the keys of an issuer come from, if they are not given: a function of the application's, or an address of the provider.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::BoxError;

/// A key set that was fetched: the text of a JWKS document (RFC 7517 §5), and for how long it may be used.
///
/// ```
/// use std::time::Duration;
/// use auth_runtime::verify::FetchedKeySet;
///
/// # let (body, max_age) = (String::new(), 600);
/// let fetched = FetchedKeySet::new(body).fresh_for(Duration::from_secs(max_age));
/// ```
#[derive(Clone)]
pub struct FetchedKeySet {
    pub(crate) jwks: String,
    pub(crate) fresh_for: Option<Duration>,
}

impl FetchedKeySet {
    /// The text of a JWKS document.
    pub fn new(jwks: impl Into<String>) -> Self {
        Self { jwks: jwks.into(), fresh_for: None }
    }

    /// Sets for how long it may be used before it is fetched again, as the `Cache-Control: max-age` of its answer says. It counts within
    /// 1 minute and 58.5 minutes. Default: 10 minutes.
    #[must_use]
    pub fn fresh_for(mut self, time: Duration) -> Self {
        self.fresh_for = Some(time);
        self
    }
}

impl From<String> for FetchedKeySet {
    fn from(jwks: String) -> Self {
        Self::new(jwks)
    }
}

impl From<&str> for FetchedKeySet {
    fn from(jwks: &str) -> Self {
        Self::new(jwks)
    }
}

/// A set may contain secrets.
impl fmt::Debug for FetchedKeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchedKeySet").field("fresh_for", &self.fresh_for).finish_non_exhaustive()
    }
}

/// A fetch that is running.
pub(crate) type Fetching = Pin<Box<dyn Future<Output = Result<FetchedKeySet, BoxError>> + Send>>;

/// What fetches the keys of an issuer.
pub(crate) type Fetch = Arc<dyn Fn() -> Fetching + Send + Sync>;

/// Where the keys of an issuer come from.
#[derive(Clone)]
pub(crate) enum KeySource {
    /// They are given: [`TrustedIssuer::key`](super::TrustedIssuer::key), [`TrustedIssuer::jwks`](super::TrustedIssuer::jwks).
    Given,
    /// A function of the application's.
    Function(Fetch),
    /// The metadata of the issuer names the address.
    #[cfg(feature = "jwks")]
    Discovery,
    #[cfg(feature = "jwks")]
    Url(String),
}

impl KeySource {
    pub(crate) fn function<F, Fut, T, E>(fetch: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Into<FetchedKeySet>,
        E: Into<BoxError>,
    {
        Self::Function(Arc::new(move || {
            let fetching = fetch();
            Box::pin(async move {
                let answer = fetching.await;
                answer.map(Into::into).map_err(|error| FunctionError::of(&*error.into()).into())
            })
        }))
    }

    pub(crate) fn is_given(&self) -> bool {
        matches!(self, Self::Given)
    }
}

/// The error of a function of the application's, with its causes.
#[derive(Debug)]
pub(crate) struct FunctionError(String);

impl FunctionError {
    fn of(error: &(dyn Error + Send + Sync + 'static)) -> Self {
        /// How many causes are shown.
        const MAX_CAUSES: usize = 10;
        let (mut text, mut cause) = (error.to_string(), error.source());
        for _ in 0..MAX_CAUSES {
            let Some(error) = cause else { break };
            let shown = error.to_string();
            // Some errors have the text of their cause in their own.
            if !text.ends_with(&shown) {
                text = format!("{text}: {shown}");
            }
            cause = error.source();
        }
        Self(text)
    }
}

impl fmt::Display for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for FunctionError {}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given => f.write_str("Given"),
            Self::Function(_) => f.write_str("Function"),
            #[cfg(feature = "jwks")]
            Self::Discovery => f.write_str("Discovery"),
            #[cfg(feature = "jwks")]
            Self::Url(url) => f.debug_tuple("Url").field(url).finish(),
        }
    }
}
