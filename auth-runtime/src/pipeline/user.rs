//! The user of a caller.

use futures_util::future::{Either, Ready, ready};

use super::failure::Failure;
use super::{BoxFuture, Pipeline};
use crate::principal::Principal;

type WithUser = Result<Principal, Failure>;

impl Pipeline<'_> {
    /// The caller of a valid credential → with its user, where the engine loads users. Without one, the credential counts as revoked.
    pub(super) fn with_user(&self, principal: Principal) -> Either<Ready<WithUser>, BoxFuture<'_, WithUser>> {
        let engine = self.engine();
        // Another gate of this request may have loaded it.
        let at_once = match self.auth.user_of(&principal) {
            Some(user) => Ok(principal.with_user(user)),
            None => match engine.with_known_user(principal) {
                Ok(known) => known.map_err(Failure::from),
                Err(principal) => match self.wait() {
                    Ok(()) => {
                        return Either::Right(Box::pin(
                            async move { Ok(engine.with_user(principal).await?) },
                        ));
                    }
                    Err(failure) => Err(failure),
                },
            },
        };
        Either::Left(ready(at_once))
    }
}
