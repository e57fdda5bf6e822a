//! The claims of a token: the registered ones are checked when the token is verified, and the others are found when they are asked for.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::VerifyError;
use super::asked::Asked;
use super::json::{Document, Json, Known, Span};

pub(super) const NOT_AN_OBJECT: VerifyError =
    VerifyError::Malformed("the claims are not one strict JSON object");

/// The event that makes a JWT a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4).
pub(crate) const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The claim that holds the generation of the user's sessions.
pub(crate) const USER_GENERATION: &str = "user_generation";

/// The claim that holds the generation of the sessions of all users of the issuer.
pub(crate) const ISSUER_GENERATION: &str = "issuer_generation";

/// Which forms of registered claims are accepted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Forms {
    /// `null` counts as absent, except for `exp`.
    pub(super) null_is_absent: bool,
    /// `jti` may be an integer.
    pub(super) integer_jti: bool,
    /// `sub` may be an integer.
    pub(super) integer_sub: bool,
}

/// The payload of a token.
#[derive(Debug)]
pub(super) enum Payload {
    Bytes(Vec<u8>),
    /// It was read before the signature was verified: its `iss` has chosen whose keys verify it.
    Read(Document),
}

/// The claims of a token.
///
/// A registered claim that has a wrong type makes the token invalid; it does not count as absent.
#[derive(Clone, Default)]
pub struct TokenClaims {
    document: Document,
    pub(crate) expires_at: Option<i64>,
    pub(crate) not_before: Option<i64>,
    pub(crate) issued_at: Option<i64>,
    pub(crate) auth_time: Option<i64>,
    /// The generation of the user's sessions, in tokens of an engine's own issuer; 0 if there is none.
    pub(crate) user_generation: u32,
    /// The same of all users.
    pub(crate) issuer_generation: u32,
    /// Whether `events` says that it is a logout token.
    pub(super) is_logout_token: bool,
    /// Whether the token has the claim `cnf` (RFC 7800 §3.1).
    pub(crate) sender_constrained: bool,
    /// The issuer of claims without `iss`.
    issuer: Option<Box<str>>,
    asked: Asked,
}

impl Payload {
    /// What was read; an error if it is no strict object.
    pub(super) fn into_document(self) -> Result<Document, VerifyError> {
        match self {
            Self::Bytes(bytes) => Document::read(bytes).ok_or(NOT_AN_OBJECT),
            Self::Read(document) => Ok(document),
        }
    }
}

impl TokenClaims {
    /// Parses a claims set: one JSON object without duplicate names (RFC 7519 §4).
    ///
    /// # Errors
    /// [`VerifyError::Malformed`] if it is not such an object. [`VerifyError::InvalidClaim`], [`VerifyError::NullClaim`] or
    /// [`VerifyError::IntegerClaim`] if a registered claim has a wrong type.
    pub fn from_json(bytes: &[u8]) -> Result<Self, VerifyError> {
        Self::read(Payload::Bytes(bytes.to_vec()), Forms::default())
    }

    /// Parses a claims set whose registered claims have these forms.
    pub(super) fn read(payload: Payload, forms: Forms) -> Result<Self, VerifyError> {
        let document = payload.into_document()?;
        let checked = Registered { document: &document, forms };
        checked.check_types()?;
        let (expires_at, not_before) =
            (checked.time(Known::Exp, f64::floor)?, checked.time(Known::Nbf, f64::ceil)?);
        let (issued_at, auth_time) =
            (checked.time(Known::Iat, f64::floor)?, checked.time(Known::AuthTime, f64::floor)?);
        let sender_constrained = checked.present(Known::Cnf)?.is_some();
        let has_logout_event = |events: Json<'_>| events.get(LOGOUT_EVENT).is_some();
        let is_logout_token = document.known(Known::Events).is_some_and(has_logout_event);
        // Another issuer may mean anything else by it.
        let generation = |name| {
            let value = document.known(name).filter(|value| value.is_number());
            value.and_then(|value| value.text().parse().ok()).unwrap_or(0)
        };
        let (user_generation, issuer_generation) =
            (generation(Known::UserGeneration), generation(Known::IssuerGeneration));
        Ok(Self {
            document,
            expires_at,
            not_before,
            issued_at,
            auth_time,
            user_generation,
            issuer_generation,
            is_logout_token,
            sender_constrained,
            issuer: None,
            asked: Asked::default(),
        })
    }

    /// Returns the issuer of an unverified payload, which decides whose keys must have signed it. `None` if it is absent or `null`.
    pub(super) fn issuer_of(document: &Document) -> Result<Option<&str>, VerifyError> {
        match document.known(Known::Iss).filter(|iss| !iss.is_null()) {
            Some(iss) => iss.as_str().map(Some).ok_or(VerifyError::InvalidClaim("iss")),
            None => Ok(None),
        }
    }

