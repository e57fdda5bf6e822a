//! Revocation: tokens become invalid before they expire, by token, by session or by user.
//!
//! A token is never identified by its bytes: every ECDSA signature has a second encoding that verifies too, so the same token has more
//! than one text.
//!
//! | file | purpose |
//! |---|---|
//! | `view` | holds the revocations in memory; every request reads it |
//! | `follow` | reads a store's log into the view |
//! | `revoker` | records and enforces a revocation, and removes the refresh tokens that it concerns |
//! | `error` | why a token, session or user could not be revoked |

mod error;
mod follow;
mod revoker;
mod view;

pub use self::error::RevokeError;
pub(crate) use self::follow::RevocationState;
pub use self::follow::RevocationStatus;
pub use self::revoker::Revocations;
pub(crate) use self::revoker::{DATED_AHEAD, Revoker};
pub(crate) use self::view::RevocationView;
pub use crate::store::Revocation;
