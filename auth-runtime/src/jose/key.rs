//! Keys that signatures are verified with, in every usual format. Each is parsed once, when the engine is built.

mod jwk;
mod publish;
mod signer;

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use aws_lc_rs::signature::{ParsedPublicKey, RsaKeyPair, RsaPublicKeyComponents};
use aws_lc_rs::{hmac, rsa};

pub(crate) use self::signer::Signer;
use super::algorithm::{Algorithm, Scheme};

/// The smallest RSA key, in bits (RFC 7518 §3.3).
const MIN_RSA_BITS: usize = 2048;

/// The largest RSA key that aws-lc verifies with, in bits.
const MAX_RSA_BITS: usize = 8192;

/// A key to verify signatures with. It is parsed when the engine is built, and an invalid key is an error of `build`.
///
/// A key is for one algorithm (RFC 8725 §3.1). A token does not choose the algorithm.
#[derive(Clone)]
pub struct Key {
    material: Material,
    algorithm: Option<Algorithm>,
    id: Option<String>,
    private_parts_allowed: bool,
}

#[derive(Clone)]
enum Material {
    Secret(Vec<u8>),
    Pem(Vec<u8>),
    Der(Vec<u8>),
    Jwk(String),
}

impl Key {
    /// A shared secret for HS256, HS384 or HS512, of at least as many bytes as the hash has (RFC 7518 §3.2).
    #[must_use]
    pub fn secret(algorithm: Algorithm, secret: impl Into<Vec<u8>>) -> Self {
        Self::new(Material::Secret(secret.into()), Some(algorithm))
    }

    /// A public key in PEM: `PUBLIC KEY` (SubjectPublicKeyInfo) or `RSA PUBLIC KEY` (PKCS #1).
    #[must_use]
    pub fn pem(algorithm: Algorithm, pem: impl Into<Vec<u8>>) -> Self {
        Self::new(Material::Pem(pem.into()), Some(algorithm))
    }

    /// A public key in DER: SubjectPublicKeyInfo, or PKCS #1 for RSA.
    #[must_use]
    pub fn der(algorithm: Algorithm, der: impl Into<Vec<u8>>) -> Self {
        Self::new(Material::Der(der.into()), Some(algorithm))
    }

    /// One JSON Web Key (RFC 7517 §4), as JSON text. It is for the algorithm in its `alg`. Without `alg`, an EC key is for its
    /// curve's algorithm, an `OKP` key for EdDSA, an RSA key for RS256 and an `oct` key for HS256.
    #[must_use]
    pub fn jwk(json: impl Into<String>) -> Self {
        Self::new(Material::Jwk(json.into()), None)
    }

    fn new(material: Material, algorithm: Option<Algorithm>) -> Self {
        Self { material, algorithm, id: None, private_parts_allowed: false }
    }

    /// Accepts a JWK or a PEM that contains the private key, and uses its public key.
    ///
    /// What is lost: a service that only verifies needs no private key. Every person and program that can read its configuration
    /// can then sign tokens. It is right for a development setup in which one file is the key of issuer and service. In
    /// production, give the service the public key alone.
    #[must_use]
    pub fn dangerously_allow_private_parts(mut self) -> Self {
        self.private_parts_allowed = true;
        self
    }

    /// The key's id, which a token's `kid` is compared with. A JWK has its own.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    pub(crate) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// With its thumbprint (RFC 7638) as id, if it has no id and is not a secret.
    pub(crate) fn with_thumbprint(mut self) -> Self {
        if self.id.is_none()
            && let Ok(key) = self.prepare()
        {
            // A JWK has its own.
            self.id = key.id.as_deref().map(str::to_owned).or_else(|| key.thumbprint());
        }
        self
    }

    /// Parses the key. The error says what is wrong and what to give instead.
    pub(crate) fn prepare(&self) -> Result<PreparedKey, String> {
        let mut key = match (&self.material, self.algorithm) {
            (Material::Secret(secret), Some(algorithm)) => PreparedKey::from_secret(algorithm, secret)?,
            (Material::Pem(pem), Some(algorithm)) => match public_der(pem) {
                Ok(der) => PreparedKey::from_der(algorithm, &der)?,
                Err(reason) if !self.private_parts_allowed => return Err(reason),
                Err(reason) => {
                    let public = Signer::from_pem(algorithm, pem).ok().and_then(|signer| signer.public_der());
                    PreparedKey::from_der(algorithm, &public.ok_or(reason)?)?
                }
            },
            (Material::Der(der), Some(algorithm)) => PreparedKey::from_der(algorithm, der)?,
            (Material::Jwk(json), _) => jwk::prepare(json, self.private_parts_allowed)?,
            (_, None) => return Err("the key has no algorithm: use a constructor that takes one".into()),
        };
        if self.id.is_some() {
            key.id = self.id.as_deref().map(Box::from);
        }
        Ok(key)
    }

    /// The keys of a JWKS document. Keys that can't be used are left out. A key without `alg` is for each of `algorithms` that its
    /// type allows.
    pub(crate) fn prepare_set(
        json: &str,
        algorithms: Option<&[Algorithm]>,
    ) -> Result<Vec<PreparedKey>, String> {
        jwk::prepare_set(json, algorithms)
    }
}

/// The kind of key, without the key itself: "a PEM for RS256 with the id `2026`".
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.material {
            Material::Secret(_) => "a secret",
            Material::Pem(_) => "a PEM",
            Material::Der(_) => "a DER",
            Material::Jwk(_) => "a JWK",
        })?;
        if let Some(algorithm) = self.algorithm {
            write!(f, " for {algorithm}")?;
        }
        if let Some(id) = &self.id {
            write!(f, " with the id `{id}`")?;
        }
        Ok(())
    }
}

