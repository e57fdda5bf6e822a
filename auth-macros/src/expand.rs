//! The expansion, and nothing else: what is decided, the runtime decides.

mod arguments;
mod auth;
mod authenticator;
mod check;
mod common;
mod documented;
mod encode;
mod extraction;
mod rule;
mod vocabulary;

pub(crate) use self::auth::auth;
pub(crate) use self::authenticator::authenticator;
pub(crate) use self::check::check;
pub(crate) use self::documented::documented;
pub(crate) use self::rule::rule_macro;
pub(crate) use self::vocabulary::vocabulary;
