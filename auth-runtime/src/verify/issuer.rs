//! Which issuers are trusted, and which claims of their tokens hold the subject, roles, scopes and permissions.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::claims::TokenClaims;
use crate::jose::{Algorithm, Key};

/// A trusted issuer: its name, its keys, the audience that its tokens must have, and which claims hold the subject, roles,
/// scopes and permissions.
///
/// ```
/// use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
///
/// # let public_key_pem = "";
/// let keycloak = TrustedIssuer::new("https://id.example.com/realms/shop")
///     .audience("orders")
///     .key(Key::pem(Algorithm::RS256, public_key_pem))
///     .roles_at("realm_access.roles");
/// ```
#[derive(Clone, Debug)]
#[must_use = "pass it to `Auth::builder().issuer(..)`"]
pub struct TrustedIssuer {
    /// `None`: any name.
    pub(super) name: Option<String>,
    pub(super) audience: Audience,
    pub(super) single_audience: bool,
    pub(super) claim_rules: Vec<(ClaimName, ClaimRule)>,
    pub(super) keys: Vec<Key>,
    pub(super) key_sets: Vec<KeySetText>,
    /// The algorithms of the keys of `key_sets` that have no `alg`; `None`: one by the type of the key.
    pub(super) key_set_algorithms: Option<Vec<Algorithm>>,
    pub(super) token_types: Vec<String>,
    pub(super) mapping: ClaimMapping,
}

/// A JWKS document, which may contain secrets.
#[derive(Clone)]
pub(super) struct KeySetText(pub(super) String);

impl fmt::Debug for KeySetText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[derive(Clone, Debug)]
pub(super) enum Audience {
    Unset,
    Any,
    /// The claim must be absent.
    None,
    OneOf(Vec<String>),
}

impl TrustedIssuer {
    /// Returns an issuer whose tokens have exactly this `iss` (RFC 7519 §4.1.1). The comparison is by code points.
    pub fn new(name: impl Into<String>) -> Self {
        Self::named(Some(name.into()))
    }

    /// Tokens with any `iss`, and without `iss`, as long as one of the keys signed them.
    ///
    /// What is lost: where several issuers share a key, the tokens of one are accepted as those of another (RFC 8725 §3.8). It is
    /// right where the tokens of one issuer have no `iss`, or one that changes. Otherwise use [`TrustedIssuer::new`].
    pub fn dangerously_accept_any_issuer() -> Self {
        Self::named(None)
    }

    fn named(name: Option<String>) -> Self {
        Self {
            name,
            audience: Audience::Unset,
            single_audience: false,
            claim_rules: Vec::new(),
            keys: Vec::new(),
            key_sets: Vec::new(),
            key_set_algorithms: None,
            token_types: vec!["at+jwt".into(), "JWT".into()],
            mapping: ClaimMapping::default(),
        }
    }

