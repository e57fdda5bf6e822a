//! <https://firebase.google.com/docs/auth/admin/verify-id-tokens> and
//! <https://firebase.google.com/docs/reference/admin/node/firebase-admin.auth.decodedidtoken>.

use auth_runtime::verify::{ClaimRule, TrustedIssuer, providers};
use serde_json::{Value, json};

use super::tokens::{AUDIENCE, ISSUER, NOW, RULE, caller, changed, is_rejected};

const ISS: &str = "https://securetoken.google.com/shop-4711";

fn preset() -> TrustedIssuer {
    providers::firebase("shop-4711")
}

fn id_token() -> Value {
    json!({
        "iss": ISS, "aud": "shop-4711", "auth_time": NOW - 60, "user_id": "Xk893u23H9SI893", "sub": "Xk893u23H9SI893",
        "iat": NOW - 60, "exp": NOW + 3_540, "email": "jane@example.com", "email_verified": true, "roles": ["editor"],
        "firebase": {"identities": {"email": ["jane@example.com"]}, "sign_in_provider": "password"},
    })
}

#[tokio::test]
async fn it_is_an_id_token_of_this_project() {
    assert_eq!(caller(&preset(), &id_token()).await, Ok("Xk893u23H9SI893 r=editor s= p=".into()));
    for (changes, reason) in [
        (json!({"aud": "other-1"}), AUDIENCE),
        (json!({"iss": "https://securetoken.google.com/other-1"}), ISSUER),
        (json!({"iss": "https://session.firebase.google.com/shop-4711"}), ISSUER),
        (json!({"sub": ""}), "subject"),
        (json!({"sub": null}), "subject"),
        (json!({"auth_time": null}), RULE),
        (json!({"auth_time": "yesterday"}), "`auth_time`"),
    ] {
        is_rejected(&preset(), &changed(&id_token(), &changes), reason).await;
    }
}

#[tokio::test]
async fn a_tenant_of_the_project_is_another_one() {
    let of = |tenant: &str| {
        changed(&id_token(), &json!({"firebase": {"sign_in_provider": "password", "tenant": tenant}}))
    };
    let acme = providers::firebase_tenant("shop-4711", "acme-7sd3k");
    assert!(caller(&acme, &of("acme-7sd3k")).await.is_ok());
    is_rejected(&acme, &of("globex-9x2ab"), RULE).await;
    is_rejected(&acme, &id_token(), RULE).await;
    is_rejected(&preset(), &of("acme-7sd3k"), RULE).await;
    is_rejected(&preset(), &changed(&id_token(), &json!({"firebase": "acme"})), RULE).await;
}

#[tokio::test]
async fn ways_to_sign_in_are_a_rule() {
    let known = preset().claim("firebase.sign_in_provider", ClaimRule::one_of(["password"]));
    assert!(caller(&known, &id_token()).await.is_ok());
    let anonymous = changed(&id_token(), &json!({"firebase": {"sign_in_provider": "anonymous"}}));
    assert!(caller(&preset(), &anonymous).await.is_ok());
    is_rejected(&known, &anonymous, RULE).await;
}

#[tokio::test]
async fn without_the_preset_a_tenants_user_is_one_of_the_project() {
    let plain = TrustedIssuer::new(ISS).audience("shop-4711");
    let acme = changed(&id_token(), &json!({"auth_time": null, "firebase": {"tenant": "acme-7sd3k"}}));
    assert_eq!(caller(&plain, &acme).await, caller(&preset(), &id_token()).await);
}
