//! Which values of `iss` an issuer's tokens have.

use std::borrow::Cow;

use super::VerifyError;
use super::claim_name::ClaimName;
use super::claims::TokenClaims;
use super::issuer::TrustedIssuer;
use super::scheme_issuer::scheme_of_issuer;
use super::tenants::TenantIssuer;
use crate::error::ConfigErrors;
use crate::excerpt::Excerpt;

/// What `iss` must be. It is compared by code points (RFC 7519 §4.1.1).
#[derive(Clone, Debug)]
pub(super) enum IssuerName {
    Exactly(Box<str>),
    /// One of these names, exactly.
    OneOf(Vec<Box<str>>),
    /// A name of a tenant.
    Tenants(TenantIssuer),
    /// Anything, also absent.
    Any,
    /// The claim must be absent.
    Absent,
}

impl IssuerName {
    /// Whether an `iss` that nothing has verified chooses this issuer. No function of the application's own is called.
    pub(super) fn is_chosen_by(&self, iss: Option<&str>) -> bool {
        match (self, iss) {
            (Self::Exactly(name), Some(iss)) => **name == *iss,
            (Self::OneOf(names), Some(iss)) => names.iter().any(|name| **name == *iss),
            (Self::Tenants(tenants), Some(iss)) => tenants.may_have(iss),
            (Self::Absent, iss) => iss.is_none(),
            (Self::Any, _) => true,
            (_, None) => false,
        }
    }

    /// Whether tokens with this `iss` are accepted, also by the predicate of the application's, which accepts nothing if it panics.
    pub(super) fn accepts(&self, iss: Option<&str>) -> bool {
        match (self, iss) {
            (Self::Tenants(tenants), Some(iss)) => tenants.accepts(iss),
            _ => self.is_chosen_by(iss),
        }
    }

    /// Checks the `iss` of a token whose signature is verified, and that it is of the tenant that the token names.
    pub(super) fn check(&self, claims: &TokenClaims) -> Result<(), VerifyError> {
        let iss = claims.issuer();
        // The callers of authenticators have issuers of their own, whatever the configuration says.
        let is_reserved = iss.and_then(scheme_of_issuer).is_some();
        match iss {
            Some(iss) if is_reserved || !self.is_chosen_by(Some(iss)) => {
                Err(VerifyError::UntrustedIssuer(Excerpt::new(iss)))
            }
            None if !self.is_chosen_by(None) => Err(VerifyError::MissingClaim("iss")),
            _ => match self {
                Self::Tenants(tenants) => tenants.check(claims),
                _ => Ok(()),
            },
        }
    }

    /// Checks that a key whose JWK names an issuer is one of the token's.
    pub(super) fn check_key(
        &self,
        key_issuer: Option<&str>,
        claims: &TokenClaims,
    ) -> Result<(), VerifyError> {
        let (Self::Tenants(tenants), Some(key_issuer)) = (self, key_issuer) else { return Ok(()) };
        let is_of_tenant = claims.issuer() == Some(key_issuer);
        if is_of_tenant || tenants.pattern_is(key_issuer) {
            Ok(())
        } else {
            Err(VerifyError::KeyOfAnotherIssuer)
        }
    }

    /// The claim that must name the tenant of `iss`.
    pub(super) fn tenant_claim(&self) -> Option<&ClaimName> {
        match self {
            Self::Tenants(tenants) => tenants.claim(),
            _ => None,
        }
    }

    /// Whether the application means this issuer by a name, as when it replaces keys: by each of its names, or by its pattern.
    pub(super) fn is(&self, name: &str) -> bool {
        match self {
            Self::Tenants(tenants) => tenants.pattern_is(name) || self.has(name),
            _ => self.has(name),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.names().is_some_and(|names| names.iter().any(|own| **own == *name))
    }

    pub(super) fn is_unnamed(&self) -> bool {
        matches!(self, Self::Any | Self::Absent)
    }

    /// The names that were listed; `None` if they are not.
    pub(super) fn names(&self) -> Option<Vec<Cow<'_, str>>> {
        match self {
            Self::Exactly(name) => Some(vec![Cow::Borrowed(name)]),
            Self::OneOf(names) => Some(names.iter().map(|name| Cow::Borrowed(&**name)).collect()),
            Self::Tenants(tenants) => Some(tenants.names()?.into_iter().map(Cow::Owned).collect()),
            Self::Any | Self::Absent => None,
        }
    }

