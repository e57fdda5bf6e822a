//! An issuer of many tenants: one key set, and a name for each tenant.

use std::fmt;
use std::sync::Arc;

use super::VerifyError;
use super::claim_name::ClaimName;
use super::claims::TokenClaims;
use super::issuer::TrustedIssuer;
use super::issuer_name::IssuerName;
use super::issuer_pattern::{IssuerPattern, is_segment};
use super::json::Json;
use crate::catch_panic::catch_panic;
use crate::error::ConfigErrors;
use crate::excerpt::Excerpt;

/// Which tenants of an issuer are accepted, for [`TrustedIssuer::of_tenants`]. A text is one tenant, and a list is
/// [`one_of`](Self::one_of).
///
/// ```
/// use auth_runtime::verify::Tenants;
///
/// let one = Tenants::from("8eaef023-2b34-4da1-9baa-8bc8c9d6a490");
/// let two = Tenants::one_of(["8eaef023-2b34-4da1-9baa-8bc8c9d6a490", "82229342-1101-4ab6-817b-70c0747630f3"]);
/// let customers = std::sync::Arc::new(std::sync::RwLock::new(std::collections::HashSet::<String>::new()));
/// let paying = Tenants::accepted_by(move |tenant| customers.read().is_ok_and(|customers| customers.contains(tenant)));
/// # let _ = (one, two, paying);
/// ```
#[derive(Clone)]
pub struct Tenants(Accepted);

#[derive(Clone)]
enum Accepted {
    OneOf(Vec<Box<str>>),
    By(Arc<dyn Fn(&str) -> bool + Send + Sync>),
    Any,
}

impl Tenants {
    /// These tenants. They are compared by code points.
    pub fn one_of(tenants: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut named: Vec<Box<str>> = Vec::new();
        for tenant in tenants {
            let tenant = tenant.into().into_boxed_str();
            if !named.contains(&tenant) {
                named.push(tenant);
            }
        }
        Self(Accepted::OneOf(named))
    }

    /// The tenants for which `predicate` returns `true`. It is called on every request, with the tenant of a token whose signature is
    /// verified, so it must not block, and a tenant that it no longer accepts is rejected with the next request. The tokens of an issuer with a
    /// predicate are not cached ([`AuthBuilder::token_cache`](crate::AuthBuilder::token_cache)).
    ///
    /// The [list of revocations](crate::revocation::Revocations::list) asks it for the tenants of its entries, and lists nothing of one that it does
    /// not accept.
    ///
    /// Sockets and streams that are open then end as for any other token, and not by the predicate: [`Revocations`](crate::revocation::Revocations).
    ///
    /// The predicate decides whom this service trusts: one that returns `true` for every tenant is
    /// [`dangerously_accept_any`](Self::dangerously_accept_any), with what is lost there.
    pub fn accepted_by(predicate: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Accepted::By(Arc::new(predicate)))
    }

    /// Every tenant.
    ///
    /// What is lost: everyone who can open a tenant at the provider, which is often free, gets tokens for this service. The administrator of
    /// a tenant creates its users and gives them roles of this service, `admin` among them. It is right where anybody may sign up, and
    /// nothing but (issuer, subject) decides what a caller may do. Otherwise use [`one_of`](Self::one_of) or
    /// [`accepted_by`](Self::accepted_by).
    #[must_use]
    pub fn dangerously_accept_any() -> Self {
        Self(Accepted::Any)
    }

    fn accept(&self, tenant: &str) -> bool {
        match &self.0 {
            Accepted::OneOf(listed) => listed.iter().any(|listed| **listed == *tenant),
            Accepted::By(predicate) => predicate(tenant),
            Accepted::Any => true,
        }
    }

    /// The tenants that were listed; `None` if they are not.
    pub(super) fn listed(&self) -> Option<&[Box<str>]> {
        match &self.0 {
            Accepted::OneOf(named) => Some(named),
            Accepted::By(_) | Accepted::Any => None,
        }
    }
}

impl fmt::Debug for Tenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Accepted::OneOf(named) => f.debug_tuple("OneOf").field(named).finish(),
            Accepted::By(_) => f.write_str("AcceptedBy(..)"),
            Accepted::Any => f.write_str("Any"),
        }
    }
}

/// One tenant.
impl From<&str> for Tenants {
    fn from(tenant: &str) -> Self {
        Self::one_of([tenant])
    }
}

