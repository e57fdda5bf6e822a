//! Why a token was rejected.

use std::fmt;

use super::keys::MAX_TRIED;
use crate::excerpt::Excerpt;

/// Why a token was rejected. Its text is for the log, and the caller never sees it. Of the token it holds at most `iss` and `aud`,
/// shortened and escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// The text is not a token in the expected form. Says what is wrong with it.
    Malformed(&'static str),
    /// The header's `alg` is `none`, or no key of the issuer is for it.
    AlgorithmNotAllowed,
    /// The header's `typ` is not one of the issuer's token types.
    TypeNotAllowed,
    /// The header's `kid` is not the id of a key of the issuer.
    UnknownKey,
    /// No key of the issuer verifies the signature.
    BadSignature,
    /// The first 16 keys of the issuer that fit the header do not verify the signature, and there are more.
    TooManyKeys,
    /// `exp` has passed (RFC 7519 §4.1.4).
    Expired,
    /// `nbf` is in the future (RFC 7519 §4.1.5).
    NotYetValid,
    /// `iat` is in the future.
    IssuedInTheFuture,
    /// The token's lifetime is longer than the engine's `max_token_lifetime`.
    LifetimeTooLong,
    /// `iss` is not the name of a trusted issuer (RFC 7519 §4.1.1). Holds the `iss`.
    UntrustedIssuer(Excerpt),
    /// `iss` is of another tenant than the claim that names the tenant
    /// ([`TrustedIssuer::tenant_at`](super::TrustedIssuer::tenant_at)), or that claim is missing.
    TenantMismatch,
    /// The key that verifies the token is published for another issuer than its `iss` (RFC 8725 §3.8).
    KeyOfAnotherIssuer,
    /// `aud` does not name this service (RFC 7519 §4.1.3). Holds the `aud`.
    WrongAudience(Excerpt),
    /// `aud` of a logout token is none of the client ids of
    /// `TrustedIssuer::logout_audience`. Holds the `aud`.
    WrongLogoutAudience(Excerpt),
    /// A logout token or a security event token is expected, and this is none. Says why.
    OtherKind(&'static str),
    /// The token has no `aud`, and its client is not one that the audience of its preset names. Holds the client.
    WrongClient(Excerpt),
    /// A required claim is missing.
    MissingClaim(&'static str),
    /// A claim has a type or value that is not allowed.
    InvalidClaim(&'static str),
    /// A claim is `null`, and [`TrustedIssuer::accept_null_claims`](super::TrustedIssuer::accept_null_claims) was not called.
    NullClaim(&'static str),
    /// `sub` or `jti` is an integer, and [`accept_integer_sub`](super::TrustedIssuer::accept_integer_sub) or
    /// [`accept_integer_jti`](super::TrustedIssuer::accept_integer_jti) was not called.
    IntegerClaim(&'static str),
    /// A claim does not satisfy the issuer's [`ClaimRule`](super::ClaimRule).
    ClaimRejected,
    /// The token is a logout token (OpenID Connect Back-Channel Logout 1.0), which is no access token, whatever its `typ` is.
    LogoutToken,
    /// The token is bound to a key (`cnf`) whose possession the sender must prove, so it is not a bearer token.
    SenderConstrained,
}

const ALGORITHM_NOT_ALLOWED: &str = "the token's `alg` is `none`, or no key of its issuer is for it";
const ISSUED_IN_THE_FUTURE: &str =
    "the token's `iat` is in the future: synchronize the clocks of the issuer and of this service";
const LIFETIME_TOO_LONG: &str =
    "the token's lifetime is longer than `max_token_lifetime` of the engine's builder";
const TENANT_MISMATCH: &str = "the token's `iss` is of another tenant than the claim that `TrustedIssuer::tenant_at` names, or it has no such claim";
const KEY_OF_ANOTHER_ISSUER: &str = "the key that verifies the token is published for another issuer than the token's `iss`: its JWK has a member `issuer`";
const TYPE_NOT_ALLOWED: &str = "the token's `typ` is not one of the token types of its issuer";
const CLAIM_REJECTED: &str = "a claim of the token does not satisfy `TrustedIssuer::claim` of its issuer";
const SENDER_CONSTRAINED: &str = "the token is bound to a key (`cnf`), so it can't be used as a bearer token";

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(what) => write!(f, "malformed token: {what}"),
            Self::AlgorithmNotAllowed => f.write_str(ALGORITHM_NOT_ALLOWED),
            Self::TypeNotAllowed => f.write_str(TYPE_NOT_ALLOWED),
            Self::UnknownKey => f.write_str("the token's `kid` is not the id of a key of its issuer"),
            Self::BadSignature => f.write_str("no key of the issuer verifies the token's signature"),
            Self::TooManyKeys => write!(
                f,
                "the first {MAX_TRIED} keys that fit the token's `alg` and `kid` do not verify its signature, and no more are tried: \
                 have the issuer give each key a `kid` of its own"
            ),
            Self::Expired => f.write_str("the token has expired"),
            Self::NotYetValid => f.write_str("the token is not valid yet: its `nbf` is in the future"),
            Self::IssuedInTheFuture => f.write_str(ISSUED_IN_THE_FUTURE),
            Self::LifetimeTooLong => f.write_str(LIFETIME_TOO_LONG),
            Self::UntrustedIssuer(issuer) => {
                write!(
                    f,
                    "the token's `iss` is {issuer}, which is not the name of an issuer of the engine's builder"
                )
            }
            Self::WrongAudience(audience) => {
                write!(
                    f,
                    "the token's `aud` is {audience}, which the audience of its `TrustedIssuer` does not allow"
                )
            }
            Self::WrongLogoutAudience(audience) => write!(
                f,
                "the `aud` of the logout token is {audience}, which is none of the client ids of `TrustedIssuer::logout_audience`: if it is \
                 that of this service at the issuer, call `.logout_audience(..)` with it"
            ),
            Self::OtherKind(why) => f.write_str(why),
            Self::TenantMismatch => f.write_str(TENANT_MISMATCH),
            Self::KeyOfAnotherIssuer => f.write_str(KEY_OF_ANOTHER_ISSUER),
            Self::WrongClient(client) => {
                write!(
                    f,
                    "the token has no `aud`, and its client {client} is not an audience of its `TrustedIssuer`"
                )
            }
            Self::MissingClaim(name) => write!(f, "the token has no claim `{name}`"),
            Self::InvalidClaim(name) => {
                write!(f, "the token's claim `{name}` has a type or value that is not allowed")
            }
            Self::NullClaim(name) => write!(
                f,
                "the token's claim `{name}` is `null`, which `TrustedIssuer::accept_null_claims()` counts as absent"
            ),
            Self::IntegerClaim(name) => write!(
                f,
                "the token's claim `{name}` is an integer, which only `TrustedIssuer::accept_integer_{name}()` accepts"
            ),
            Self::ClaimRejected => f.write_str(CLAIM_REJECTED),
            Self::LogoutToken => f.write_str("the token is a logout token, which is no access token"),
            Self::SenderConstrained => f.write_str(SENDER_CONSTRAINED),
        }
    }
}

impl std::error::Error for VerifyError {}
