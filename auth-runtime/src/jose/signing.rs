//! Signing with `jsonwebtoken` (ES512, which it lacks, with `aws-lc-rs`), whose provider's factory is called directly: its process-wide default panics when
//! two of its features meet in one tree, and installing it breaks a host that installs its own.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use serde::Serialize;
use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::key::Key;

/// A key to sign tokens with, for one algorithm.
#[derive(Clone)]
pub struct SigningKey {
    algorithm: Algorithm,
    key: EncodingKey,
    id: Option<String>,
    verifying: Key,
}

impl SigningKey {
    /// A shared secret for HS256, HS384 or HS512. Whoever verifies with it can sign too.
    ///
    /// # Errors
    /// If the algorithm takes no secret.
    pub fn secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, SignError> {
        match algorithm {
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => Ok(Self {
                algorithm,
                key: EncodingKey::from_secret(secret),
                id: None,
                verifying: Key::secret(algorithm, secret),
            }),
            _ => Err(SignError::new(format!("{algorithm} signs with a private key, not with a secret"))),
        }
    }

    /// A private key in PEM: PKCS #8 (`PRIVATE KEY`), or PKCS #1 for RSA (`RSA PRIVATE KEY`).
    ///
    /// # Errors
    /// If the PEM holds no private key for the algorithm.
    pub fn pem(algorithm: Algorithm, pem: &[u8]) -> Result<Self, SignError> {
        let unfit = || {
            SignError::new(format!(
                "the PEM holds no private key for {algorithm}: PKCS #8 (`PRIVATE KEY`) is what is needed"
            ))
        };
        let (key, public) = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 | Algorithm::ES512 => {
                let key = EncodingKey::from_ec_pem(pem).map_err(|_| unfit())?;
                let pair = EcdsaKeyPair::from_pkcs8(curve(algorithm), key.as_bytes()).map_err(|_| unfit())?;
                let public = pair.public_key().as_der().map_err(|_| unfit())?.as_ref().to_vec();
                (key, public)
            }
            Algorithm::EdDSA => {
                let key = EncodingKey::from_ed_pem(pem).map_err(|_| unfit())?;
                let pair = Ed25519KeyPair::from_pkcs8(key.as_bytes()).map_err(|_| unfit())?;
                (key, pair.public_key().as_ref().to_vec())
            }
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
                return Err(SignError::new(format!(
                    "{algorithm} signs with a secret: use `SigningKey::secret`"
                )));
            }
            _ => {
                let key = EncodingKey::from_rsa_pem(pem).map_err(|_| unfit())?;
                let pair = RsaKeyPair::from_der(key.as_bytes()).map_err(|_| unfit())?;
                (key, pair.public_key().as_ref().to_vec())
            }
        };
        Ok(Self { algorithm, key, id: None, verifying: Key::der(algorithm, public) })
    }

    /// A fresh key pair from the system's random numbers; for RSA one of 2048 bits, which takes a moment.
    ///
    /// # Errors
    /// If the algorithm signs with a secret, or the system has no random numbers.
    pub fn generate(algorithm: Algorithm) -> Result<Self, SignError> {
        Self::pem(algorithm, Self::generate_pem(algorithm)?.as_bytes())
    }

    /// The same as PEM (PKCS #8, `PRIVATE KEY`), to be kept where secrets are kept, and read with [`pem`](Self::pem).
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    pub fn generate_pem(algorithm: Algorithm) -> Result<String, SignError> {
        let failed = |_| SignError::new("the system gave no random numbers");
        let pkcs8 = match algorithm {
            Algorithm::EdDSA => {
                Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(failed)?.as_ref().to_vec()
            }
            Algorithm::ES256 | Algorithm::ES384 | Algorithm::ES512 => {
                let pair = EcdsaKeyPair::generate_pkcs8(curve(algorithm), &SystemRandom::new());
                pair.map_err(failed)?.as_ref().to_vec()
            }
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
                return Err(SignError::new(format!(
                    "{algorithm} signs with a secret: use `SigningKey::secret`"
                )));
            }
            _ => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
                AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(failed)?.as_ref().to_vec()
            }
        };
        Ok(pem::encode(&pem::Pem::new("PRIVATE KEY", pkcs8)))
    }

    /// The key's id, which becomes the `kid` of its tokens.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        let id = id.into();
        self.verifying = self.verifying.with_id(id.clone());
        self.id = Some(id);
        self
    }

    /// With its thumbprint for an id, if it has none and is no secret.
    pub(crate) fn with_thumbprint(mut self) -> Self {
        self.verifying = self.verifying.with_thumbprint();
        self.id = self.verifying.id().map(str::to_owned);
        self
    }

    /// What its tokens are verified with: the public key, or the secret.
    #[must_use]
    pub fn verifying_key(&self) -> Key {
        self.verifying.clone()
    }

    /// A signed JWT with these claims, of the type `at+jwt` (RFC 9068 §2.1).
    ///
    /// # Errors
    /// If the claims can't be written as JSON, or the key can't sign.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, SignError> {
        self.sign_with_header(claims, "at+jwt", &Map::new())
    }

    /// The same, of another type, and with further fields in the header.
    pub(crate) fn sign_with_header(
        &self,
        claims: &impl Serialize,
        typ: &str,
        further: &Map<String, Value>,
    ) -> Result<String, SignError> {
        let mut header = further.clone();
        header.insert("typ".into(), typ.into());
        header.insert("alg".into(), self.algorithm.name().into());
        if let Some(id) = &self.id {
            header.insert("kid".into(), id.as_str().into());
        }
        let header = Value::Object(header);
        let claims = serde_json::to_vec(claims)
            .map_err(|error| SignError::new(format!("the claims can't be written as JSON: {error}")))?;
        let message =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims));
        let signature = self
            .signature(message.as_bytes())
            .ok_or_else(|| SignError::new(format!("the key can't sign with {}", self.algorithm)))?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn signature(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self.algorithm.for_signing() {
            Some(algorithm) => {
                let signer = (DEFAULT_PROVIDER.signer_factory)(&algorithm, &self.key).ok()?;
                signer.try_sign(message).ok()
            }
            None => {
                let pair = EcdsaKeyPair::from_pkcs8(curve(self.algorithm), self.key.as_bytes()).ok()?;
                Some(pair.sign(&SystemRandom::new(), message).ok()?.as_ref().to_vec())
            }
        }
    }
}

fn curve(algorithm: Algorithm) -> &'static EcdsaSigningAlgorithm {
    match algorithm {
        Algorithm::ES384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        Algorithm::ES512 => &ECDSA_P521_SHA512_FIXED_SIGNING,
        _ => &ECDSA_P256_SHA256_FIXED_SIGNING,
    }
}

/// Redacted.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Why a key could not be read, or a token not be signed.
#[derive(Clone, PartialEq, Eq)]
pub struct SignError {
    reason: String,
}

impl SignError {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// The same text: `main() -> Result<(), Box<dyn Error>>` prints this one.
impl fmt::Debug for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for SignError {}
