//! The first step: splits the compact form (RFC 7515 §7.1) and parses its header strictly, before a key is used.

use std::ops::Range;

use super::VerifyError;
use super::base64url::{decode, decode_into};
use super::json::{Document, Json};
use crate::jose::Algorithm;

/// The maximum length of `kid`, in bytes.
const MAX_KID_BYTES: usize = 256;

/// The length of the longest signature (RSA with 8192 bits), and two bytes of space that the decoder needs.
pub(super) const MAX_SIGNATURE_BYTES: usize = 1024 + 2;

/// The same for a signature of 64 bytes, such as that of ES256 or EdDSA, and for all that are shorter.
pub(super) const SHORT_SIGNATURE_BYTES: usize = 64 + 2;

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
        if token.len() > max_bytes {
            return Err(VerifyError::Malformed("longer than the engine's `max_token_bytes`"));
        }
        let is_dot = |byte: &u8| *byte == b'.';
        let first = token.as_bytes().iter().position(is_dot).ok_or(NOT_THREE_PARTS)?;
        let last = token.as_bytes().iter().rposition(is_dot).ok_or(NOT_THREE_PARTS)?;
        let part = |range: Range<usize>| token.get(range).ok_or(NOT_THREE_PARTS);
        let (header, payload) = (part(0..first)?, part(first + 1..last)?);
        let (signing_input, signature) = (part(0..last)?, part(last + 1..token.len())?);
        Ok(Self { header, signing_input, payload, signature })
    }

    pub(super) fn payload(&self) -> Result<Vec<u8>, VerifyError> {
        // The decoder accepts no dot, so that nothing has to look for one before.
        decode(self.payload).map_err(|error| if self.payload.contains('.') { NOT_THREE_PARTS } else { error })
    }

    /// Whether a short buffer is enough for the signature.
    pub(super) fn has_short_signature(&self) -> bool {
        self.signature.len() / 4 * 3 < SHORT_SIGNATURE_BYTES - 2
    }

    /// Decodes the signature into `buffer`.
    pub(super) fn signature<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], VerifyError> {
        let length = decode_into(self.signature, buffer)?;
        buffer.get(..length).ok_or(VerifyError::BadSignature)
    }
}

impl Header {
    pub(super) fn parse(encoded: &str) -> Result<Self, VerifyError> {
        let document = Document::read(decode(encoded)?).ok_or(NOT_AN_OBJECT)?;
        let mut header = (None, None, None);
        // Also a field that is not used was read: another verifier of the same token may use it, and read it differently.
        for (name, value) in document.root().named_members() {
            match name {
                "alg" => header.0 = Some(text(value)?),
                "kid" => header.1 = Some(text(value)?),
                "typ" => header.2 = Some(text(value)?),
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
    let decodable = header.bytes().take_while(is_of_alphabet).count();
    // Groups of four characters can be decoded one by one.
    let groups = header.get(..decodable / 4 * 4).unwrap_or_default();
    let begins_as_header = decode(groups).is_ok_and(|bytes| bytes.trim_ascii_start().starts_with(b"{"));
    if begins_as_header { form } else { Form::Opaque }
}

fn text(value: Json<'_>) -> Result<Box<str>, VerifyError> {
    value.as_str().map(Box::from).ok_or(VerifyError::Malformed("a field of the header is not a string"))
}

const NOT_THREE_PARTS: VerifyError = VerifyError::Malformed("not three parts joined by dots");

const NOT_AN_OBJECT: VerifyError = VerifyError::Malformed("the header is not one strict JSON object");
