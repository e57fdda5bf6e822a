//! What a document may say of a trusted issuer: which of them issue tokens for this service.

use super::issuer::{Audience, TrustedIssuer};
use super::issuer_name::IssuerName;

/// What a document may say of a trusted issuer. No key is in it.
#[derive(Clone, Debug)]
pub(crate) struct IssuerProfile {
    name: IssuerName,
    audience: Audience,
}

impl TrustedIssuer {
    pub(crate) fn profile(&self) -> IssuerProfile {
        IssuerProfile { name: self.name.clone(), audience: self.audience.clone() }
    }
}

impl IssuerProfile {
    /// What `iss` must be, exactly; `None` where it may be one of several texts, or is absent.
    pub(crate) fn name(&self) -> Option<&str> {
        if let IssuerName::Exactly(name) = &self.name { Some(name) } else { None }
    }

    /// The issuer in messages.
    pub(crate) fn label(&self) -> String {
        self.name.label()
    }

    /// Whether each of its tokens must name this service in `aud`.
    pub(crate) fn requires_audience(&self) -> bool {
        matches!(self.audience, Audience::OneOf(_))
    }

    /// Whether its tokens for this audience are accepted, and this is not because all are. The comparison is by code points.
    pub(crate) fn issues_for(&self, audience: &str) -> bool {
        matches!(&self.audience, Audience::OneOf(names) if names.iter().any(|name| name == audience))
    }
}
