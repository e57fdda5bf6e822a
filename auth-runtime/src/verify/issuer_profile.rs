//! What a document may say of a trusted issuer: which of them issue tokens for this service.

use std::borrow::Cow;

use super::claim_name::ClaimName;
use super::issuer::{Audience, TrustedIssuer};

/// What a document may say of a trusted issuer. No key is in it.
#[derive(Clone, Debug)]
pub(crate) struct IssuerProfile {
    names: Vec<String>,
    label: String,
    audience: Audience,
    /// Whether a token without `aud` may be accepted by the name of its client.
    accepts_client: bool,
}

impl TrustedIssuer {
    pub(crate) fn profile(&self) -> IssuerProfile {
        let names = self.name.names().unwrap_or_default();
        IssuerProfile {
            names: names.into_iter().map(Cow::into_owned).collect(),
            label: self.name.label(),
            audience: self.audience.clone(),
            accepts_client: self.audience_without_aud.is_some() && !self.has_rule_for_aud(),
        }
    }

    /// Whether a rule requires the claim `aud`.
    fn has_rule_for_aud(&self) -> bool {
        let aud = ClaimName::literal("aud");
        self.claim_rules.iter().any(|(name, rule)| *name == aud && rule.requires_presence())
    }
}

impl IssuerProfile {
    /// What `iss` may be, exactly; empty where a pattern or a function says it, or where it is absent.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The issuer in messages.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// Whether each of its tokens must name this service in `aud`.
    pub(crate) fn requires_audience(&self) -> bool {
        matches!(self.audience, Audience::OneOf(_)) && !self.accepts_client
    }

    /// Whether its tokens for this audience are accepted, and this is not because all are. The comparison is by code points.
    pub(crate) fn issues_for(&self, audience: &str) -> bool {
        matches!(&self.audience, Audience::OneOf(names) if names.iter().any(|name| name == audience))
    }
}
