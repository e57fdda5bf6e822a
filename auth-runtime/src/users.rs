//! Users: what the application knows of a caller, loaded before the rule is decided.
//!
//! | item | purpose |
//! |---|---|
//! | [`UserStore`] | loads the user of a principal; for [`AuthBuilder::users`](crate::AuthBuilder::users) |
//! | [`Grants`] | the roles and permissions of a user, in place of those of the token |
//! | [`TakesUser`] | says that an extractor of yours takes a user |
//! | [`UserCache`] | how many users are remembered, and for how long |
//!
//! A handler gets the user by the extractor [`User`](crate::User).

mod cache;
mod store;
mod takes_user;

use std::any::{TypeId, type_name};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use self::cache::UserCache;
use self::store::{DynUserStore, LoadedAnswer};
pub use self::store::{Grants, UserStore};
pub use self::takes_user::TakesUser;
use crate::load_cache::{LoadCache, LoadError, Loaded};
use crate::principal::{LoadedUser, Principal};
use crate::revocation::{SubjectCache, Subjects};
use crate::vocabulary::VocabularyIndex;

use self::cache::{UserKey, UserKeyRef};

/// The users of an engine: where they are loaded from, and what is remembered of them.
pub(crate) struct Users {
    store: Box<dyn DynUserStore>,
    cache: LoadCache<UserKey, LoadedAnswer>,
    user_type: (TypeId, &'static str),
}

/// Why a caller has no user.
#[derive(Debug)]
pub(crate) enum NoUser {
    /// The store has none, or it is inactive.
    Missing,
    /// Its roles exclude each other.
    Invalid(Arc<str>),
    /// It can't be loaded now.
    Unavailable(LoadError),
}

impl Users {
    pub(crate) fn new<S: UserStore>(store: S, options: UserCache) -> Self {
        Self {
            store: Box::new(store),
            cache: options.build(),
            user_type: (TypeId::of::<S::User>(), type_name::<S::User>()),
        }
    }

    /// Whether the store says that there is a user for this principal.
    pub(crate) fn has_user(&self, principal: &Principal) -> bool {
        self.store.has_user(principal)
    }

    /// Returns what is remembered of the user of a principal, at this time of a monotonic clock; `None` if it must be loaded.
    pub(crate) fn known(
        &self,
        principal: &Principal,
        now: Duration,
    ) -> Option<Result<Arc<LoadedUser>, NoUser>> {
        self.cache.get(&UserKeyRef::of(principal), now).map(of_answer)
    }

    /// Returns the user of a principal, at this time of a monotonic clock.
    pub(crate) async fn of(
        &self,
        principal: &Principal,
        now: Duration,
        index: &VocabularyIndex,
    ) -> Result<Arc<LoadedUser>, NoUser> {
        let key = UserKeyRef::of(principal);
        let answer = match self.cache.get(&key, now) {
            Some(known) => known,
            None => {
                let load = async {
                    let answer = self.store.load(principal, index).await?;
                    Ok(Loaded::new(answer, Duration::MAX))
                };
                self.cache.load(key.to_owned(), now, load).await.map_err(NoUser::Unavailable)?
            }
        };
        of_answer(answer)
    }

    /// Whether its users are of this type.
    pub(crate) fn are(&self, user_type: TypeId) -> bool {
        self.user_type.0 == user_type
    }

    /// The name of the type of its users, for messages.
    pub(crate) fn type_name(&self) -> &'static str {
        self.user_type.1
    }
}

fn of_answer(answer: Option<LoadedAnswer>) -> Result<Arc<LoadedUser>, NoUser> {
    match answer {
        Some(LoadedAnswer::User(user)) => Ok(user),
        Some(LoadedAnswer::Invalid(why)) => Err(NoUser::Invalid(why)),
        None => Err(NoUser::Missing),
    }
}

impl SubjectCache for Users {
    fn forget(&self, subjects: &Arc<Subjects>) {
        let subjects = Arc::clone(subjects);
        self.cache.forget(move |key, _| key.is_among(&subjects));
    }

    fn longest(&self) -> Duration {
        self.cache.longest()
    }
}

impl fmt::Display for NoUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str(
                "the `UserStore` has no user for it, or the user is inactive. If callers as this one have no user, return false from \
                 `UserStore::has_user` for them",
            ),
            Self::Invalid(why) => f.write_str(why),
            Self::Unavailable(error) => write!(f, "the `UserStore` can't load the user: {error}"),
        }
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users").field("user_type", &self.user_type.1).finish_non_exhaustive()
    }
}
