//! <https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles> and
//! <https://auth0.com/docs/secure/tokens/id-tokens/id-token-structure>.

use auth_runtime::verify::{TrustedIssuer, providers};
use serde_json::{Value, json};

use super::tokens::{
    AUDIENCE, ISSUER, NOW, RULE, caller, caller_with, changed, is_rejected, signed_with_header,
};

const API: &str = "https://example.com/health-api";
const ROLES: &str = "https://example.com/roles";

fn preset() -> TrustedIssuer {
    providers::auth0("my-domain.auth0.com", API).roles_at(ROLES)
}

/// Of Auth0's profile, with permissions, and with roles that an Action adds.
fn access_token() -> Value {
    json!({
        "iss": "https://my-domain.auth0.com/", "sub": "auth0|123456",
        "aud": [API, "https://my-domain.auth0.com/userinfo"], "azp": "my_client_id", "exp": NOW + 86_400, "iat": NOW,
        "scope": "openid profile read:patients read:admin", "permissions": ["read:patients"], ROLES: ["doctor"],
    })
}

fn rfc_9068_access_token() -> Value {
    let more = json!({"azp": null, "client_id": "my_client_id", "jti": "73WakrfVbNJBaAmhQtEeDv"});
    changed(&access_token(), &more)
}

fn id_token() -> Value {
    json!({
        "iss": "https://my-domain.auth0.com/", "sub": "auth0|123456", "aud": "my_client_id", "exp": NOW + 36_000, "iat": NOW,
        "name": "Jane Doe", "nonce": "n-0S6_WzA2Mj", "sid": "s1", ROLES: ["doctor"],
    })
}

const JANE: &str = "auth0|123456 r=doctor s=openid,profile,read:patients,read:admin p=read:patients";

#[tokio::test]
async fn both_profiles_are_read_with_permissions_and_namespaced_roles() {
    assert_eq!(caller(&preset(), &access_token()).await, Ok(JANE.into()));
    let header = json!({"alg": "RS256", "kid": "k1", "typ": "at+jwt"});
    let token = signed_with_header(&header, &rfc_9068_access_token());
    assert_eq!(caller_with(&preset(), &token).await, Ok(JANE.into()));
    for domain in ["https://my-domain.auth0.com", "https://my-domain.auth0.com/", "my-domain.auth0.com/"] {
        let issuer = providers::auth0(domain, API).roles_at(ROLES);
        assert_eq!(caller(&issuer, &access_token()).await, Ok(JANE.into()), "{domain}");
    }
    let of_a_machine = changed(
        &access_token(),
        &json!({"sub": "m2m@clients", "aud": API, "gty": "client-credentials", "scope": "read:patients", ROLES: null}),
    );
    let machine = "m2m@clients r= s=read:patients p=read:patients";
    assert_eq!(caller(&preset(), &of_a_machine).await, Ok(machine.into()));
}

#[tokio::test]
async fn id_tokens_and_tokens_for_other_apis_are_rejected() {
    is_rejected(&preset(), &id_token(), AUDIENCE).await;
    // Also where the id of the application was taken for the audience.
    let misconfigured = preset().audience("my_client_id");
    is_rejected(&misconfigured, &id_token(), RULE).await;
    for (changes, reason) in [
        (json!({"aud": ["https://example.com/other-api", "https://my-domain.auth0.com/userinfo"]}), AUDIENCE),
        (json!({"aud": "https://my-domain.auth0.com/userinfo"}), AUDIENCE),
        (json!({"aud": null}), "no claim `aud`"),
        (json!({"iss": "https://my-domain.auth0.com"}), ISSUER),
        (json!({"iss": "https://my-domain.auth0.com.evil.com/"}), ISSUER),
    ] {
        is_rejected(&preset(), &changed(&access_token(), &changes), reason).await;
    }
}

#[tokio::test]
async fn without_the_preset_the_slash_and_the_namespaced_roles_are_missing() {
    let without_slash = TrustedIssuer::new("https://my-domain.auth0.com").audience(API);
    is_rejected(&without_slash, &access_token(), ISSUER).await;
    let plain = TrustedIssuer::new("https://my-domain.auth0.com/").audience(API).audience("my_client_id");
    assert_eq!(caller(&plain, &access_token()).await, Ok(JANE.replace("doctor", "")));
    assert!(caller(&plain, &id_token()).await.is_ok());
}
