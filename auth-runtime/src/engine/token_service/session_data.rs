//! The values that the application keeps with a session.

use std::fmt;

use super::{MAX_REPLACES, TokenService};
use crate::issue::{
    RefreshError, SessionDataError, SessionValue, TokenError, check_size, family_of_session, read_value,
    session_of_family, update_value, write_value,
};
use crate::principal::Principal;
use crate::store::{FamilyId, RefreshTokenFamily, StoreError, StoredSessionData};

/// What the application keeps with the session of the caller, such as a cart or a chosen theme: in the store, never in a token or a cookie. It
/// is there on every instance that shares the store, goes on through every refresh, and ends with the session.
///
/// It is an argument of a handler, of a `#[check]`, and of extractors of yours. [`TokenService::session_data`] returns it elsewhere.
///
/// ```
/// use auth_runtime::auth;
/// use auth_runtime::rejection::Rejection;
/// use auth_runtime::session::{SessionData, SessionValue};
/// use axum::extract::Path;
///
/// #[derive(Default, serde::Serialize, serde::Deserialize)]
/// struct Cart {
///     items: Vec<u64>,
/// }
///
/// impl SessionValue for Cart {
///     const NAME: &str = "cart";
/// }
///
/// #[auth]
/// async fn add(session: SessionData, Path(item): Path<u64>) -> Result<String, Rejection> {
///     let items = session
///         .update(|cart: &mut Option<Cart>| {
///             let cart = cart.get_or_insert_default();
///             cart.items.push(item);
///             cart.items.len()
///         })
///         .await?;
///     Ok(format!("{items} items"))
/// }
/// ```
///
/// Taking it asks for nothing: each of its functions reads the store once, and a change writes it once. What a session has is small:
/// [`max_session_data`](crate::session::TokenIssuer::max_session_data) is 4 KiB by default. It is not encrypted: put no password and no code
/// into it.
///
/// A caller that has no session of this service is rejected with 403: one with an API key, with a token of another issuer, or with an access token
/// that was issued alone. With `Option<SessionData>` it is `None`; so is an anonymous caller, which is otherwise rejected with 401.
/// [`SessionDataError`] says how errors are answered. The functions do nothing once the session has ended, so a socket may hold it.
#[derive(Clone)]
pub struct SessionData {
    tokens: TokenService,
    family: FamilyId,
}

/// Without the values, which are personal data.
impl fmt::Debug for SessionData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionData").field("session_id", &self.session_id()).finish_non_exhaustive()
    }
}

impl TokenService {
    /// Returns what the application keeps with the caller's session, for code that has no request, such as that of a queue. In a handler,
    /// [`SessionData`] is an argument.
    ///
    /// # Errors
    /// [`SessionDataError::NoSession`] if the caller's token is of no session of this issuer.
    pub fn session_data(&self, caller: &Principal) -> Result<SessionData, SessionDataError> {
        let is_own = self.is_own(caller).map_err(of_session)?;
        let session_id = caller.session_id().filter(|_| is_own).ok_or(SessionDataError::NoSession)?;
        self.session_data_of(session_id)
    }

    /// Returns what the application keeps with the session of this id, which may be any user's: for a session that your code has begun
    /// ([`IssuedTokens::session_id`](crate::session::IssuedTokens::session_id)), or an id that your code has stored. For a caller, call
    /// [`session_data`](Self::session_data): it checks who issued the id.
    ///
    /// # Errors
    /// [`SessionDataError::NoSession`] if the text is no id of a session.
    pub fn session_data_of(&self, session_id: &str) -> Result<SessionData, SessionDataError> {
        let family = family_of_session(session_id).ok_or(SessionDataError::NoSession)?;
        Ok(SessionData { tokens: self.clone(), family })
    }
}

impl SessionData {
    /// Returns the id of the session: `sid` of its access tokens.
    #[must_use]
    pub fn session_id(&self) -> String {
        session_of_family(self.family)
    }

