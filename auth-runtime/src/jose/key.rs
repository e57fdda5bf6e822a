//! Keys that signatures are verified with, in every usual format. Each is parsed once, when the engine is built.

mod der;
mod edwards;
mod jwk;
mod pem;
mod publish;
mod rsa;
mod secret;
mod signer;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ParsedPublicKey, RsaPublicKeyComponents};

use self::der::PublicNumbers;
pub(crate) use self::secret::check_secret;
pub(crate) use self::signer::Signer;
use super::algorithm::{Algorithm, Scheme};

/// A key to verify signatures with. It is parsed when the engine is built, and an invalid key is an error of `build`.
///
/// A key is for one algorithm (RFC 8725 §3.1). A token does not choose the algorithm.
///
/// In every format, these are errors:
///
/// | kind of key | error |
/// |---|---|
/// | secret | too short (RFC 7518 §3.2); a key in PEM, DER, JWK or the format of SSH, which is no secret |
/// | RSA | a modulus of less than 2048 bits (RFC 7518 §3.3) or more than 8192, even or with a factor below 752 (NIST SP 800-89 §5.3.3), or with the ROCA weakness (CVE-2017-15361); an exponent that is even, 1, or longer than 33 bits |
/// | EC | a point that is not on the curve, or in the hybrid form; curve parameters that are written out (RFC 5480 §2) |
/// | Ed25519 | a point that is not on the curve, not in the canonical encoding (RFC 8032 §5.1.3), of low order, or outside of the group of prime order |
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

    /// A public key in PEM (RFC 7468): one block `PUBLIC KEY` (SubjectPublicKeyInfo) or `RSA PUBLIC KEY` (PKCS #1). A block
    /// `EC PARAMETERS` may be in front of an EC key. An RSASSA-PSS key (RFC 4055) is for the PS algorithm that it names.
    #[must_use]
    pub fn pem(algorithm: Algorithm, pem: impl Into<Vec<u8>>) -> Self {
        Self::new(Material::Pem(pem.into()), Some(algorithm))
    }

    /// A public key in DER: SubjectPublicKeyInfo, or PKCS #1 for RSA. Bytes behind its end are an error.
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

    /// Accepts a JWK or a PEM that contains the private key, and uses its public key. A PEM is in the forms of
    /// [`SigningKey::pem`](crate::session::SigningKey::pem).
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
            (Material::Pem(pem), Some(algorithm)) => {
                PreparedKey::from_pem(algorithm, pem, self.private_parts_allowed)?
            }
            (Material::Der(der), Some(algorithm)) => PreparedKey::from_der(algorithm, der)?,
            (Material::Jwk(json), _) => jwk::prepare(json, self.private_parts_allowed)?,
            (_, None) => return Err("the key has no algorithm: use a constructor that takes one".into()),
        };
        if self.id.is_some() {
            key.id = self.id.as_deref().map(Box::from);
        }
        Ok(key)
    }

    /// The keys of a JWKS document that has `max_keys` at most. Keys that can't be used are left out. A key without `alg` is for each of
    /// `algorithms` that its type allows. `issuer` is for the log.
    pub(crate) fn prepare_set(
        json: &str,
        max_keys: usize,
        algorithms: Option<&[Algorithm]>,
        issuer: &str,
    ) -> Result<Vec<PreparedKey>, String> {
        jwk::prepare_set(json, max_keys, algorithms, issuer)
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
    /// The member `issuer` of its JWK, which no RFC defines: Microsoft Entra ID writes it.
    pub(crate) issuer: Option<Box<str>>,
    check: Check,
    /// Of the public key, or of the secret. `None` if it has no encoding.
    fingerprint: Option<Fingerprint>,
    /// The header, as it was sent, of the last token that this key verified.
    last_header: ArcSwapOption<Box<str>>,
}

enum Check {
    Hmac(Box<hmac::Key>),
    Public(ParsedPublicKey),
}

type Fingerprint = [u8; SHA256_OUTPUT_LEN];

/// Two keys of one identity verify the same tokens: they have one algorithm, one id and one issuer, and are the same secret or public key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct KeyIdentity<'k> {
    algorithm: Algorithm,
    id: Option<&'k str>,
    issuer: Option<&'k str>,
    fingerprint: Fingerprint,
}

impl Check {
    /// A hash of what it verifies with. It is made once: keys are compared each time that a set is fetched.
    fn fingerprint(&self) -> Option<Fingerprint> {
        /// What a secret authenticates in place of being kept.
        const COMPARED: &[u8] = b"auth-runtime: is this the same secret?";
        let hash = |bytes: &[u8]| digest(&SHA256, bytes).as_ref().try_into().ok();
        match self {
            Self::Hmac(key) => hash(hmac::sign(key, COMPARED).as_ref()),
            Self::Public(key) => {
                let der: PublicKeyX509Der<'_> = key.as_der().ok()?;
                hash(der.as_ref())
            }
        }
    }
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
        let fingerprint = check.fingerprint();
        Self { algorithm, id: None, issuer: None, check, fingerprint, last_header: ArcSwapOption::empty() }
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

