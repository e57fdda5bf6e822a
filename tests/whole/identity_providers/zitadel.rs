//! <https://zitadel.com/docs/apis/openidoauth/claims>.

use auth_runtime::verify::{TrustedIssuer, providers};
use serde_json::{Value, json};

use super::tokens::{AUDIENCE, ISSUER, NOW, RULE, caller, changed, is_rejected};

const INSTANCE: &str = "https://shop-x7k2.zitadel.cloud";
const PROJECT: &str = "69234237810729019";
const OWN_ROLES: &str = "urn:zitadel:iam:org:project:69234237810729019:roles";
const ROLES_OF_CLIENT: &str = "urn:zitadel:iam:org:project:roles";

fn preset() -> TrustedIssuer {
    providers::zitadel(INSTANCE, PROJECT)
}

fn access_token() -> Value {
    json!({
        "iss": INSTANCE, "sub": "77776025198584418", "aud": ["69234237810729234", PROJECT], "azp": "69234237810729234",
        "exp": NOW + 43_200, "iat": NOW, "nbf": NOW, "jti": "69234237813329048",
        ROLES_OF_CLIENT: {"user": {"id1": "acme.zitadel.ch", "id2": "caos.ch"}},
        OWN_ROLES: {"user": {"id1": "acme.zitadel.ch", "id2": "caos.ch"}},
    })
}

/// It has the same audience.
fn id_token() -> Value {
    changed(
        &access_token(),
        &json!({"jti": null, "amr": ["pwd", "mfa"], "auth_time": NOW, "nonce": "blQtVEJHNTF0WHhFQmhqZ0RqeHJsdzdkd2d", "at_hash": "h"}),
    )
}

#[tokio::test]
async fn roles_are_the_keys_of_the_claim_of_the_project() {
    for (roles, expected) in [
        (json!({"user": {"id1": "acme.zitadel.ch"}}), "user"),
        (json!({"user": {"id1": "a"}, "admin": {"id1": "a"}}), "user,admin"),
        // As the documentation writes it.
        (json!([{"user": {"id1": "a"}}, {"admin": {"id2": "b"}}, {"user": {"id3": "c"}}]), "user,admin"),
        // Granted in no organization.
        (json!({"user": {"id1": "a"}, "admin": {}}), "user"),
        (json!({"user": {"id1": "a"}, "admin": false, "root": null, "": {"id1": "a"}}), "user"),
        (json!({}), ""),
        (json!([]), ""),
        (json!(null), ""),
    ] {
        let found = caller(&preset(), &changed(&access_token(), &json!({ OWN_ROLES: roles }))).await.unwrap();
        let mut found: Vec<&str> =
            found.trim_start_matches("77776025198584418 r=").trim_end_matches(" s= p=").split(',').collect();
        let mut expected: Vec<&str> = expected.split(',').collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{roles}");
    }
    for roles in
        [json!("admin"), json!(["admin"]), json!([{"user": {"a": "b"}}, "admin"]), json!(1), json!(true)]
    {
        is_rejected(&preset(), &changed(&access_token(), &json!({ OWN_ROLES: roles })), "the token's roles")
            .await;
    }
}

#[tokio::test]
async fn an_admin_of_the_clients_project_is_none_here() {
    let foreign = changed(
        &access_token(),
        &json!({ ROLES_OF_CLIENT: {"admin": {"id1": "acme.zitadel.ch"}}, OWN_ROLES: {"user": {"id1": "acme.zitadel.ch"}} }),
    );
    let user = Ok("77776025198584418 r=user s= p=".to_owned());
    assert_eq!(caller(&preset(), &foreign).await, user);
    let by_client = preset().roles_at_keys_of(ROLES_OF_CLIENT);
    assert_eq!(caller(&by_client, &foreign).await, Ok("77776025198584418 r=admin s= p=".into()));
}

#[tokio::test]
async fn id_tokens_and_tokens_for_other_projects_are_rejected() {
    is_rejected(&preset(), &id_token(), RULE).await;
    for claim in ["amr", "nonce", "at_hash"] {
        let with_one = changed(&access_token(), &json!({ claim: "x" }));
        is_rejected(&preset(), &with_one, RULE).await;
    }
    for (changes, reason) in [
        (json!({"jti": null}), RULE),
        (json!({"aud": ["69234237810729234"]}), AUDIENCE),
        (json!({"iss": "https://other-x7k2.zitadel.cloud"}), ISSUER),
    ] {
        is_rejected(&preset(), &changed(&access_token(), &changes), reason).await;
    }
}

#[tokio::test]
async fn without_the_preset_roles_are_unreadable_and_an_id_token_is_accepted() {
    let plain = TrustedIssuer::new(INSTANCE).audience(PROJECT);
    assert_eq!(caller(&plain, &access_token()).await, Ok("77776025198584418 r= s= p=".into()));
    assert!(caller(&plain, &id_token()).await.is_ok());
    is_rejected(&plain.roles_at(OWN_ROLES), &access_token(), "neither a list of strings nor a string").await;
}
