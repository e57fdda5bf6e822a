//! Signed texts that are no access tokens: logout tokens, and security event tokens (RFC 8417). Their signatures are verified by the same
//! keys and within the same limits. What is remembered of the headers of access tokens is neither used nor changed.

use super::VerifyError;
use super::claims::{Payload, TokenClaims};
use super::issuer::TrustedIssuer;
use super::issuer_keys::KeyStatus;
use super::jws::{Compact, Header, MAX_SIGNATURE_BYTES};
use super::jwt::{JwtVerifier, PreparedIssuer, TextKind};
use super::keys;
use super::logout_rules::SessionIds;
use crate::excerpt::Excerpt;

/// A logout token that the issuer has signed, for a client of this service. Its times and its events are not checked yet.
#[derive(Debug)]
pub(crate) struct SignedLogout {
    pub(crate) claims: TokenClaims,
    /// What the `sid` of its issuer is worth.
    pub(crate) session_ids: SessionIds,
    /// Whether it may lack `exp`.
    pub(crate) accepts_missing_expiry: bool,
}

impl TrustedIssuer {
    /// Returns the one `iss` of its tokens; `None` if it may have several, or none.
    pub(crate) fn exact_name(&self) -> Option<&str> {
        self.name.exact()
    }
}

impl JwtVerifier {
    /// Verifies the signature of a logout token, its type, issuer and audience. Returns the status of the key too.
    pub(crate) fn verify_logout_token(&self, token: &str) -> Result<(SignedLogout, KeyStatus), VerifyError> {
        let (issuer, claims, key) = self.verify_signed(token, TextKind::Logout)?;
        if !claims.is_logout_token {
            return Err(VerifyError::OtherKind(NO_LOGOUT_EVENT));
        }
        let audience: Vec<&str> = claims.audience().ok_or(VerifyError::MissingClaim("aud"))?.collect();
        if !audience.iter().any(|name| issuer.logout.clients.iter().any(|client| client == name)) {
            return Err(VerifyError::WrongLogoutAudience(Excerpt::of_list(&audience)));
        }
        let (session_ids, accepts_missing_expiry) =
            (issuer.logout.session_ids(), issuer.logout.accepts_missing_expiry);
        Ok((SignedLogout { claims, session_ids, accepts_missing_expiry }, key))
    }

    /// Verifies the signature of a security event token, its type, issuer and audience. Returns the status of the key too.
    pub(crate) fn verify_event_token(&self, token: &str) -> Result<(TokenClaims, KeyStatus), VerifyError> {
        let (issuer, claims, key) = self.verify_signed(token, TextKind::SecurityEvent)?;
        issuer.check_audience(&claims)?;
        issuer.check_rules(&claims)?;
        Ok((claims, key))
    }

    /// Returns the issuer that a text names, before it is verified.
    pub(crate) fn unverified_issuer(&self, token: &str) -> Result<Box<str>, VerifyError> {
        let payload = Compact::parse(token, self.max_token_bytes)?.payload()?;
        let document = Payload::Bytes(payload).into_document()?;
        TokenClaims::issuer_of(&document)?.map(Box::from).ok_or(VerifyError::MissingClaim("iss"))
    }

    /// Whether logout tokens of an issuer count.
    pub(crate) fn accepts_logout_tokens(&self) -> bool {
        self.issuers.iter().any(|issuer| !issuer.logout.clients.is_empty())
    }

    /// Returns what the `sid` of the tokens with this `iss` is worth; `None` if they are of no issuer.
    pub(crate) fn session_ids(&self, issuer: &str) -> Option<SessionIds> {
        let issuer = self.issuers.iter().find(|known| known.name.is_chosen_by(Some(issuer)))?;
        Some(issuer.logout.session_ids())
    }

    /// Verifies the signature of a text of this kind, and that its issuer is the one whose keys have signed it.
    fn verify_signed(
        &self,
        token: &str,
        kind: TextKind,
    ) -> Result<(&PreparedIssuer, TokenClaims, KeyStatus), VerifyError> {
        let compact = Compact::parse(token, self.max_token_bytes)?;
        let (issuer, payload) = self.issuer_of(compact.payload()?)?;
        let mut buffer = [0; MAX_SIGNATURE_BYTES];
        let signature = compact.signature(&mut buffer)?;
        let header = Header::parse(compact.header)?;
        issuer.check_type(&header, kind)?;
        let message = compact.signing_input.as_bytes();
        let key = keys::verifying(&issuer.keys.load(), &header, message, signature, None)?.status.clone();
        let claims = TokenClaims::read(payload, issuer.mapping.forms)?;
        issuer.name.check(&claims)?;
        issuer.name.check_key(key.issuer(), &claims)?;
        Ok((issuer, claims, key))
    }
}

const NO_LOGOUT_EVENT: &str =
    "it is no logout token: its `events` has no member `http://schemas.openid.net/event/backchannel-logout`";
