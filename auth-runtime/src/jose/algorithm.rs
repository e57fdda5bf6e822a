//! The signature algorithms of RFC 7518 §3 and RFC 8037.

use std::fmt;

use aws_lc_rs::{hmac, signature as sig};

/// A signature algorithm. There is no `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256.
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// ECDSA on P-521 with SHA-512.
    ES512,
    /// Ed25519, under the names `EdDSA` (RFC 8037) and `Ed25519` (RFC 9864).
    EdDSA,
}

/// How an algorithm's signatures are verified.
pub(crate) enum Scheme {
    Hmac(hmac::Algorithm),
    Rsa(&'static sig::RsaParameters),
    Ecdsa(&'static sig::EcdsaVerificationAlgorithm),
    Ed25519(&'static sig::EdDSAParameters),
}

impl Algorithm {
    /// All algorithms.
    pub const ALL: &'static [Self] = &[
        Self::HS256,
        Self::HS384,
        Self::HS512,
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::EdDSA,
    ];

    /// The algorithm of this registered name, which is case-sensitive (RFC 7515 §4.1.1).
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "Ed25519" => Some(Self::EdDSA),
            _ => Self::ALL.iter().copied().find(|algorithm| algorithm.name() == name),
        }
    }

    /// The registered name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::ES512 => "ES512",
            Self::EdDSA => "EdDSA",
        }
    }

    pub(crate) fn scheme(self) -> Scheme {
        match self {
            Self::HS256 => Scheme::Hmac(hmac::HMAC_SHA256),
            Self::HS384 => Scheme::Hmac(hmac::HMAC_SHA384),
            Self::HS512 => Scheme::Hmac(hmac::HMAC_SHA512),
            Self::RS256 => Scheme::Rsa(&sig::RSA_PKCS1_2048_8192_SHA256),
            Self::RS384 => Scheme::Rsa(&sig::RSA_PKCS1_2048_8192_SHA384),
            Self::RS512 => Scheme::Rsa(&sig::RSA_PKCS1_2048_8192_SHA512),
            Self::PS256 => Scheme::Rsa(&sig::RSA_PSS_2048_8192_SHA256),
            Self::PS384 => Scheme::Rsa(&sig::RSA_PSS_2048_8192_SHA384),
            Self::PS512 => Scheme::Rsa(&sig::RSA_PSS_2048_8192_SHA512),
            Self::ES256 => Scheme::Ecdsa(&sig::ECDSA_P256_SHA256_FIXED),
            Self::ES384 => Scheme::Ecdsa(&sig::ECDSA_P384_SHA384_FIXED),
            Self::ES512 => Scheme::Ecdsa(&sig::ECDSA_P521_SHA512_FIXED),
            Self::EdDSA => Scheme::Ed25519(&sig::ED25519),
        }
    }

    /// The type of its keys, as `kty` of a JWK has it (RFC 7518 §6.1, RFC 8037 §2).
    pub(crate) fn key_type(self) -> &'static str {
        match self.scheme() {
            Scheme::Hmac(_) => "oct",
            Scheme::Rsa(_) => "RSA",
            Scheme::Ecdsa(_) => "EC",
            Scheme::Ed25519(_) => "OKP",
        }
    }

    /// Whether it signs and verifies with a shared secret.
    pub(crate) fn takes_secret(self) -> bool {
        matches!(self, Self::HS256 | Self::HS384 | Self::HS512)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
