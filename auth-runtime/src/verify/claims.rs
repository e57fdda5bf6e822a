//! The payload of a token: the registered claims with their types, and all of it as JSON.

use serde_json::{Map, Value};

use super::VerifyError;
use super::json::strict_object;

/// The claims of a token.
///
/// A registered claim that is present with a wrong type makes the token invalid: it never counts as absent.
#[derive(Clone)]
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
    all: Map<String, Value>,
}

impl TokenClaims {
    /// Reads a claims set: one JSON object without duplicate names (RFC 7519 §4).
    ///
    /// # Errors
    /// [`VerifyError::Malformed`] if it is not that, [`VerifyError::InvalidClaim`] if a registered claim has a
    /// type that it may not have.
    pub fn from_json(bytes: &[u8]) -> Result<Self, VerifyError> {
        let all = strict_object(bytes)
            .ok_or(VerifyError::Malformed("the claims are not one strict JSON object"))?;
        text(&all, "sub")?;
        Ok(Self {
            issuer: text(&all, "iss")?,
            audience: audience(&all)?,
            expires_at: seconds(&all, "exp", f64::floor)?,
            not_before: seconds(&all, "nbf", f64::ceil)?,
            issued_at: seconds(&all, "iat", f64::floor)?,
            token_id: text(&all, "jti")?,
            session_id: text(&all, "sid")?,
            auth_time: seconds(&all, "auth_time", f64::floor)?,
            acr: text(&all, "acr")?,
            all,
        })
    }

    /// The claim of this top-level name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.all.get(name)
    }

    pub(crate) fn as_map(&self) -> &Map<String, Value> {
        &self.all
    }
}

/// Names only: a claim's value may be personal.
impl std::fmt::Debug for TokenClaims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.all.keys()).finish()
    }
}

fn text(all: &Map<String, Value>, name: &'static str) -> Result<Option<Box<str>>, VerifyError> {
    match all.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str().into())),
        Some(_) => Err(VerifyError::InvalidClaim(name)),
    }
}

/// A string or a list of strings (RFC 7519 §4.1.3).
fn audience(all: &Map<String, Value>) -> Result<Option<Box<[Box<str>]>>, VerifyError> {
    match all.get("aud") {
        None => Ok(None),
        Some(Value::String(one)) => Ok(Some(Box::new([one.as_str().into()]))),
        Some(Value::Array(several)) => several
            .iter()
            .map(|one| one.as_str().map(Box::from).ok_or(VerifyError::InvalidClaim("aud")))
            .collect::<Result<_, _>>()
            .map(Some),
        Some(_) => Err(VerifyError::InvalidClaim("aud")),
    }
}

/// A NumericDate, whole or fractional (RFC 7519 §2), rounded to the stricter side.
fn seconds(
    all: &Map<String, Value>,
    name: &'static str,
    stricter: fn(f64) -> f64,
) -> Result<Option<i64>, VerifyError> {
    /// The greatest range in which every whole second is a double.
    const RANGE: f64 = 9_007_199_254_740_992.0;
    let Some(value) = all.get(name) else { return Ok(None) };
    let number = value.as_f64().map(stricter).filter(|number| number.abs() <= RANGE);
    #[allow(clippy::cast_possible_truncation, reason = "whole and within the range of i64, see above")]
    match number {
        Some(number) if value.is_number() => Ok(Some(number as i64)),
        _ => Err(VerifyError::InvalidClaim(name)),
    }
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
