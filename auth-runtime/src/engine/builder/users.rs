//! The store of users, and what is remembered of them.

use std::sync::Arc;

use super::AuthBuilder;
use crate::error::ConfigErrors;
use crate::users::{UserCache, UserStore, Users};

/// What the builder was given.
#[derive(Default)]
pub(super) struct UsersConfig {
    /// Makes the users, once it is known what is remembered of them.
    make: Option<Box<dyn FnOnce(UserCache) -> Users + Send + Sync>>,
    is_given_twice: bool,
    cache: Option<UserCache>,
}

impl AuthBuilder {
    /// Loads the user of every caller from this store, before the rule is decided: [`User<T>`](crate::User) then gives it to handlers
    /// and checks. A caller that has none, or an inactive one, is rejected as one with a revoked credential (401). While users can't be
    /// loaded, callers whose user is not remembered are answered 503.
    ///
    /// If the store panics, the request is rejected with 500, and the panic's message goes to tracing. With `panic = "abort"` it ends
    /// the process.
    pub fn users(mut self, store: impl UserStore) -> Self {
        self.users.is_given_twice = self.users.make.is_some();
        self.users.make = Some(Box::new(|cache| Users::new(store, cache)));
        self
    }

    /// Sets how many users are remembered, and for how long. Default: 10,000, for 5 minutes.
    pub fn user_cache(mut self, cache: UserCache) -> Self {
        self.users.cache = Some(cache);
        self
    }
}

pub(super) fn assemble(builder: &mut AuthBuilder, errors: &mut ConfigErrors) -> Option<Arc<Users>> {
    let UsersConfig { make, is_given_twice, cache } = std::mem::take(&mut builder.users);
    if is_given_twice {
        errors.push(
            "`.users(..)` is called twice, but a caller has one user: keep one of the two, and have it load from both places",
        );
    }
    if make.is_none() && cache.is_some() {
        errors.push(
            "`.user_cache(..)` is called without `.users(..)`, so there are no users to remember: add `.users(store)`, or remove it",
        );
    }
    let cache = cache.unwrap_or_default();
    cache.check(errors);
    make.map(|make| Arc::new(make(cache)))
}
