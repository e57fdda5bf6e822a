//! `Authorization: Bearer <token>` (RFC 6750 §2.1).

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::{Carrier, CredentialLocation, CredentialSource, Extracted, after_scheme, credential};

/// The source `bearer`: `Authorization: Bearer <token>`. The scheme is compared without case.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Bearer;

impl Bearer {
    pub(crate) const SOURCE: &str = "bearer";
}

impl CredentialSource for Bearer {
    fn name(&self) -> &'static str {
        Self::SOURCE
    }

    fn carrier(&self) -> Carrier {
        Carrier::Explicit
    }

    fn location(&self) -> Option<CredentialLocation<'_>> {
        Some(CredentialLocation::Header { name: "Authorization", scheme: Some("Bearer") })
    }

    /// Extracts the token. A second `Authorization` header of any scheme makes the request malformed, because proxies
    /// differ on which one counts.
    fn extract<'r>(&self, head: &'r Parts) -> Extracted<'r> {
        let mut values = head.headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Extracted::Absent };
        if values.next().is_some() {
            return Extracted::Repeated;
        }
        after_scheme(value.as_bytes(), "Bearer").map_or(Extracted::Absent, credential)
    }
}
