//! What the application says of its users.

use std::pin::Pin;

use axum::BoxError;
use serde::Serialize;
use serde_json::{Map, Value};

/// A user as the application knows it at this moment: what goes into an access token.
///
/// ```
/// use auth_runtime::session::Subject;
///
/// let alice = Subject::new("alice").roles(["admin"]).scopes(["reports:read"]).claim("tenant", "acme");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Subject {
    pub(crate) id: String,
    pub(crate) roles: Vec<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) permissions: Vec<String>,
    pub(crate) acr: Option<String>,
    pub(crate) claims: Map<String, Value>,
    /// What could not be written as a claim; it is told when a token is made.
    pub(crate) mistake: Option<String>,
}

impl Subject {
    /// The user of this id, which becomes `sub`: it never changes, and never becomes another user's.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            roles: Vec::new(),
            scopes: Vec::new(),
            permissions: Vec::new(),
            acr: None,
            claims: Map::new(),
            mistake: None,
        }
    }

    /// Has these roles.
    pub fn roles(mut self, roles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.roles.extend(roles.into_iter().map(Into::into));
        self
    }

    /// Its tokens carry these scopes.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Is granted these permissions.
    pub fn permissions(mut self, permissions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.permissions.extend(permissions.into_iter().map(Into::into));
        self
    }

    /// How the user logged in: the authentication context class `acr` (RFC 9068 §2.2.1), such as `mfa`. It is taken at the
    /// login, and holds for the tokens that come of it.
    pub fn acr(mut self, acr: impl Into<String>) -> Self {
        self.acr = Some(acr.into());
        self
    }

    /// A further claim.
    pub fn claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let name = name.into();
        match serde_json::to_value(value) {
            Ok(value) => drop(self.claims.insert(name, value)),
            Err(error) => self.mistake = Some(format!("`{name}` is not JSON: {error}")),
        }
        self
    }

    /// Further claims: the fields of a struct of yours.
    pub fn claims(mut self, claims: impl Serialize) -> Self {
        match serde_json::to_value(claims) {
            Ok(Value::Object(claims)) => self.claims.extend(claims),
            Ok(_) => self.mistake = Some("`claims` was given a value that is no JSON object".into()),
            Err(error) => {
                self.mistake = Some(format!("`claims` was given a value that is not JSON: {error}"));
            }
        }
        self
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// The application's users, by their ids.
///
/// Every refresh asks again: whom it does not answer is logged out, and a role that was taken away is gone from the next
/// access token on.
///
/// ```
/// use auth_runtime::session::{BoxError, Subject, SubjectStore};
///
/// struct Users;
///
/// impl SubjectStore for Users {
///     async fn subject(&self, id: &str) -> Result<Option<Subject>, BoxError> {
///         Ok((id == "alice").then(|| Subject::new(id).roles(["admin"])))
///     }
/// }
/// ```
pub trait SubjectStore: Send + Sync + 'static {
    /// The user of this id; `None` if there is none, or the user may not log in any more.
    ///
    /// # Errors
    /// If it can't be told now. The refresh token stays good, and the caller is told to come again.
    fn subject(&self, id: &str) -> impl Future<Output = Result<Option<Subject>, BoxError>> + Send;
}

impl<S: SubjectStore> SubjectStore for std::sync::Arc<S> {
    fn subject(&self, id: &str) -> impl Future<Output = Result<Option<Subject>, BoxError>> + Send {
        (**self).subject(id)
    }
}

/// [`SubjectStore`] of a type that the engine does not know.
pub(crate) trait DynSubjectStore: Send + Sync {
    fn subject<'a>(&'a self, id: &'a str) -> SubjectFuture<'a>;
}

type SubjectFuture<'a> = Pin<Box<dyn Future<Output = Result<Option<Subject>, BoxError>> + Send + 'a>>;

impl<S: SubjectStore> DynSubjectStore for S {
    fn subject<'a>(&'a self, id: &'a str) -> SubjectFuture<'a> {
        Box::pin(SubjectStore::subject(self, id))
    }
}
