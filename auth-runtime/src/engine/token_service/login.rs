//! The tokens of a new session, and the next tokens of one.

use std::time::Duration;

use super::report::RefreshFacts;
use super::{ClientSessions, MAX_REPLACES, TokenService};
use crate::audit::{AuditAction, AuditEvent};
use crate::clock::unix_seconds;
use crate::engine::TokenCookies;
use crate::issue::{
    AccessTokenOptions, Generations, IssuedTokens, IssuerState, RefreshBy, RefreshError, SessionDataError,
    Subject, TokenError, TokenUse, check_size, random_bytes, session_of_family,
};
use crate::store::{FamilyId, RefreshTokenFamily, StoreError, StoredSessionData};
use crate::verify::Excerpt;

impl TokenService {
    /// Issues the tokens of a new session of `subject`, after the application has verified who it is. If the user has too many
    /// sessions, the oldest ends.
    ///
    /// # Errors
    /// [`TokenError::Store`], [`TokenError::ClockAhead`], [`TokenError::Claims`], [`TokenError::SessionData`], [`TokenError::Sign`],
    /// [`TokenError::AuditHook`].
    pub async fn issue(&self, subject: &Subject) -> Result<IssuedTokens, TokenError> {
        self.issue_in_place_of(ClientSessions::default(), subject, None).await
    }

    /// The same for a browser, whose former sessions then end: they are not among the user's that are too many. The tokens are issued
    /// first, so that a login that fails ends nothing. If the former sessions can't be ended, the new one ends. If the tokens do not
    /// fit into the cookies that they are for, no session is recorded.
    ///
    /// # Errors
    /// Also [`TokenError::CookieTooLarge`].
    pub(crate) async fn issue_in_place_of(
        &self,
        former: ClientSessions,
        subject: &Subject,
        cookies: Option<&TokenCookies>,
    ) -> Result<IssuedTokens, TokenError> {
        let event = AuditEvent { subject: Some(&subject.id), ..AuditEvent::new(AuditAction::Login) };
        let (tokens, ended) = match self.begin_session(&former.families(), subject, cookies).await {
            Ok(begun) => begun,
            Err(error) => return self.report_outcome(event, Err(error)),
        };
        let reported = self.report_ended(&ended, "a session was ended: its user has too many");
        if let Err(error) = self.end_former(former, &tokens.session_id).await {
            return self.report_outcome(event, Err(error));
        }
        let event = AuditEvent { session_id: Some(&tokens.session_id), ..event };
        if let Err(error) = reported.and(self.report(event)) {
            self.discard(&tokens.session_id).await;
            return Err(error);
        }
        Ok(tokens)
    }

    /// The tokens of a new session, and the sessions that have ended because of it.
    async fn begin_session(
        &self,
        former: &[FamilyId],
        subject: &Subject,
        cookies: Option<&TokenCookies>,
    ) -> Result<(IssuedTokens, Vec<RefreshTokenFamily>), TokenError> {
        /// Each attempt but the first is made because the user, or everybody, was logged out during the one before.
        const ATTEMPTS: usize = 8;
        self.engine.ensure_background();
        self.check_clock()?;
        for _ in 0..ATTEMPTS {
            // A logout everywhere that another instance has acknowledged must not concern the new session.
            self.engine.revocations.state.catch_up().await?;
            let family = self.new_family(subject)?;
            // Before anything is stored: an error of the claims is returned here.
            let tokens = self.tokens_of(&family, subject, family.started_at, cookies)?;
            self.families().insert(family.clone()).await?;
            // A logout everywhere at the same time may not have seen the family. Then this sees the logout.
            if !self.is_revoked(&family) {
                let ended = self.end_oldest_sessions(&family, former).await;
                return Ok((tokens, ended));
            }
            self.families().remove(vec![family.id]).await?;
        }
        let user = Excerpt::new(&subject.id);
        let reason = format!(
            "the user {user} is logged out everywhere, or everybody is, again and again during a login"
        );
        Err(StoreError::new(reason).into())
    }

    fn new_family(&self, subject: &Subject) -> Result<RefreshTokenFamily, TokenError> {
        let issuer = self.issuer()?;
        let started_at = unix_seconds(self.engine.now());
        let data = subject.session_data.clone().map_err(SessionDataError::from)?;
        check_size(&StoredSessionData::default(), &data, issuer.max_session_data)?;
        Ok(RefreshTokenFamily {
            id: random_bytes()?,
            issuer: issuer.name.clone(),
            subject: subject.id.clone(),
            key_id: issuer.refresh_keys.newest().to_owned(),
            generation: 1,
            version: 0,
            started_at,
            rotated_at: started_at,
            expires_at: started_at.saturating_add(issuer.refresh_lifetime),
            last_issued_at: started_at,
            user_generation: self.view().user_generation(&issuer.name, &subject.id),
            issuer_generation: self.view().issuer_generation(&issuer.name),
            acr: subject.acr.clone(),
            reissued: false,
            ends_with_browser: subject.ends_with_browser,
            label: subject.session_label.clone(),
            data,
        })
    }

