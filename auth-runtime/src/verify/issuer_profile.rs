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
    accepts_missing_audience: bool,
}

impl TrustedIssuer {
    pub(crate) fn profile(&self) -> IssuerProfile {
        let names = self.name.names().unwrap_or_default();
        IssuerProfile {
            names: names.into_iter().map(Cow::into_owned).collect(),
            label: self.name.label(),
            audience: self.audience.clone(),
            accepts_missing_audience: self.audience_without_aud.is_some() && !self.has_rule_for_aud(),
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

    /// Whether its tokens must be for this service.
    pub(crate) fn requires_audience(&self) -> bool {
        matches!(self.audience, Audience::OneOf(_))
    }

    /// Whether a token without `aud` is accepted for the client that it names, whichever service it was issued for.
    pub(crate) fn accepts_missing_audience(&self) -> bool {
        self.accepts_missing_audience
    }

    /// Whether its tokens for this audience are accepted, and this is not because all are. The comparison is by code points.
    pub(crate) fn issues_for(&self, audience: &str) -> bool {
        matches!(&self.audience, Audience::OneOf(names) if names.iter().any(|name| name == audience))
    }
}
