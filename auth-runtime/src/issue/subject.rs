//! Subjects: the users, as the application describes them.

use std::pin::Pin;

use axum::BoxError;
use serde::Serialize;
use serde_json::{Map, Value};

use super::label::one_line;
use super::session_data::{SessionValue, UnwritableValue, write_value};
use crate::store::StoredSessionData;

/// A user as the application currently knows it. It determines the claims of an access token.
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
    pub(crate) session_label: Option<String>,
    pub(crate) ends_with_browser: bool,
    /// The data of the session that a login begins, or why it can't be written.
    pub(crate) session_data: Result<StoredSessionData, UnwritableValue>,
    pub(crate) claims: Map<String, Value>,
    /// The last error of a claim. It is returned when a token is issued.
    pub(crate) error: Option<String>,
}

impl Subject {
    /// Returns a subject with this id, which becomes `sub`. The id must never change, and must never be given to another user.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            roles: Vec::new(),
            scopes: Vec::new(),
            permissions: Vec::new(),
            acr: None,
            session_label: None,
            ends_with_browser: false,
            session_data: Ok(StoredSessionData::default()),
            claims: Map::new(),
            error: None,
        }
    }

    /// Adds roles. Any name is accepted, also one that no rule can have: they are the data of the application, such as groups of a
    /// directory, and a login must not fail because of one that grants nothing. The same applies to
    /// [`permissions`](Self::permissions).
    pub fn roles(mut self, roles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.roles.extend(roles.into_iter().map(Into::into));
        self
    }

    /// Adds scopes. If one can't be a scope (RFC 6749 §3.3), issuing a token fails.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Adds permissions.
    pub fn permissions(mut self, permissions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.permissions.extend(permissions.into_iter().map(Into::into));
        self
    }

    /// Sets how the user logged in: the authentication context class `acr` (RFC 9068 §2.2.1), such as `mfa`. The value at the login
    /// is used for all tokens of the session.
    pub fn acr(mut self, acr: impl Into<String>) -> Self {
        self.acr = Some(acr.into());
        self
    }

    /// Sets what the user recognizes the session by that a login starts, such as the browser: in the list of
    /// [`TokenService::sessions`](crate::session::TokenService::sessions). It is stored as one line of at most 200 characters, without
    /// control characters. It may come from the client, so a page that shows it must escape it. It is in no token.
    pub fn session_label(mut self, label: impl AsRef<str>) -> Self {
        self.session_label = one_line(label.as_ref());
        self
    }

    /// Sets the value of this type that the session begins with: see [`SessionData`](crate::session::SessionData). It is in no token. Only
    /// the value at the login counts: a refresh keeps what the session has by then. If it can't be written as JSON, or is too large,
    /// the login fails.
    pub fn session_value(mut self, value: &impl SessionValue) -> Self {
        self.session_data = self.session_data.and_then(|mut data| {
            write_value(&mut data, Some(value))?;
            Ok(data)
        });
        self
    }

    /// Sets whether the user's browser keeps the cookies when it is closed, as the user chose it at the login ("remember me").
    /// Default: `true`, and the cookies stay until their tokens expire. With `false` they have no `Max-Age` and end with the
    /// browser. The value at the login is used for the whole session, also when it is refreshed; tokens as JSON don't have it.
    ///
    /// A browser that restores its windows at the start restores these cookies too. The session itself ends at a logout, or as
    /// [`TokenIssuer`](crate::session::TokenIssuer) says.
    ///
    /// ```
    /// # use auth_runtime::session::Subject;
    /// # let remember = false; // `PasswordCredentials::remember`
    /// let alice = Subject::new("alice").remember(remember);
    /// ```
    pub fn remember(mut self, remember: bool) -> Self {
        self.ends_with_browser = !remember;
        self
    }

    /// Sets a claim. If the value can't be serialized as JSON, issuing a token fails.
    pub fn claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let name = name.into();
        match serde_json::to_value(value) {
            Ok(value) => drop(self.claims.insert(name, value)),
            Err(error) => self.error = Some(format!("`{name}` can't be serialized as JSON: {error}")),
        }
        self
    }

    /// Sets several claims: the fields of a struct of yours. If it can't be serialized as a JSON object, issuing a token fails.
    pub fn claims(mut self, claims: impl Serialize) -> Self {
        match serde_json::to_value(claims) {
            Ok(Value::Object(claims)) => self.claims.extend(claims),
            Ok(_) => {
                self.error =
                    Some("the value passed to `claims` is not a JSON object: pass a struct or a map".into());
            }
            Err(error) => {
                self.error =
                    Some(format!("the value passed to `claims` can't be serialized as JSON: {error}"));
            }
        }
        self
    }

    /// Returns the id of the subject.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it says of itself, as claims (RFC 9068 §2.2): its own, `sub`, and the lists that are not empty. How it logged in is a claim of
    /// the session.
    pub(crate) fn to_claims(&self) -> Map<String, Value> {
        let Self { id, roles, scopes, permissions, claims, .. } = self;
        let mut claims = claims.clone();
        let mut set = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        set("sub", id.as_str().into());
        if !roles.is_empty() {
            set("roles", roles.clone().into());
        }
        if !scopes.is_empty() {
            set("scope", scopes.join(" ").into());
        }
        if !permissions.is_empty() {
            set("permissions", permissions.clone().into());
        }
        claims
    }
}

/// The application's users, looked up by id.
///
/// Every refresh looks the user up. If it returns `None`, the session ends: a disabled user's within the lifetime of an access token
/// ([`log_out_everywhere`](crate::session::TokenService::log_out_everywhere) ends them at once). A role that was revoked is missing
/// from the next access token on.
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
    /// Returns the user with this id; `None` if there is none, or if the user may no longer log in.
    ///
    /// # Errors
    /// If the user can't be looked up now. The refresh token stays valid, and the caller can try again.
    fn subject(&self, id: &str) -> impl Future<Output = Result<Option<Subject>, BoxError>> + Send;
}

impl<S: SubjectStore> SubjectStore for std::sync::Arc<S> {
    fn subject(&self, id: &str) -> impl Future<Output = Result<Option<Subject>, BoxError>> + Send {
        (**self).subject(id)
    }
}

/// An object-safe [`SubjectStore`].
pub(crate) trait DynSubjectStore: Send + Sync {
    fn subject<'a>(&'a self, id: &'a str) -> SubjectFuture<'a>;
}

type SubjectFuture<'a> = Pin<Box<dyn Future<Output = Result<Option<Subject>, BoxError>> + Send + 'a>>;

impl<S: SubjectStore> DynSubjectStore for S {
    fn subject<'a>(&'a self, id: &'a str) -> SubjectFuture<'a> {
        Box::pin(SubjectStore::subject(self, id))
    }
}