    /// Adds a name of this service. The token's `aud` must be or contain one of the added names (RFC 7519 §4.1.3).
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        match &mut self.audience {
            Audience::OneOf(names) => names.push(audience.into()),
            _ => self.audience = Audience::OneOf(vec![audience.into()]),
        }
        self
    }

    /// Accepts tokens for any audience, and without audience.
    ///
    /// What is lost: a token that the issuer made for another service is accepted here too, so that service, or an attacker who
    /// controls it, can act as its users here (RFC 8725 §3.9). It is right where all services of an issuer trust each other.
    /// Otherwise use [`TrustedIssuer::audience`].
    pub fn dangerously_accept_any_audience(mut self) -> Self {
        self.audience = Audience::Any;
        self
    }

    /// Accepts tokens without an audience alone. A token with `aud` is for another service, and is rejected (RFC 7519 §4.1.3).
    ///
    /// What is lost: all services that trust this issuer accept the same tokens, so each can act as the users of the others. It is
    /// right where an issuer can't set `aud`. Otherwise use [`TrustedIssuer::audience`].
    pub fn dangerously_expect_no_audience(mut self) -> Self {
        self.audience = Audience::None;
        self
    }

    /// Requires that `aud` is a single name, so that no other service can use a token that was sent to this one.
    pub fn single_audience(mut self) -> Self {
        self.single_audience = true;
        self
    }

    /// Adds a rule for a claim. Every token of the issuer must satisfy it, on every route.
    ///
    /// ```
    /// use auth_runtime::verify::{ClaimRule, TrustedIssuer};
    ///
    /// let issuer = TrustedIssuer::new("https://id.example.com")
    ///     .claim("client_id", ClaimRule::one_of(["web", "mobile"]))
    ///     .claim("email_verified", ClaimRule::equals(true))
    ///     .claim("tenant.id", ClaimRule::Present);
    /// # let _ = issuer;
    /// ```
    pub fn claim(mut self, name: impl Into<ClaimName>, rule: ClaimRule) -> Self {
        self.claim_rules.push((name.into(), rule));
        self
    }

    /// Adds a key that verifies the issuer's signatures. Each key that is added has an id of its own, or none.
    ///
    /// A token is tried with the keys of its `alg` that have its `kid`, and then with those that have no id; with those of its `alg` if it
    /// has no `kid`. At most 16 keys are tried.
    pub fn key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds the keys of a JWKS document (RFC 7517 §5), given as JSON text. Keys that can't be used are skipped and logged.
    ///
    /// Several keys of a set may have the same `kid` (RFC 7517 §4.5): a token is tried with each, in the order of the set, as
    /// [`key`](Self::key) says.
    pub fn jwks(mut self, json: impl Into<String>) -> Self {
        self.key_sets.push(KeySetText(json.into()));
        self
    }

    /// Sets the algorithms of the keys in [`jwks`](Self::jwks) that have no `alg`. Such a key is for each of them that its type allows;
    /// a key whose type allows none is skipped and logged. Default: RS256 for an RSA key, the algorithm of its curve for an EC key, and
    /// EdDSA for an Ed25519 key. An `alg` of a key always counts.
    ///
    /// ```
    /// use auth_runtime::verify::{Algorithm, TrustedIssuer};
    ///
    /// # let jwks = "";
    /// let issuer = TrustedIssuer::new("https://id.example.com")
    ///     .jwks(jwks)
    ///     .jwks_algorithms([Algorithm::PS256, Algorithm::ES256]);
    /// # let _ = issuer;
    /// ```
    ///
    /// A key should be for one algorithm (RFC 8725 §3.1): name RS256 and PS256 together only if the issuer signs with both.
    pub fn jwks_algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        let mut named = Vec::new();
        for algorithm in algorithms {
            if !named.contains(&algorithm) {
                named.push(algorithm);
            }
        }
        self.key_set_algorithms = Some(named);
        self
    }

    /// Sets the accepted values of the header's `typ`. They are compared without case, and with or without the prefix
    /// `application/` (RFC 7515 §4.1.9). Default: `at+jwt` (RFC 9068) and `JWT`.
    ///
    /// A token without `typ` is accepted only if `JWT` is accepted.
    pub fn token_types(mut self, types: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.token_types = types.into_iter().map(Into::into).collect();
        self
    }

    /// Sets which claim holds the subject. Default: `sub`.
    pub fn subject_at(mut self, name: impl Into<ClaimName>) -> Self {
        self.mapping.subject = name.into();
        self
    }

    /// Sets which claim holds the roles: a list of strings, or one string with spaces between the roles. Default: `roles`.
    pub fn roles_at(mut self, name: impl Into<ClaimName>) -> Self {
        self.mapping.roles = vec![name.into()];
        self
    }

    /// Sets which claim holds the scopes. Default: `scope`; if it is absent, `scp`.
    pub fn scopes_at(mut self, name: impl Into<ClaimName>) -> Self {
        self.mapping.scopes = vec![name.into()];
        self
    }

    /// Sets which claim holds the permissions. Default: `permissions`.
    pub fn permissions_at(mut self, name: impl Into<ClaimName>) -> Self {
        self.mapping.permissions = vec![name.into()];
        self
    }
}

/// The name of a claim: a path of names through objects, or one literal name.
///
/// A string is converted to a path with dots between the names, such as `realm_access.roles`. A string that contains `://` is
/// converted to one literal name, such as `https://example.com/roles`. [`ClaimName::literal`] makes a literal name of any string,
/// also of one with dots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimName(Box<[Box<str>]>);

