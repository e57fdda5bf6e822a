//! Private keys and secrets that are ready to sign, each parsed once.
//!
//! The signers of `jsonwebtoken` are not used: that for RSA parses the private key on every signature, there is none for ES512, and
//! its process-wide provider panics where two of its features meet in one tree. Nor is its reader of PEM, which takes the first block
//! of several and knows no SEC 1.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self as sig, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RsaEncoding, RsaKeyPair,
};

use super::der;
use super::pem::{self, Block};
use crate::jose::Algorithm;

/// A private key or a secret that is ready to sign, for one algorithm. aws-lc clears its memory when it is dropped.
pub(crate) enum Signer {
    Hmac(Box<hmac::Key>),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    /// A secret; `None` if the algorithm signs with a private key.
    pub(crate) fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Option<Self> {
        match SigningScheme::of(algorithm) {
            SigningScheme::Hmac(hash) => Some(Self::Hmac(Box::new(hmac::Key::new(hash, secret)))),
            _ => None,
        }
    }

    /// A private key in PEM: PKCS #8, PKCS #1 for RSA, or SEC 1 for EC.
    ///
    /// # Errors
    /// Why the PEM contains no private key for the algorithm.
    pub(crate) fn from_pem(algorithm: Algorithm, pem: &[u8]) -> Result<Self, String> {
        Self::from_block(algorithm, &pem::key_block(algorithm, pem)?)
    }

    /// The error completes "this is not a private key for ES256: ".
    pub(super) fn from_block(algorithm: Algorithm, block: &Block) -> Result<Self, String> {
        let der = &block.content;
        let scheme = SigningScheme::of(algorithm);
        match (block.label.as_str(), scheme) {
            ("PRIVATE KEY", scheme) => Self::from_pkcs8(scheme, algorithm, der),
            ("RSA PRIVATE KEY", SigningScheme::Rsa(encoding)) => Self::from_pkcs1(encoding, der),
            ("EC PRIVATE KEY", SigningScheme::Ecdsa(curve)) => Self::from_sec1(curve, algorithm, der),
            (label, _) => Err(format!("it is a PEM of the kind `{label}`")),
        }
    }

    /// A private key in DER, in one of the forms of [`from_pem`](Self::from_pem).
    pub(super) fn from_der(algorithm: Algorithm, der: &[u8]) -> Result<Self, String> {
        Self::from_pkcs8(SigningScheme::of(algorithm), algorithm, der).or_else(|reason| {
            match SigningScheme::of(algorithm) {
                SigningScheme::Rsa(encoding) => Self::from_pkcs1(encoding, der),
                SigningScheme::Ecdsa(curve) => Self::from_sec1(curve, algorithm, der),
                _ => Err(reason),
            }
        })
    }

    fn from_pkcs8(scheme: SigningScheme, algorithm: Algorithm, der: &[u8]) -> Result<Self, String> {
        der::check_pkcs8(algorithm, der)?;
        match scheme {
            SigningScheme::Hmac(_) => return Err("it signs with a secret".into()),
            SigningScheme::Rsa(encoding) => RsaKeyPair::from_pkcs8(der).map(|pair| Self::Rsa(pair, encoding)),
            SigningScheme::Ecdsa(curve) => EcdsaKeyPair::from_pkcs8(curve, der).map(Self::Ecdsa),
            SigningScheme::Ed25519 => Ed25519KeyPair::from_pkcs8(der).map(Self::Ed25519),
        }
        .map_err(|_| OTHER_KEY.into())
    }

    fn from_pkcs1(encoding: &'static dyn RsaEncoding, der: &[u8]) -> Result<Self, String> {
        der::one_element(der)?;
        RsaKeyPair::from_der(der).map(|pair| Self::Rsa(pair, encoding)).map_err(|_| OTHER_KEY.into())
    }

    fn from_sec1(
        curve: &'static EcdsaSigningAlgorithm,
        algorithm: Algorithm,
        der: &[u8],
    ) -> Result<Self, String> {
        der::check_sec1(algorithm, der)?;
        EcdsaKeyPair::from_private_key_der(curve, der).map(Self::Ecdsa).map_err(|_| OTHER_KEY.into())
    }