    /// Ends the user's oldest sessions, if there are too many, and returns them. If that fails, the next login tries it again.
    async fn end_oldest_sessions(
        &self,
        newest: &RefreshTokenFamily,
        former: &[FamilyId],
    ) -> Vec<RefreshTokenFamily> {
        /// So that a login does not wait for long where there are many from before there was a maximum.
        const AT_ONCE: usize = 256;
        let Some(issuer) = self.issuer().ok().filter(|issuer| issuer.max_sessions_per_user < usize::MAX)
        else {
            return Vec::new();
        };
        let ended = async {
            let mut families = self.families().find_by_subject(&newest.issuer, &newest.subject).await?;
            // The rows of sessions that a logout everywhere has ended are removed a moment after its entries were written.
            families.retain(|family| {
                family.id != newest.id
                    && !former.contains(&family.id)
                    && family.expires_at > newest.started_at
                    && !self.is_revoked(family)
            });
            let excess = families.len().saturating_add(1).saturating_sub(issuer.max_sessions_per_user);
            families.sort_unstable_by_key(|family| (family.started_at, family.id));
            families.truncate(excess.min(AT_ONCE));
            if !families.is_empty() {
                self.engine.revocations.end_sessions(families.clone()).await?;
            }
            Ok::<_, StoreError>(families)
        };
        ended.await.unwrap_or_else(|error| {
            tracing::warn!(%error, "auth: the oldest sessions of a user can't be ended");
            Vec::new()
        })
    }

    /// Exchanges a refresh token for the next tokens of its session. A refresh token can be used once.
    ///
    /// A token that was used before ends the session, unless it is within the
    /// [grace period](crate::session::TokenIssuer::grace_period) and its successor was not used: then the same successor is
    /// returned again (RFC 9700 §4.14.2). Both are reported as audit events.
    ///
    /// # Errors
    /// [`TokenError::Refresh`] if the token is invalid. [`TokenError::Store`] and [`TokenError::SubjectStore`]: then the token is
    /// still valid, unless the store wrote the change and failed to acknowledge it; then try again within the grace period.
    /// [`TokenError::ClockAhead`], [`TokenError::Claims`], [`TokenError::Sign`], [`TokenError::AuditHook`].
    pub async fn refresh(&self, refresh_token: &str) -> Result<IssuedTokens, TokenError> {
        self.refresh_by(RefreshBy::Client, refresh_token, None).await
    }

    /// As [`refresh`](Self::refresh), with the grace period of who refreshes. If the tokens do not fit into the cookies that they are
    /// for, the refresh token stays valid.
    ///
    /// # Errors
    /// Also [`TokenError::CookieTooLarge`].
    pub(crate) async fn refresh_by(
        &self,
        by: RefreshBy,
        refresh_token: &str,
        cookies: Option<&TokenCookies>,
    ) -> Result<IssuedTokens, TokenError> {
        let mut facts = RefreshFacts::unknown();
        let outcome = self.try_refresh(by, refresh_token, cookies, &mut facts).await;
        self.report_outcome(facts.event(), outcome)
    }

