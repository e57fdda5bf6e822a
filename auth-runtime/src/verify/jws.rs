//! The strict first step: the compact form of RFC 7515 §7.1 and its header, before any key is touched.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::json::strict_object;
use super::{Algorithm, VerifyError};

/// The longest `kid` that is looked up, in bytes.
const MAX_KID_BYTES: usize = 256;

/// A token taken apart. Nothing in it is to be believed until its signature was checked.
pub(super) struct Compact<'a> {
    pub(super) header: Header,
    /// What the signature is over: header and payload as they were sent.
    pub(super) signing_input: &'a str,
    pub(super) payload: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

/// What of the header is used. `jwk`, `jku`, `x5u` and `x5c` are not: a token never brings its own key (RFC 8725 §3.10).
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    pub(super) typ: Option<String>,
}

impl<'a> Compact<'a> {
    /// Takes a token of at most `max_bytes` apart.
    pub(super) fn parse(token: &'a str, max_bytes: usize) -> Result<Self, VerifyError> {
        if token.len() > max_bytes {
            return Err(VerifyError::Malformed("longer than the engine's `max_token_bytes`"));
        }
        let (signing_input, signature) =
            token.rsplit_once('.').ok_or(VerifyError::Malformed("not three parts joined by dots"))?;
        let (header, payload) =
            signing_input.split_once('.').ok_or(VerifyError::Malformed("not three parts joined by dots"))?;
        if payload.contains('.') {
            return Err(VerifyError::Malformed("not three parts joined by dots"));
        }
        let header = Header::parse(&decode(header)?)?;
        Ok(Self { header, signing_input, payload: decode(payload)?, signature: decode(signature)? })
    }
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self, VerifyError> {
        let header =
            strict_object(bytes).ok_or(VerifyError::Malformed("the header is not one strict JSON object"))?;
        // No extension is understood, so none may be critical (RFC 7515 §4.1.11); `b64` is one of them (RFC 7797 §6).
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err(VerifyError::Malformed("the header has `crit` or `b64`"));
        }
        let algorithm = text(&header, "alg")?.ok_or(VerifyError::Malformed("the header has no `alg`"))?;
        let kid = text(&header, "kid")?;
        if kid.is_some_and(|kid| kid.len() > MAX_KID_BYTES) {
            return Err(VerifyError::Malformed("the header's `kid` is longer than 256 bytes"));
        }
        Ok(Self {
            algorithm: Algorithm::from_name(algorithm).ok_or(VerifyError::AlgorithmNotAllowed)?,
            kid: kid.map(str::to_owned),
            typ: text(&header, "typ")?.map(str::to_owned),
        })
    }
}

fn text<'h>(header: &'h Map<String, Value>, name: &str) -> Result<Option<&'h str>, VerifyError> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(VerifyError::Malformed("a field of the header is not a string")),
    }
}

/// base64url without padding or white space, and with the unused bits of the last character zero (RFC 7515 §2).
fn decode(part: &str) -> Result<Vec<u8>, VerifyError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| VerifyError::Malformed("a part is not canonical base64url"))
}
