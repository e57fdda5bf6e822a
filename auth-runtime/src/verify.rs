//! Verification: from the text of a token to verified claims. The signature is verified first, then the claims.
//!
//! | item | purpose |
//! |---|---|
//! | [`TrustedIssuer`] | an issuer whose tokens are accepted: its keys, audience and claim names |
//! | [`Key`], [`Algorithm`] | the keys that verify its signatures |
//! | [`providers`] | issuers of identity providers, with their mapping: Keycloak, Auth0, Microsoft Entra ID and others |
//! | [`Tenants`] | the tenants of an issuer that has one name for each |
//! | [`KeySet`] | keys that replace those of an issuer while requests are served |
//! | [`FetchedKeySet`], [`KeySetStatus`] | keys that are fetched: what a function of the application's answers, and their state |
#![cfg_attr(
    feature = "introspection",
    doc = "| [`Introspection`] | how an issuer is asked about opaque tokens |"
)]
//! | [`ClaimRule`], [`ClaimName`] | what every token of an issuer must have, and where |

mod asked;
mod base64url;
mod claim_name;
mod claim_rule;
mod claims;
#[cfg(feature = "jwks")]
mod discovery;
mod error;
mod fetched_keys;
mod fetchers;
#[cfg(feature = "introspection")]
mod introspection;
mod issuer;
mod issuer_keys;
mod issuer_mapping;
mod issuer_name;
mod issuer_pattern;
mod issuer_profile;
mod json;
mod jws;
mod jwt;
mod key_set;
mod key_set_status;
mod key_source;
mod keys;
mod limits;
#[cfg(feature = "provider-logout")]
mod logout_rules;
mod mapping;
mod names;
pub mod providers;
mod scheme_issuer;
#[cfg(feature = "provider-logout")]
mod signed_events;
mod tenants;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::asked::Asked;
pub use self::claim_name::ClaimName;
pub use self::claim_rule::ClaimRule;
#[cfg(feature = "provider-logout")]
pub(crate) use self::claims::LOGOUT_EVENT;
pub use self::claims::TokenClaims;
pub(crate) use self::claims::{ISSUER_GENERATION, USER_GENERATION};
pub use self::error::VerifyError;
pub(crate) use self::fetched_keys::{
    COOL_DOWN, FetchedKeys, LONGEST_FETCH, LONGEST_TRUST, Overdue, Run, Unknown, Waiting,
};
#[cfg(feature = "introspection")]
pub use self::introspection::Introspection;
#[cfg(feature = "introspection")]
pub(crate) use self::introspection::IntrospectionError;
pub use self::issuer::TrustedIssuer;
pub(crate) use self::issuer_keys::KeyStatus;
pub(crate) use self::issuer_profile::IssuerProfile;
pub(crate) use self::json::{Json, Span};
#[cfg(feature = "introspection")]
pub(crate) use self::jwt::Inquiry;
pub(crate) use self::jwt::{JwtVerifier, TextKind};
pub use self::key_set::KeySet;
pub(crate) use self::key_set_status::{FetchFailure, Outage};
pub use self::key_set_status::{KeySetKind, KeySetStatus};
pub use self::key_source::FetchedKeySet;
pub(crate) use self::limits::Limits;
#[cfg(feature = "provider-logout")]
pub(crate) use self::logout_rules::SessionIds;
use self::mapping::ClaimMapping;
pub(crate) use self::names::{NameList, Names};
pub(crate) use self::scheme_issuer::{scheme_issuer, scheme_of_issuer};
#[cfg(feature = "provider-logout")]
pub(crate) use self::signed_events::SignedLogout;
pub use self::tenants::Tenants;
pub use crate::error::ReplaceKeysError;
pub use crate::excerpt::Excerpt;
pub use crate::jose::{Algorithm, Key};

/// The verified claims of a token.
#[derive(Clone, Debug)]
pub struct VerifiedToken {
    claims: TokenClaims,
    mapping: Arc<ClaimMapping>,
    /// Whether the same token stays valid as long as its key is not withdrawn.
    pub(crate) may_be_remembered: bool,
    /// Of the key that verified it; `None` if no key did.
    key: Option<KeyStatus>,
    /// Whether its user has no role and no permission that it does not have.
    pub(crate) restricts_grants: bool,
}

impl VerifiedToken {
    /// Returns verified claims whose roles, scopes and permissions are in the claims with the default names.
    pub(crate) fn new(claims: TokenClaims) -> Self {
        let mapping = Arc::clone(ClaimMapping::standard());
        Self { claims, mapping, may_be_remembered: true, key: None, restricts_grants: false }
    }

    /// Whether the subject is the claim `sub`.
    pub(crate) fn subject_is_sub(&self) -> bool {
        self.mapping.subject.is("sub")
    }

    /// Returns where the subject is: a string, or the text of an integer. `None` if it is missing, empty or of another type.
    pub(crate) fn subject_span(&self) -> Option<Span> {
        self.mapping.subject(&self.claims)
    }

    /// Returns the roles, scopes and permissions.
    ///
    /// # Errors
    /// If a claim that holds them has another form, with what is wrong.
    pub(crate) fn held_names(&self) -> Result<Names, String> {
        self.mapping.read_names(&self.claims)
    }

    /// Whether the key that verified the token is no longer a key of its issuer.
    pub(crate) fn key_is_withdrawn(&self) -> bool {
        self.key.as_ref().is_some_and(KeyStatus::is_withdrawn)
    }

    /// Whether the keys of its issuer were fetched too long ago. `now` is the time of the monotonic clock; it is asked for
    /// only where keys are fetched.
    pub(crate) fn key_is_too_old(&self, now: impl FnOnce() -> Duration) -> bool {
        self.key.as_ref().is_some_and(|key| key.is_too_old(now))
    }

    /// Whether nothing refreshes the keys of its issuer. `now` is asked for only where keys are fetched.
    pub(crate) fn key_is_overdue(&self, now: impl FnOnce() -> Duration) -> bool {
        self.key.as_ref().is_some_and(|key| key.is_overdue(now))
    }

    /// Returns the token as one that the key of this status verified.
    #[cfg(test)]
    pub(crate) fn with_key(self, key: KeyStatus) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Returns the claims.
    #[must_use]
    pub fn claims(&self) -> &TokenClaims {
        &self.claims
    }
}
