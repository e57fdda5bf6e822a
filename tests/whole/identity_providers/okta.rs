//! <https://developer.okta.com/docs/reference/api/oidc/#access-token> and
//! <https://developer.okta.com/docs/guides/customize-tokens-groups-claim/main/>.

use auth_runtime::verify::{TrustedIssuer, providers};
use serde_json::{Value, json};

use super::tokens::{AUDIENCE, ISSUER, NOW, RULE, caller_with, changed, signed_with_header};

const SERVER: &str = "https://shop.okta.com/oauth2/0oacqf8qaJw56czJi0g4";
const API: &str = "https://api.example.com";

fn preset() -> TrustedIssuer {
    providers::okta(SERVER, API)
}

fn access_token() -> Value {
    json!({
        "ver": 1, "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE", "iss": SERVER, "aud": API, "sub": "john.doe@example.com",
        "iat": NOW, "exp": NOW + 3_600, "cid": "6joRGIzNCaJfdCPzRjlh", "uid": "00uk1u7AsAk6dZL3z0g3",
        "scp": ["openid", "custom"], "groups": ["Everyone", "Admins"],
    })
}

/// For the client, which here has the name of the API.
fn id_token() -> Value {
    json!({
        "ver": 1, "sub": "00uk1u7AsAk6dZL3z0g3", "iss": SERVER, "aud": API, "jti": "ID.4eAWJOCMB3SX8XewDfVR", "auth_time": NOW,
        "iat": NOW, "exp": NOW + 3_600, "amr": ["pwd"], "idp": "00o1a", "nonce": "Under6sea", "at_hash": "cpqKfdQA5eH891Ff5oJr_Q",
        "groups": ["Admins"],
    })
}

/// The header has `kid` and `alg` alone.
async fn caller(issuer: &TrustedIssuer, claims: &Value) -> Result<String, String> {
    caller_with(issuer, &signed_with_header(&json!({"kid": "k1", "alg": "RS256"}), claims)).await
}

#[tokio::test]
async fn the_subject_is_the_users_id_and_groups_are_roles() {
    let john = "00uk1u7AsAk6dZL3z0g3 r=Everyone,Admins s=openid,custom p=";
    assert_eq!(caller(&preset(), &access_token()).await, Ok(john.into()));
    // Another user gets the login of the first one.
    let next = changed(&access_token(), &json!({"uid": "00uother"}));
    assert_eq!(caller(&preset(), &next).await, Ok(john.replace("00uk1u7AsAk6dZL3z0g3", "00uother")));
    // A client without a user.
    let machine = json!({"uid": null, "sub": "6joRGIzNCaJfdCPzRjlh", "groups": null, "scp": ["custom"]});
    let machine = changed(&access_token(), &machine);
    assert_eq!(caller(&preset(), &machine).await, Ok("6joRGIzNCaJfdCPzRjlh r= s=custom p=".into()));
    // What is there and is no id is not passed over.
    for uid in [json!(""), json!(["00u"]), json!(false)] {
        let error = caller(&preset(), &changed(&access_token(), &json!({ "uid": uid }))).await.unwrap_err();
        assert!(error.contains("subject"), "{error}");
    }
    let by_login = caller(&preset().subject_at("sub"), &access_token()).await.unwrap();
    assert!(by_login.starts_with("john.doe@example.com "), "{by_login}");
}

#[tokio::test]
async fn id_tokens_and_tokens_for_others_are_rejected() {
    assert!(caller(&preset(), &id_token()).await.unwrap_err().contains(RULE));
    let with_cid = changed(&id_token(), &json!({"cid": "6joRGIzNCaJfdCPzRjlh"}));
    assert!(caller(&preset(), &with_cid).await.unwrap_err().contains(RULE));
    for (changes, reason) in [
        (json!({"aud": "https://other.example.com"}), AUDIENCE),
        (json!({"cid": null}), RULE),
        (json!({"iss": "https://shop.okta.com/oauth2/default"}), ISSUER),
        (json!({"iss": "https://shop.okta.com"}), ISSUER),
    ] {
        let error = caller(&preset(), &changed(&access_token(), &changes)).await.unwrap_err();
        assert!(error.contains(reason), "{error}, for {changes}");
    }
}

#[tokio::test]
async fn without_the_preset_the_subject_is_a_login_that_may_change_hands() {
    let plain = TrustedIssuer::new(SERVER).audience(API);
    let john = "john.doe@example.com r= s=openid,custom p=";
    assert_eq!(caller(&plain, &access_token()).await, Ok(john.into()));
    let next = changed(&access_token(), &json!({"uid": "00uother"}));
    assert_eq!(caller(&plain, &next).await, Ok(john.into()));
    assert!(caller(&plain, &id_token()).await.is_ok());
}
