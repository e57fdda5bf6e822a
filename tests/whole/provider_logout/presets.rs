//! What the presets of providers know of the `sid` of access tokens.

use auth_runtime::provider_logout::back_channel_logout;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::{TrustedIssuer, providers};
use auth_runtime::{Auth, Router, routing::get};
use serde_json::{Value, json};

use super::{API, CLIENT, NOW, Signer, form, is_let_in, logout_claims, whoami, with};
use crate::support::send;

const REALM: &str = "https://id.test/realms/shop";
const INSTANCE: &str = "https://shop.zitadel.test";

/// The status of a logout token with the `sid` of one session of alice's; whether the tokens of that session and of her other one still
/// count.
async fn log_out(preset: TrustedIssuer, name: &str, of_access_tokens: Value) -> (u16, [bool; 2]) {
    let provider = Signer::new("p");
    let issuer = preset.key(provider.key()).logout_audience(CLIENT);
    let auth = Auth::builder().clock(TestClock::new()).issuer(issuer).build().unwrap();
    let app: axum::Router = Router::new()
        .route("/whoami", get(whoami))
        .route("/logout", back_channel_logout(&auth).unwrap())
        .finish(&auth)
        .unwrap();
    let token = |session: &str| {
        let claims = json!({
            "iss": name, "aud": API, "sub": "alice", "sid": session, "jti": session, "iat": NOW, "exp": NOW + 300,
        });
        provider.sign(Some("JWT"), &with(claims, of_access_tokens.clone()))
    };
    let tokens = [token("one"), token("other")];
    for token in &tokens {
        assert!(is_let_in(&app, token).await, "{name}");
    }
    let logout = logout_claims(NOW, json!({"iss": name, "sub": "alice", "sid": "one", "typ": "Logout"}));
    let logout = provider.sign(Some("logout+jwt"), &logout);
    let reply = send(&app, form(&format!("logout_token={logout}"))).await;
    let [one, other] = &tokens;
    (reply.status.as_u16(), [is_let_in(&app, one).await, is_let_in(&app, other).await])
}

/// <https://www.keycloak.org/docs/latest/upgrading/#removed-session_state-claim>
#[tokio::test]
async fn tokens_of_keycloak_have_a_sid() {
    let preset = || providers::keycloak(REALM, API);
    for (preset, expected) in [
        (preset(), (200, [false, true])),
        (preset().access_tokens_have_sid(), (200, [false, true])),
        (preset().logout_ends_all_sessions(), (200, [false, false])),
    ] {
        assert_eq!(log_out(preset, REALM, json!({"typ": "Bearer"})).await, expected);
    }
}

/// <https://zitadel.com/docs/apis/openidoauth/claims>: an access token has no `sid`, and a session is not guessed.
#[tokio::test]
async fn tokens_of_zitadel_have_none_so_the_application_decides() {
    let preset = || providers::zitadel(INSTANCE, API);
    for (preset, expected) in
        [(preset(), (400, [true, true])), (preset().logout_ends_all_sessions(), (200, [false, false]))]
    {
        assert_eq!(log_out(preset, INSTANCE, json!({"sid": null})).await, expected);
    }
}
