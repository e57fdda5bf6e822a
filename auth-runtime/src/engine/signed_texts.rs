//! Logout tokens and security event tokens are verified, with keys that may have to be fetched.

use std::sync::{Arc, Mutex, PoisonError};

use super::callers::invalid;
use super::{Engine, KeysOf};
use crate::rejection::{CallerError, CallerErrorKind};
use crate::verify::{JwtVerifier, KeyStatus, TextKind, VerifyError};

impl Engine {
    /// Verifies a text of this kind, of one of these issuers. Where its key is not known here, or the keys of its issuer are overdue, they are
    /// fetched, and it is verified again.
    ///
    /// # Errors
    /// The outer one, if it can't be decided now.
    pub(crate) async fn with_keys_of<T>(
        self: &Arc<Self>,
        of: KeysOf,
        kind: TextKind,
        text: &str,
        verify: impl Fn(&JwtVerifier) -> Result<(T, KeyStatus), VerifyError>,
    ) -> Result<Result<T, VerifyError>, CallerError> {
        let verifier = self.verifier(of);
        // What the refusal is of, so that a text that is invalid is not verified again for it.
        let last: Mutex<Option<VerifyError>> = Mutex::new(None);
        let judge = || {
            verify(verifier).map_err(|error| {
                *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
                invalid(error, |_| String::new())
            })
        };
        let judged = match judge() {
            Err(refused) if refused.is_of_unknown_key() => {
                self.with_new_keys((of, kind), text, self.age_time(), refused, judge).await
            }
            Ok((_, key)) if key.is_overdue(|| self.age_time()) => {
                self.with_overdue_keys(of, text, judge).await
            }
            judged => judged,
        };
        let (signed, key) = match judged {
            Ok(verified) => verified,
            Err(error) if error.kind() == CallerErrorKind::Unavailable => return Err(error),
            Err(error) => {
                let last = last.into_inner().unwrap_or_else(PoisonError::into_inner);
                return last.map_or(Err(error), |last| Ok(Err(last)));
            }
        };
        if key.is_too_old(|| self.age_time()) {
            let reason = "the keys of its issuer were last fetched more than 24 hours ago: see the log for the provider's error";
            return Err(CallerError::new(CallerErrorKind::Unavailable, reason));
        }
        Ok(Ok(signed))
    }
}
