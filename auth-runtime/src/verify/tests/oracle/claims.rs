//! The former reader of claims, as it was.
//!
//! The payload of a token. The registered claims and the claims that the issuer's mapping names are parsed at once; the others are
//! parsed when they are first read.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::json;
use crate::verify::VerifyError;

const NOT_AN_OBJECT: VerifyError = VerifyError::Malformed("the claims are not one strict JSON object");

const NULL: &str = "null";

/// The registered claims that may count as absent if they are `null`. `exp` is none of them.
const NULLABLE: &[&str] =
    &["iss", "sub", "aud", "nbf", "iat", "jti", "sid", "auth_time", "acr", "amr", "cnf"];

/// The event that makes a JWT a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4).
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The claim that holds the generation of the user's sessions.
const USER_GENERATION: &str = "user_generation";
const ISSUER_GENERATION: &str = "issuer_generation";

/// What is parsed at once, and which forms of claims are accepted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    /// The top-level names of further claims that are parsed at once.
    pub(super) wanted: &'a Arc<[Arc<str>]>,
    /// The claim that holds the subject: its top-level name, and the path below it.
    pub(super) subject: Option<(&'a str, &'a [Box<str>])>,
    /// The text of `sub` is kept, since the subject is another claim.
    pub(super) keeps_sub: bool,
    /// `null` counts as absent, except for `exp`.
    pub(super) null_is_absent: bool,
    /// `jti` may be an integer.
    pub(super) integer_jti: bool,
    /// `sub` may be an integer.
    pub(super) integer_sub: bool,
}

/// The claims of a token.
///
/// A registered claim that has a wrong type makes the token invalid; it does not count as absent.
#[derive(Clone, Default)]
pub(in crate::verify) struct TokenClaims {
    pub(in crate::verify) issuer: Option<Box<str>>,
    pub(in crate::verify) audience: Option<Box<[Box<str>]>>,
    pub(in crate::verify) expires_at: Option<i64>,
    pub(in crate::verify) not_before: Option<i64>,
    pub(in crate::verify) issued_at: Option<i64>,
    pub(in crate::verify) token_id: Option<Box<str>>,
    pub(in crate::verify) session_id: Option<Box<str>>,
    pub(in crate::verify) auth_time: Option<i64>,
    pub(in crate::verify) acr: Option<Box<str>>,
    /// `sub`, where it was asked for.
    pub(in crate::verify) sub: Option<Box<str>>,
    /// Whether `events` says that it is a logout token.
    pub(in crate::verify) is_logout_token: bool,
    /// The generation of the user's sessions, in tokens of an engine's own issuer; 0 if there is none.
    pub(in crate::verify) user_generation: u32,
    /// The same of all users.
    pub(in crate::verify) issuer_generation: u32,
    /// Whether the token has the claim `cnf` (RFC 7800 §3.1).
    pub(in crate::verify) sender_constrained: bool,
    /// The text of the subject, if it is an integer.
    pub(super) integer_subject: Option<Box<str>>,
    /// The names of the claims that were parsed at once; `read` holds those that the token has.
    wanted: Arc<[Arc<str>]>,
    read: Vec<(Arc<str>, Value)>,
    payload: Box<[u8]>,
    all: OnceLock<Map<String, Value>>,
}

impl TokenClaims {
    /// Parses a claims set: one JSON object without duplicate names (RFC 7519 §4).
    ///
    /// # Errors
    /// [`VerifyError::Malformed`] if it is not such an object. [`VerifyError::InvalidClaim`], [`VerifyError::NullClaim`] or
    /// [`VerifyError::IntegerClaim`] if a registered claim has a wrong type.
    pub(in crate::verify) fn from_json(bytes: &[u8]) -> Result<Self, VerifyError> {
        let wanted = Arc::default();
        let strict = Reading {
            wanted: &wanted,
            subject: None,
            keeps_sub: false,
            null_is_absent: false,
            integer_jti: false,
            integer_sub: false,
        };
        Self::read(bytes.to_vec(), &strict)
    }

