//! The payload of a token: read once, for the registered claims and for those that the issuer's mapping wants. The rest
//! stays bytes until it is asked for.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::VerifyError;
use super::json;

const NOT_AN_OBJECT: VerifyError = VerifyError::Malformed("the claims are not one strict JSON object");

/// The claims of a token.
///
/// A registered claim that is present with a wrong type makes the token invalid: it never counts as absent.
#[derive(Clone, Default)]
pub struct TokenClaims {
    pub(crate) issuer: Option<Box<str>>,
    pub(crate) audience: Option<Box<[Box<str>]>>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) not_before: Option<i64>,
    pub(crate) issued_at: Option<i64>,
    pub(crate) token_id: Option<Box<str>>,
    pub(crate) session_id: Option<Box<str>>,
    pub(crate) auth_time: Option<i64>,
    pub(crate) acr: Option<Box<str>>,
    /// Whether there is `cnf` (RFC 7800 §3.1).
    pub(crate) sender_constrained: bool,
    /// Of the claims that were wanted those that are there.
    wanted: Vec<(Arc<str>, Value)>,
    payload: Box<[u8]>,
    all: OnceLock<Map<String, Value>>,
}

impl TokenClaims {
    /// Reads a claims set: one JSON object without duplicate names (RFC 7519 §4).
    ///
    /// # Errors
    /// [`VerifyError::Malformed`] if it is not that, [`VerifyError::InvalidClaim`] if a registered claim has a
    /// type that it may not have.
    pub fn from_json(bytes: &[u8]) -> Result<Self, VerifyError> {
        Self::read(bytes.to_vec(), &[])
    }

    /// The same, with the claims at hand that `wanted` names.
    pub(super) fn read(payload: Vec<u8>, wanted: &[Arc<str>]) -> Result<Self, VerifyError> {
        let mut claims = Self { wanted: Vec::with_capacity(wanted.len()), ..Self::default() };
        for (name, raw) in json::members(&payload).ok_or(NOT_AN_OBJECT)? {
            claims.take(&name, raw)?;
            if let Some(name) = wanted.iter().find(|wanted| ***wanted == *name) {
                claims.wanted.push((Arc::clone(name), value(raw).ok_or(NOT_AN_OBJECT)?));
            }
        }
        claims.payload = payload.into();
        Ok(claims)
    }

    fn take(&mut self, name: &str, raw: &RawValue) -> Result<(), VerifyError> {
        let invalid = VerifyError::InvalidClaim;
        let earlier = |name| seconds(raw, f64::floor).ok_or(invalid(name));
        let later = |name| seconds(raw, f64::ceil).ok_or(invalid(name));
        match name {
            "iss" => self.issuer = Some(text(raw).ok_or(invalid("iss"))?),
            // Where the subject stands is the mapping's; what `sub` may be is not.
            "sub" => drop(string(raw).ok_or(invalid("sub"))?),
            "aud" => self.audience = Some(audience(raw).ok_or(invalid("aud"))?),
            "exp" => self.expires_at = Some(earlier("exp")?),
            "nbf" => self.not_before = Some(later("nbf")?),
            "iat" => self.issued_at = Some(earlier("iat")?),
            "auth_time" => self.auth_time = Some(earlier("auth_time")?),
            "jti" => self.token_id = Some(text(raw).ok_or(invalid("jti"))?),
            "sid" => self.session_id = Some(text(raw).ok_or(invalid("sid"))?),
            "acr" => self.acr = Some(text(raw).ok_or(invalid("acr"))?),
            "cnf" => self.sender_constrained = true,
            _ => {}
        }
        Ok(())
    }

    /// The claim of this top-level name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self.wanted.iter().find(|(wanted, _)| **wanted == *name) {
            Some((_, value)) => Some(value),
            None => self.as_map().get(name),
        }
    }

    /// All claims. They were read once already, so they can be read again.
    pub(crate) fn as_map(&self) -> &Map<String, Value> {
        self.all.get_or_init(|| serde_json::from_slice(&self.payload).unwrap_or_default())
    }
}

/// Names only: a claim's value may be personal.
impl std::fmt::Debug for TokenClaims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.as_map().keys()).finish()
    }
}

fn parsed<T: DeserializeOwned>(raw: &RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

/// A string; without a copy where it has no escapes. That it is well-formed was seen when it was found.
fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inside = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if inside.contains('\\') { parsed(raw).map(Cow::Owned) } else { Some(Cow::Borrowed(inside)) }
}

fn text(raw: &RawValue) -> Option<Box<str>> {
    string(raw).map(Box::from)
}

fn value(raw: &RawValue) -> Option<Value> {
    match string(raw) {
        Some(text) => Some(Value::String(text.into_owned())),
        None => parsed(raw),
    }
}

/// A string or a list of strings (RFC 7519 §4.1.3).
fn audience(raw: &RawValue) -> Option<Box<[Box<str>]>> {
    match text(raw) {
        Some(one) => Some(Box::new([one])),
        None => parsed(raw),
    }
}

/// A NumericDate, whole or fractional (RFC 7519 §2), rounded to the stricter side.
fn seconds(raw: &RawValue, stricter: fn(f64) -> f64) -> Option<i64> {
    /// The greatest range in which every whole second is a double.
    const RANGE: f64 = 9_007_199_254_740_992.0;
    // Most are whole, and read as such.
    if let Ok(whole) = raw.get().parse::<u32>() {
        return Some(whole.into());
    }
    let number = stricter(parsed::<f64>(raw)?);
    #[allow(clippy::cast_possible_truncation, reason = "whole, and within the range of i64")]
    (number.abs() <= RANGE).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::{TokenClaims, VerifyError};

    #[test]
    fn times_are_rounded_to_the_stricter_side() {
        let claims =
            TokenClaims::from_json(br#"{"exp":10.9,"nbf":10.1,"iat":10.9,"auth_time":1e1}"#).unwrap();
        assert_eq!(
            (claims.expires_at, claims.not_before, claims.issued_at, claims.auth_time),
            (Some(10), Some(11), Some(10), Some(10))
        );
    }

    #[test]
    fn strings_are_read_with_and_without_escapes() {
        let claims =
            TokenClaims::from_json(r#"{"iss":"a\u0062\"c","jti":"plain ü","sub":"\\"}"#.as_bytes()).unwrap();
        assert_eq!((claims.issuer.as_deref(), claims.token_id.as_deref()), (Some("ab\"c"), Some("plain ü")));
        for bad in [r#"{"iss":"\x"}"#, "{\"iss\":\"a\nb\"}", r#"{"iss":"a}"#, r#"{"iss":"\ud800"}"#] {
            assert!(TokenClaims::from_json(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wrong_type_is_a_refusal() {
        for (json, name) in [
            (r#"{"exp":"10"}"#, "exp"),
            (r#"{"exp":null}"#, "exp"),
            (r#"{"exp":true}"#, "exp"),
            (r#"{"exp":1e300}"#, "exp"),
            (r#"{"nbf":[1]}"#, "nbf"),
            (r#"{"iat":{}}"#, "iat"),
            (r#"{"iss":1}"#, "iss"),
            (r#"{"sub":null}"#, "sub"),
            (r#"{"aud":1}"#, "aud"),
            (r#"{"aud":["a",1]}"#, "aud"),
            (r#"{"jti":[]}"#, "jti"),
            (r#"{"sid":5}"#, "sid"),
            (r#"{"acr":5}"#, "acr"),
        ] {
            assert_eq!(
                TokenClaims::from_json(json.as_bytes()).err(),
                Some(VerifyError::InvalidClaim(name)),
                "{json}"
            );
        }
    }
}
