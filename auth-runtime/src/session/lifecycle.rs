//! Log in, refresh, log out: the life of tokens.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::id::random_bytes;
use super::issuer::IssuerState;
use super::refresh::{Opened, session_of_family};
use super::{KeysError, RefreshError, SigningKeys, Subject, TokenError};
use crate::clock::unix_seconds;
use crate::engine::{DATED_AHEAD, Engine, background};
use crate::principal::Principal;
use crate::revocation::{Revocation, TokenIdentity};
use crate::store::RefreshTokenFamily;
use crate::vocabulary::VocabularyIndex;

/// Gives tokens out, renews them, and ends logins. From [`Auth::tokens`](crate::Auth::tokens); cheap to clone.
#[derive(Clone, Debug)]
pub struct TokenService {
    engine: Arc<Engine>,
}

/// Tokens that were given out. `Debug` does not show them.
#[derive(Clone)]
#[non_exhaustive]
pub struct IssuedTokens {
    /// The access token: a JWT (RFC 9068).
    pub access_token: String,
    /// How long it is good.
    pub expires_in: Duration,
    /// The refresh token: opaque, for one use.
    pub refresh_token: String,
    /// How long it is good.
    pub refresh_expires_in: Duration,
    /// The scopes of the access token, with spaces between.
    pub scope: String,
    /// The id of the login: `sid` of its access tokens.
    pub session_id: String,
}

impl fmt::Debug for IssuedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedTokens")
            .field("session_id", &self.session_id)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

impl TokenService {
    pub(crate) fn of(engine: Arc<Engine>) -> Option<Self> {
        engine.tokens().is_some().then_some(Self { engine })
    }

    #[cfg(feature = "token-routes")]
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// The tokens of a new login of `subject`, whom the application has just recognised.
    ///
    /// # Errors
    /// [`TokenError::Store`], [`TokenError::RevokedAhead`], [`TokenError::Claims`], [`TokenError::Sign`].
    pub async fn issue(&self, subject: &Subject) -> Result<IssuedTokens, TokenError> {
        background::ensure(&self.engine);
        let issuer = self.issuer()?;
        loop {
            let started_at = self.issue_time(subject)?;
            let expires_at = started_at.saturating_add(issuer.refresh_lifetime);
            let family = RefreshTokenFamily {
                id: random_bytes()?,
                issuer: issuer.name.clone(),
                subject: subject.id.clone(),
                key_id: issuer.refresh_keys.newest().to_owned(),
                generation: 1,
                started_at,
                rotated_at: started_at,
                expires_at,
                acr: subject.acr.clone(),
            };
            // Before anything is stored: what can't be put into a token is said here.
            let tokens = self.tokens_of(&family, subject, started_at)?;
            let id = family.id;
            self.engine.families().insert(family.clone()).await?;
            // A logout everywhere at the same time may not have seen the family. Then this sees the logout.
            if !self.is_revoked(&family) {
                tracing::info!(subject = subject.id, session = tokens.session_id, "auth: logged in");
                return Ok(tokens);
            }
            self.engine.families().remove(vec![id]).await?;
        }
    }

    /// An access token alone, of no login: it is good until it expires or is revoked, and can't be renewed.
    ///
    /// # Errors
    /// [`TokenError::RevokedAhead`], [`TokenError::Claims`], [`TokenError::Sign`].
    pub fn issue_access(&self, subject: &Subject) -> Result<String, TokenError> {
        Ok(self.access_token(subject, None, self.issue_time(subject)?)?.0)
    }

