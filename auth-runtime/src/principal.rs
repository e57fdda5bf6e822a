//! The caller of a request, as its verified token tells.

mod extract;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use self::extract::Admitted;
pub use self::extract::Claims;
use crate::revocation::TokenIdentity;
use crate::verify::{ClaimName, VerifiedToken};
use crate::vocabulary::{Bits, Name, NameKind, VocabularyIndex};

/// The caller of a request: who it is, and what it may do.
///
/// Only the pipeline makes one, after it verified the token: a handler that holds a `Principal` proves that
/// verification ran. It is an extractor (`user: Principal`, with `#[auth(optional)]` `user: Option<Principal>`), and
/// cheap to clone.
#[derive(Clone)]
pub struct Principal(Arc<Inner>);

struct Inner {
    token: VerifiedToken,
    subject: Box<str>,
    roles: Box<[Box<str>]>,
    scopes: Box<[Box<str>]>,
    permissions: Box<[Box<str>]>,
    /// Those of them that the engine's vocabulary declares.
    bits: Bits,
}

/// A verified token that does not say who the caller is, says it in a form that can't be read, or says what can't be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unidentified(pub(crate) Cow<'static, str>);

impl Principal {
    /// Who a verified token is about. Declared roles bring what they imply and are granted; nobody holds two that exclude
    /// each other.
    pub(crate) fn identify(
        token: VerifiedToken,
        vocabulary_index: &VocabularyIndex,
    ) -> Result<Self, Unidentified> {
        let mapping = &token.mapping;
        let unreadable = |problem: &'static str| Unidentified(problem.into());
        let subject: Box<str> =
            token.subject().ok_or(unreadable("the token's subject is missing, empty or no string"))?.into();
        let of = |names: &[ClaimName], problem| names_of(&token, names).ok_or(unreadable(problem));
        let mut roles = of(&mapping.roles, "the token's roles are neither a list of strings nor a string")?;
        let scopes = of(&mapping.scopes, "the token's scopes are neither a list of strings nor a string")?;
        let mut permissions =
            of(&mapping.permissions, "the token's permissions are neither a list of strings nor a string")?;
        vocabulary_index.expand(&mut roles, &mut permissions);
        if let Some(clash) = vocabulary_index.clash(&roles) {
            return Err(Unidentified(format!("the token of `{subject}` has {clash}").into()));
        }
        let bits = vocabulary_index.bits(&roles, &scopes, &permissions);
        Ok(Self(Arc::new(Inner {
            subject,
            roles: roles.into(),
            scopes: scopes.into(),
            permissions: permissions.into(),
            bits,
            token,
        })))
    }

    /// The user, client or device that the token is about: `sub`, or where the issuer's mapping says it stands.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Who made the token: `iss`. With [`any_issuer`](crate::verify::TrustedIssuer::any_issuer) it may be missing.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.0.token.claims.issuer.as_deref()
    }

    /// The token's own id: `jti`.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.0.token.claims.token_id.as_deref()
    }

    /// The login that the token belongs to: `sid`.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.0.token.claims.session_id.as_deref()
    }

    /// When the token expires: `exp`.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.0.token.claims.expires_at.and_then(system_time)
    }

    /// When the token was issued: `iat`.
    #[must_use]
    pub fn issued_at(&self) -> Option<SystemTime> {
        self.0.token.claims.issued_at.and_then(system_time)
    }

    /// When the user last logged in: `auth_time`.
    #[must_use]
    pub fn auth_time(&self) -> Option<SystemTime> {
        self.0.token.claims.auth_time.and_then(system_time)
    }

    /// How the user logged in: the authentication context class `acr`.
    #[must_use]
    pub fn acr(&self) -> Option<&str> {
        self.0.token.claims.acr.as_deref()
    }

    /// The methods that the user logged in with: the authentication method references `amr` (RFC 8176), such as `pwd`, `otp`, `hwk`.
    /// The claim is a list of strings; a string alone counts as a list of one.
    pub fn amr(&self) -> impl Iterator<Item = &str> {
        let claim = self.claim("amr");
        let list = claim.and_then(Value::as_array).into_iter().flatten();
        list.chain(claim).filter_map(Value::as_str)
    }

    /// The roles, with those that they imply.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.0.roles.iter().map(|role| &**role)
    }

    /// The scopes.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.0.scopes.iter().map(|scope| &**scope)
    }

    /// The permissions, with those that the roles are granted.
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        self.0.permissions.iter().map(|permission| &**permission)
    }

    /// Whether the caller has this role, by itself or implied by another.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles().any(|has| has == role)
    }

    /// Whether the token carries this scope.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes().any(|has| has == scope)
    }

    /// Whether the caller is granted this permission.
    #[must_use]
    pub fn has_permission(&self, permission: &str) -> bool {
        self.permissions().any(|has| has == permission)
    }

    /// Whether the caller has this, by a name that the compiler knows: `user.has(Role::Admin)`, with an enum that
    /// [`vocabulary!`](crate::vocabulary!) made.
    #[must_use]
    pub fn has<N: Name>(&self, name: N) -> bool {
        match N::KIND {
            NameKind::Role => self.has_role(name.as_str()),
            NameKind::Scope => self.has_scope(name.as_str()),
            NameKind::Permission => self.has_permission(name.as_str()),
        }
    }

    /// The claim of this top-level name, dots and all.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.0.token.claims.get(name)
    }

    /// All claims as a type of yours. [`Claims<T>`] does the same as an extractor.
    ///
    /// # Errors
    /// If the claims don't fit the type. The error's text may quote a claim: think before you log it.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(self.0.token.claims.as_map())
    }

    pub(crate) fn auth_time_seconds(&self) -> Option<i64> {
        self.0.token.claims.auth_time
    }

    pub(crate) fn bits(&self) -> &Bits {
        &self.0.bits
    }

    pub(crate) fn token(&self) -> &VerifiedToken {
        &self.0.token
    }

    pub(crate) fn token_identity(&self) -> TokenIdentity<'_> {
        TokenIdentity::of(&self.0.token, &self.0.subject)
    }
}

/// Who, but not what else the token says: claims may be personal.
impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("subject", &self.0.subject)
            .field("issuer", &self.0.token.claims.issuer)
            .field("roles", &self.0.roles)
            .field("scopes", &self.0.scopes)
            .field("permissions", &self.0.permissions)
            .finish_non_exhaustive()
    }
}

/// A list of strings, or one string of words with spaces between (RFC 6749 §3.3). Absent is empty; another type is
/// no reading of ours to guess at.
fn names_of(token: &VerifiedToken, places: &[ClaimName]) -> Option<Vec<Box<str>>> {
    match places.iter().find_map(|place| place.find(&token.claims)) {
        None => Some(Vec::new()),
        Some(Value::String(words)) => {
            Some(words.split(' ').filter(|word| !word.is_empty()).map(Box::from).collect())
        }
        Some(Value::Array(list)) => list.iter().map(|name| name.as_str().map(Box::from)).collect(),
        Some(_) => None,
    }
}

fn system_time(seconds: i64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}
