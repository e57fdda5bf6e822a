//! Revocation: tokens become invalid before they expire, by token, by session, by user or by issuer.
//!
//! A token is never identified by its bytes: every ECDSA signature has a second encoding that verifies too, so the same
//! token has more than one text.
//!
//! | item | purpose |
//! |---|---|
//! | [`Revocations`] | revokes a token, a session, a user or all tokens of an issuer; from [`Auth::revocations`](crate::Auth::revocations) |
//! | [`RevocationStatus`] | how many revocations are in memory, and how current they are |
//! | [`RevocationList`], [`RecordedRevocation`] | the revocations that are recorded, for administrators |
//! | [`RevokeError`] | why a token, a session, a user or an issuer could not be revoked |

mod acknowledged;
mod error;
mod follow;
mod forgotten;
mod freshness;
mod generation;
mod heartbeat;
mod list;
mod log_reader;
mod revocations;
mod revoker;
mod status;
mod store_clock;
mod view;
mod waiters;

pub use self::error::{RevocationListError, RevokeError};
pub(crate) use self::follow::RevocationState;
pub(crate) use self::forgotten::{SubjectCache, SubjectCaches, Subjects};
pub(crate) use self::heartbeat::Heartbeat;
pub use self::list::{RecordedRevocation, RevocationList};
pub use self::revocations::Revocations;
#[cfg(feature = "provider-logout")]
pub(crate) use self::revoker::EndedByProvider;
pub(crate) use self::revoker::{OwnIssuer, Revoked, RevokedToken, Revoker};
pub use self::status::RevocationStatus;
pub(crate) use self::view::RevocationView;
pub(crate) use self::waiters::Registration;
pub use crate::store::Revocation;
