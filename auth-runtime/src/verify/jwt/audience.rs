//! Whether a token is for this service.

use super::{Audience, JwtVerifier, PreparedIssuer, TokenClaims};
use crate::excerpt::Excerpt;
use crate::verify::json::Json;
use crate::verify::{VerifiedToken, VerifyError};

impl JwtVerifier {
    /// Verifies that a token is one of this issuer, for whichever service. It is for the issuer itself, which revokes its tokens and is asked
    /// about them: such a token is no credential here.
    pub(crate) fn verify_for_any_audience(
        &self,
        issuer: &str,
        token: &str,
    ) -> Result<VerifiedToken, VerifyError> {
        self.verify_with(token, |known, claims| {
            known.name.check(claims)?;
            match claims.issuer() {
                Some(name) if name == issuer => known.check_further(claims),
                Some(name) => Err(VerifyError::UntrustedIssuer(Excerpt::new(name))),
                None => Err(VerifyError::MissingClaim("iss")),
            }
        })
    }
}

impl PreparedIssuer {
    /// Checks `aud`, or the claim that is compared in its place where it is absent.
    pub(in crate::verify) fn check_audience(&self, claims: &TokenClaims) -> Result<(), VerifyError> {
        let accepted = match &self.audience {
            Audience::Any => return Ok(()),
            Audience::None | Audience::Unset => {
                return claims.audience().map_or(Ok(()), |audience| Err(wrong_audience(audience)));
            }
            Audience::OneOf(names) => names,
        };
        let is_accepted = |name: &str| accepted.iter().any(|accepted| accepted == name);
        let Some(mut audience) = claims.audience() else {
            let client = self.audience_without_aud.as_ref().and_then(|claim| claim.find(claims));
            return match client.and_then(Json::as_str) {
                Some(client) if is_accepted(client) => Ok(()),
                Some(client) => Err(VerifyError::WrongClient(Excerpt::new(client))),
                None => Err(VerifyError::MissingClaim("aud")),
            };
        };
        let has_too_many = self.single_audience && claims.audience().is_some_and(|all| all.count() != 1);
        if !has_too_many && audience.any(is_accepted) {
            Ok(())
        } else {
            Err(claims.audience().map_or(VerifyError::MissingClaim("aud"), wrong_audience))
        }
    }
}

fn wrong_audience<'c>(audience: impl Iterator<Item = &'c str>) -> VerifyError {
    VerifyError::WrongAudience(Excerpt::of_list(&audience.collect::<Vec<_>>()))
}
