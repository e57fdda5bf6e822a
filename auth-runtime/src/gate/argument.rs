//! What is known of the arguments of a handler, a check or an authenticator by their types.
//!
//! A macro sees the text of a type, which may be an alias. Of `Argument::<Type>::new().kind()` the compiler takes the method of the
//! impl that fits the type, and where none does, that of the type that it dereferences to.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use super::{Caller, Claims, User};
use crate::engine::SessionData;
use crate::pipeline::Checked;
use crate::policy::KnownArgument;
use crate::principal::Principal;
use crate::users::TakesUser;
#[cfg(feature = "ws")]
use axum::extract::ws::WebSocketUpgrade;

impl<T: Send + Sync + 'static> TakesUser for User<T> {
    type User = T;
}

/// An argument of this type. For the expansion of the macros.
pub struct Argument<T>(PhantomData<fn() -> T>);

impl<T> Argument<T> {
    /// For the expansion of the macros.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "it is for the expansion of the macros")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> fmt::Debug for Argument<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Argument")
    }
}

/// An argument that takes a user of this type.
pub struct UserArgument<T> {
    is_required: bool,
    user: PhantomData<fn() -> T>,
}

/// An argument that is there once the caller is known.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallerArgument;

/// An argument that takes what the application keeps with the caller's session.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SessionDataArgument {
    is_required: bool,
}

/// An argument that accepts a WebSocket.
#[cfg(feature = "ws")]
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SocketArgument;

/// An argument of which nothing is known.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OtherArgument;

impl<X: TakesUser> Argument<X> {
    /// It takes a user.
    #[must_use]
    pub fn kind(&self) -> UserArgument<X::User> {
        UserArgument { is_required: true, user: PhantomData }
    }
}

impl<X: TakesUser> Argument<Option<X>> {
    /// It takes a user, if the caller has one.
    #[must_use]
    pub fn kind(&self) -> UserArgument<X::User> {
        UserArgument { is_required: false, user: PhantomData }
    }
}

impl<X: TakesUser, E> Argument<Result<X, E>> {
    /// It takes a user, or why there is none.
    #[must_use]
    pub fn kind(&self) -> UserArgument<X::User> {
        UserArgument { is_required: false, user: PhantomData }
    }
}

/// `kind` for types that say who the caller is, alone and where a request without one is let in.
macro_rules! of_the_caller {
    ($([$($parameter:ident)?] $argument:ty)*) => {$(
        impl$(<$parameter>)? Argument<$argument> {
            /// It is there once the caller is known.
            #[must_use]
            pub fn kind(&self) -> CallerArgument {
                CallerArgument
            }
        }

        impl$(<$parameter>)? Argument<Option<$argument>> {
            /// It is there once the caller is known.
            #[must_use]
            pub fn kind(&self) -> CallerArgument {
                CallerArgument
            }
        }
    )*};
}

of_the_caller!([] Principal [T] Claims<T> [] Caller [T] Checked<T>);

impl Argument<SessionData> {
    /// It takes the data of the session.
    #[must_use]
    pub fn kind(&self) -> SessionDataArgument {
        SessionDataArgument { is_required: true }
    }
}

impl Argument<Option<SessionData>> {
    /// It takes the data of the session, if the caller has one.
    #[must_use]
    pub fn kind(&self) -> SessionDataArgument {
        SessionDataArgument { is_required: false }
    }
}

#[cfg(feature = "ws")]
impl<F> Argument<WebSocketUpgrade<F>> {
    /// It accepts a WebSocket.
    #[must_use]
    pub fn kind(&self) -> SocketArgument {
        SocketArgument
    }
}

#[cfg(feature = "ws")]
impl<F, E> Argument<Result<WebSocketUpgrade<F>, E>> {
    /// It accepts a WebSocket, if that is asked for.
    #[must_use]
    pub fn kind(&self) -> SocketArgument {
        SocketArgument
    }
}

impl<T> Deref for Argument<T> {
    type Target = OtherArgument;

    fn deref(&self) -> &OtherArgument {
        &OtherArgument
    }
}

impl<T> fmt::Debug for UserArgument<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserArgument")
    }
}

impl<T: 'static> UserArgument<T> {
    /// What `finish` compares with the users of the engine.
    #[must_use]
    pub fn known(self) -> Option<KnownArgument> {
        Some(KnownArgument::user::<T>(self.is_required))
    }
}

impl CallerArgument {
    /// Nothing that a list of routes needs.
    #[must_use]
    pub fn known(self) -> Option<KnownArgument> {
        None
    }
}

impl SessionDataArgument {
    /// What the document of the routes needs, and what `finish` compares with the engine.
    #[must_use]
    pub fn known(self) -> Option<KnownArgument> {
        Some(KnownArgument::SessionData { is_required: self.is_required })
    }
}

#[cfg(feature = "ws")]
impl SocketArgument {
    /// What the document of the routes needs.
    #[must_use]
    pub fn known(self) -> Option<KnownArgument> {
        Some(KnownArgument::WebSocket)
    }
}

impl OtherArgument {
    /// Nothing is known.
    #[must_use]
    pub fn kind(&self) -> Self {
        Self
    }

    /// Nothing is known.
    #[must_use]
    pub fn known(self) -> Option<KnownArgument> {
        None
    }
}

/// A kind of argument that is there before the caller is known: `T` can be an argument of an authenticator.
#[diagnostic::on_unimplemented(
    message = "an authenticator says who the caller is, so there is no `{T}` before it has answered",
    label = "made after the authentication",
    note = "remove the argument: what depends on the caller is decided by the rule, in a `#[check]` or in the handler"
)]
pub trait BeforeTheCaller<T> {}

#[diagnostic::do_not_recommend]
#[cfg(feature = "ws")]
impl<T> BeforeTheCaller<T> for SocketArgument {}

#[diagnostic::do_not_recommend]
impl<T> BeforeTheCaller<T> for OtherArgument {}