    /// The one name that `iss` has.
    #[cfg(any(feature = "jwks", feature = "provider-logout"))]
    pub(super) fn exact(&self) -> Option<&str> {
        match self {
            Self::Exactly(name) => Some(name),
            _ => None,
        }
    }

    /// Whether a function of the application's own decides, which must be called every time.
    pub(super) fn has_predicate(&self) -> bool {
        matches!(self, Self::Tenants(tenants) if tenants.has_predicate())
    }

    /// The name for those who compare it: the only or first one, or the pattern; empty if it has none.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Tenants(tenants) => tenants.pattern().to_owned(),
            _ => self.names().and_then(|names| Some(names.first()?.to_string())).unwrap_or_default(),
        }
    }

    /// The issuer in messages.
    pub(super) fn label(&self) -> String {
        let listed = self.names();
        match (self, listed.as_deref()) {
            (Self::Tenants(tenants), None) => format!("issuer `{}`", tenants.pattern()),
            (Self::Absent, _) => "the issuer without `iss`".to_owned(),
            (_, Some([one])) => format!("issuer `{one}`"),
            (Self::Tenants(tenants), Some(names)) => {
                format!("issuer `{}` of {} tenants", tenants.pattern(), names.len())
            }
            (_, Some([first, others @ ..])) => format!("issuer `{first}` and {} others", others.len()),
            (_, Some([])) => "issuer without a name".to_owned(),
            (_, None) => "any issuer".to_owned(),
        }
    }

    /// An `iss`, or a pattern, that chooses both issuers.
    fn shared_with(&self, other: &Self) -> Option<String> {
        match (self, other) {
            (Self::Any | Self::Absent, _) | (_, Self::Any | Self::Absent) => None,
            (Self::Tenants(one), Self::Tenants(two)) if one.names().is_none() && two.names().is_none() => {
                one.overlaps(two).then(|| one.pattern().to_owned())
            }
            _ => {
                let chosen_of = |listed: &Self, by: &Self| {
                    let names = listed.names()?;
                    names.into_iter().find(|name| by.is_chosen_by(Some(name))).map(Cow::into_owned)
                };
                chosen_of(self, other).or_else(|| chosen_of(other, self))
            }
        }
    }
}

/// Reports names that can't be, and issuers that a token's `iss` could not choose between.
pub(super) fn check_issuers(issuers: &[TrustedIssuer], errors: &mut ConfigErrors) {
    for (index, issuer) in issuers.iter().enumerate() {
        check_names(&issuer.name, errors);
        let earlier = issuers.get(..index).unwrap_or_default();
        if let Some(shared) = earlier.iter().find_map(|earlier| earlier.name.shared_with(&issuer.name)) {
            errors.push(format!(
                "the issuer `{shared}` is added twice: give all of its keys to one `TrustedIssuer`, which alone may name it or have it \
                 in its pattern"
            ));
        }
        match &issuer.name {
            IssuerName::Absent if earlier.iter().any(|other| matches!(other.name, IssuerName::Absent)) => {
                errors.push(
                    "`TrustedIssuer::dangerously_expect_no_issuer()` is added twice, and a token without `iss` would not choose between \
                     them: give all keys to one, or have one of the issuers set `iss`",
                );
            }
            IssuerName::Any if issuers.len() > 1 => errors.push(
                "`TrustedIssuer::dangerously_accept_any_issuer()` is used together with another issuer: it would accept the tokens of \
                 that issuer without its checks: name every issuer with `TrustedIssuer::new`, or one whose tokens have no `iss` with \
                 `TrustedIssuer::dangerously_expect_no_issuer()`",
            ),
            _ => {}
        }
    }
}

fn check_names(name: &IssuerName, errors: &mut ConfigErrors) {
    if let IssuerName::Tenants(tenants) = name {
        tenants.report(&name.label(), errors);
    }
    if matches!(name, IssuerName::OneOf(names) if names.is_empty()) {
        errors.push(
            "`TrustedIssuer::one_of` has no name, so no token would be accepted: pass the exact `iss` of each issuer",
        );
    }
    for name in name.names().unwrap_or_default() {
        if name.is_empty() {
            errors.push(
                "the name of an issuer is empty: pass the exact `iss` of its tokens to `TrustedIssuer::new`",
            );
        }
        if scheme_of_issuer(&name).is_some() {
            errors.push(format!(
                "the issuer `{name}` has a name that is reserved for the callers of authenticators: pass the exact `iss` of its tokens"
            ));
        }
    }
}
