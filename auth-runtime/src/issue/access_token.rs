//! The claims of an access token (RFC 9068 §2.2).

use std::time::Duration;

use auth_analysis::{ListKind, Named};
use serde_json::{Map, Value};

use super::error::TokenError;
use super::issuer::IssuerState;
use super::refresh_token::session_of_family;
use super::subject::Subject;
use crate::jose::random_id;
use crate::store::RefreshTokenFamily;
use crate::verify::{ISSUER_GENERATION, USER_GENERATION};

/// Claims that the library sets, or that have a meaning for verifiers which an application's claim can't have.
const RESERVED: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "sid",
    "client_id",
    "auth_time",
    "acr",
    "amr",
    "roles",
    "scope",
    "scp",
    "permissions",
    "cnf",
    USER_GENERATION,
    ISSUER_GENERATION,
];

/// The maximum length of a `jti` that the application chooses, in bytes.
pub(crate) const MAX_TOKEN_ID_BYTES: usize = 256;

/// The generations of sessions that an access token is of; 0 if there is none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Generations {
    /// The generation of its user's sessions.
    pub(crate) user: u32,
    /// The generation of the sessions of all users.
    pub(crate) issuer: u32,
}

impl Generations {
    pub(crate) fn of(family: &RefreshTokenFamily) -> Self {
        Self { user: family.user_generation, issuer: family.issuer_generation }
    }
}

/// What one access token differs in from the issuer's others. The caller has checked it.
#[derive(Clone, Debug, Default)]
pub(crate) struct AccessTokenOptions {
    pub(crate) lifetime: Option<Duration>,
    pub(crate) token_id: Option<String>,
    /// Empty: those of the issuer.
    pub(crate) audience: Vec<String>,
    pub(crate) header: Map<String, Value>,
}

impl IssuerState {
    /// An access token for `subject`, issued at `issued_at`, and when it expires, both in seconds since the epoch. With a
    /// family, the token is of that session and does not outlive it.
    pub(crate) fn access_token(
        &self,
        subject: &Subject,
        family: Option<&RefreshTokenFamily>,
        generations: Generations,
        issued_at: i64,
        options: AccessTokenOptions,
    ) -> Result<(String, i64), TokenError> {
        check_subject(subject)?;
        let seconds = |lifetime: Duration| i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let lifetime = options.lifetime.map_or(self.access_lifetime, seconds);
        let expires_at = issued_at.saturating_add(lifetime);
        let expires_at = family.map_or(expires_at, |family| expires_at.min(self.family_end(family)));
        let mut claims = subject.to_claims();
        let mut set = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        set("iss", self.name.as_str().into());
        set(
            "aud",
            match if options.audience.is_empty() { &self.audience } else { &options.audience }.as_slice() {
                [one] => one.as_str().into(),
                several => several.to_vec().into(),
            },
        );
        set("client_id", self.client_id.as_str().into());
        set("iat", issued_at.into());
        set("exp", expires_at.into());
        set("jti", options.token_id.map_or_else(random_id, Ok)?.into());
        let acr = match family {
            Some(family) => {
                set("sid", session_of_family(family.id).into());
                set("auth_time", family.started_at.into());
                family.acr.as_ref()
            }
            None => subject.acr.as_ref(),
        };
        if let Some(acr) = acr {
            set("acr", acr.as_str().into());
        }
        for (name, generation) in
            [(USER_GENERATION, generations.user), (ISSUER_GENERATION, generations.issuer)]
        {
            if generation != 0 {
                set(name, generation.into());
            }
        }
        let token = self.sign(&claims, options.header)?;
        Ok((token, expires_at))
    }

    /// When the session of a family ends, unless it is refreshed.
    pub(crate) fn expires_at(&self, family: &RefreshTokenFamily) -> i64 {
        family.expires_at.min(self.family_end(family))
    }

    /// When the newest access token of a family expires. A refresh within the grace period may have issued one that expires a little
    /// later: it is not in the row.
    pub(crate) fn newest_access_token_end(&self, family: &RefreshTokenFamily) -> i64 {
        let issued_at = family.last_issued_at.max(family.rotated_at);
        issued_at.saturating_add(self.access_lifetime).min(self.family_end(family))
    }

    /// When a family ends, however often it is refreshed.
    pub(crate) fn family_end(&self, family: &RefreshTokenFamily) -> i64 {
        family.started_at.saturating_add(self.session_lifetime)
    }
}

/// # Errors
/// If the subject can't be put into claims.
pub(crate) fn check_subject(subject: &Subject) -> Result<(), TokenError> {
    if let Some(error) = &subject.error {
        return Err(TokenError::Claims(error.clone()));
    }
    if subject.id.is_empty() {
        return Err(TokenError::Claims(
            "the subject's id is empty: pass the user's id to `Subject::new`".into(),
        ));
    }
    if let Some(name) = subject.claims.keys().find(|name| RESERVED.contains(&name.as_str())) {
        return Err(TokenError::Claims(format!(
            "the claim `{name}` is set by the library: use the methods of `Subject`, or another name"
        )));
    }
    // They are in one claim, separated by spaces.
    let scopes = Named::Listed(ListKind::Scopes);
    if let Some(objection) = subject.scopes.iter().find_map(|scope| scopes.objection(scope)) {
        return Err(TokenError::Claims(format!(
            "{objection}. Pass each scope by itself to `Subject::scopes`"
        )));
    }
    Ok(())
}
