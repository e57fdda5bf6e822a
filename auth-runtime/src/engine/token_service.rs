//! Logging in, refreshing, logging out.
//!
//! | file | what |
//! |---|---|
//! | `login` | the tokens of a new session, and the next tokens of one |
//! | `logout` | ending sessions, revoking tokens, introspection |

mod login;
mod logout;

use std::sync::Arc;

use super::{Auth, Engine};
use crate::clock::unix_seconds;
use crate::error::{ConfigErrors, KeysError};
use crate::issue::{
    IssuerState, NoTokenIssuer, OpenedRefreshToken, RefreshError, SigningKeys, TokenError, session_of_family,
};
use crate::principal::{Principal, TokenIdentity};
use crate::revocation::{Revocation, RevocationView};
use crate::store::{RefreshTokenFamily, RefreshTokenStore};
use crate::verify::TokenClaims;
use crate::vocabulary::VocabularyIndex;

/// Issues tokens, renews them, and ends sessions. From [`Auth::tokens`]; clones share one engine.
#[derive(Clone, Debug)]
pub struct TokenService {
    engine: Arc<Engine>,
}

impl Auth {
    /// Issues tokens, renews them, and ends sessions.
    ///
    /// # Errors
    /// If the builder was given no [`TokenIssuer`](crate::session::TokenIssuer).
    pub fn tokens(&self) -> Result<TokenService, NoTokenIssuer> {
        TokenService::of(Arc::clone(&self.engine)).ok_or(NoTokenIssuer)
    }
}

impl TokenService {
    pub(crate) fn of(engine: Arc<Engine>) -> Option<Self> {
        engine.sessions.issuer.is_some().then_some(Self { engine })
    }

    #[cfg(feature = "token-routes")]
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Signs with other keys from now on, and accepts only them, while requests run. Tokens of a key that is not among them
    /// are refused at once.
    ///
    /// For a change that nobody notices: first give the new key to [`SigningKeys::also_accept`], on every instance; when
    /// those who read the key set had time to read it again, sign with it and accept the old one; when its last token has
    /// expired, leave the old one out.
    ///
    /// # Errors
    /// [`KeysError`], which lists every error; then nothing is changed.
    pub fn rotate_keys(&self, keys: impl Into<SigningKeys>) -> Result<(), KeysError> {
        match self.engine.sessions.issuer.as_ref() {
            Some(issuer) => issuer.rotate(keys.into()),
            None => Err(ConfigErrors::one(NoTokenIssuer.to_string()).into()),
        }
    }

    /// The public keys, as a JWKS document (RFC 7517 §5). A secret is never in it.
    #[must_use]
    pub fn key_set(&self) -> String {
        self.engine
            .sessions
            .issuer
            .as_ref()
            .map_or_else(String::new, |issuer| issuer.jwt().public_keys(&issuer.name))
    }

    /// Whom an access token of this issuer is about, whether or not it has expired or was revoked: for logout.
    pub(crate) fn genuine(&self, access_token: &str) -> Option<Principal> {
        let token = self.engine.authentication.verifier.get().verify(access_token).ok()?;
        // Also of somebody who holds what the vocabulary says nobody can: the login must be able to end.
        let principal = Principal::identify(token, &VocabularyIndex::default()).ok()?;
        (principal.issuer() == self.engine.sessions.issuer.as_ref().map(IssuerState::issuer))
            .then_some(principal)
    }

    /// The login that a refresh token is of, if it is one of this issuer's.
    pub(crate) fn session_of(&self, refresh_token: &str) -> Option<String> {
        let opened = self.engine.sessions.issuer.as_ref()?.refresh_keys.open(refresh_token)?;
        Some(session_of_family(opened.family))
    }

    /// The claims of an access token that nobody has verified.
    pub(crate) fn unverified_claims(&self, access_token: &str) -> Option<TokenClaims> {
        self.engine.sessions.issuer.as_ref()?.jwt().unverified_claims(access_token)
    }

    fn issuer(&self) -> Result<&IssuerState, TokenError> {
        self.engine.sessions.issuer.as_ref().ok_or(TokenError::NoTokenIssuer(NoTokenIssuer))
    }

    fn families(&self) -> &dyn RefreshTokenStore {
        &*self.engine.revocations.families
    }

    fn view(&self) -> &RevocationView {
        self.engine.revocations.state.view()
    }

    async fn record(&self, revocation: Revocation) -> Result<(), TokenError> {
        self.engine.ensure_background();
        Ok(self.engine.revocations.revoke(revocation, self.engine.now()).await?)
    }

    /// Whether an access token has not expired, and was not revoked.
    fn is_good(&self, principal: &Principal) -> bool {
        let now = unix_seconds(self.engine.now());
        self.engine.authentication.limits.check_times(&principal.token().claims, now).is_ok()
            && !self.view().is_revoked(&principal.token_identity())
    }

    /// The family of a refresh token, if its login has not ended.
    async fn living(&self, opened: &OpenedRefreshToken) -> Result<RefreshTokenFamily, TokenError> {
        self.engine.revocations.state.check_fresh(self.engine.now())?;
        let family = self.families().find(opened.family).await?.ok_or(RefreshError::Ended)?;
        let now = unix_seconds(self.engine.now());
        if self.is_revoked(&family) {
            // What ended it did not come as far as the family.
            self.families().remove(vec![family.id]).await?;
            return Err(RefreshError::Ended.into());
        }
        if now >= family.expires_at || now >= self.issuer()?.family_end(&family) {
            return Err(RefreshError::Ended.into());
        }
        Ok(family)
    }

    fn is_revoked(&self, family: &RefreshTokenFamily) -> bool {
        self.view().is_revoked(&TokenIdentity {
            issuer: &family.issuer,
            subject: &family.subject,
            token_id: None,
            session_id: Some(&session_of_family(family.id)),
            issued_at: Some(family.started_at),
        })
    }

    async fn end(&self, family: &RefreshTokenFamily, why: &str) -> Result<(), TokenError> {
        let session_id = session_of_family(family.id);
        tracing::warn!(subject = family.subject, session = session_id, why, "auth: a login is ended");
        let revocation = Revocation::Session { issuer: family.issuer.clone(), session_id };
        self.record(revocation).await
    }
}
