//! <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html> and
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html>.

use auth_runtime::verify::{TrustedIssuer, providers};
use serde_json::{Value, json};

use super::tokens::{AUDIENCE, ISSUER, NOW, RULE, caller_with, changed, signed_with_header};

const POOL: &str = "https://cognito-idp.us-west-2.amazonaws.com/us-west-2_example";
const CLIENT: &str = "57cbishk4j24pabc1234567890";
const SUB: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

fn preset() -> TrustedIssuer {
    providers::cognito("us-west-2_example", CLIENT)
}

fn access_token() -> Value {
    json!({
        "sub": SUB, "device_key": SUB, "cognito:groups": ["admin"], "token_use": "access",
        "scope": "aws.cognito.signin.user.admin", "auth_time": NOW, "iss": POOL, "exp": NOW + 3_600, "iat": NOW, "version": 2,
        "origin_jti": SUB, "jti": SUB, "client_id": CLIENT, "username": "janedoe@example.com",
    })
}

fn id_token() -> Value {
    json!({
        "sub": SUB, "cognito:groups": ["admin"], "email_verified": true, "iss": POOL, "cognito:username": "janedoe", "aud": CLIENT,
        "origin_jti": SUB, "event_id": SUB, "token_use": "id", "auth_time": NOW, "exp": NOW + 3_600, "iat": NOW, "jti": SUB,
    })
}

/// The header has `kid` and `alg` alone.
async fn caller(issuer: &TrustedIssuer, claims: &Value) -> Result<String, String> {
    caller_with(issuer, &signed_with_header(&json!({"kid": "k1", "alg": "RS256"}), claims)).await
}

#[tokio::test]
async fn groups_are_roles_and_the_client_is_the_audience() {
    let jane = format!("{SUB} r=admin s=aws.cognito.signin.user.admin p=");
    assert_eq!(caller(&preset(), &access_token()).await, Ok(jane.clone()));
    let second = changed(&access_token(), &json!({"client_id": "second"}));
    assert_eq!(caller(&preset().audience("second"), &second).await, Ok(jane));
    // Of a client without a user.
    let machine = json!({"sub": "second", "client_id": "second", "cognito:groups": null, "username": null, "scope": "orders/read"});
    let machine = changed(&access_token(), &machine);
    assert_eq!(caller(&preset().audience("second"), &machine).await, Ok("second r= s=orders/read p=".into()));
}

#[tokio::test]
async fn a_bound_token_is_for_the_resource_in_aud_alone() {
    let bound = changed(&access_token(), &json!({"aud": "https://orders.example.com"}));
    assert!(caller(&preset(), &bound).await.unwrap_err().contains(AUDIENCE));
    assert!(caller(&preset().audience("https://orders.example.com"), &bound).await.is_ok());
    let of_another_client = changed(&bound, &json!({"client_id": "other"}));
    assert!(caller(&preset().audience("https://orders.example.com"), &of_another_client).await.is_ok());
}

#[tokio::test]
async fn id_tokens_and_tokens_of_other_clients_are_rejected() {
    assert!(caller(&preset(), &id_token()).await.unwrap_err().contains(RULE));
    for (changes, reason) in [
        (json!({"client_id": "other"}), "its client \"other\" is not an audience"),
        (json!({"client_id": [CLIENT]}), "no claim `aud`"),
        (json!({"client_id": null}), "no claim `aud`"),
        (json!({"token_use": null}), RULE),
        (json!({"iss": "https://cognito-idp.us-west-2.amazonaws.com/us-west-2_other"}), ISSUER),
    ] {
        let error = caller(&preset(), &changed(&access_token(), &changes)).await.unwrap_err();
        assert!(error.contains(reason), "{error}, for {changes}");
    }
}

#[tokio::test]
async fn without_the_preset_it_is_the_id_token_that_is_accepted() {
    let plain = TrustedIssuer::new(POOL).audience(CLIENT);
    assert!(caller(&plain, &access_token()).await.unwrap_err().contains("no claim `aud`"));
    assert_eq!(caller(&plain, &id_token()).await, Ok(format!("{SUB} r= s= p=")));
}