    /// `iss`.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.text(Known::Iss).or(self.issuer.as_deref())
    }

    /// Sets the issuer of claims that have none.
    #[cfg(feature = "introspection")]
    pub(super) fn set_missing_issuer(&mut self, issuer: &str) {
        self.issuer = Some(issuer.into());
    }

    /// `sub`: a string, or the text of an integer.
    pub(crate) fn sub(&self) -> Option<&str> {
        self.text(Known::Sub)
    }

    /// `jti`: a string, or the text of an integer.
    pub(crate) fn token_id(&self) -> Option<&str> {
        self.text(Known::Jti)
    }

    /// `sid`.
    pub(crate) fn session_id(&self) -> Option<&str> {
        self.text(Known::Sid)
    }

    /// `acr`.
    pub(crate) fn acr(&self) -> Option<&str> {
        self.text(Known::Acr)
    }

    /// `aud`, which may be an empty list; `None` if it is absent.
    pub(crate) fn audience(&self) -> Option<impl Iterator<Item = &str>> {
        self.known(Known::Aud).filter(|audience| !audience.is_null()).map(strings)
    }

    /// `amr`: a list, or a string, which counts as a list of one.
    pub(crate) fn amr(&self) -> impl Iterator<Item = &str> {
        self.known(Known::Amr).into_iter().flat_map(strings)
    }

    fn text(&self, name: Known) -> Option<&str> {
        self.known(name).filter(|value| !value.is_null()).map(Json::text)
    }

    pub(super) fn known(&self, name: Known) -> Option<Json<'_>> {
        self.document.known(name)
    }

    /// All claims, as the members of an object.
    pub(super) fn root(&self) -> Json<'_> {
        self.document.root()
    }

    /// The text of a string of the claims.
    pub(crate) fn text_at(&self, span: Span) -> &str {
        self.document.text_at(span)
    }

    /// Returns the claim of this top-level name, as it is in the token.
    pub(crate) fn find(&self, name: &str) -> Option<Json<'_>> {
        self.root().get(name)
    }

    /// Returns the claim of this top-level name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.asked.get(name, || self.find(name).map(Json::to_value))
    }

    /// Returns all claims.
    pub(crate) fn to_map(&self) -> Map<String, Value> {
        self.root().to_map()
    }

    /// Deserializes all claims, which may be borrowed.
    pub(crate) fn deserialize<'c, T: Deserialize<'c>>(&'c self) -> Result<T, serde_json::Error> {
        T::deserialize(self.root())
    }

    /// The bytes that they take behind their own.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.document.heap_bytes() + self.issuer.as_ref().map_or(0, |issuer| issuer.len())
    }
}

/// Prints the names alone, because the values may be personal data.
impl std::fmt::Debug for TokenClaims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.root().named_members().map(|(name, _)| name)).finish()
    }
}

/// The registered claims of a document, whose types are checked.
#[derive(Clone, Copy)]
struct Registered<'d> {
    document: &'d Document,
    forms: Forms,
}

impl<'d> Registered<'d> {
    /// The claim of this name; `None` if it is absent, or `null` and that counts as absent.
    fn present(self, name: Known) -> Result<Option<Json<'d>>, VerifyError> {
        match self.document.known(name) {
            // No form of `exp` is `null`.
            Some(value) if value.is_null() && name != Known::Exp => {
                if self.forms.null_is_absent {
                    Ok(None)
                } else {
                    Err(VerifyError::NullClaim(name.text()))
                }
            }
            found => Ok(found),
        }
    }

    fn check_types(self) -> Result<(), VerifyError> {
        for (name, may_be_list) in [
            (Known::Iss, false),
            (Known::Aud, true),
            (Known::Sid, false),
            (Known::Acr, false),
            (Known::Amr, true),
        ] {
            let is_valid = |value: Json<'_>| value.is_string() || may_be_list && is_list_of_strings(value);
            if self.present(name)?.is_some_and(|value| !is_valid(value)) {
                return Err(VerifyError::InvalidClaim(name.text()));
            }
        }
        let Forms { integer_sub, integer_jti, .. } = self.forms;
        for (name, integer_accepted) in [(Known::Sub, integer_sub), (Known::Jti, integer_jti)] {
            if let Some(value) = self.present(name)? {
                check_text_or_integer(value, name, integer_accepted)?;
            }
        }
        Ok(())
    }

    /// A time, rounded with `stricter`.
    fn time(self, name: Known, stricter: fn(f64) -> f64) -> Result<Option<i64>, VerifyError> {
        match self.present(name)? {
            Some(value) => seconds(value, stricter).map(Some).ok_or(VerifyError::InvalidClaim(name.text())),
            None => Ok(None),
        }
    }
}

/// Checks that it is a string, or an integer if `integer_accepted`.
fn check_text_or_integer(value: Json<'_>, name: Known, integer_accepted: bool) -> Result<(), VerifyError> {
    match value.span_of_integer() {
        Some(_) if integer_accepted => Ok(()),
        Some(_) => Err(VerifyError::IntegerClaim(name.text())),
        None if value.is_string() => Ok(()),
        None => Err(VerifyError::InvalidClaim(name.text())),
    }
}

/// Whether it is a list of strings (RFC 7519 §4.1.3).
fn is_list_of_strings(value: Json<'_>) -> bool {
    value.is_array() && value.elements().all(Json::is_string)
}

/// A string, or the strings of a list.
fn strings(value: Json<'_>) -> impl Iterator<Item = &str> {
    value.elements().chain(Some(value)).filter_map(Json::as_str)
}

/// Parses a NumericDate, whole or fractional (RFC 7519 §2), and rounds it with `stricter`.
fn seconds(value: Json<'_>, stricter: fn(f64) -> f64) -> Option<i64> {
    /// The largest range in which every whole second is a double.
    const RANGE: f64 = 9_007_199_254_740_992.0;
    let text = value.is_number().then(|| value.text())?;
    // Most dates are whole seconds.
    if let Ok(whole) = text.parse::<u32>() {
        return Some(whole.into());
    }
    let number = stricter(serde_json::from_str::<f64>(text).ok()?);
    #[allow(clippy::cast_possible_truncation, reason = "whole, and within the range of i64")]
    (number.abs() <= RANGE).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::{TokenClaims, VerifyError};

    const NULLABLE: &[&str] =
        &["iss", "sub", "aud", "nbf", "iat", "jti", "sid", "auth_time", "acr", "amr", "cnf"];

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
        assert_eq!((claims.issuer(), claims.token_id()), (Some("ab\"c"), Some("plain ü")));
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
        for name in NULLABLE {
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
