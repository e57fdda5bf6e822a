//! The issuer of callers that have no token: each authenticator has one of its own, which no token can claim.

/// What the issuers of authenticators begin with.
const PREFIX: &str = "urn:auth-runtime:scheme:";

/// Returns the issuer of the callers of the authenticator of this name.
pub(crate) fn scheme_issuer(scheme: &str) -> String {
    format!("{PREFIX}{scheme}")
}

/// Returns the name of the authenticator whose callers have this issuer; `None` if it is the issuer of tokens.
pub(crate) fn scheme_of_issuer(issuer: &str) -> Option<&str> {
    issuer.strip_prefix(PREFIX)
}
