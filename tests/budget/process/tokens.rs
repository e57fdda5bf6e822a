//! Tokens of fixed claims, at a fixed time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::clock::Clock;
use auth_runtime::session::SigningKey;
use auth_runtime::verify::Algorithm;

pub(crate) const SECRET: [u8; 32] = [7; 32];

/// The time at which the tokens are valid, always.
#[derive(Debug)]
pub(crate) struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }
}

/// What a small service issues.
pub(crate) const SMALL: &str = r#"{
    "iss": "https://id.example.com", "aud": "shop", "sub": "user-1", "iat": 1800000000, "exp": 1800003600, "jti": "1",
    "roles": ["admin", "editor"], "scope": "orders:read orders:write", "name": "Alice"
}"#;

/// What Keycloak issues: 2 KB as a token, with roles in nested claims.
pub(crate) const LARGE: &str = r#"{
    "exp": 1800000300, "iat": 1800000000, "auth_time": 1799999990, "jti": "onrtac:3f6c1d52-7a0e-4b39-9c5e-2d8b1f4a6e70",
    "iss": "https://id.example.com", "aud": ["shop", "realm-management", "account"],
    "sub": "f5b8a1c2-64d7-4e0f-8a93-7b2c5d9e1f36", "typ": "Bearer", "azp": "shop-frontend",
    "sid": "9e1c7b40-2f5d-4a86-b3e8-6d0f1a2c4b57", "acr": "1", "allowed-origins": ["https://shop.example.com", "https://www.example.com"],
    "realm_access": {"roles": ["default-roles-example", "offline_access", "uma_authorization", "admin", "editor", "auditor"]},
    "resource_access": {
        "realm-management": {"roles": [
            "view-realm", "view-identity-providers", "manage-identity-providers", "impersonation", "realm-admin", "create-client",
            "manage-users", "query-realms", "view-authorization", "query-clients", "query-users", "manage-events", "manage-realm",
            "view-events", "view-users", "view-clients", "manage-authorization", "manage-clients", "query-groups"
        ]},
        "shop": {"roles": ["orders-read", "orders-write", "invoices-read"]},
        "account": {"roles": ["manage-account", "manage-account-links", "view-profile"]}
    },
    "scope": "openid email profile", "email_verified": true, "name": "Alice Example", "groups": ["/staff", "/staff/sales"],
    "preferred_username": "alice", "given_name": "Alice", "family_name": "Example", "email": "alice@example.com"
}"#;

pub(crate) fn token(claims: &str) -> String {
    let claims: serde_json::Value = serde_json::from_str(claims).unwrap();
    SigningKey::secret(Algorithm::HS256, &SECRET).unwrap().sign(&claims).unwrap()
}