    /// A new private key as PKCS #8; for RSA one of 2048 bits. `None` if the algorithm signs with a secret.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub(crate) fn generate_pkcs8(algorithm: Algorithm) -> Option<Result<Vec<u8>, Unspecified>> {
        let random = SystemRandom::new();
        Some(match SigningScheme::of(algorithm) {
            SigningScheme::Hmac(_) => return None,
            SigningScheme::Rsa(_) => RsaKeyPair::generate(KeySize::Rsa2048)
                .and_then(|pair| Ok(AsDer::<Pkcs8V1Der<'_>>::as_der(&pair)?.as_ref().to_vec())),
            SigningScheme::Ecdsa(curve) => {
                EcdsaKeyPair::generate_pkcs8(curve, &random).map(|pkcs8| pkcs8.as_ref().to_vec())
            }
            SigningScheme::Ed25519 => {
                Ed25519KeyPair::generate_pkcs8(&random).map(|pkcs8| pkcs8.as_ref().to_vec())
            }
        })
    }

    /// The public key in DER; `None` for a secret.
    pub(crate) fn public_der(&self) -> Option<Vec<u8>> {
        Some(match self {
            Self::Hmac(_) => return None,
            Self::Rsa(pair, _) => pair.public_key().as_ref().to_vec(),
            Self::Ecdsa(pair) => pair.public_key().as_der().ok()?.as_ref().to_vec(),
            Self::Ed25519(pair) => {
                let der: PublicKeyX509Der<'_> = pair.public_key().as_der().ok()?;
                der.as_ref().to_vec()
            }
        })
    }

    /// The signature as a JWS has it (RFC 7518 §3).
    ///
    /// # Errors
    /// If the system has no random numbers or no memory.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        match self {
            Self::Hmac(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), message, &mut signature)?;
                Ok(signature)
            }
            Self::Ecdsa(pair) => Ok(pair.sign(&SystemRandom::new(), message)?.as_ref().to_vec()),
            Self::Ed25519(pair) => Ok(pair.try_sign(message)?.as_ref().to_vec()),
        }
    }
}

const OTHER_KEY: &str = "it is of another kind or curve, damaged, or its numbers do not belong together";

/// How an algorithm signs.
enum SigningScheme {
    Hmac(hmac::Algorithm),
    Rsa(&'static dyn RsaEncoding),
    Ecdsa(&'static EcdsaSigningAlgorithm),
    Ed25519,
}

impl SigningScheme {
    fn of(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::HS256 => Self::Hmac(hmac::HMAC_SHA256),
            Algorithm::HS384 => Self::Hmac(hmac::HMAC_SHA384),
            Algorithm::HS512 => Self::Hmac(hmac::HMAC_SHA512),
            Algorithm::RS256 => Self::Rsa(&sig::RSA_PKCS1_SHA256),
            Algorithm::RS384 => Self::Rsa(&sig::RSA_PKCS1_SHA384),
            Algorithm::RS512 => Self::Rsa(&sig::RSA_PKCS1_SHA512),
            Algorithm::PS256 => Self::Rsa(&sig::RSA_PSS_SHA256),
            Algorithm::PS384 => Self::Rsa(&sig::RSA_PSS_SHA384),
            Algorithm::PS512 => Self::Rsa(&sig::RSA_PSS_SHA512),
            Algorithm::ES256 => Self::Ecdsa(&sig::ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::ES384 => Self::Ecdsa(&sig::ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::ES512 => Self::Ecdsa(&sig::ECDSA_P521_SHA512_FIXED_SIGNING),
            Algorithm::EdDSA => Self::Ed25519,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Signer;
    use crate::verify::{Algorithm, Key};

    #[test]
    fn every_algorithm_signs_what_its_public_key_verifies() {
        for &algorithm in Algorithm::ALL {
            let (signer, key) = match Signer::generate_pkcs8(algorithm) {
                None => (Signer::from_secret(algorithm, &[7; 64]).unwrap(), Key::secret(algorithm, [7; 64])),
                Some(pkcs8) => {
                    let pem = ::pem::encode(&::pem::Pem::new("PRIVATE KEY", pkcs8.unwrap()));
                    let signer = Signer::from_pem(algorithm, pem.as_bytes()).unwrap();
                    let key = Key::der(algorithm, signer.public_der().unwrap());
                    (signer, key)
                }
            };
            let (key, signature) = (key.prepare().unwrap(), signer.sign(b"message").unwrap());
            assert!(key.verifies(b"message", &signature), "{algorithm}");
            assert!(!key.verifies(b"massage", &signature), "{algorithm}");
        }
    }

    #[test]
    fn a_secret_and_a_private_key_are_not_interchangeable() {
        for &algorithm in Algorithm::ALL {
            let takes_secret = Signer::from_secret(algorithm, &[7; 64]).is_some();
            assert_eq!(takes_secret, algorithm.name().starts_with("HS"), "{algorithm}");
            assert_eq!(takes_secret, Signer::generate_pkcs8(algorithm).is_none(), "{algorithm}");
        }
        assert!(Signer::from_secret(Algorithm::HS256, &[7; 64]).unwrap().public_der().is_none());
    }

    /// The size of RFC 7518 §3.4: both integers at full length.
    #[test]
    fn an_ecdsa_signature_has_a_fixed_size() {
        for (algorithm, size) in [(Algorithm::ES256, 64), (Algorithm::ES384, 96), (Algorithm::ES512, 132)] {
            let pkcs8 = Signer::generate_pkcs8(algorithm).unwrap().unwrap();
            let pem = ::pem::encode(&::pem::Pem::new("PRIVATE KEY", pkcs8));
            let signer = Signer::from_pem(algorithm, pem.as_bytes()).unwrap();
            assert_eq!(signer.sign(b"message").unwrap().len(), size);
        }
    }
}
