//! What is reported of key sets that are fetched.

use std::error::Error;
use std::time::{Duration, SystemTime};

#[cfg(feature = "jwks")]
use crate::http_client::FetchError;
use crate::verify::key_source::FunctionError;

/// The state of the keys of an issuer that are fetched: [`Auth::key_sets`](crate::Auth::key_sets).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeySetStatus {
    /// Whose keys they are: what its [`TrustedIssuer`](super::TrustedIssuer) has as its name, which is the `iss` of its tokens. Of several
    /// names it is the first, of tenants their pattern, and it is empty if there is none.
    pub issuer: String,
    /// What the issuer issues.
    pub kind: KeySetKind,
    /// How many keys there are.
    pub keys: usize,
    /// When they were fetched last; `None`: never.
    pub fetched_at: Option<SystemTime>,
    /// Why the last fetch failed, as a text for the log; `None`: it did not fail.
    pub failure: Option<String>,
    /// Whether tokens of the issuer are verified. If not, they are answered 503.
    pub ready: bool,
}

/// Whose keys are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeySetKind {
    /// Of an issuer of tokens.
    Issuer,
    /// Of a transmitter of security events (`SecurityEventTransmitter`).
    Transmitter,
}

/// Why a fetch failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FetchFailure {
    pub(crate) text: String,
    /// Whether it may pass by itself.
    pub(crate) may_pass: bool,
}

impl FetchFailure {
    /// Of what must be mended.
    pub(crate) fn lasting(text: impl Into<String>) -> Self {
        Self { text: text.into(), may_pass: false }
    }

    pub(crate) fn passing(text: impl Into<String>) -> Self {
        Self { text: text.into(), may_pass: true }
    }

    pub(crate) fn of(error: &(dyn Error + Send + Sync + 'static)) -> Self {
        #[cfg(feature = "jwks")]
        if let Some(error) = error.downcast_ref::<FetchError>() {
            return Self { text: error.to_string(), may_pass: error.may_pass() };
        }
        // What a function of the application's means by its error is not known.
        Self { text: error.to_string(), may_pass: error.is::<FunctionError>() }
    }
}

/// What a failure means for tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outage {
    /// The keys were never fetched.
    NeverFetched,
    /// They were last fetched so long ago, and serve.
    Fetched(Duration),
    /// They were last fetched so long ago, and serve no longer.
    TooLongAgo(Duration),
}