    /// Parses a claims set as `reading` says.
    pub(super) fn read(payload: Vec<u8>, reading: &Reading<'_>) -> Result<Self, VerifyError> {
        let wanted = reading.wanted;
        let mut claims =
            Self { wanted: Arc::clone(wanted), read: Vec::with_capacity(wanted.len()), ..Self::default() };
        for (name, raw) in json::members(&payload).ok_or(NOT_AN_OBJECT)? {
            claims.take(&name, raw, reading)?;
            match wanted.iter().find(|wanted| ***wanted == *name) {
                Some(name) => claims.read.push((Arc::clone(name), json::value(raw).ok_or(NOT_AN_OBJECT)?)),
                // A claim that can't be parsed later makes the token invalid now.
                None if !json::is_valid(raw) => return Err(NOT_AN_OBJECT),
                None => {}
            }
            if let Some((top_level, path)) = reading.subject
                && *top_level == *name
            {
                claims.integer_subject = json::at(raw, path).and_then(json::integer).map(Box::from);
            }
        }
        claims.payload = payload.into();
        Ok(claims)
    }

    /// Returns the issuer of an unverified payload, which decides whose keys must have signed it. `None` if it is absent or `null`.
    pub(super) fn issuer_of(payload: &[u8]) -> Result<Option<Box<str>>, VerifyError> {
        let members = json::members(payload).ok_or(NOT_AN_OBJECT)?;
        match members.into_iter().find(|(name, _)| name == "iss") {
            Some((_, raw)) if raw.get() != NULL => {
                text(raw).map(Some).ok_or(VerifyError::InvalidClaim("iss"))
            }
            _ => Ok(None),
        }
    }

    fn take(&mut self, name: &str, raw: &RawValue, reading: &Reading<'_>) -> Result<(), VerifyError> {
        if raw.get() == NULL
            && let Some(name) = NULLABLE.iter().find(|nullable| **nullable == name)
        {
            return if reading.null_is_absent { Ok(()) } else { Err(VerifyError::NullClaim(name)) };
        }
        let invalid = VerifyError::InvalidClaim;
        let earlier = |name| seconds(raw, f64::floor).ok_or(invalid(name));
        let later = |name| seconds(raw, f64::ceil).ok_or(invalid(name));
        match name {
            "iss" => self.issuer = Some(text(raw).ok_or(invalid("iss"))?),
            // The issuer's mapping decides which claim holds the subject; the type of `sub` is always checked.
            "sub" => {
                let sub = text_or_integer(raw, "sub", reading.integer_sub)?;
                self.sub = reading.keeps_sub.then(|| sub.into());
            }
            "aud" => self.audience = Some(audience(raw).ok_or(invalid("aud"))?),
            "exp" => self.expires_at = Some(earlier("exp")?),
            "nbf" => self.not_before = Some(later("nbf")?),
            "iat" => self.issued_at = Some(earlier("iat")?),
            "auth_time" => self.auth_time = Some(earlier("auth_time")?),
            "jti" => self.token_id = Some(text_or_integer(raw, "jti", reading.integer_jti)?.into()),
            "sid" => self.session_id = Some(text(raw).ok_or(invalid("sid"))?),
            "acr" => self.acr = Some(text(raw).ok_or(invalid("acr"))?),
            "amr" => drop(audience(raw).ok_or(invalid("amr"))?),
            "cnf" => self.sender_constrained = true,
            "events" => {
                let events = json::members(raw.get().as_bytes()).unwrap_or_default();
                self.is_logout_token = events.iter().any(|(name, _)| name == LOGOUT_EVENT);
            }
            // Another issuer may mean anything else by it.
            USER_GENERATION => self.user_generation = raw.get().parse().unwrap_or(0),
            ISSUER_GENERATION => self.issuer_generation = raw.get().parse().unwrap_or(0),
            _ => {}
        }
        Ok(())
    }

    /// Returns the claim of this top-level name.
    pub(in crate::verify) fn get(&self, name: &str) -> Option<&Value> {
        match self.read.iter().find(|(read, _)| **read == *name) {
            Some((_, value)) => Some(value),
            None if self.wanted.iter().any(|wanted| **wanted == *name) => None,
            None => self.as_map().get(name),
        }
    }

