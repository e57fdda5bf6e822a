//! The first step: splits the compact form (RFC 7515 §7.1) and parses its header strictly, before a key is used.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::{DecodeSliceError, Engine as _};
use serde_json::value::RawValue;

use super::VerifyError;
use super::json;
use crate::jose::Algorithm;

/// The maximum length of `kid`, in bytes.
const MAX_KID_BYTES: usize = 256;

/// The length of the longest signature (RSA with 8192 bits), and two bytes of space that the decoder needs.
pub(super) const MAX_SIGNATURE_BYTES: usize = 1024 + 2;

/// The parts of a token. None of them can be trusted before the signature is verified.
pub(super) struct Compact<'a> {
    /// The encoded header.
    pub(super) header: &'a str,
    /// The signed text: the encoded header and payload.
    pub(super) signing_input: &'a str,
    payload: &'a str,
    signature: &'a str,
}

/// The header fields that are used. `jwk`, `jku`, `x5u` and `x5c` are not: a token never brings its own key (RFC 8725 §3.10).
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<Box<str>>,
    pub(super) typ: Option<Box<str>>,
}

impl<'a> Compact<'a> {
    /// Splits a token of at most `max_bytes`.
    pub(super) fn parse(token: &'a str, max_bytes: usize) -> Result<Self, VerifyError> {
        const NOT_THREE_PARTS: VerifyError = VerifyError::Malformed("not three parts joined by dots");
        if token.len() > max_bytes {
            return Err(VerifyError::Malformed("longer than the engine's `max_token_bytes`"));
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(NOT_THREE_PARTS)?;
        let (header, payload) = signing_input.split_once('.').ok_or(NOT_THREE_PARTS)?;
        if payload.contains('.') {
            return Err(NOT_THREE_PARTS);
        }
        Ok(Self { header, signing_input, payload, signature })
    }

    pub(super) fn payload(&self) -> Result<Vec<u8>, VerifyError> {
        decode(self.payload)
    }

    /// Decodes the signature into `buffer`, which is longer than every valid signature.
    pub(super) fn signature<'b>(
        &self,
        buffer: &'b mut [u8; MAX_SIGNATURE_BYTES],
    ) -> Result<&'b [u8], VerifyError> {
        let length = URL_SAFE_NO_PAD.decode_slice(self.signature, buffer).map_err(|error| match error {
            DecodeSliceError::OutputSliceTooSmall => VerifyError::BadSignature,
            DecodeSliceError::DecodeError(_) => NOT_BASE64URL,
        })?;
        buffer.get(..length).ok_or(VerifyError::BadSignature)
    }
}

impl Header {
    pub(super) fn parse(encoded: &str) -> Result<Self, VerifyError> {
        let bytes = decode(encoded)?;
        let mut header = (None, None, None);
        for (name, raw) in json::members(&bytes).ok_or(NOT_AN_OBJECT)? {
            // Also a field that is not used: another verifier of the same token may use it, and read it differently.
            if !json::is_valid(raw) {
                return Err(NOT_AN_OBJECT);
            }
            match &*name {
                "alg" => header.0 = Some(text(raw)?),
                "kid" => header.1 = Some(text(raw)?),
                "typ" => header.2 = Some(text(raw)?),
                // No extension is implemented, so none may be critical (RFC 7515 §4.1.11). `b64` is an extension (RFC 7797 §6).
                "crit" | "b64" => return Err(VerifyError::Malformed("the header has `crit` or `b64`")),
                _ => {}
            }
        }
        let (algorithm, kid, typ) = header;
        let algorithm = algorithm.ok_or(VerifyError::Malformed("the header has no `alg`"))?;
        if kid.as_ref().is_some_and(|kid| kid.len() > MAX_KID_BYTES) {
            return Err(VerifyError::Malformed("the header's `kid` is longer than 256 bytes"));
        }
        let algorithm = Algorithm::from_name(&algorithm).ok_or(VerifyError::AlgorithmNotAllowed)?;
        Ok(Self { algorithm, kid, typ })
    }
}

/// What a token looks like. It says nothing of whether it is valid.
#[cfg(feature = "introspection")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A JWT: three parts, of which the first is a header (RFC 7519 §7.2).
    Signed,
    /// An encrypted JWT: five parts (RFC 7516 §7.1).
    Encrypted,
    Opaque,
}

/// Returns the form of a token. A first part that begins as a header is one, also if it has padding or ends with what is no base64url:
/// nobody else than its sender gains by a form that no issuer writes.
#[cfg(feature = "introspection")]
pub(super) fn form(token: &str) -> Form {
    let (header, _) = token.split_once('.').unwrap_or_default();
    let form = match token.matches('.').count() {
        2 => Form::Signed,
        4 => Form::Encrypted,
        _ => return Form::Opaque,
    };
    let is_of_alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let decodable: Vec<u8> = header.bytes().take_while(is_of_alphabet).collect();
    // Groups of four characters can be decoded one by one.
    let groups = decodable.get(..decodable.len() / 4 * 4).unwrap_or_default();
    let begins_as_header =
        URL_SAFE_NO_PAD.decode(groups).is_ok_and(|bytes| bytes.trim_ascii_start().starts_with(b"{"));
    if begins_as_header { form } else { Form::Opaque }
}

fn text(raw: &RawValue) -> Result<Box<str>, VerifyError> {
    json::string(raw).map(Box::from).ok_or(VerifyError::Malformed("a field of the header is not a string"))
}

const NOT_AN_OBJECT: VerifyError = VerifyError::Malformed("the header is not one strict JSON object");

const NOT_BASE64URL: VerifyError = VerifyError::Malformed("a part is not canonical base64url");

/// Decodes base64url without padding or white space, whose unused bits are zero (RFC 7515 §2).
fn decode(part: &str) -> Result<Vec<u8>, VerifyError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| NOT_BASE64URL)
}