    /// The next tokens of a login, for its refresh token, which is then used up.
    ///
    /// A token that was used before ends the login, unless it is within the grace period and its successor was not used:
    /// then that same successor comes again (RFC 9700 §4.14.2).
    ///
    /// # Errors
    /// [`TokenError::Refresh`] if the token is invalid. [`TokenError::Store`] and [`TokenError::SubjectStore`]: then the token is
    /// still valid, unless the store did what it could not acknowledge; then the grace period is the time to try again.
    /// [`TokenError::Claims`], [`TokenError::Sign`].
    pub async fn refresh(&self, refresh_token: &str) -> Result<IssuedTokens, TokenError> {
        let issuer = self.issuer()?;
        let opened = issuer.refresh_keys.open(refresh_token).ok_or(RefreshError::Forged)?;
        let mut subject = None;
        loop {
            let family = self.living(&opened).await?;
            let now = unix_seconds(self.engine.now());
            let again = match opened.generation.checked_add(1) {
                _ if opened.generation == family.generation => false,
                Some(next) if next == family.generation && self.is_in_grace(issuer, &family, now) => true,
                // Older than that; or newer than any that was given out, which a store that lost its last rows brings about.
                _ => {
                    self.end(&family, "a refresh token was used again").await?;
                    return Err(RefreshError::Reused.into());
                }
            };
            // Asked before the token is used up: if there is no answer, it can be used again.
            let subject = match &subject {
                Some(subject) => subject,
                None => subject.insert(self.subject(&family).await?),
            };
            // Not before the login, which may be dated a second ahead to stand behind a logout everywhere.
            let issued_at = now.max(family.started_at);
            if again {
                tracing::debug!(
                    session = session_of_family(family.id),
                    "auth: a refresh within the grace period"
                );
                return self.tokens_of(&family, subject, issued_at);
            }
            let next = RefreshTokenFamily {
                key_id: issuer.refresh_keys.newest().to_owned(),
                generation: family.generation.saturating_add(1),
                rotated_at: now,
                expires_at: now.saturating_add(issuer.refresh_lifetime).min(issuer.family_end(&family)),
                ..family.clone()
            };
            let tokens = self.tokens_of(&next, subject, issued_at)?;
            if self.engine.families().replace(family.generation, next).await? {
                return Ok(tokens);
            }
            // Another request was quicker. What that makes of this one, the row tells.
        }
    }

    /// Ends the login that a refresh token is of, whatever its generation: its refresh tokens and its access tokens.
    /// Whether it was a refresh token of this issuer's; its login may have ended before.
    ///
    /// # Errors
    /// [`TokenError::Store`]: then it has not ended.
    pub async fn log_out(&self, refresh_token: &str) -> Result<bool, TokenError> {
        let Some(opened) = self.issuer()?.refresh_keys.open(refresh_token) else { return Ok(false) };
        self.end_session(&session_of_family(opened.family)).await?;
        Ok(true)
    }

    /// Ends the login of this `sid`.
    ///
    /// # Errors
    /// [`TokenError::Store`]: then it has not ended.
    pub async fn end_session(&self, session_id: &str) -> Result<(), TokenError> {
        let (issuer, session) = (self.issuer()?.name.clone(), session_id.to_owned());
        self.engine.revoke(Revocation::Session { issuer, session_id: session }).await?;
        tracing::info!(session = session_id, "auth: logged out");
        Ok(())
    }

    /// Ends all logins of a user, and all access tokens that were given out to it up to now.
    ///
    /// # Errors
    /// [`TokenError::Store`]: then some may not have ended. Ask again.
    pub async fn log_out_everywhere(&self, subject: &str) -> Result<(), TokenError> {
        let revocation = Revocation::User {
            issuer: self.issuer()?.name.clone(),
            subject: subject.to_owned(),
            issued_at_or_before: self.engine.now(),
        };
        self.engine.revoke(revocation).await?;
        tracing::info!(subject, "auth: logged out everywhere");
        Ok(())
    }

    /// Takes a token back, as RFC 7009 §2.1 asks: an access token alone, or the whole login of a refresh token. A token that
    /// is not this issuer's, or not good, is no error (§2.2).
    ///
    /// # Errors
    /// [`TokenError::Store`]: then it was not taken back.
    pub async fn revoke(&self, token: &str) -> Result<(), TokenError> {
        if self.log_out(token).await? {
            return Ok(());
        }
        match self.genuine(token) {
            Some(principal) => self.revoke_access(&principal).await,
            None => Ok(()),
        }
    }

    /// Takes one access token of this issuer's back.
    pub(super) async fn revoke_access(&self, principal: &Principal) -> Result<(), TokenError> {
        let Some(token_id) = principal.token_id().map(str::to_owned) else { return Ok(()) };
        // Whoever has an old token can't make the log grow.
        if !self.is_good(principal) {
            return Ok(());
        }
        let issuer = self.issuer()?.name.clone();
        Ok(self.engine.revoke(Revocation::Token { issuer, token_id }).await?)
    }

