//! The user of a caller.

use std::sync::Arc;

use super::Engine;
use crate::principal::{LoadedUser, Principal};
use crate::rejection::{CallerError, CallerErrorKind};
use crate::users::{NoUser, Users};
use crate::verify::Excerpt;

impl Engine {
    /// A caller → with its user, if the engine loads users and there are such for callers as this one.
    pub(crate) async fn with_user(&self, principal: Principal) -> Result<Principal, CallerError> {
        let Some(users) = self.users_of(&principal) else { return Ok(principal) };
        let user = users.of(&principal, self.monotonic(), &self.authorization.vocabulary).await;
        with(principal, user)
    }

    /// The same, as far as it is known without the store: the caller as it is, where its user must be loaded.
    pub(crate) fn with_known_user(
        &self,
        principal: Principal,
    ) -> Result<Result<Principal, CallerError>, Principal> {
        let Some(users) = self.users_of(&principal) else { return Ok(Ok(principal)) };
        match users.known(&principal, self.monotonic()) {
            Some(user) => Ok(with(principal, user)),
            None => Err(principal),
        }
    }

    fn users_of(&self, principal: &Principal) -> Option<&Users> {
        self.users.as_deref().filter(|users| users.has_user(principal))
    }
}

fn with(principal: Principal, user: Result<Arc<LoadedUser>, NoUser>) -> Result<Principal, CallerError> {
    let why = match user {
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
