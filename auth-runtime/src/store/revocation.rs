//! What an entry of the log of revocations says.

use std::time::SystemTime;

/// What is revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revocation {
    /// One token: `iss` and `jti`.
    Token {
        /// The issuer of the token.
        issuer: String,
        /// The id of the token.
        token_id: String,
    },
    /// All tokens of one login: `iss` and `sid`.
    Session {
        /// The issuer of the tokens.
        issuer: String,
        /// The id of the session.
        session_id: String,
    },
    /// All tokens of one user (`iss` and `sub`) whose `iat` is this time or earlier, in whole seconds: a token of
    /// the same second is revoked too.
    User {
        /// The issuer of the tokens.
        issuer: String,
        /// The subject of the tokens.
        subject: String,
        /// The time up to which tokens are revoked.
        issued_at_or_before: SystemTime,
    },
}