/// Redacted.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

/// A key that is ready to verify signatures.
pub(crate) struct PreparedKey {
    pub(crate) algorithm: Algorithm,
    pub(crate) id: Option<Box<str>>,
    check: Check,
    /// The header, as it was sent, of the last token that this key verified.
    last_header: ArcSwapOption<Box<str>>,
}

enum Check {
    Hmac(Box<hmac::Key>),
    Public(ParsedPublicKey),
}

/// Redacted: neither the key, nor the header of a token.
impl fmt::Debug for PreparedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedKey")
            .field("algorithm", &self.algorithm)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl PreparedKey {
    fn new(algorithm: Algorithm, check: Check) -> Self {
        Self { algorithm, id: None, check, last_header: ArcSwapOption::empty() }
    }

    /// Whether the last token that this key verified had this header: then the header needs no parsing.
    pub(crate) fn remembers(&self, header: &str) -> bool {
        self.last_header.load().as_ref().is_some_and(|last| ***last == *header)
    }

    /// Called for a verified token alone: an invalid token can neither store a header here nor replace one.
    pub(crate) fn remember(&self, header: &str) {
        self.last_header.store(Some(Arc::new(header.into())));
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.check {
            Check::Hmac(key) => hmac::verify(key, message, signature).is_ok(),
            Check::Public(key) => key.verify_sig(message, signature).is_ok(),
        }
    }

    fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, String> {
        let Scheme::Hmac(hash) = algorithm.scheme() else {
            return Err(format!(
                "{algorithm} verifies with a public key, not with a secret: give its PEM, DER or JWK"
            ));
        };
        let needed = hash.tag_len();
        if secret.len() < needed {
            return Err(format!(
                "the secret has {} bytes, and {algorithm} needs at least {needed} (RFC 7518 §3.2): \
                 make one with `openssl rand -base64 {needed}`",
                secret.len()
            ));
        }
        Ok(Self::new(algorithm, Check::Hmac(Box::new(hmac::Key::new(hash, secret)))))
    }

    fn from_der(algorithm: Algorithm, der: &[u8]) -> Result<Self, String> {
        let parsed = match algorithm.scheme() {
            Scheme::Hmac(_) => {
                return Err(format!(
                    "{algorithm} verifies with a secret, not with a public key: use `Key::secret`"
                ));
            }
            Scheme::Rsa(_) => {
                let key = rsa::PublicKey::from_der(der).map_err(|_| {
                    if RsaKeyPair::from_der(der).is_ok() || RsaKeyPair::from_pkcs8(der).is_ok() {
                        "this is the private key: give the public key, since a service that verifies must not be able to sign"
                            .to_owned()
                    } else {
                        format!("this is not an RSA public key, which {algorithm} needs")
                    }
                })?;
                let components = RsaPublicKeyComponents::<Vec<u8>>::from(&key);
                return Self::from_rsa(algorithm, &components.n, &components.e);
            }
            Scheme::Ecdsa(parameters) => ParsedPublicKey::new(parameters, der),
            Scheme::Ed25519(parameters) => ParsedPublicKey::new(parameters, der),
        };
        parsed.map(|key| Self::new(algorithm, Check::Public(key))).map_err(|_| {
            format!(
                "this is not a public key for {algorithm}: it is of another kind or curve, private, or damaged"
            )
        })
    }

    fn from_rsa(algorithm: Algorithm, n: &[u8], e: &[u8]) -> Result<Self, String> {
        let Scheme::Rsa(parameters) = algorithm.scheme() else {
            return Err(format!(
                "an RSA key can't be for {algorithm}: give a key of its kind, or name an RS or PS algorithm"
            ));
        };
        let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
        let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
        if bits < MIN_RSA_BITS {
            return Err(format!(
                "the RSA key has {bits} bits, and the minimum is {MIN_RSA_BITS} (RFC 7518 §3.3): have the issuer make a longer key"
            ));
        }
        if bits > MAX_RSA_BITS {
            return Err(format!("the RSA key has {bits} bits, and the maximum is {MAX_RSA_BITS}"));
        }
        if e.last().is_none_or(|last| last % 2 == 0) || e == [1] {
            return Err("the RSA key's exponent is 1 or even, so everyone could sign as its owner: have the issuer make a new key".into());
        }
        RsaPublicKeyComponents { n, e }
            .to_parsed_public_key(parameters)
            .map(|key| Self::new(algorithm, Check::Public(key)))
            .map_err(|_| "the RSA key's modulus and exponent do not belong together: copy the key again from its issuer".into())
    }
}

/// Some libraries write a zero in front, which RFC 7518 §6.3.1.1 forbids.
fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    bytes.get(first..).unwrap_or_default()
}

/// The DER in a PEM of a public key.
fn public_der(pem: &[u8]) -> Result<Vec<u8>, String> {
    let pem = pem::parse(pem).map_err(|_| {
        "this is not a PEM: it must begin with `-----BEGIN PUBLIC KEY-----` and have the line breaks of the file".to_owned()
    })?;
    match pem.tag() {
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Ok(pem.into_contents()),
        "CERTIFICATE" => {
            Err("this is a certificate: extract its key with `openssl x509 -pubkey -noout -in FILE`".into())
        }
        tag if tag.contains("PRIVATE") => {
            Err("this is the private key: give the public key, which `openssl pkey -pubout -in FILE` \
             prints, since a service that verifies must not be able to sign"
                .into())
        }
        tag => Err(format!(
            "a PEM of the kind `{tag}` contains no public key: give one with `-----BEGIN PUBLIC KEY-----`"
        )),
    }
}