    /// What an access token or a refresh token says, if it is good now, as RFC 7662 §2.2 writes it; `{"active":false}` for
    /// any other.
    ///
    /// # Errors
    /// [`TokenError::Store`]: then it can't be told.
    pub async fn introspect(&self, token: &str) -> Result<Value, TokenError> {
        let issuer = self.issuer()?;
        if let Some(opened) = issuer.refresh_keys.open(token) {
            return match self.living(&opened).await {
                Ok(family) if family.generation == opened.generation => Ok(json!({
                    "active": true,
                    "iss": family.issuer,
                    "sub": family.subject,
                    "client_id": issuer.client_id,
                    "sid": session_of_family(family.id),
                    "iat": family.rotated_at,
                    "exp": family.expires_at,
                })),
                Ok(_) | Err(TokenError::Refresh(_)) => Ok(json!({ "active": false })),
                Err(error) => Err(error),
            };
        }
        self.engine.revocations().check_fresh(self.engine.now())?;
        let lexicon = self.engine.lexicon();
        let active = self
            .genuine(token)
            .filter(|principal| self.is_good(principal))
            .and_then(|principal| Principal::identify(principal.token().clone(), lexicon).ok());
        let Some(principal) = active else { return Ok(json!({ "active": false })) };
        let mut answer = principal.token().claims.as_map().clone();
        answer.insert("active".into(), true.into());
        answer.insert("token_type".into(), "Bearer".into());
        Ok(Value::Object(answer))
    }

    /// Signs with other keys from now on, and accepts only them, while requests run. Tokens of a key that is not among them
    /// are refused at once.
    ///
    /// For a change that nobody notices: first give the new key to [`SigningKeys::also_accept`], on every instance; when
    /// those who read the key set had time to read it again, sign with it and accept the old one; when its last token has
    /// expired, leave the old one out.
    ///
    /// # Errors
    /// [`KeysError`], which lists every mistake; then nothing is changed.
    pub fn rotate_keys(&self, keys: impl Into<SigningKeys>) -> Result<(), KeysError> {
        match self.engine.tokens() {
            Some(issuer) => issuer.rotate(keys.into()),
            None => Err(KeysError::new(vec![super::NoTokenIssuer.to_string()])),
        }
    }

    /// The public keys, as a JWKS document (RFC 7517 §5). A secret is never in it.
    #[must_use]
    pub fn key_set(&self) -> String {
        self.engine.tokens().map_or_else(String::new, |issuer| issuer.jwt().public_keys(&issuer.name))
    }

    /// Whom an access token of this issuer is about, whether or not it has expired or was revoked: for logout.
    pub(crate) fn genuine(&self, access_token: &str) -> Option<Principal> {
        let token = self.engine.verifier().verify(access_token).ok()?;
        // Also of somebody who holds what the vocabulary says nobody can: the login must be able to end.
        let principal = Principal::identify(token, &VocabularyIndex::default()).ok()?;
        (principal.issuer() == self.engine.tokens().map(IssuerState::issuer)).then_some(principal)
    }

    /// Whether an access token has not expired, and was not revoked.
    fn is_good(&self, principal: &Principal) -> bool {
        let now = unix_seconds(self.engine.now());
        self.engine.limits().check_times(&principal.token().claims, now).is_ok()
            && !self.engine.revocations().view().is_revoked(&principal.token_identity())
    }

    /// The login that a refresh token is of, if it is one of this issuer's.
    pub(crate) fn session_of(&self, refresh_token: &str) -> Option<String> {
        let opened = self.engine.tokens()?.refresh_keys.open(refresh_token)?;
        Some(session_of_family(opened.family))
    }

    fn issuer(&self) -> Result<&IssuerState, TokenError> {
        self.engine.tokens().ok_or(TokenError::NoTokenIssuer(super::NoTokenIssuer))
    }

    /// The family of a refresh token, if its login has not ended.
    async fn living(&self, opened: &Opened) -> Result<RefreshTokenFamily, TokenError> {
        self.engine.revocations().check_fresh(self.engine.now())?;
        let family = self.engine.families().find(opened.family).await?.ok_or(RefreshError::Ended)?;
        let now = unix_seconds(self.engine.now());
        if self.is_revoked(&family) {
            // What ended it did not come as far as the family.
            self.engine.families().remove(vec![family.id]).await?;
            return Err(RefreshError::Ended.into());
        }
        if now >= family.expires_at || now >= self.issuer()?.family_end(&family) {
            return Err(RefreshError::Ended.into());
        }
        Ok(family)
    }

