//! Keys to sign tokens with. Each is parsed once, when it is made.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use axum::BoxError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::key::{Key, Signer};

/// The type of access tokens in their header (RFC 9068 §2.1).
const ACCESS_TOKEN: &str = "at+jwt";

/// A key to sign tokens with, for one algorithm. All clones share one parsed key.
#[derive(Clone)]
pub struct SigningKey {
    algorithm: Algorithm,
    signer: Arc<Signer>,
    id: Option<String>,
    verifying: Key,
    /// The header of tokens that have nothing further in it.
    header: EncodedHeader,
}

impl SigningKey {
    /// A shared secret for HS256, HS384 or HS512, of at least as many bytes as the hash has (RFC 7518 §3.2). Every service that
    /// verifies with the secret can sign with it too.
    ///
    /// # Errors
    /// If the algorithm signs with a private key, the secret is too short, or it is a key in a format such as PEM.
    pub fn secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, SignError> {
        let signer = Signer::from_secret(algorithm, secret).ok_or_else(|| {
            SignError::new(format!(
                "{algorithm} signs with a private key, not with a secret: use `SigningKey::pem`"
            ))
        })?;
        Self::new(algorithm, signer, Key::secret(algorithm, secret))
    }

    /// A private key in PEM (RFC 7468): one block `PRIVATE KEY` (PKCS #8), `RSA PRIVATE KEY` (PKCS #1) or `EC PRIVATE KEY`
    /// (SEC 1, RFC 5915). A block `EC PARAMETERS` may be in front of an EC key, as `openssl ecparam -genkey` writes it.
    ///
    /// # Errors
    /// If the algorithm signs with a secret, or the PEM contains no private key for it. What [`Key`] refuses in a public key, this
    /// refuses in that of the private key.
    pub fn pem(algorithm: Algorithm, pem: &[u8]) -> Result<Self, SignError> {
        if algorithm.takes_secret() {
            return Err(SignError::needs_secret(algorithm));
        }
        let invalid = |reason: String| {
            let text = format!(
                "the PEM contains no private key for {algorithm}: {reason}. Give a key of that kind as PKCS #8 \
                 (`-----BEGIN PRIVATE KEY-----`), into which `openssl pkcs8 -topk8 -nocrypt -in FILE` converts other forms"
            );
            SignError::with_source(text, reason)
        };
        let signer = Signer::from_pem(algorithm, pem).map_err(invalid)?;
        let public = signer.public_der().ok_or_else(|| invalid("it has no public key".into()))?;
        Self::new(algorithm, signer, Key::der(algorithm, public))
    }

    /// A new key pair from the system's random numbers. For RSA it has 2048 bits, which takes about a tenth of a second.
    ///
    /// # Errors
    /// If the algorithm signs with a secret, or the system has no random numbers.
    pub fn generate(algorithm: Algorithm) -> Result<Self, SignError> {
        Self::pem(algorithm, Self::generate_pem(algorithm)?.as_bytes())
    }

    /// A new private key as PEM (PKCS #8, `PRIVATE KEY`), to be stored where secrets are stored and read with
    /// [`pem`](Self::pem).
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    pub fn generate_pem(algorithm: Algorithm) -> Result<String, SignError> {
        let pkcs8 = Signer::generate_pkcs8(algorithm)
            .ok_or_else(|| SignError::needs_secret(algorithm))?
            .map_err(|error| SignError::with_source(NO_RANDOM_NUMBERS, error))?;
        Ok(pem::encode(&pem::Pem::new("PRIVATE KEY", pkcs8)))
    }

    /// What `build` would say of the key that verifies is an error here.
    fn new(algorithm: Algorithm, signer: Signer, verifying: Key) -> Result<Self, SignError> {
        verifying.prepare().map_err(SignError::new)?;
        let header = EncodedHeader::new(algorithm, None, ACCESS_TOKEN, &Map::new());
        Ok(Self { algorithm, signer: Arc::new(signer), id: None, verifying, header })
    }

