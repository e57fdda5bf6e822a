//! What the application implements: where users are loaded from.

use std::pin::Pin;
use std::sync::Arc;

use axum::BoxError;

use crate::principal::{GrantedNames, LoadedUser, Principal};
use crate::vocabulary::VocabularyIndex;

/// Where the application's users are loaded from. [`AuthBuilder::users`](crate::AuthBuilder::users) takes one.
///
/// Every request with a valid credential loads its user, after the credential was found valid and not revoked, and before the rule
/// is decided: also where no handler asks for the user. What is loaded is remembered for five minutes
/// ([`AuthBuilder::user_cache`](crate::AuthBuilder::user_cache)), and
/// [`Revocations::forget`](crate::revocation::Revocations::forget) ends that.
///
/// ```
/// use auth_runtime::session::BoxError;
/// use auth_runtime::{Principal, users::UserStore};
///
/// # #[derive(Clone)]
/// struct Account {
///     is_active: bool,
/// }
///
/// # struct Database(Vec<(String, Account)>);
/// # impl Database {
/// #     async fn account(&self, id: &str) -> Result<Option<Account>, BoxError> {
/// #         Ok(self.0.iter().find(|(known, _)| known == id).map(|(_, account)| account.clone()))
/// #     }
/// # }
/// struct Accounts {
///     db: Database,
/// }
///
/// impl UserStore for Accounts {
///     type User = Account;
///
///     async fn load(&self, caller: &Principal) -> Result<Option<Account>, BoxError> {
///         let account = self.db.account(caller.subject()).await?;
///         Ok(account.filter(|account| account.is_active))
///     }
/// }
/// ```
///
/// The subject alone identifies a user only where the engine has one issuer: with several, look at
/// [`Principal::issuer`](crate::Principal::issuer) too. What is loaded is remembered by issuer and subject, so it must not depend on
/// anything else of the principal.
///
/// [`SubjectStore`](crate::session::SubjectStore) is another question. It is asked when a token is issued or refreshed, by the id of
/// a user of this service's own issuer, and answers what goes into the token. A `UserStore` is asked on every request, for callers of
/// every issuer, and answers a type of the application's that no token contains. A service can have either, or implement both
/// for one type.
pub trait UserStore: Send + Sync + 'static {
    /// What the application knows of a user: the `T` of [`User<T>`](crate::User).
    type User: Send + Sync + 'static;

    /// Returns the user of a caller; `None` if there is none, or if it is inactive. A caller without a user is rejected as one with a
    /// revoked credential: 401 `invalid_token`.
    ///
    /// It is not called while [`has_user`](Self::has_user) says `false`. It has no time limit of its own: give the query one. At most
    /// 64 calls run at a time, and a request that needs a further one is rejected with 503 at once.
    ///
    /// # Errors
    /// If the user can't be loaded now: 503. It is not remembered.
    fn load(
        &self,
        principal: &Principal,
    ) -> impl Future<Output = Result<Option<Self::User>, BoxError>> + Send;

    /// Returns whether callers such as this one have a user at all. Default: `true`.
    ///
    /// With `false` the caller is let in without one, if the rule admits it, and [`User<T>`](crate::User) rejects it with 403: for
    /// machines, such as the API keys of other services. It is called on every request.
    ///
    /// What is lost with `false`: nothing asks the store whether such a caller is active. Decide by what a caller can't choose, such
    /// as its issuer.
    fn has_user(&self, principal: &Principal) -> bool {
        let _ = principal;
        true
    }

    /// Returns the roles and permissions of a user, which then are in place of those of the token: in rules, and in
    /// [`Principal::roles`](crate::Principal::roles) and [`permissions`](crate::Principal::permissions). Default: `None`, and those of the
    /// token count.
    ///
    /// An API key has at most what it was made with: of these roles and permissions, those that the key has too. So a key that a user made
    /// for a part of its rights has no more of them, and a user that loses a role loses it in its keys. What a rule excludes (`not(..)`) is looked
    /// for in both. To lock a user out, let [`load`](Self::load) return `None`: [`Principal::has_role`] says nothing of what such
    /// a key lacks and its user has.
    ///
    /// The vocabulary adds what the roles imply, as it does to those of a token, and two roles that exclude each other are rejected
    /// (401). Scopes are always those of the token: they say what the user has allowed its client to do. The claims stay those of the
    /// token too: `claims(roles = ..)` in a rule and [`Claims`](crate::Claims) read what the token says.
    fn grants(&self, user: &Self::User) -> Option<Grants> {
        let _ = user;
        None
    }
}

impl<S: UserStore> UserStore for Arc<S> {
    type User = S::User;

    fn load(
        &self,
        principal: &Principal,
    ) -> impl Future<Output = Result<Option<Self::User>, BoxError>> + Send {
        (**self).load(principal)
    }

    fn has_user(&self, principal: &Principal) -> bool {
        (**self).has_user(principal)
    }

    fn grants(&self, user: &Self::User) -> Option<Grants> {
        (**self).grants(user)
    }
}

/// The roles and permissions of a user, in place of those of a token: [`UserStore::grants`].
///
/// ```
/// use auth_runtime::users::Grants;
///
/// let grants = Grants::new().roles(["editor"]).permissions(["article:publish"]);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Grants {
    roles: Vec<Box<str>>,
    permissions: Vec<Box<str>>,
}

impl Grants {
    /// Returns no role and no permission.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds roles.
    pub fn roles(mut self, roles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.roles.extend(roles.into_iter().map(|role| role.into().into_boxed_str()));
        self
    }

    /// Adds permissions.
    pub fn permissions(mut self, permissions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.permissions.extend(permissions.into_iter().map(|permission| permission.into().into_boxed_str()));
        self
    }
}

/// What is loaded and remembered of a principal that has a user.
#[derive(Clone)]
pub(super) enum LoadedAnswer {
    User(Arc<LoadedUser>),
    /// Its roles exclude each other.
    Invalid(Arc<str>),
}

/// An object-safe [`UserStore`].
pub(super) trait DynUserStore: Send + Sync {
    fn has_user(&self, principal: &Principal) -> bool;

    fn load<'a>(&'a self, principal: &'a Principal, index: &'a VocabularyIndex) -> LoadFuture<'a>;
}

type LoadFuture<'a> = Pin<Box<dyn Future<Output = Result<Option<LoadedAnswer>, BoxError>> + Send + 'a>>;

impl<S: UserStore> DynUserStore for S {
    fn has_user(&self, principal: &Principal) -> bool {
        UserStore::has_user(self, principal)
    }

    fn load<'a>(&'a self, principal: &'a Principal, index: &'a VocabularyIndex) -> LoadFuture<'a> {
        Box::pin(async move {
            let Some(user) = UserStore::load(self, principal).await? else { return Ok(None) };
            let granted = self.grants(&user).map(|Grants { roles, permissions }| {
                GrantedNames::new(roles, permissions, principal.subject(), index)
            });
            Ok(Some(match granted.transpose() {
                Ok(granted) => LoadedAnswer::User(Arc::new(LoadedUser::new(user, granted))),
                Err(invalid) => LoadedAnswer::Invalid(invalid.0.as_ref().into()),
            }))
        })
    }
}
