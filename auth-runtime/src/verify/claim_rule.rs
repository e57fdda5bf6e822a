//! What a claim of an issuer's tokens must be.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::claim_name::ClaimName;
use super::claims::TokenClaims;

/// What a claim must be. Only [`absent`](Self::absent) and [`absent_or`](Self::absent_or) accept an absent claim.
#[derive(Clone)]
#[non_exhaustive]
pub enum ClaimRule {
    /// The claim is present, and is not `null`.
    Present,
    /// The claim is equal to one of these values.
    OneOf(Vec<Value>),
    /// The function returns `true` for the claim.
    Satisfies(Arc<dyn Fn(&Value) -> bool + Send + Sync>),
    /// The claim is absent.
    Absent,
    /// The claim is absent, or satisfies this rule.
    AbsentOr(Box<Self>),
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

    /// Requires that the claim is absent. It is for a claim that only another kind of token has, such as a refresh token that
    /// is signed with the same key.
    ///
    /// `null` is not absent, unless [`TrustedIssuer::accept_null_claims`](super::TrustedIssuer::accept_null_claims) is called. `a.b`
    /// is not absent if `a` is something else than an object.
    pub fn absent() -> Self {
        Self::Absent
    }

    /// Requires that the claim is absent, as with [`absent`](Self::absent), or satisfies `rule`.
    ///
    /// ```
    /// use auth_runtime::verify::{ClaimRule, TrustedIssuer};
    ///
    /// let issuer = TrustedIssuer::new("https://id.example.com")
    ///     .claim("token_type", ClaimRule::absent_or(ClaimRule::equals("access")));
    /// # let _ = issuer;
    /// ```
    pub fn absent_or(rule: Self) -> Self {
        Self::AbsentOr(Box::new(rule))
    }

    pub(super) fn accepts(&self, name: &ClaimName, claims: &TokenClaims, null_is_absent: bool) -> bool {
        let value = || name.find(claims).filter(|value| !(null_is_absent && value.is_null()));
        match self {
            Self::Present => value().is_some_and(|value| !value.is_null()),
            Self::OneOf(values) => {
                value().is_some_and(|value| values.iter().any(|accepted| value.equals(accepted)))
            }
            Self::Satisfies(predicate) => value().is_some_and(|value| predicate(&value.to_value())),
            Self::Absent => name.is_absent(claims, null_is_absent),
            Self::AbsentOr(rule) => {
                name.is_absent(claims, null_is_absent) || rule.accepts(name, claims, null_is_absent)
            }
        }
    }

    /// Returns whether a predicate of the application's own decides.
    pub(super) fn has_predicate(&self) -> bool {
        match self {
            Self::Satisfies(_) => true,
            Self::AbsentOr(rule) => rule.has_predicate(),
            Self::Present | Self::OneOf(_) | Self::Absent => false,
        }
    }

    /// Returns whether it accepts no token without the claim.
    pub(super) fn requires_presence(&self) -> bool {
        match self {
            Self::Present | Self::OneOf(_) | Self::Satisfies(_) => true,
            Self::Absent | Self::AbsentOr(_) => false,
        }
    }

    /// Returns whether it names values and has none.
    pub(super) fn has_no_values(&self) -> bool {
        match self {
            Self::OneOf(values) => values.is_empty(),
            Self::AbsentOr(rule) => rule.has_no_values(),
            Self::Present | Self::Satisfies(_) | Self::Absent => false,
        }
    }
}

impl fmt::Debug for ClaimRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present => f.write_str("Present"),
            Self::OneOf(values) => f.debug_tuple("OneOf").field(values).finish(),
            Self::Satisfies(_) => f.write_str("Satisfies(..)"),
            Self::Absent => f.write_str("Absent"),
            Self::AbsentOr(rule) => f.debug_tuple("AbsentOr").field(rule).finish(),
        }
    }
}