    /// Returns all claims. Each was checked by the same parser when the token was verified.
    pub(in crate::verify) fn as_map(&self) -> &Map<String, Value> {
        self.all.get_or_init(|| {
            let members = json::members(&self.payload).into_iter().flatten();
            members.filter_map(|(name, raw)| Some((name.into_owned(), json::value(raw)?))).collect()
        })
    }
}

/// Prints the names alone, because the values may be personal data.
impl std::fmt::Debug for TokenClaims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.as_map().keys()).finish()
    }
}

fn text(raw: &RawValue) -> Option<Box<str>> {
    json::string(raw).map(Box::from)
}

/// Parses a string, and the text of an integer if `integer_accepted`.
fn text_or_integer<'a>(
    raw: &'a RawValue,
    name: &'static str,
    integer_accepted: bool,
) -> Result<Cow<'a, str>, VerifyError> {
    match json::integer(raw) {
        Some(integer) if integer_accepted => Ok(Cow::Borrowed(integer)),
        Some(_) => Err(VerifyError::IntegerClaim(name)),
        None => json::string(raw).ok_or(VerifyError::InvalidClaim(name)),
    }
}

/// Parses a string or a list of strings (RFC 7519 §4.1.3).
fn audience(raw: &RawValue) -> Option<Box<[Box<str>]>> {
    match text(raw) {
        Some(one) => Some(Box::new([one])),
        None => json::parsed(raw),
    }
}

/// Parses a NumericDate, whole or fractional (RFC 7519 §2), and rounds it with `stricter`.
fn seconds(raw: &RawValue, stricter: fn(f64) -> f64) -> Option<i64> {
    /// The largest range in which every whole second is a double.
    const RANGE: f64 = 9_007_199_254_740_992.0;
    // Most dates are whole seconds.
    if let Ok(whole) = raw.get().parse::<u32>() {
        return Some(whole.into());
    }
    let number = stricter(json::parsed::<f64>(raw)?);
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
    fn names_that_mean_something_to_serde_json_hide_nothing() {
        for bad in [
            r#"{"suspended":true,"profile":{"$serde_json::private::RawValue":1}}"#,
            r#"{"suspended":true,"profile":[{"$serde_json::private::RawValue":"[]"}]}"#,
            r#"{"roles":{"$serde_json::private::RawValue":"[\"admin\"]"}}"#,
            r#"{"suspended":true,"profile":{"$serde_json::private::Number":"x"}}"#,
        ] {
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
            (r#"{"sub":1.5}"#, "sub"),
            (r#"{"sub":1e3}"#, "sub"),
            (r#"{"sub":[1]}"#, "sub"),
            (r#"{"aud":1}"#, "aud"),
            (r#"{"aud":["a",1]}"#, "aud"),
            (r#"{"jti":[]}"#, "jti"),
            (r#"{"sid":5}"#, "sid"),
            (r#"{"acr":5}"#, "acr"),
            (r#"{"amr":{"pwd":true}}"#, "amr"),
            (r#"{"amr":[["pwd"]]}"#, "amr"),
        ] {
            assert_eq!(
                TokenClaims::from_json(json.as_bytes()).err(),
                Some(VerifyError::InvalidClaim(name)),
                "{json}"
            );
        }
    }

    #[test]
    fn null_and_integers_are_refusals_that_name_the_switch() {
        for name in super::NULLABLE {
            let error = TokenClaims::from_json(format!(r#"{{"{name}":null}}"#).as_bytes()).err();
            assert_eq!(error, Some(VerifyError::NullClaim(name)));
            assert!(error.unwrap().to_string().contains("`TrustedIssuer::accept_null_claims()`"));
        }
        for name in ["sub", "jti"] {
            for integer in ["0", "-1", "42", "18446744073709551616"] {
                let error = TokenClaims::from_json(format!(r#"{{"{name}":{integer}}}"#).as_bytes()).err();
                assert_eq!(error, Some(VerifyError::IntegerClaim(name)), "{integer}");
                let text = error.unwrap().to_string();
                assert!(text.contains(&format!("`TrustedIssuer::accept_integer_{name}()`")), "{text}");
            }
        }
    }
}
