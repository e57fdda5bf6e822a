//! The user of a caller.

use super::Engine;
use crate::principal::Principal;
use crate::rejection::{CallerError, CallerErrorKind};
use crate::users::NoUser;
use crate::verify::Excerpt;

impl Engine {
    /// A caller → with its user, if the engine loads users and there are such for callers as this one.
    pub(crate) async fn with_user(&self, principal: Principal) -> Result<Principal, CallerError> {
        let Some(users) = self.users.as_ref().filter(|users| users.has_user(&principal)) else {
            return Ok(principal);
        };
        let why = match users.of(&principal, self.monotonic(), &self.authorization.vocabulary).await {
            Ok(user) => return Ok(principal.with_user(user)),
            Err(why) => why,
        };
        let kind = match why {
            NoUser::Missing => CallerErrorKind::Revoked,
            NoUser::Invalid(_) => CallerErrorKind::Invalid,
            NoUser::Unavailable(_) => {
                return Err(CallerError::new(CallerErrorKind::Unavailable, why.to_string()));
            }
        };
        let subject = Excerpt::new(principal.subject());
        Err(CallerError::new(kind, format!("the credential of {subject} is valid, but {why}")))
    }
}
