//! Tokens that are revoked before they expire: by token, by session, by user.
//!
//! Never by the token's own bytes: an ECDSA signature has a second encoding that verifies too, so a token has more
//! than one spelling.
//!
//! | file | what |
//! |---|---|
//! | `view` | what is revoked, in memory: what every request asks |
//! | `follow` | reads a store's log into the view |
//! | `revoker` | records and enforces a revocation, and removes the refresh tokens that it concerns |
//! | `error` | why a revocation was not recorded |

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
