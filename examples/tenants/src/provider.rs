//! The identity provider, whose tokens say who a user is, of which tenant, and with which roles. A real service has no key to sign
//! with: `TrustedIssuer::discover(..)` finds the public keys of its provider (feature `jwks`).

use std::time::{SystemTime, UNIX_EPOCH};

use auth_runtime::session::{BoxError, SigningKey, random_secret};
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
use serde_json::{Value, json};

pub(crate) struct Provider {
    secret: [u8; 32],
}

impl Provider {
    pub(crate) fn new() -> Result<Self, BoxError> {
        Ok(Self { secret: random_secret()? })
    }

    /// What the service trusts.
    pub(crate) fn trusted(&self) -> TrustedIssuer {
        let key = Key::secret(Algorithm::HS256, self.secret);
        TrustedIssuer::new("https://id.example.com").audience("projects").key(key)
    }

    /// A token for an hour. Staff is of no tenant: `null`.
    pub(crate) fn token(&self, name: &str, tenant: &Value, roles: &[&str]) -> Result<String, BoxError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let claims = json!({
            "iss": "https://id.example.com", "aud": "projects", "iat": now, "exp": now + 3600,
            "sub": name, "tenant": tenant, "roles": roles,
        });
        Ok(SigningKey::secret(Algorithm::HS256, &self.secret)?.sign(&claims)?)
    }
}