/// One tenant.
impl From<String> for Tenants {
    fn from(tenant: String) -> Self {
        Self::one_of([tenant])
    }
}

/// One tenant.
impl From<&String> for Tenants {
    fn from(tenant: &String) -> Self {
        Self::one_of([tenant])
    }
}

impl<T: Into<String>, const N: usize> From<[T; N]> for Tenants {
    fn from(tenants: [T; N]) -> Self {
        Self::one_of(tenants)
    }
}

impl<T: Into<String>> From<Vec<T>> for Tenants {
    fn from(tenants: Vec<T>) -> Self {
        Self::one_of(tenants)
    }
}

/// The name of an issuer that has one for each tenant.
#[derive(Clone, Debug)]
pub(super) struct TenantIssuer {
    /// The pattern as it was given, and as it was read, or what is wrong with it.
    text: Box<str>,
    pattern: Result<IssuerPattern, &'static str>,
    tenants: Tenants,
    /// The claim that names the tenant once more.
    claim: Option<ClaimName>,
}

impl TenantIssuer {
    fn new(text: &str, tenants: Tenants) -> Self {
        Self { text: text.into(), pattern: IssuerPattern::parse(text), tenants, claim: None }
    }

    pub(super) fn pattern(&self) -> &str {
        &self.text
    }

    pub(super) fn pattern_is(&self, text: &str) -> bool {
        *self.text == *text
    }

    /// The claim that must name the tenant of `iss`.
    pub(super) fn claim(&self) -> Option<&ClaimName> {
        self.claim.as_ref()
    }

    pub(super) fn has_predicate(&self) -> bool {
        matches!(self.tenants.0, Accepted::By(_))
    }

    fn tenant_of<'i>(&self, iss: &'i str) -> Option<&'i str> {
        self.pattern.as_ref().ok()?.tenant_of(iss)
    }

    /// Whether this is the name of a tenant, which the predicate may still reject.
    pub(super) fn may_have(&self, iss: &str) -> bool {
        let tenant = self.tenant_of(iss);
        tenant.is_some_and(|tenant| {
            self.tenants.listed().is_none_or(|listed| listed.iter().any(|listed| **listed == *tenant))
        })
    }

    /// Checks that the claim names the tenant of `iss`, and that the tenant is accepted.
    pub(super) fn check(&self, claims: &TokenClaims) -> Result<(), VerifyError> {
        let iss = claims.issuer().ok_or(VerifyError::MissingClaim("iss"))?;
        let untrusted = || VerifyError::UntrustedIssuer(Excerpt::new(iss));
        let tenant = self.tenant_of(iss).ok_or_else(untrusted)?;
        let is_named_by = |claim: &ClaimName| {
            claim.find(claims).and_then(Json::as_str).is_some_and(|named| named == tenant)
        };
        if !self.claim.as_ref().is_none_or(is_named_by) {
            return Err(VerifyError::TenantMismatch);
        }
        if self.tenants.accept(tenant) { Ok(()) } else { Err(untrusted()) }
    }

    /// Whether this is the name of a tenant that is accepted. No tenant is where the predicate panics.
    pub(super) fn accepts(&self, iss: &str) -> bool {
        let Some(tenant) = self.tenant_of(iss) else { return false };
        catch_panic(|| self.tenants.accept(tenant)).unwrap_or_else(|panic| {
            tracing::error!(issuer = self.pattern(), %panic, "auth: a tenant is not accepted, because `Tenants::accepted_by` panicked");
            false
        })
    }

    /// The names of the tenants that were listed; `None` if they are not.
    pub(super) fn names(&self) -> Option<Vec<String>> {
        let listed = self.tenants.listed()?;
        let pattern = self.pattern.as_ref().ok();
        Some(listed.iter().filter_map(|tenant| Some(pattern?.name_of(tenant))).collect())
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        matches!((&self.pattern, &other.pattern), (Ok(one), Ok(other)) if one.overlaps(other))
    }

    /// Reports a pattern or a tenant that can't be.
    pub(super) fn report(&self, label: &str, errors: &mut ConfigErrors) {
        if let Err(problem) = self.pattern {
            errors.push(format!(
                "the pattern `{}` of issuers {problem}: write it as in `https://id.example.com/{{tenant}}/v2.0`",
                self.text
            ));
        }
        let listed = self.tenants.listed();
        if listed.is_some_and(<[_]>::is_empty) {
            errors.push(format!(
                "{label}: `Tenants::one_of` has no tenant, so no token would be accepted: name at least one"
            ));
        }
        for tenant in listed.unwrap_or_default().iter().filter(|tenant| !is_segment(tenant)) {
            errors.push(format!(
                "{label}: `{tenant}` can't be the name of a tenant in a URL: pass what is in the place of the braces in `iss`, which has \
                 letters, digits, `-`, `.`, `_` and `~` alone"
            ));
        }
    }
}

