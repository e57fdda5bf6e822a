//! A revocation, as the log stores it.

use std::time::SystemTime;

/// What is revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revocation {
    /// One token, named by `iss` and `jti`.
    Token {
        /// The issuer of the token.
        issuer: String,
        /// The id of the token.
        token_id: String,
    },
    /// All tokens of one session, named by `iss` and `sid`.
    Session {
        /// The issuer of the tokens.
        issuer: String,
        /// The id of the session.
        session_id: String,
    },
    /// All tokens of one user, named by `iss` and [`Principal::subject`](crate::Principal::subject), whose `iat` is this time or earlier.
    /// Times are compared in whole seconds, so a token that was issued in the same second is revoked too.
    User {
        /// The issuer of the tokens.
        issuer: String,
        /// The subject of the tokens.
        subject: String,
        /// The time up to which tokens are revoked.
        issued_at_or_before: SystemTime,
    },
    /// The same of a user that the issuer itself names: by the claim `sub`, also where the issuer's mapping takes the subject from another
    /// claim ([`subject_at`](crate::verify::TrustedIssuer::subject_at)). Then no subject is compared with it: users may be able to choose one
    /// of the two names. The engine records it for a logout that comes from a provider.
    UserBySub {
        /// The issuer of the tokens.
        issuer: String,
        /// The claim `sub` of the tokens.
        sub: String,
        /// The time up to which tokens are revoked.
        issued_at_or_before: SystemTime,
    },
    /// All tokens of one issuer, named by `iss`, whose `iat` is this time or earlier: of all its users. Times are compared as for
    /// [`User`](Self::User).
    Issuer {
        /// The issuer of the tokens.
        issuer: String,
        /// The time up to which tokens are revoked.
        issued_at_or_before: SystemTime,
    },
    /// All tokens of one user (`iss` and `sub`) but those of one generation. The engine records it when a user of a token issuer
    /// is logged out everywhere: each session that begins afterwards is of that generation, whatever the clocks show. To log a
    /// user out, revoke [`User`](Self::User).
    OtherGenerations {
        /// The issuer of the tokens.
        issuer: String,
        /// The subject of the tokens.
        subject: String,
        /// The generation that is valid: a random number, not 0.
        generation: u32,
    },
    /// All tokens of one issuer but those of one generation. The engine records it when all users of a token issuer are logged out, as it
    /// does [`OtherGenerations`](Self::OtherGenerations) for one of them. To log all users out, call
    /// [`TokenService::log_out_all_users`](crate::session::TokenService::log_out_all_users), or revoke [`Issuer`](Self::Issuer).
    OtherIssuerGenerations {
        /// The issuer of the tokens.
        issuer: String,
        /// The generation that is valid: a random number, not 0.
        generation: u32,
    },
    /// What was loaded for a subject is loaded again: its user, its API keys, and what an authenticator answered for it. It revokes
    /// nothing; every instance evicts it from its caches. [`Revocations::forget`](crate::revocation::Revocations::forget) records it.
    Forgotten {
        /// The issuer of the subject.
        issuer: String,
        /// The subject.
        subject: String,
    },
}