    /// The key's id, which becomes the `kid` of its tokens.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.verifying = self.verifying.with_id(id);
        self.with_id_of_verifying_key()
    }

    /// With its thumbprint (RFC 7638) as id, if it has no id and is not a secret.
    pub(crate) fn with_thumbprint(mut self) -> Self {
        self.verifying = self.verifying.with_thumbprint();
        self.with_id_of_verifying_key()
    }

    fn with_id_of_verifying_key(mut self) -> Self {
        self.id = self.verifying.id().map(str::to_owned);
        self.header = self.encoded_header(ACCESS_TOKEN, &Map::new());
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
    /// If the claims can't be serialized as JSON, or the system has no random numbers or no memory.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, SignError> {
        self.sign_with_header(&self.header, claims)
    }

    /// The header of this key's access tokens, with further fields.
    pub(crate) fn access_token_header(&self, further: &Map<String, Value>) -> EncodedHeader {
        self.encoded_header(ACCESS_TOKEN, further)
    }

    /// The header of this key's JWTs of another type.
    #[cfg(feature = "introspection")]
    pub(crate) fn header_of_type(&self, typ: &str) -> EncodedHeader {
        self.encoded_header(typ, &Map::new())
    }

    /// Whether it is a secret, with which a verifier can sign too.
    #[cfg(feature = "introspection")]
    pub(crate) fn is_secret(&self) -> bool {
        self.algorithm.takes_secret()
    }

    fn encoded_header(&self, typ: &str, further: &Map<String, Value>) -> EncodedHeader {
        EncodedHeader::new(self.algorithm, self.id.as_deref(), typ, further)
    }

    /// A signed JWT with a header of [`access_token_header`](Self::access_token_header).
    pub(crate) fn sign_with_header(
        &self,
        header: &EncodedHeader,
        claims: &impl Serialize,
    ) -> Result<String, SignError> {
        let claims = serde_json::to_vec(claims).map_err(|error| {
            SignError::with_source(format!("the claims can't be serialized as JSON: {error}"), error)
        })?;
        let mut token = String::with_capacity(header.0.len() + claims.len() * 4 / 3 + SIGNATURE_CAPACITY);
        token.push_str(&header.0);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self.signer.sign(token.as_bytes()).map_err(|error| {
            SignError::with_source(
                format!("no {} signature: {NO_RANDOM_NUMBERS}, or no memory", self.algorithm),
                error,
            )
        })?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

/// Enough for the signature of an RSA key of 2048 bits in base64url, and two dots.
const SIGNATURE_CAPACITY: usize = 344;

/// A JWT's header in base64url. It is the same for every token of a key, so it is encoded once.
#[derive(Clone)]
pub(crate) struct EncodedHeader(Arc<str>);

impl EncodedHeader {
    fn new(algorithm: Algorithm, id: Option<&str>, typ: &str, further: &Map<String, Value>) -> Self {
        let mut header = further.clone();
        header.insert("typ".into(), typ.into());
        header.insert("alg".into(), algorithm.name().into());
        if let Some(id) = id {
            header.insert("kid".into(), id.into());
        }
        Self(URL_SAFE_NO_PAD.encode(Value::Object(header).to_string()).into())
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

pub(crate) const NO_RANDOM_NUMBERS: &str = "the system has no random numbers";

/// Why a key could not be read, or a token could not be signed.
#[derive(Clone)]
pub struct SignError {
    reason: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl SignError {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), source: None }
    }

    pub(crate) fn with_source(reason: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Self { reason: reason.into(), source: Some(source.into().into()) }
    }

    fn needs_secret(algorithm: Algorithm) -> Self {
        Self::new(format!(
            "{algorithm} signs with a secret, not with a private key: use `SigningKey::secret`"
        ))
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

impl Error for SignError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
