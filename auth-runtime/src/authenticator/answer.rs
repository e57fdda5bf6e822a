//! What an authenticator answers.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::issue::{Subject, check_subject};
use crate::verify::{TokenClaims, VerifiedToken, scheme_issuer};

/// What an authenticator answers.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "there is one for a request, and it is not kept")]
pub enum Authentication {
    /// The credential is of this caller.
    Authenticated(Authenticated),
    /// What was found is no credential, such as a session without a login: the request counts as one without it, and the
    /// next source of the rule is asked.
    Absent,
    /// The credential is invalid, with the reason for the log, which must not contain it: 401, and no other source is asked.
    Invalid(Cow<'static, str>),
}

impl From<Authenticated> for Authentication {
    fn from(caller: Authenticated) -> Self {
        Self::Authenticated(caller)
    }
}

impl From<Subject> for Authentication {
    fn from(subject: Subject) -> Self {
        Authenticated::new(subject).into()
    }
}

/// `None` is an invalid credential.
impl<T: Into<Self>> From<Option<T>> for Authentication {
    fn from(caller: Option<T>) -> Self {
        caller.map_or(
            Self::Invalid(Cow::Borrowed("the authenticator does not know the credential")),
            Into::into,
        )
    }
}

/// The caller that a credential is of, and for how long that counts.
#[derive(Clone, Debug)]
#[must_use]
pub struct Authenticated {
    subject: Subject,
    expires_at: Option<SystemTime>,
    pub(crate) remember_for: Duration,
    credential_id: Option<String>,
    session_id: Option<String>,
    auth_time: Option<SystemTime>,
    restricts_grants: bool,
}

impl Authenticated {
    /// Returns a caller with this subject: its id, roles, scopes, permissions and claims.
    pub fn new(subject: Subject) -> Self {
        Self {
            subject,
            expires_at: None,
            remember_for: Duration::ZERO,
            credential_id: None,
            session_id: None,
            auth_time: None,
            restricts_grants: false,
        }
    }

    /// Sets when the credential expires. From then on it is rejected, also if it is remembered. Default: it does not expire.
    pub fn expires_at(mut self, time: SystemTime) -> Self {
        self.expires_at = Some(time);
        self
    }

    /// Sets for how long the answer is remembered: the authenticator is not asked again for the same credential, whatever else is in the
    /// request. Default: 0, and it is asked for every request.
    ///
    /// It is right only if the answer depends on nothing but the credential: never for a signature over the request. A
    /// credential that becomes invalid is accepted for so long, unless
    /// [`Revocations::forget`](crate::revocation::Revocations::forget) is called for its subject.
    pub fn remember_for(mut self, duration: Duration) -> Self {
        self.remember_for = duration;
        self
    }

    /// Sets the id of the credential, for logs and for [`Principal::token_id`](crate::Principal::token_id). It is not the credential.
    pub fn credential_id(mut self, id: impl Into<String>) -> Self {
        self.credential_id = Some(id.into());
        self
    }

    /// Sets the id of the session that the credential belongs to: [`Principal::session_id`](crate::Principal::session_id).
    pub fn session_id(mut self, id: impl Into<String>) -> Self {
        self.session_id = Some(id.into());
        self
    }

    /// Sets when the user last logged in, for rules with `max_age`. Without it such a rule is not satisfied.
    pub fn auth_time(mut self, time: SystemTime) -> Self {
        self.auth_time = Some(time);
        self
    }

    /// Limits the user to the roles and permissions of the subject: those that a [`UserStore`](crate::users::UserStore) grants it count as
    /// far as the subject has them too. Default: they are in place of the subject's. It is for credentials that a user makes for a part of
    /// what it may do; API keys are such.
    pub fn restrict_grants(mut self) -> Self {
        self.restricts_grants = true;
        self
    }

    /// The caller as verified claims, whose issuer is that of the scheme.
    ///
    /// # Errors
    /// If the subject can't be a caller, with what to write instead.
    pub(crate) fn into_token(self, scheme: &str) -> Result<VerifiedToken, String> {
        let Self {
            subject,
            expires_at,
            remember_for: _,
            credential_id,
            session_id,
            auth_time,
            restricts_grants,
        } = self;
        check_subject(&subject).map_err(|error| error.to_string())?;
        let mut claims = subject.to_claims();
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                claims.insert(name.to_owned(), value);
            }
        };
        set("iss", Some(scheme_issuer(scheme).into()));
        set("acr", subject.acr.map(Into::into));
        set("jti", credential_id.map(Into::into));
        set("sid", session_id.map(Into::into));
        set("exp", expires_at.map(|time| seconds(time).into()));
        set("auth_time", auth_time.map(|time| seconds(time).into()));
        let claims = TokenClaims::from_json(Value::Object(claims).to_string().as_bytes())
            .map_err(|error| error.to_string())?;
        let mut token = VerifiedToken::new(claims);
        token.restricts_grants = restricts_grants;
        Ok(token)
    }
}

/// Whole seconds since the epoch. A time before it has passed, and one after the year 9999 is in that year.
fn seconds(time: SystemTime) -> u64 {
    const LAST: u64 = 253_402_300_799;
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().min(LAST))
}
