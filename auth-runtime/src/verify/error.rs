//! Why a token was not accepted.

use std::borrow::Cow;
use std::fmt;

/// Why a token was not accepted. For logs: it holds no part of the token, and a caller never sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// The text is no token of this form; says what is wrong with it.
    Malformed(&'static str),
    /// The header names an algorithm that no key of the issuer is for, or `none`.
    AlgorithmNotAllowed,
    /// The header's `typ` is not one that the issuer's tokens have.
    TypeNotAllowed,
    /// The header's `kid` is not one of the issuer's keys.
    UnknownKey,
    /// No key of the issuer made this signature.
    BadSignature,
    /// `exp` has passed (RFC 7519 §4.1.4).
    Expired,
    /// `nbf` has not come yet (RFC 7519 §4.1.5).
    NotYetValid,
    /// `iat` lies in the future.
    IssuedInTheFuture,
    /// The token lives longer than the engine's `max_token_lifetime`.
    LivesTooLong,
    /// `iss` is not one that is trusted (RFC 7519 §4.1.1).
    UntrustedIssuer,
    /// `aud` does not name this service (RFC 7519 §4.1.3).
    WrongAudience,
    /// A claim that must be there is missing.
    MissingClaim(&'static str),
    /// A claim has a type or value that it may not have.
    InvalidClaim(&'static str),
    /// A claim is not what the issuer's [`ClaimRule`](super::ClaimRule) asks.
    ClaimRefused,
    /// The token is bound to a key that its sender must prove (`cnf`), so it is no bearer token.
    SenderConstrained,
    /// What the verifier needs can't be reached, such as keys that were not loaded yet: it can't be told whether the token
    /// is good, so the request is answered 503 and the caller keeps it.
    Unavailable(Cow<'static, str>),
    /// A reason of a verifier of your own. It must not contain the token.
    Other(Cow<'static, str>),
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(what) => write!(f, "malformed token: {what}"),
            Self::AlgorithmNotAllowed => {
                f.write_str("the token's `alg` is not one that a key of its issuer is for")
            }
            Self::TypeNotAllowed => {
                f.write_str("the token's `typ` is not one that its issuer's access tokens have")
            }
            Self::UnknownKey => f.write_str("the token's `kid` is not one of its issuer's keys"),
            Self::BadSignature => f.write_str("no key of the issuer made the token's signature"),
            Self::Expired => f.write_str("the token has expired"),
            Self::NotYetValid => f.write_str("the token is not valid yet (`nbf`)"),
            Self::IssuedInTheFuture => {
                f.write_str("the token was issued in the future (`iat`): compare the clocks")
            }
            Self::LivesTooLong => {
                f.write_str("the token lives longer than `max_token_lifetime` of the engine's builder allows")
            }
            Self::UntrustedIssuer => {
                f.write_str("the token's `iss` is not one that the engine's builder names")
            }
            Self::WrongAudience => f.write_str("the token's `aud` does not name this service"),
            Self::MissingClaim(name) => write!(f, "the token has no claim `{name}`"),
            Self::InvalidClaim(name) => {
                write!(f, "the token's claim `{name}` has a type or value that it may not have")
            }
            Self::ClaimRefused => {
                f.write_str("a claim of the token is not what the engine's builder asks of its issuer")
            }
            Self::SenderConstrained => {
                f.write_str("the token is bound to its sender's key (`cnf`) and was sent as a bearer token")
            }
            Self::Unavailable(what) => write!(f, "the token can't be verified: {what}"),
            Self::Other(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for VerifyError {}
