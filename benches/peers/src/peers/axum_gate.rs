use std::fmt;
use std::hint::black_box;
use std::sync::Arc;

use axum::Extension;
use axum::routing::get;
use axum_gate::accounts::Account;
use axum_gate::authz::{AccessHierarchy, AccessPolicy};
use axum_gate::codecs::jwt::{JsonWebToken, JsonWebTokenOptions, JwtClaims};
use axum_gate::prelude::{Gate, Group};
use jsonwebtoken_10::{EncodingKey, Header};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

use super::decoding;
use crate::ISSUER;
use crate::app::{App, Axum};
use crate::key::{KEY_ID, Key};

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    #[default]
    Editor,
    Admin,
}

impl AccessHierarchy for Role {}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

async fn guarded(Extension(account): Extension<Account<Role, Group>>) -> &'static str {
    black_box(&account.user_id);
    "ok"
}

pub(super) fn make(key: &Key, _: &Runtime) -> Result<Box<dyn App>, &'static str> {
    let (decoding, validation) = decoding!(jsonwebtoken_10, key);
    // It compares the whole header of a token with its own.
    let mut header = Header::new(validation.algorithms[0]);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some(KEY_ID.to_owned());
    let options = JsonWebTokenOptions {
        // It issues nothing here.
        enc_key: EncodingKey::from_secret(b"unused"),
        dec_key: decoding,
        header: Some(header),
        validation: Some(validation),
    };
    let codec = Arc::new(JsonWebToken::<JwtClaims<Account<Role, Group>>>::new_with_options(options));
    let gate =
        Gate::bearer::<_, Role, Group>(ISSUER, codec).with_policy(AccessPolicy::require_role(Role::Admin));
    Ok(Axum::of(axum::Router::new().route("/", get(guarded)).layer(gate)))
}
