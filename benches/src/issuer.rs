//! An issuer for whom everybody is a user.

use auth_runtime::session::{BoxError, RefreshKey, SigningKey, Subject, SubjectStore, TokenIssuer};
use auth_runtime::verify::Algorithm;
use aws_lc_rs::digest::{SHA256, digest};

use crate::servers::ISSUER;

/// Everybody is a user.
struct Everybody;

impl SubjectStore for Everybody {
    async fn subject(&self, id: &str) -> Result<Option<Subject>, BoxError> {
        Ok(Some(Subject::new(id)))
    }
}

/// An issuer with this signing key, as PEM. The refresh key is derived from it.
pub fn issuer(key: &str) -> TokenIssuer {
    let signing = SigningKey::pem(Algorithm::EdDSA, key.as_bytes()).expect("a key");
    let refresh = RefreshKey::new("1", digest(&SHA256, key.as_bytes()).as_ref());
    TokenIssuer::new(ISSUER, "orders", signing, Everybody).refresh_key(refresh)
}
