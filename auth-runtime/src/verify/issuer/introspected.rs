//! Issuers that are asked about their tokens.

use super::TrustedIssuer;
#[cfg(feature = "introspection")]
use crate::verify::introspection::Introspection;

impl TrustedIssuer {
    /// Asks the issuer about its tokens that are no JWT (RFC 7662). [`Introspection`] says which these are, what is required of the answer, and how late
    /// a revocation arrives. An engine has one such issuer.
    #[cfg(feature = "introspection")]
    pub fn introspection(mut self, introspection: Introspection) -> Self {
        self.introspection = Some(introspection);
        self
    }

    /// Takes the client (`client_id`, RFC 9068 §2.2, RFC 7662 §2.2) as the subject of a token that has none, such as one that a client got for
    /// itself. Without it such a token is rejected.
    ///
    /// A client whose id is also the id of a user would be that user here: see that the issuer does not let clients choose their ids
    /// (RFC 9700 §4.15).
    pub fn accept_client_as_subject(mut self) -> Self {
        self.mapping.client_is_subject = true;
        self
    }

    /// Whether something of it is verified with keys: where its JWTs are introspected, its logout tokens alone.
    #[cfg(feature = "jwks")]
    pub(in crate::verify) fn needs_keys(&self) -> bool {
        #[cfg(feature = "introspection")]
        let introspects_jwts = self.introspection.as_ref().is_some_and(Introspection::includes_jwts);
        #[cfg(not(feature = "introspection"))]
        let introspects_jwts = false;
        #[cfg(feature = "provider-logout")]
        let has_logout_tokens = self.logout.has_clients();
        #[cfg(not(feature = "provider-logout"))]
        let has_logout_tokens = false;
        !introspects_jwts || has_logout_tokens
    }

    /// Whether it has keys, or a place that they come from.
    pub(in crate::verify) fn has_keys(&self) -> bool {
        !self.source_of_keys().is_given() || !self.keys.is_empty() || !self.key_sets.is_empty()
    }

    /// Whether the issuer is asked about its tokens.
    pub(crate) fn is_introspected(&self) -> bool {
        #[cfg(feature = "introspection")]
        let is_introspected = self.introspection.is_some();
        #[cfg(not(feature = "introspection"))]
        let is_introspected = false;
        is_introspected
    }
}
