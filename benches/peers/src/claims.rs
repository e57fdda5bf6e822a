//! What a service reads of a token, where a peer has it deserialized into a type.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    pub sub: String,
    exp: u64,
    realm_access: RealmAccess,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct RealmAccess {
    roles: Vec<String>,
}

/// The same for a peer that reads the registered claims itself, and hands over the others.
#[derive(Debug, Clone, Deserialize)]
pub struct OtherClaims {
    realm_access: RealmAccess,
}

impl RealmAccess {
    fn is_admin(&self) -> bool {
        self.roles.iter().any(|role| role == "admin")
    }
}

impl OtherClaims {
    pub fn is_admin(&self) -> bool {
        self.realm_access.is_admin()
    }
}

impl Claims {
    pub fn is_admin(&self) -> bool {
        self.realm_access.is_admin()
    }

    pub fn into_roles(self) -> Vec<String> {
        self.realm_access.roles
    }
}

impl bench_by_hand::Claims for Claims {
    fn expires(&self) -> u64 {
        self.exp
    }

    fn roles(&self) -> &[String] {
        &self.realm_access.roles
    }
}