    fn is_revoked(&self, family: &RefreshTokenFamily) -> bool {
        self.engine.revocations().view().is_revoked(&TokenIdentity {
            issuer: &family.issuer,
            subject: &family.subject,
            token_id: None,
            session_id: Some(&session_of_family(family.id)),
            issued_at: Some(family.started_at),
        })
    }

    fn is_in_grace(&self, issuer: &IssuerState, family: &RefreshTokenFamily, now: i64) -> bool {
        // Also if the clock of the machine that rotated it is a little ahead.
        issuer.has_grace() && now.saturating_sub(family.rotated_at).saturating_abs() <= issuer.grace
    }

    async fn subject(&self, family: &RefreshTokenFamily) -> Result<Subject, TokenError> {
        let asked = self.issuer()?.subjects.subject(&family.subject).await;
        match asked.map_err(TokenError::SubjectStore)? {
            Some(subject) if subject.id == family.subject => Ok(subject),
            Some(_) => {
                Err(TokenError::Claims("`SubjectStore::subject` answered with another user's id".into()))
            }
            None => {
                self.end(family, "the user is gone").await?;
                Err(RefreshError::SubjectGone.into())
            }
        }
    }

    async fn end(&self, family: &RefreshTokenFamily, why: &str) -> Result<(), TokenError> {
        let session_id = session_of_family(family.id);
        tracing::warn!(subject = family.subject, session = session_id, why, "auth: a login is ended");
        let revocation = Revocation::Session { issuer: family.issuer.clone(), session_id };
        Ok(self.engine.revoke(revocation).await?)
    }

    /// The tokens of a family's generation, whether or not it is stored yet.
    fn tokens_of(
        &self,
        family: &RefreshTokenFamily,
        subject: &Subject,
        now: i64,
    ) -> Result<IssuedTokens, TokenError> {
        let issuer = self.issuer()?;
        let token = issuer.refresh_keys.token(&family.key_id, family.id, family.generation);
        let refresh_token = token.ok_or(RefreshError::Forged)?;
        let (access_token, expires_at) = self.access_token(subject, Some(family), now)?;
        let until = |time: i64| Duration::from_secs(u64::try_from(time.saturating_sub(now)).unwrap_or(0));
        Ok(IssuedTokens {
            access_token,
            expires_in: until(expires_at),
            refresh_token,
            refresh_expires_in: until(family.expires_at),
            scope: subject.scopes.join(" "),
            session_id: session_of_family(family.id),
        })
    }

    /// An access token, and when it expires.
    fn access_token(
        &self,
        subject: &Subject,
        family: Option<&RefreshTokenFamily>,
        issued_at: i64,
    ) -> Result<(String, i64), TokenError> {
        // The gate would refuse each of these tokens.
        let lexicon = self.engine.lexicon();
        let mut roles: Vec<Box<str>> = subject.roles.iter().map(|role| Box::from(&**role)).collect();
        lexicon.expand(&mut roles, &mut Vec::new());
        if let Some(clash) = lexicon.clash(&roles) {
            return Err(TokenError::Claims(format!("the subject `{}` has {clash}", subject.id)));
        }
        self.issuer()?.access_token(subject, family, issued_at)
    }

    /// Now; or, if all of the user's tokens up to this second were just revoked, the second after: who logs out everywhere
    /// with a new password goes on with a new token.
    fn issue_time(&self, subject: &Subject) -> Result<i64, TokenError> {
        let now = unix_seconds(self.engine.now());
        let bound = self.engine.revocations().view().user_bound(&self.issuer()?.name, &subject.id);
        let first = bound.map_or(now, |bound| now.max(bound.saturating_add(1)));
        if first > now.saturating_add_unsigned(DATED_AHEAD) {
            let seconds = first.saturating_sub(now);
            return Err(TokenError::RevokedAhead { subject: subject.id.clone(), seconds });
        }
        Ok(first)
    }
}
