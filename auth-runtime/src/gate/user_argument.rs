//! Which arguments of a handler or a check are users, so that `finish` finds that the engine loads none, or others.
//!
//! A macro sees the text of a type, which may be an alias. Of `Argument::<Type>::new().user()` the compiler takes the method of the
//! impl that fits the type, and where none does, that of the type that it dereferences to.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use super::User;
use crate::policy::UserArgument;

/// An argument of this type. For the expansion of the macros.
pub struct Argument<T>(PhantomData<fn() -> T>);

/// An argument that is no user.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OtherArgument;

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

impl<T: 'static> Argument<User<T>> {
    /// It is a user.
    #[must_use]
    pub fn user(&self) -> Option<UserArgument> {
        Some(UserArgument::of::<T>())
    }
}

impl<T: 'static> Argument<Option<User<T>>> {
    /// It is a user, if the caller has one.
    #[must_use]
    pub fn user(&self) -> Option<UserArgument> {
        Some(UserArgument::of::<T>())
    }
}

impl<T: 'static, E> Argument<Result<User<T>, E>> {
    /// It is a user, or why there is none.
    #[must_use]
    pub fn user(&self) -> Option<UserArgument> {
        Some(UserArgument::of::<T>())
    }
}

impl OtherArgument {
    /// It is no user.
    #[must_use]
    pub fn user(&self) -> Option<UserArgument> {
        None
    }
}

impl<T> Deref for Argument<T> {
    type Target = OtherArgument;

    fn deref(&self) -> &OtherArgument {
        &OtherArgument
    }
}