    /// What says that two keys verify the same tokens; `None` if that can't be found out.
    pub(crate) fn identity(&self) -> Option<KeyIdentity<'_>> {
        let Self { algorithm, id, issuer, fingerprint, .. } = self;
        Some(KeyIdentity {
            algorithm: *algorithm,
            id: id.as_deref(),
            issuer: issuer.as_deref(),
            fingerprint: (*fingerprint)?,
        })
    }

    fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, String> {
        let Scheme::Hmac(hash) = algorithm.scheme() else {
            return Err(format!(
                "{algorithm} verifies with a public key, not with a secret: give its PEM, DER or JWK"
            ));
        };
        check_secret(secret, hash.tag_len(), algorithm.name())
            .map_err(|problem| format!("the secret {problem}"))?;
        Ok(Self::new(algorithm, Check::Hmac(Box::new(hmac::Key::new(hash, secret)))))
    }

    fn from_pem(algorithm: Algorithm, pem: &[u8], private_parts_allowed: bool) -> Result<Self, String> {
        needs_public_key(algorithm)?;
        let block = pem::key_block(algorithm, pem)?;
        match block.label.as_str() {
            "PUBLIC KEY" => {
                Self::from_numbers(algorithm, der::subject_public_key_info(algorithm, &block.content))
            }
            "RSA PUBLIC KEY" => Self::from_numbers(algorithm, der::rsa_public_key(&block.content)),
            label if label.contains("PRIVATE") && private_parts_allowed => {
                let signer = Signer::from_block(algorithm, &block)
                    .map_err(|reason| format!("this is not a private key for {algorithm}: {reason}"))?;
                Self::from_der(algorithm, &signer.public_der().unwrap_or_default())
            }
            label if label.contains("PRIVATE") => {
                Err("this is the private key: give the public key, which `openssl pkey -pubout -in FILE` \
                     prints, since a service that verifies must not be able to sign"
                    .into())
            }
            label => Err(format!(
                "a PEM of the kind `{label}` contains no public key: give one with `-----BEGIN PUBLIC KEY-----`"
            )),
        }
    }

    fn from_der(algorithm: Algorithm, der: &[u8]) -> Result<Self, String> {
        needs_public_key(algorithm)?;
        if Signer::from_der(algorithm, der).is_ok() {
            return Err(
                "this is the private key: give the public key, since a service that verifies must not be able to sign".into()
            );
        }
        let numbers = match algorithm.scheme() {
            Scheme::Rsa(_) if der::is_pkcs1(der) => der::rsa_public_key(der),
            _ => der::subject_public_key_info(algorithm, der),
        };
        Self::from_numbers(algorithm, numbers)
    }

    fn from_numbers(
        algorithm: Algorithm,
        numbers: Result<PublicNumbers<'_>, String>,
    ) -> Result<Self, String> {
        match numbers.map_err(|reason| format!("this is not a public key for {algorithm}: {reason}"))? {
            PublicNumbers::Rsa { n, e } => Self::from_rsa(algorithm, n, e),
            PublicNumbers::Point(point) => Self::from_point(algorithm, point),
            PublicNumbers::Ed25519(key) => Self::from_ed25519(algorithm, key),
        }
    }

    fn from_rsa(algorithm: Algorithm, n: &[u8], e: &[u8]) -> Result<Self, String> {
        let Scheme::Rsa(parameters) = algorithm.scheme() else {
            return Err(format!(
                "an RSA key can't be for {algorithm}: give a key of its kind, or name an RS or PS algorithm"
            ));
        };
        let (n, e) = rsa::checked(n, e)?;
        RsaPublicKeyComponents { n, e }
            .to_parsed_public_key(parameters)
            .map(|key| Self::new(algorithm, Check::Public(key)))
            .map_err(|_| "the RSA key's modulus and exponent do not belong together: copy the key again from its issuer".into())
    }

    /// The point of an EC key as SEC 1 writes it.
    fn from_point(algorithm: Algorithm, point: &[u8]) -> Result<Self, String> {
        let Scheme::Ecdsa(parameters) = algorithm.scheme() else {
            return Err(format!("an EC key can't be for {algorithm}"));
        };
        ParsedPublicKey::new(parameters, point).map(|key| Self::new(algorithm, Check::Public(key))).map_err(
            |_| {
                format!(
                    "the EC key is not a point on the curve of {algorithm}: copy it again from its issuer"
                )
            },
        )
    }

    fn from_ed25519(algorithm: Algorithm, key: &[u8]) -> Result<Self, String> {
        let Scheme::Ed25519(parameters) = algorithm.scheme() else {
            return Err(format!("an Ed25519 key can't be for {algorithm}"));
        };
        edwards::check(key)?;
        ParsedPublicKey::new(parameters, key)
            .map(|key| Self::new(algorithm, Check::Public(key)))
            .map_err(|_| "this is not an Ed25519 key".into())
    }
}

fn needs_public_key(algorithm: Algorithm) -> Result<(), String> {
    if algorithm.takes_secret() {
        return Err(format!("{algorithm} verifies with a secret, not with a public key: use `Key::secret`"));
    }
    Ok(())
}
