//! The keys of issuers are replaced while requests are served.

use super::{Auth, Engine};
use crate::error::ConfigErrors;
use crate::verify::{KeySet, ReplaceKeysError};

impl Auth {
    /// Replaces all keys of an issuer while requests are served, also those of [`TrustedIssuer::key`](crate::verify::TrustedIssuer::key).
    /// `keys` is the text of a JWKS document (RFC 7517 §5), a [`Key`](crate::verify::Key), or a [`KeySet`]. Of the keys of a document,
    /// those are used that [`TrustedIssuer::jwks_algorithms`](crate::verify::TrustedIssuer::jwks_algorithms) allows.
    ///
    /// When it has returned, a token of a key that is not among the new keys is rejected, also if it was accepted before. Tokens of
    /// keys that are still there, of other issuers too, need not be verified again. A request that is decided at the same time is
    /// decided by the old or the new keys.
    ///
    /// It is for keys that the service is given: by a message of a configuration service, or in a file that the deployment replaces. Keys that
    /// the service asks for, on a timer, are for [`TrustedIssuer::jwks_from`](crate::verify::TrustedIssuer::jwks_from), with which also a
    /// token of a new key has them fetched, withdrawn keys end within the hour, and [`key_sets`](Self::key_sets) reports their state.
    ///
    /// A key of a document that can't be used is skipped and logged, as when the engine is built. It waits for nothing, and can be
    /// called from anywhere; concurrent calls take effect one after the other. It is about this process: each instance of a service
    /// replaces its own keys.
    ///
    /// ```
    /// use auth_runtime::Auth;
    /// # use auth_runtime::session::SigningKey;
    /// # use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
    ///
    /// # let pair = SigningKey::generate(Algorithm::EdDSA)?;
    /// # let key = pair.verifying_key();
    /// # let changed = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    /// let auth = Auth::builder()
    ///     .issuer(TrustedIssuer::new("https://id.example.com").audience("orders").key(key))
    ///     .build()?;
    /// // Where the service learns that the file of the keys has changed:
    /// if let Err(error) = auth.replace_keys("https://id.example.com", changed) {
    ///     eprintln!("{error}"); // the keys from before still serve
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ReplaceKeysError`], and nothing is changed: the text is not a JWKS document, or has no key that can be used, with the problem of
    /// each; a single [`Key`](crate::verify::Key) can't be used; the engine has no such issuer, or its keys are fetched; or it is the engine's own
    /// [`TokenIssuer`](crate::session::TokenIssuer), whose keys
    /// [`TokenService::rotate_keys`](crate::session::TokenService::rotate_keys) replaces.
    pub fn replace_keys(&self, issuer: &str, keys: impl Into<KeySet>) -> Result<(), ReplaceKeysError> {
        self.engine().replace_keys(Some(issuer), &keys.into())
    }

    /// Replaces all keys of the issuer that has no name, as [`replace_keys`](Self::replace_keys) does: that of
    /// [`TrustedIssuer::dangerously_accept_any_issuer`](crate::verify::TrustedIssuer::dangerously_accept_any_issuer) or of
    /// [`dangerously_expect_no_issuer`](crate::verify::TrustedIssuer::dangerously_expect_no_issuer).
    ///
    /// # Errors
    /// As [`replace_keys`](Self::replace_keys).
    pub fn replace_keys_of_unnamed_issuer(&self, keys: impl Into<KeySet>) -> Result<(), ReplaceKeysError> {
        self.engine().replace_keys(None, &keys.into())
    }
}

impl Engine {
    fn replace_keys(&self, name: Option<&str>, keys: &KeySet) -> Result<(), ReplaceKeysError> {
        let own = self.sessions.issuer.as_ref();
        if let Some(name) = name.filter(|name| own.is_some_and(|own| own.name == **name)) {
            return Err(ConfigErrors::one(format!(
                "`{name}` is the engine's own token issuer, which must sign with what it accepts: call `rotate_keys` of `Auth::tokens()`"
            ))
            .into());
        }
        let mut errors = ConfigErrors::default();
        self.authentication.jwt.replace_keys(name, keys, &mut errors);
        errors.check::<ReplaceKeysError>()?;
        self.keys_replaced();
        Ok(())
    }

    /// Called after each change of keys. The tokens of withdrawn keys do not count from the change on, whether this is called or not.
    pub(super) fn keys_replaced(&self) {
        self.authentication.token_cache.remove_withdrawn();
        // Sockets and streams look whether the key of their token is among them.
        self.revocations.state.view().wake_all();
    }
}
