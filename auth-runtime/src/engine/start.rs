//! The start of an engine: what it needs from elsewhere is there.

use std::error::Error;
use std::fmt;

use super::Auth;
use super::key_refresh::UnfetchedKeys;
use crate::store::StoreError;
use crate::verify::KeySetKind;

/// Why an engine can't start: what could not be read, all of it.
#[derive(Debug)]
pub struct StartError {
    /// The keys that can't be fetched, and why.
    keys: Vec<UnfetchedKeys>,
    store: Option<StoreError>,
}

impl Auth {
    /// Reads what the engine needs from elsewhere: the keys of issuers that are fetched, and what is new in the store's log of revocations.
    /// Await it before serving. Until then, with a store all requests with a credential are answered 503, and the first token of such an
    /// issuer has its keys fetched.
    /// After that both are read in the background. Where there is nothing to read, it does nothing.
    ///
    /// ```no_run
    /// # use auth_runtime::{Auth, Router, verify::TrustedIssuer};
    /// # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    /// let auth = Auth::builder()
    ///     .issuer(
    ///         TrustedIssuer::new("https://id.example.com")
    ///             .audience("orders")
    ///             .jwks_from(|| async { std::fs::read_to_string("jwks.json") }),
    ///     )
    ///     .build()?;
    /// auth.start().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// It can be called again, and reads what is new in the log; keys that were fetched are not fetched again.
    ///
    /// # Errors
    /// [`StartError`], if the keys of an issuer can't be fetched
    /// ([`serve_503_until_reachable`](crate::verify::TrustedIssuer::serve_503_until_reachable) starts all the same), or if the store can't be
    /// read.
    pub async fn start(&self) -> Result<(), StartError> {
        let engine = self.engine();
        engine.ensure_background();
        let keys = engine.fetch_first_keys().await;
        let store = self.read_log().await.err();
        if keys.is_empty() && store.is_none() { Ok(()) } else { Err(StartError { keys, store }) }
    }

    async fn read_log(&self) -> Result<(), StoreError> {
        let engine = self.engine();
        engine.revocations.start_confirming().await?;
        engine.revocations.state.catch_up().await
    }
}

impl StartError {
    /// The issuers of tokens whose keys can't be fetched, as [`KeySetStatus::issuer`](crate::verify::KeySetStatus::issuer) names them.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.of_kind(KeySetKind::Issuer)
    }

    /// The transmitters of security events whose keys can't be fetched.
    pub fn transmitters(&self) -> impl Iterator<Item = &str> {
        self.of_kind(KeySetKind::Transmitter)
    }

    fn of_kind(&self, kind: KeySetKind) -> impl Iterator<Item = &str> {
        self.keys.iter().filter(move |keys| keys.kind == kind).map(|keys| &*keys.name)
    }

    /// Why the store can't be read, if it can't.
    #[must_use]
    pub fn store(&self) -> Option<&StoreError> {
        self.store.as_ref()
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the auth engine can't start:")?;
        for UnfetchedKeys { label, failure, .. } in &self.keys {
            write!(f, "\n  - {label}: its keys can't be fetched: {}", failure.text)?;
            if failure.may_pass {
                write!(f, ". If the service should start all the same, call `.serve_503_until_reachable()`")?;
            }
        }
        self.store.iter().try_for_each(|error| write!(f, "\n  - the store can't be read: {error}"))
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.store.as_ref().map(|error| error as &(dyn Error + 'static))
    }
}
