//! Tokens that are signed with one RSA key, as all of these providers sign theirs, and what becomes of them.

use std::sync::LazyLock;

use auth_runtime::testing::TestClock;
use auth_runtime::verify::TrustedIssuer;
use auth_runtime::{Auth, Principal};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents};
use serde_json::{Value, json};

use crate::support::base64url;

/// The time of a new `TestClock`.
pub(super) const NOW: i64 = 1_800_000_000;

static PAIR: LazyLock<RsaKeyPair> = LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());

/// The public key as the providers publish it, without `alg`, and with these further members.
pub(super) fn key_set(more: &Value) -> String {
    let public = RsaPublicKeyComponents::<Vec<u8>>::from(PAIR.public_key());
    let key = json!({"kty": "RSA", "use": "sig", "kid": "k1", "n": base64url(&public.n), "e": base64url(&public.e)});
    json!({ "keys": [changed(&key, more)] }).to_string()
}

/// The claims with some changed; those that are `null` in `changes` are left out.
pub(super) fn changed(claims: &Value, changes: &Value) -> Value {
    let mut claims = claims.clone();
    for (name, value) in changes.as_object().unwrap() {
        let members = claims.as_object_mut().unwrap();
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    claims
}

pub(super) fn signed(claims: &Value) -> String {
    signed_with_header(&json!({"alg": "RS256", "kid": "k1", "typ": "JWT"}), claims)
}

pub(super) fn signed_with_header(header: &Value, claims: &Value) -> String {
    let part = |json: &Value| base64url(json.to_string().as_bytes());
    let message = format!("{}.{}", part(header), part(claims));
    let mut signature = vec![0; PAIR.public_modulus_len()];
    let random = aws_lc_rs::rand::SystemRandom::new();
    PAIR.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", base64url(&signature))
}

pub(super) fn engine(issuer: TrustedIssuer) -> Auth {
    let issuer = issuer.jwks(key_set(&json!({})));
    Auth::builder().clock(TestClock::new()).issuer(issuer).build().unwrap()
}

/// Subject, roles, scopes and permissions of a caller.
pub(super) fn described(caller: &Principal) -> String {
    let joined = |names: Vec<&str>| names.join(",");
    format!(
        "{} r={} s={} p={}",
        caller.subject(),
        joined(caller.roles().collect()),
        joined(caller.scopes().collect()),
        joined(caller.permissions().collect())
    )
}

/// Who the caller with a token of these claims is, or why it is rejected.
pub(super) async fn caller(issuer: &TrustedIssuer, claims: &Value) -> Result<String, String> {
    caller_with(issuer, &signed(claims)).await
}

pub(super) async fn caller_with(issuer: &TrustedIssuer, token: &str) -> Result<String, String> {
    let caller = engine(issuer.clone()).verify(token).await;
    caller.map(|caller| described(&caller)).map_err(|error| error.to_string())
}

/// A token with these claims is rejected, with a reason that contains this text.
pub(super) async fn is_rejected(issuer: &TrustedIssuer, claims: &Value, reason: &str) {
    let Err(error) = caller(issuer, claims).await else { panic!("{claims} is accepted") };
    assert!(error.contains(reason), "{error}, for {claims}");
}

/// What a rule of the issuer says.
pub(super) const RULE: &str = "does not satisfy `TrustedIssuer::claim`";
pub(super) const AUDIENCE: &str = "which the audience of its `TrustedIssuer` does not allow";
pub(super) const ISSUER: &str = "which is not the name of an issuer";