    /// Returns the value of this type; `None` if it was not set.
    ///
    /// To change what it returns, call [`update`](Self::update): between a `get` and a `set`, another tab may have changed it.
    ///
    /// # Errors
    /// [`SessionDataError::Store`], [`SessionDataError::Ended`], [`SessionDataError::Unreadable`].
    pub async fn get<T: SessionValue>(&self) -> Result<Option<T>, SessionDataError> {
        read_value(&self.row().await?.data)
    }

    /// Sets the value of this type, whatever it was. Other values stay as they are.
    ///
    /// # Errors
    /// [`SessionDataError::Store`], [`SessionDataError::Ended`], [`SessionDataError::TooLarge`], [`SessionDataError::Unwritable`].
    pub async fn set<T: SessionValue>(&self, value: &T) -> Result<(), SessionDataError> {
        self.change(|data| Ok(write_value(data, Some(value))?)).await
    }

    /// Removes the value of this type, if it was set.
    ///
    /// # Errors
    /// [`SessionDataError::Store`], [`SessionDataError::Ended`].
    pub async fn remove<T: SessionValue>(&self) -> Result<(), SessionDataError> {
        self.change(|data| Ok(write_value::<T>(data, None)?)).await
    }

    /// Changes the value of this type, and returns what `change` returns. With `Option::take` it returns the value and removes it, and no
    /// other request gets it.
    ///
    /// No change of another tab or instance is lost: if one was faster, `change` is called again, with the value that is there then. So it
    /// must do nothing but change the value. If it leaves the value as it was, nothing is written, also where an older or a newer version of the
    /// type has written it. If it changes the value, members of it that this version of the type does not know are dropped.
    ///
    /// # Errors
    /// [`SessionDataError::Store`], also if 64 other changes of the session were faster. The change may have been made, and its acknowledgment
    /// lost: give what is added an id of its own, so that adding it again changes nothing. [`SessionDataError::Ended`],
    /// [`SessionDataError::Unreadable`], [`SessionDataError::TooLarge`], [`SessionDataError::Unwritable`].
    pub async fn update<T: SessionValue, R>(
        &self,
        mut change: impl FnMut(&mut Option<T>) -> R,
    ) -> Result<R, SessionDataError> {
        self.change(|data| update_value(data, &mut change)).await
    }

    /// Compares and sets. A refresh at the same time replaces the row too, and looks again as this does: the version is another one then, and
    /// the generation, by which a refresh token is found to be used, is not. A row that a logout has removed is not made anew.
    async fn change<R>(
        &self,
        mut change: impl FnMut(&mut StoredSessionData) -> Result<R, SessionDataError>,
    ) -> Result<R, SessionDataError> {
        /// After so many attempts it waits for the others that came late: each of them would otherwise have the same chance as all.
        const PATIENCE: usize = 8;
        let max = self.tokens.issuer().map_err(of_session)?.max_session_data;
        let mut _turn = None;
        for attempt in 0..MAX_REPLACES {
            if attempt == PATIENCE {
                _turn = Some(self.tokens.engine.sessions.late_change.lock().await);
            }
            let row = self.row().await?;
            let mut data = row.data.clone();
            let returned = change(&mut data)?;
            if data == row.data {
                return Ok(returned);
            }
            check_size(&row.data, &data, max)?;
            let (expected, version) = (row.version, row.version.saturating_add(1));
            if self.tokens.families().replace(expected, RefreshTokenFamily { version, data, ..row }).await? {
                return Ok(returned);
            }
        }
        Err(StoreError::new(format!(
            "the row of a session was another one at each of {MAX_REPLACES} attempts to change its data: others change it without a pause, \
             or `RefreshTokenStore::replace` does not compare `version`"
        ))
        .into())
    }

    /// The row of the session, if the session has not ended.
    async fn row(&self) -> Result<RefreshTokenFamily, SessionDataError> {
        self.tokens.living(self.family).await.map_err(of_session)
    }
}

/// Why the row of a session can't be read.
fn of_session(error: TokenError) -> SessionDataError {
    match error {
        TokenError::Store(error) => SessionDataError::Store(error),
        TokenError::Refresh(RefreshError::Ended) => SessionDataError::Ended,
        TokenError::NoTokenIssuer(_) => SessionDataError::NoSession,
        other => SessionDataError::Store(StoreError::new(other.to_string()).with_source(other)),
    }
}
