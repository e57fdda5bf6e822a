//! <https://www.keycloak.org/docs/latest/server_admin/#audience-support>: `service1` is the service, `frontend-client` the client.

use auth_runtime::verify::{ClaimRule, TrustedIssuer, providers};
use serde_json::{Value, json};

use super::tokens::{
    AUDIENCE, ISSUER, NOW, RULE, caller, caller_with, changed, is_rejected, signed_with_header,
};

const REALM: &str = "https://id.example.com/realms/shop";

fn preset() -> TrustedIssuer {
    providers::keycloak(REALM, "service1")
}

fn access_token() -> Value {
    json!({
        "exp": NOW + 300, "iat": NOW, "auth_time": NOW, "jti": "179a04e8-6a41-41bb-ab20-14d55a8518af", "iss": REALM,
        "aud": ["service1", "account"], "sub": "8befeac4-8963-49da-a9ac-f310e8d922d8", "typ": "Bearer", "azp": "frontend-client",
        "sid": "54db1502-a5dc-4a27-af62-eeef0694a628", "acr": "1", "allowed-origins": ["https://shop.example.com"],
        "realm_access": {"roles": ["customer", "offline_access"]},
        "resource_access": {
            "service1": {"roles": ["service1-role", "customer"]},
            "account": {"roles": ["manage-account"]},
            "realm-management": {"roles": ["manage-users"]},
        },
        "scope": "openid email profile", "email_verified": true, "preferred_username": "john",
    })
}

/// An ID token is for the client alone. Here that is the service too, which Keycloak's documentation advises against.
fn id_token() -> Value {
    changed(
        &access_token(),
        &json!({"typ": "ID", "aud": "service1", "azp": "service1", "nonce": "n", "at_hash": "h", "scope": null,
                "realm_access": null, "resource_access": null}),
    )
}

#[tokio::test]
async fn roles_are_those_of_the_realm_and_of_the_client() {
    let john = "8befeac4-8963-49da-a9ac-f310e8d922d8";
    for (changes, expected) in [
        (json!({}), "r=customer,offline_access,service1-role s=openid,email,profile p="),
        (json!({"realm_access": null}), "r=service1-role,customer s=openid,email,profile p="),
        (
            json!({"resource_access": {"account": {"roles": ["x"]}}}),
            "r=customer,offline_access s=openid,email,profile p=",
        ),
        (json!({"realm_access": null, "resource_access": null}), "r= s=openid,email,profile p="),
        (
            json!({"roles": ["admin"], "realm_access": {"roles": []}, "scope": "openid"}),
            "r=service1-role,customer s=openid p=",
        ),
    ] {
        let token = changed(&access_token(), &changes);
        assert_eq!(caller(&preset(), &token).await, Ok(format!("{john} {expected}")), "{changes}");
    }
    // A dot in the client's id is a part of it, and a slash at the realm's end is none of `iss`.
    let dotted = providers::keycloak(&format!("{REALM}/"), "my.service");
    let token = changed(
        &access_token(),
        &json!({"aud": "my.service", "realm_access": null, "resource_access": {"my.service": {"roles": ["x"]}}}),
    );
    assert_eq!(caller(&dotted, &token).await, Ok(format!("{john} r=x s=openid,email,profile p=")));
    // "Use at+jwt as access token header type".
    let header = json!({"alg": "RS256", "kid": "k1", "typ": "at+jwt"});
    assert!(caller_with(&preset(), &signed_with_header(&header, &access_token())).await.is_ok());
}

#[tokio::test]
async fn other_tokens_of_the_realm_are_rejected() {
    is_rejected(&preset(), &id_token(), RULE).await;
    for (changes, reason) in [
        (json!({"typ": "Refresh"}), RULE),
        (json!({"typ": "Logout"}), RULE),
        (json!({"typ": null}), RULE),
        (json!({"aud": "service2"}), AUDIENCE),
        (json!({"aud": "account"}), AUDIENCE),
        (json!({"aud": null}), "no claim `aud`"),
        // `azp` is the client that it was issued to, and no service.
        (json!({"aud": "account", "azp": "service1"}), AUDIENCE),
        (json!({"aud": null, "azp": "service1"}), "no claim `aud`"),
        (json!({"iss": "https://id.example.com/realms/other"}), ISSUER),
        (json!({"iss": format!("{REALM}/")}), ISSUER),
    ] {
        is_rejected(&preset(), &changed(&access_token(), &changes), reason).await;
    }
    let for_some_clients = preset().claim("azp", ClaimRule::one_of(["frontend-client"]));
    assert!(caller(&for_some_clients, &access_token()).await.is_ok());
    is_rejected(&for_some_clients, &changed(&access_token(), &json!({"azp": "other"})), RULE).await;
}

#[tokio::test]
async fn without_the_preset_there_are_no_roles_and_an_id_token_is_accepted() {
    let plain = TrustedIssuer::new(REALM).audience("service1");
    let john = "8befeac4-8963-49da-a9ac-f310e8d922d8";
    assert_eq!(caller(&plain, &access_token()).await, Ok(format!("{john} r= s=openid,email,profile p=")));
    assert_eq!(caller(&plain, &id_token()).await, Ok(format!("{john} r= s= p=")));
}
