//! What a login sends, and who verifies it.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::session::{BoxError, Subject};

/// Verifies the credentials of a login.
pub trait LoginVerifier: Send + Sync + 'static {
    /// The credentials: [`PasswordCredentials`], or a type of the application's own.
    type Credentials: Credentials;

    /// Returns the user of these credentials; `None` if there is none, if they are wrong, or if the user may not log in. It should
    /// take the same time in each of these cases, as [`PasswordHasher::verify`](crate::session::PasswordHasher::verify) does.
    ///
    /// It holds one of the [16 places](super::TokenRoutes::logins_at_once) for logins that are verified at once. After 30 seconds it is dropped.
    ///
    /// # Errors
    /// If the credentials can't be verified now. The response is 503, also after 30 seconds.
    fn authenticate(
        &self,
        credentials: Self::Credentials,
    ) -> impl Future<Output = Result<Option<Subject>, BoxError>> + Send;

    /// Whether the router has `/login`.
    #[doc(hidden)]
    const HAS_READY_LOGIN: bool = true;
}

/// For an application that has no ready login, because its logins are handlers of its own that begin with
/// [`TokenEndpoints::attempt`](super::TokenEndpoints::attempt): the [router](super::TokenRoutes::router) has no `/login` then, and
/// [`TokenEndpoints::log_in`](super::TokenEndpoints::log_in) rejects all credentials.
///
/// With another [`LoginVerifier`] a login with a second factor would have a way around it: the ready `/login`, which takes the first alone.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "it holds nothing")]
pub struct OwnLogin;

impl LoginVerifier for OwnLogin {
    type Credentials = PasswordCredentials;

    async fn authenticate(&self, _: PasswordCredentials) -> Result<Option<Subject>, BoxError> {
        Ok(None)
    }

    const HAS_READY_LOGIN: bool = false;
}

impl<A: LoginVerifier> LoginVerifier for Arc<A> {
    type Credentials = A::Credentials;

    const HAS_READY_LOGIN: bool = A::HAS_READY_LOGIN;

    fn authenticate(
        &self,
        credentials: Self::Credentials,
    ) -> impl Future<Output = Result<Option<Subject>, BoxError>> + Send {
        (**self).authenticate(credentials)
    }
}

/// The credentials of a login, as JSON or as a form. [`PasswordCredentials`] has `username` and `password`. A type of the application's own
/// has other fields:
///
/// ```
/// # #[cfg(feature = "password")]
/// # mod page {
/// use auth_runtime::session::routes::{Credentials, LoginVerifier};
/// use auth_runtime::session::{BoxError, PasswordHasher, Subject};
/// # #[derive(Clone)] struct Row { id: String, password_hash: String }
/// # struct Db;
/// # impl Db { async fn user_by_email(&self, _: &str) -> Result<Option<Row>, BoxError> { Ok(None) } }
///
/// /// `{"email": "..", "password": ".."}`. No `Debug`, so that no log has it.
/// #[derive(serde::Deserialize)]
/// struct EmailAndPassword {
///     email: String,
///     password: String,
/// }
///
/// impl Credentials for EmailAndPassword {
///     fn account(&self) -> &str {
///         &self.email
///     }
///
///     // Without it the OpenAPI document says "any object".
///     fn schema() -> serde_json::Value {
///         serde_json::json!({
///             "type": "object",
///             "properties": {
///                 "email": { "type": "string", "format": "email" },
///                 "password": { "type": "string", "format": "password" },
///             },
///             "required": ["email", "password"],
///         })
///     }
/// }
///
/// struct Users {
///     db: Db, // yours
///     passwords: PasswordHasher,
/// }
///
/// impl LoginVerifier for Users {
///     type Credentials = EmailAndPassword;
///
///     async fn authenticate(&self, sent: EmailAndPassword) -> Result<Option<Subject>, BoxError> {
///         let user = self.db.user_by_email(&sent.email).await?;
///         let stored = user.as_ref().map(|user| user.password_hash.as_str());
///         let correct = self.passwords.verify(sent.password, stored).await?; // as long for an unknown user
///         Ok(user.filter(|_| correct).map(|user| Subject::new(user.id)))
///     }
/// }
/// # }
/// ```
pub trait Credentials: DeserializeOwned + Send + 'static {
    /// Returns the account that attempts are counted for. Names that differ in case, in their form in Unicode or in spaces around them
    /// are one. Where several names lead to one account, see [`TokenEndpoints::attempt`](super::TokenEndpoints::attempt).
    fn account(&self) -> &str;

    /// Returns the JSON Schema of the credentials, for the OpenAPI document. Default: any object.
    #[must_use]
    fn schema() -> Value {
        json!({ "type": "object" })
    }
}

/// A user name and a password: `{"username": "..", "password": ".."}`, and whether the user wants to be remembered.
#[allow(clippy::exhaustive_structs, reason = "the request has these three fields")]
pub struct PasswordCredentials {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
    /// Whether the user wants to be remembered when the browser is closed: a checkbox `remember` in a form, or `true` as JSON.
    /// Without it, and with any text but `on`, `true` and `1`, the user does not. A form may send it twice, once for a hidden field
    /// that is there also if the box is not ticked: then one of the two is enough.
    ///
    /// It has no effect unless the verifier passes it on: `Subject::new(id).remember(sent.remember)`.
    pub remember: bool,
}

impl Credentials for PasswordCredentials {
    fn account(&self) -> &str {
        &self.username
    }

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "username": { "type": "string" },
                "password": { "type": "string", "format": "password" },
                "remember": { "type": "boolean", "default": false },
            },
            "required": ["username", "password"],
        })
    }
}

/// Redacts all fields, because users type their password into the wrong one.
impl fmt::Debug for PasswordCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordCredentials([redacted])")
    }
}
