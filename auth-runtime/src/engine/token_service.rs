//! Logging in, refreshing, logging out.
//!
//! | file | what |
//! |---|---|
//! | `access_token` | an access token without a session |
//! | `all_sessions` | the sessions of all users, page by page |
//! | `client_sessions` | the sessions of a client's tokens, which end together |
//! | `login` | the tokens of a new session, and the next tokens of one |
//! | `logout` | ending sessions, revoking tokens, introspection |
//! | `report` | what the log and the audit hook learn |
//! | `session_data` | the values that the application keeps with a session |
//! | `sessions` | the sessions of a user: the list, and ending one or all others |

mod access_token;
mod all_sessions;
mod client_sessions;
mod login;
mod logout;
mod report;
mod session_data;
mod sessions;

use std::net::IpAddr;
use std::sync::Arc;

pub use self::access_token::AccessTokenBuilder;
pub use self::all_sessions::{AllSessions, UserSession};
pub(crate) use self::client_sessions::ClientSessions;
pub use self::session_data::SessionData;
pub use self::sessions::{Session, SessionList};
use super::{Auth, Engine};
use crate::clock::unix_seconds;
use crate::error::{ConfigErrors, KeysError};
use crate::issue::{IssuerState, NoTokenIssuer, RefreshError, SigningKeys, TokenError, session_of_family};
use crate::principal::{Principal, TokenIdentity};
use crate::revocation::{Revocation, RevocationView, Revoked, RevokedToken};
use crate::store::{FamilyId, RefreshTokenFamily, RefreshTokenStore};
use crate::verify::TokenClaims;
use crate::vocabulary::VocabularyIndex;

/// How often the row of a session is read again because another request has replaced it: so many can change one session at the same moment.
const MAX_REPLACES: usize = 64;

/// Issues tokens, refreshes them, and ends sessions. [`Auth::tokens`] returns it. Clones share one engine.
#[derive(Clone, Debug)]
pub struct TokenService {
    engine: Arc<Engine>,
    /// The client that asks, where that is known: for audit events.
    client_address: Option<IpAddr>,
    /// The caller that asks, where there is one: for audit events.
    actor: Option<Arc<str>>,
}

impl Auth {
    /// Returns the service that issues tokens, refreshes them, and ends sessions.
    ///
    /// # Errors
    /// If the builder was given no [`TokenIssuer`](crate::session::TokenIssuer).
    pub fn tokens(&self) -> Result<TokenService, NoTokenIssuer> {
        TokenService::of(Arc::clone(&self.engine)).ok_or(NoTokenIssuer)
    }
}

impl TokenService {
    pub(crate) fn of(engine: Arc<Engine>) -> Option<Self> {
        engine.sessions.issuer.is_some().then_some(Self { engine, client_address: None, actor: None })
    }

    #[cfg(feature = "token-routes")]
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Replaces the keys while requests are served. Tokens of a key that is not among the new keys are rejected at once.
    ///
    /// For a change without an interruption: first pass the new key to [`SigningKeys::also_accept`], on every instance. When
    /// all readers of the key set have had time to read it again, sign with the new key and accept the old one. When the last
    /// token of the old key has expired, remove the old key.
    ///
    /// # Errors
    /// [`KeysError`], which lists every error; then nothing is changed.
    pub fn rotate_keys(&self, keys: impl Into<SigningKeys>) -> Result<(), KeysError> {
        match self.engine.sessions.issuer.as_ref() {
            Some(issuer) => {
                issuer.rotate(keys.into())?;
                self.engine.keys_replaced();
                Ok(())
            }
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

    /// Returns the principal of an access token of this issuer, also if it has expired, was revoked, or is for another service: for logout,
    /// revocation and introspection.
    pub(crate) fn genuine(&self, access_token: &str) -> Option<Principal> {
        let issuer = self.engine.sessions.issuer.as_ref()?.issuer();
        let token = self.engine.authentication.jwt.verify_for_any_audience(issuer, access_token).ok()?;
        // Also if its roles exclude each other by the vocabulary: the session must be able to end.
        Principal::identify(token, &VocabularyIndex::default(), Some(self.engine.watch())).ok()
    }

    /// Returns the session of a refresh token, if this issuer made the token.
    pub(crate) fn session_of(&self, refresh_token: &str) -> Option<String> {
        let opened = self.engine.sessions.issuer.as_ref()?.refresh_keys.open(refresh_token)?;
        Some(session_of_family(opened.family))
    }

    /// Returns the claims of an access token without verifying it.
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

    /// Records and enforces a revocation. `token` is what it is about, as far as that is known.
    async fn record(&self, revocation: Revocation, token: RevokedToken) -> Result<Revoked, TokenError> {
        self.engine.ensure_background();
        Ok(self.engine.revocations.revoke(revocation, token).await?)
    }

    /// # Errors
    /// [`TokenError::ClockAhead`].
    fn check_clock(&self) -> Result<(), TokenError> {
        self.engine.check_clock().map_err(|ahead| TokenError::ClockAhead { seconds: ahead.as_secs() })
    }

    /// Whether an access token has not expired, and was not revoked.
    fn is_active(&self, principal: &Principal) -> bool {
        let now = unix_seconds(self.engine.now());
        self.engine.authentication.limits.check_times(principal.token().claims(), now).is_ok()
            && !self.view().is_revoked(&principal.token_identity())
    }

    /// Returns the family with this id, if its session has not ended.
    async fn living(&self, id: FamilyId) -> Result<RefreshTokenFamily, TokenError> {
        self.engine.check_fresh(self.engine.now())?;
        let family = self.families().find(id).await?.ok_or(RefreshError::Ended)?;
        let now = unix_seconds(self.engine.now());
        if self.is_revoked(&family) {
            // It may be of a generation of which this instance has yet to read: its user has logged out everywhere and in again at another.
            self.engine.revocations.state.catch_up().await?;
            if self.is_revoked(&family) {
                // The session was ended, but its family was not removed.
                self.families().remove(vec![family.id]).await?;
                return Err(RefreshError::Ended.into());
            }
        }
        if now >= self.issuer()?.expires_at(&family) {
            return Err(RefreshError::Ended.into());
        }
        Ok(family)
    }

    fn is_revoked(&self, family: &RefreshTokenFamily) -> bool {
        self.view().is_revoked(&TokenIdentity {
            issuer: &family.issuer,
            subject: &family.subject,
            sub: None,
            token_id: None,
            session_id: Some(&session_of_family(family.id)),
            issued_at: Some(family.started_at),
            user_generation: family.user_generation,
            issuer_generation: family.issuer_generation,
        })
    }

    /// Ends the session of a family. Its caller reports why.
    async fn end(&self, family: &RefreshTokenFamily) -> Result<(), TokenError> {
        let session_id = session_of_family(family.id);
        let revocation = Revocation::Session { issuer: family.issuer.clone(), session_id };
        self.record(revocation, RevokedToken::default()).await.map(drop)
    }
}
