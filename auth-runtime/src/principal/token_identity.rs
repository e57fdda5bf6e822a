//! The claims that identify a token, its session and its user.

use crate::verify::VerifiedToken;

/// The claims that identify a token, its session and its user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenIdentity<'a> {
    /// `iss`; empty if the token has none.
    pub(crate) issuer: &'a str,
    /// The subject, from the claim that the issuer's mapping names.
    pub(crate) subject: &'a str,
    /// `sub`: an issuer names its users by it when it ends their sessions. The subject may be another claim.
    pub(crate) sub: Option<&'a str>,
    /// `jti`.
    pub(crate) token_id: Option<&'a str>,
    /// `sid`.
    pub(crate) session_id: Option<&'a str>,
    /// `iat`, in whole seconds since the epoch.
    pub(crate) issued_at: Option<i64>,
    /// The generation of the user's sessions; 0 if there is none.
    pub(crate) user_generation: u32,
    /// The generation of the sessions of all users of the issuer; 0 if there is none.
    pub(crate) issuer_generation: u32,
}

impl<'a> TokenIdentity<'a> {
    pub(crate) fn of(token: &'a VerifiedToken, subject: &'a str) -> Self {
        let claims = token.claims();
        Self {
            issuer: claims.issuer().unwrap_or_default(),
            subject,
            sub: if token.subject_is_sub() { Some(subject) } else { claims.sub() },
            token_id: claims.token_id(),
            session_id: claims.session_id(),
            issued_at: claims.issued_at,
            user_generation: claims.user_generation,
            issuer_generation: claims.issuer_generation,
        }
    }
}
