//! The user of a caller.

use super::Pipeline;
use super::failure::{CredentialState, Failure};
use crate::principal::Principal;
use crate::rejection::RejectionKind;
use crate::users::NoUser;
use crate::verify::Excerpt;

impl Pipeline<'_> {
    /// The caller of a valid credential → with its user, where the engine loads users. Without one, the credential counts as revoked.
    pub(super) async fn with_user(&self, principal: Principal) -> Result<Principal, Failure> {
        let Some(users) = &self.engine().users else { return Ok(principal) };
        if !users.has_user(&principal) {
            return Ok(principal);
        }
        if let Some(user) = self.auth.user_of(&principal) {
            return Ok(principal.with_user(user));
        }
        let vocabulary = &self.engine().authorization.vocabulary;
        match users.of(&principal, self.engine().monotonic(), vocabulary).await {
            Ok(user) => Ok(principal.with_user(user)),
            Err(why @ NoUser::Unavailable(_)) => {
                Err(Failure::new(RejectionKind::Unavailable, why.to_string()))
            }
            Err(why) => {
                let reason =
                    format!("the credential of {} is valid, but {why}", Excerpt::new(principal.subject()));
                Err(Failure::invalid_token(CredentialState::Invalid, reason))
            }
        }
    }
}
