//! The strict first step: the compact form of RFC 7515 §7.1 and its header, before any key is touched.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::{DecodeSliceError, Engine as _};
use serde_json::value::RawValue;

use super::VerifyError;
use super::json::members;
use crate::jose::Algorithm;

/// The longest `kid` that is looked up, in bytes.
const MAX_KID_BYTES: usize = 256;

/// The longest signature, of RSA with 8192 bits, and two bytes that the decoder may want.
pub(super) const MAX_SIGNATURE_BYTES: usize = 1024 + 2;

/// A token taken apart. Nothing in it is to be believed until its signature was checked.
pub(super) struct Compact<'a> {
    /// The header as it was sent.
    pub(super) header: &'a str,
    /// What the signature is over: header and payload as they were sent.
    pub(super) signing_input: &'a str,
    payload: &'a str,
    signature: &'a str,
}

/// What of the header is used. `jwk`, `jku`, `x5u` and `x5c` are not: a token never brings its own key (RFC 8725 §3.10).
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<Box<str>>,
    pub(super) typ: Option<Box<str>>,
}

impl<'a> Compact<'a> {
    /// Takes a token of at most `max_bytes` apart.
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

    /// The signature, in `buffer`, which is longer than any that a key here makes.
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
        for (name, raw) in
            members(&bytes).ok_or(VerifyError::Malformed("the header is not one strict JSON object"))?
        {
            match &*name {
                "alg" => header.0 = Some(text(raw)?),
                "kid" => header.1 = Some(text(raw)?),
                "typ" => header.2 = Some(text(raw)?),
                // No extension is understood, so none may be critical (RFC 7515 §4.1.11); `b64` is one of them
                // (RFC 7797 §6).
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

fn text(raw: &RawValue) -> Result<Box<str>, VerifyError> {
    serde_json::from_str(raw.get())
        .map_err(|_| VerifyError::Malformed("a field of the header is not a string"))
}

const NOT_BASE64URL: VerifyError = VerifyError::Malformed("a part is not canonical base64url");

/// base64url without padding or white space, and with the unused bits of the last character zero (RFC 7515 §2).
fn decode(part: &str) -> Result<Vec<u8>, VerifyError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| NOT_BASE64URL)
}
