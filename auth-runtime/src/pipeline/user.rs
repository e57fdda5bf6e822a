//! The user of a caller.

use super::Pipeline;
use super::failure::Failure;
use crate::principal::Principal;

impl Pipeline<'_> {
    /// The caller of a valid credential → with its user, where the engine loads users. Without one, the credential counts as revoked.
    pub(super) async fn with_user(&self, principal: Principal) -> Result<Principal, Failure> {
        // Another gate of this request may have loaded it.
        match self.auth.user_of(&principal) {
            Some(user) => Ok(principal.with_user(user)),
            None => match self.engine().with_known_user(principal) {
                Ok(known) => Ok(known?),
                Err(principal) => {
                    self.wait()?;
                    Ok(Box::pin(self.engine().with_user(principal)).await?)
                }
            },
        }
    }
}