impl TrustedIssuer {
    /// Returns an issuer whose tokens have exactly one of these `iss` (RFC 7519 §4.1.1). All are signed with the same keys, and have the same
    /// audience and mapping. The issuer of a caller is the `iss` of its token, so the same subject of two names is two subjects.
    ///
    /// ```
    /// use auth_runtime::verify::TrustedIssuer;
    ///
    /// let issuer = TrustedIssuer::one_of(["https://id.example.com", "https://login.example.com"]).audience("orders");
    /// # let _ = issuer;
    /// ```
    pub fn one_of(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut listed: Vec<Box<str>> = Vec::new();
        for name in names {
            let name = name.into().into_boxed_str();
            if !listed.contains(&name) {
                listed.push(name);
            }
        }
        Self::named(IssuerName::OneOf(listed))
    }

    /// Returns an issuer that has one name for each tenant: `pattern` with the tenant in place of the braces. All tenants have the
    /// same keys, audience and mapping. The issuer of a caller is the `iss` of its token, so the same subject of two tenants is two
    /// subjects, and what is revoked for one is not for the other.
    ///
    /// The tenant is one whole segment of the path, of letters, digits, `-`, `.`, `_` and `~`. All around it is compared by code points
    /// (RFC 7519 §4.1.1), from the first to the last character. Tenants that are in the name of the host are for [`one_of`](Self::one_of).
    ///
    /// ```
    /// use auth_runtime::verify::TrustedIssuer;
    ///
    /// let issuer = TrustedIssuer::of_tenants("https://id.example.com/{tenant}/v2.0", ["acme", "globex"])
    ///     .tenant_at("tid")
    ///     .audience("orders");
    /// # let _ = issuer;
    /// ```
    ///
    /// A key of a JWKS document with a member `issuer` verifies the tokens of that issuer alone, and those of all tenants if it is
    /// equal to `pattern`: Microsoft Entra ID publishes such keys.
    pub fn of_tenants(pattern: impl Into<String>, tenants: impl Into<Tenants>) -> Self {
        Self::named(IssuerName::Tenants(TenantIssuer::new(&pattern.into(), tenants.into())))
    }

    /// Sets a claim that names the tenant once more. A token whose claim is absent, or is another tenant than its `iss`, is rejected. It is for
    /// [`of_tenants`](Self::of_tenants).
    pub fn tenant_at(mut self, name: impl Into<ClaimName>) -> Self {
        match &mut self.name {
            IssuerName::Tenants(tenants) => tenants.claim = Some(name.into()),
            other => {
                let label = other.label();
                self.problems.push(format!(
                    "{label}: `tenant_at` is called, but its names have no tenant: call `TrustedIssuer::of_tenants`, or leave out the call"
                ));
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{TenantIssuer, Tenants};

    #[test]
    fn a_tenant_is_accepted_by_its_predicate_alone_and_not_where_that_panics() {
        let of = |tenants: Tenants| TenantIssuer::new("https://id.test/{tenant}/v2", tenants);
        let by = of(Tenants::accepted_by(|tenant| match tenant {
            "eve" => panic!("no such tenant"),
            tenant => tenant == "acme",
        }));
        for (tenant, is_accepted) in [("acme", true), ("globex", false), ("eve", false), ("", false)] {
            assert_eq!(by.accepts(&format!("https://id.test/{tenant}/v2")), is_accepted, "{tenant}");
        }
        assert!(!by.accepts("acme") && !by.accepts("https://other.test/acme/v2"));
        let named = of(["acme"].into());
        assert!(named.accepts("https://id.test/acme/v2") && !named.accepts("https://id.test/globex/v2"));
        assert!(of(Tenants::dangerously_accept_any()).accepts("https://id.test/globex/v2"));
    }
}