impl ClaimName {
    /// Returns one literal name of the top level. Dots are a part of it.
    pub fn literal(name: impl Into<String>) -> Self {
        Self(Box::new([name.into().into_boxed_str()]))
    }

    pub(crate) fn find<'c>(&self, claims: &'c TokenClaims) -> Option<&'c Value> {
        let (first, rest) = self.0.split_first()?;
        rest.iter().try_fold(claims.get(first)?, |value, name| value.get(&**name))
    }

    /// Returns the first name of the path.
    pub(super) fn top_level(&self) -> Option<&str> {
        self.0.first().map(|name| &**name)
    }

    pub(super) fn is_blank(&self) -> bool {
        self.0.iter().any(|name| name.is_empty())
    }
}

impl From<&str> for ClaimName {
    fn from(name: &str) -> Self {
        if name.contains("://") {
            Self::literal(name)
        } else {
            Self(name.split('.').map(Box::from).collect())
        }
    }
}

impl From<String> for ClaimName {
    fn from(name: String) -> Self {
        name.as_str().into()
    }
}

/// What a claim must be. A rule never accepts an absent claim.
#[derive(Clone)]
#[non_exhaustive]
pub enum ClaimRule {
    /// The claim is present, and is not `null`.
    Present,
    /// The claim is equal to one of these values.
    OneOf(Vec<Value>),
    /// The function returns `true` for the claim.
    Satisfies(Arc<dyn Fn(&Value) -> bool + Send + Sync>),
}

impl ClaimRule {
    /// Requires that the claim is equal to `value`.
    pub fn equals(value: impl Into<Value>) -> Self {
        Self::OneOf(vec![value.into()])
    }

    /// Requires that the claim is equal to one of `values`.
    pub fn one_of(values: impl IntoIterator<Item = impl Into<Value>>) -> Self {
        Self::OneOf(values.into_iter().map(Into::into).collect())
    }

    /// Requires that `predicate` returns `true` for the claim. It is called on every request, so it must not block. The
    /// tokens of an issuer with such a rule are not cached ([`AuthBuilder::token_cache`](crate::AuthBuilder::token_cache)).
    pub fn satisfies(predicate: impl Fn(&Value) -> bool + Send + Sync + 'static) -> Self {
        Self::Satisfies(Arc::new(predicate))
    }

    pub(super) fn accepts(&self, claim: Option<&Value>) -> bool {
        match (self, claim) {
            (_, None) => false,
            (Self::Present, Some(value)) => !value.is_null(),
            (Self::OneOf(values), Some(value)) => values.contains(value),
            (Self::Satisfies(predicate), Some(value)) => predicate(value),
        }
    }
}

impl fmt::Debug for ClaimRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present => f.write_str("Present"),
            Self::OneOf(values) => f.debug_tuple("OneOf").field(values).finish(),
            Self::Satisfies(_) => f.write_str("Satisfies(..)"),
        }
    }
}

/// Which claims hold the subject, roles, scopes and permissions. Of several names, the first that is present counts.
#[derive(Clone, Debug)]
pub(crate) struct ClaimMapping {
    pub(crate) subject: ClaimName,
    pub(crate) roles: Vec<ClaimName>,
    pub(crate) scopes: Vec<ClaimName>,
    pub(crate) permissions: Vec<ClaimName>,
}

impl Default for ClaimMapping {
    fn default() -> Self {
        Self {
            subject: "sub".into(),
            roles: vec!["roles".into()],
            scopes: vec!["scope".into(), "scp".into()],
            permissions: vec!["permissions".into()],
        }
    }
}

impl ClaimMapping {
    /// Returns all names of the mapping.
    pub(super) fn names(&self) -> impl Iterator<Item = &ClaimName> {
        let lists = [&self.roles, &self.scopes, &self.permissions];
        std::iter::once(&self.subject).chain(lists.into_iter().flatten())
    }

    pub(super) fn has_blank_name(&self) -> bool {
        self.names().any(ClaimName::is_blank)
    }
}