    async fn try_refresh(
        &self,
        by: RefreshBy,
        refresh_token: &str,
        cookies: Option<&TokenCookies>,
        facts: &mut RefreshFacts,
    ) -> Result<IssuedTokens, TokenError> {
        self.check_clock()?;
        let issuer = self.issuer()?;
        let opened = issuer.refresh_keys.open(refresh_token).ok_or(RefreshError::Forged)?;
        facts.session_id = Some(session_of_family(opened.family));
        let mut subject = None;
        // Each attempt but the first is made because another use of the token, or a change of the session's data, was faster.
        for _ in 0..MAX_REPLACES {
            let family = self.living(opened.family).await?;
            let now = unix_seconds(self.engine.now());
            (facts.action, facts.subject) = (AuditAction::Refresh, Some(family.subject.clone()));
            let token_use = match opened.generation.checked_add(1) {
                _ if opened.generation == family.generation => TokenUse::First,
                Some(next) if next == family.generation => issuer.grace(by).repeated_use(&family, now),
                // Older than that; or newer than any that was issued, which happens if the store lost its last rows.
                _ => TokenUse::Reuse,
            };
            if token_use == TokenUse::Reuse {
                facts.action = AuditAction::RefreshTokenReuse;
                self.end(&family).await?;
                return Err(RefreshError::Reused.into());
            }
            // Asked before the token is used up: if there is no answer, it can be used again.
            let subject = match &subject {
                Some(subject) => subject,
                None => subject.insert(self.subject(&family).await?),
            };
            if token_use != TokenUse::First {
                facts.action = AuditAction::RefreshRepeat;
            }
            if token_use == TokenUse::Repeat {
                return self.tokens_of(&family, subject, now, cookies);
            }
            let next = after_use(issuer, &family, token_use, now);
            let tokens = self.tokens_of(&next, subject, now, cookies)?;
            if self.families().replace(family.version, next).await? {
                return Ok(tokens);
            }
            // Another request was faster. The row decides what this one gets.
        }
        let reason = format!(
            "the row of a session was another one at each of {MAX_REPLACES} attempts to replace it: `RefreshTokenStore::replace` must \
             compare `version`"
        );
        Err(StoreError::new(reason).into())
    }

    async fn subject(&self, family: &RefreshTokenFamily) -> Result<Subject, TokenError> {
        let asked = self.issuer()?.subjects.subject(&family.subject).await;
        match asked.map_err(TokenError::SubjectStore)? {
            Some(subject) if subject.id == family.subject => Ok(subject),
            Some(_) => {
                Err(TokenError::Claims("`SubjectStore::subject` returned a user with another id than it was asked for: return the user with this id, or `None`".into()))
            }
            None => {
                self.end(family).await?;
                Err(RefreshError::SubjectGone.into())
            }
        }
    }

    /// The tokens of a family's generation, whether or not it is stored yet. They fit into the cookies.
    fn tokens_of(
        &self,
        family: &RefreshTokenFamily,
        subject: &Subject,
        now: i64,
        cookies: Option<&TokenCookies>,
    ) -> Result<IssuedTokens, TokenError> {
        let issuer = self.issuer()?;
        let token = issuer.refresh_keys.token(&family.key_id, family.id, family.generation);
        let refresh_token = token.ok_or(RefreshError::Forged)?;
        let (access_token, expires_at) = self.sign_access_token(
            subject,
            Some(family),
            Generations::of(family),
            now,
            AccessTokenOptions::default(),
        )?;
        let until = |time: i64| Duration::from_secs(u64::try_from(time.saturating_sub(now)).unwrap_or(0));
        let tokens = IssuedTokens {
            access_token,
            expires_in: until(expires_at),
            refresh_token,
            refresh_expires_in: until(family.expires_at),
            scope: subject.scopes.join(" "),
            session_id: session_of_family(family.id),
            ends_with_browser: family.ends_with_browser,
        };
        cookies.map_or(Ok(()), |cookies| cookies.check_size(&tokens))?;
        Ok(tokens)
    }

    /// An access token, and when it expires.
    pub(super) fn sign_access_token(
        &self,
        subject: &Subject,
        family: Option<&RefreshTokenFamily>,
        generations: Generations,
        issued_at: i64,
        options: AccessTokenOptions,
    ) -> Result<(String, i64), TokenError> {
        // The gate would reject each of these tokens.
        let vocabulary = &self.engine.authorization.vocabulary;
        let mut roles: Vec<Box<str>> = subject.roles.iter().map(|role| Box::from(&**role)).collect();
        vocabulary.expand(&mut roles, &mut Vec::new());
        if let Some(clash) = vocabulary.clash(&roles) {
            return Err(TokenError::Claims(format!("the subject {} has {clash}", Excerpt::new(&subject.id))));
        }
        self.issuer()?.access_token(subject, family, generations, issued_at, options)
    }
}

/// The row of a family after a use of its token that changes the row.
fn after_use(
    issuer: &IssuerState,
    family: &RefreshTokenFamily,
    token_use: TokenUse,
    now: i64,
) -> RefreshTokenFamily {
    let next = RefreshTokenFamily {
        version: family.version.saturating_add(1),
        last_issued_at: family.last_issued_at.max(now),
        ..family.clone()
    };
    if token_use == TokenUse::LastRepeat {
        return RefreshTokenFamily { reissued: true, ..next };
    }
    RefreshTokenFamily {
        key_id: issuer.refresh_keys.newest().to_owned(),
        generation: family.generation.saturating_add(1),
        reissued: false,
        rotated_at: now,
        expires_at: now.saturating_add(issuer.refresh_lifetime).min(issuer.family_end(family)),
        ..next
    }
}
