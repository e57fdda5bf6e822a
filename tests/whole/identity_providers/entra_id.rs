//! <https://learn.microsoft.com/en-us/entra/identity-platform/access-tokens>, whose examples these tokens are, and
//! <https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference>.

use auth_runtime::Auth;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::{Tenants, TrustedIssuer, providers};
use serde_json::{Value, json};

use super::tokens::{AUDIENCE, ISSUER, NOW, RULE, caller, changed, described, is_rejected, key_set, signed};

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const OTHER_TENANT: &str = "82229342-1101-4ab6-817b-70c0747630f3";
/// That of personal accounts.
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const API: &str = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
const OID: &str = "690222be-ff1a-4d56-abd1-7e4f7d38e474";
const SUB: &str = "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ";
const MISMATCH: &str = "of another tenant";

fn v2(tenant: &str) -> String {
    format!("https://login.microsoftonline.com/{tenant}/v2.0")
}

/// Of version 2.0, with app roles.
fn access_token() -> Value {
    json!({
        "aud": API, "iss": v2(TENANT), "iat": NOW, "nbf": NOW, "exp": NOW + 3_900, "aio": "AXQAi/8IAAAAtAaZLo3ChMif6KOn",
        "azp": API, "azpacr": "0", "name": "Abe Lincoln", "oid": OID, "preferred_username": "abeli@microsoft.com", "rh": "I",
        "scp": "access_as_user orders.read", "roles": ["Orders.Approver"], "sub": SUB, "tid": TENANT, "uti": "fqiBqXLPj0eQa82S-IYFAA",
        "ver": "2.0",
    })
}

/// Of version 1.0.
fn v1_access_token() -> Value {
    let tenant = "fa15d692-e9c7-4460-a743-29f2956fd429";
    json!({
        "aud": "ef1da9d4-ff77-4c3e-a005-840c3f830745", "iss": format!("https://sts.windows.net/{tenant}/"), "iat": NOW, "nbf": NOW,
        "exp": NOW + 3_900, "acr": "1", "amr": ["wia"], "appid": "75dbe77f-10a3-4e59-85fd-8c127544f17c", "appidacr": "0",
        "family_name": "Lincoln", "ipaddr": "222.222.222.22", "oid": "02223b6b-aa1d-42d4-9ec0-1b2bb9194438",
        "scp": "user_impersonation", "sub": "l3_roISQU222bULS9yi2k0XpqpOiMz5H3ZACo1GeXA", "tid": tenant, "unique_name": "abeli@microsoft.com",
        "uti": "FVsGxYXI30-TuikuuUoFAA", "ver": "1.0",
    })
}

/// For an application that is client and API.
fn id_token() -> Value {
    changed(&access_token(), &json!({"azp": null, "azpacr": null, "scp": null, "nonce": "12345"}))
}

fn preset() -> TrustedIssuer {
    providers::entra_id(TENANT, API)
}

#[tokio::test]
async fn tokens_of_version_2() {
    let abe = format!("{OID} r=Orders.Approver s=access_as_user,orders.read p=");
    assert_eq!(caller(&preset(), &access_token()).await, Ok(abe.clone()));
    for several in [
        Tenants::from([TENANT, OTHER_TENANT]),
        Tenants::accepted_by(|tenant| tenant == TENANT),
        Tenants::dangerously_accept_any(),
    ] {
        assert_eq!(caller(&providers::entra_id(several, API), &access_token()).await, Ok(abe.clone()));
    }
    // An application without a user: its roles are permissions of the application.
    let daemon = changed(&access_token(), &json!({"scp": null, "sub": OID, "roles": ["Orders.Read.All"]}));
    assert_eq!(caller(&preset(), &daemon).await, Ok(format!("{OID} r=Orders.Read.All s= p=")));
    assert_eq!(
        caller(&preset().subject_at("sub"), &access_token()).await,
        Ok(format!("{SUB} r=Orders.Approver s=access_as_user,orders.read p="))
    );
    is_rejected(&preset(), &changed(&access_token(), &json!({"oid": null})), "subject").await;
}

#[tokio::test]
async fn tokens_of_version_1() {
    let token = v1_access_token();
    let tenant = token["tid"].as_str().unwrap();
    let issuer = providers::entra_id_v1(tenant, "api://ef1da9d4-ff77-4c3e-a005-840c3f830745");
    is_rejected(&issuer, &token, AUDIENCE).await;
    let issuer = issuer.audience("ef1da9d4-ff77-4c3e-a005-840c3f830745");
    let abe = "02223b6b-aa1d-42d4-9ec0-1b2bb9194438 r= s=user_impersonation p=";
    assert_eq!(caller(&issuer, &token).await, Ok(abe.into()));
    for (changes, reason) in [
        (json!({"appid": null}), RULE),
        (json!({"ver": "2.0"}), RULE),
        (json!({"iss": v2(tenant)}), ISSUER),
        (json!({"iss": format!("https://sts.windows.net/{tenant}")}), ISSUER),
        (json!({"tid": OTHER_TENANT}), MISMATCH),
    ] {
        is_rejected(&issuer, &changed(&token, &changes), reason).await;
    }
}

#[tokio::test]
async fn id_tokens_and_tokens_of_other_tenants_and_apis_are_rejected() {
    for issuer in [preset(), providers::entra_id(Tenants::dangerously_accept_any(), API)] {
        is_rejected(&issuer, &id_token(), RULE).await;
        for (changes, reason) in [
            (json!({"aud": "00000003-0000-0000-c000-000000000000"}), AUDIENCE),
            (json!({"ver": "1.0"}), RULE),
            (json!({"ver": null}), RULE),
            (json!({"tid": OTHER_TENANT}), MISMATCH),
            (json!({"tid": null}), MISMATCH),
            (json!({"tid": [TENANT]}), MISMATCH),
            (json!({"iss": format!("https://sts.windows.net/{TENANT}/")}), ISSUER),
            (json!({"iss": v2("common"), "tid": OTHER_TENANT}), ""),
        ] {
            is_rejected(&issuer, &changed(&access_token(), &changes), reason).await;
        }
    }
    let other = changed(&access_token(), &json!({"iss": v2(OTHER_TENANT), "tid": OTHER_TENANT}));
    is_rejected(&preset(), &other, ISSUER).await;
    let some = providers::entra_id(Tenants::accepted_by(|tenant| tenant == TENANT), API);
    is_rejected(&some, &other, ISSUER).await;
}

#[tokio::test]
async fn a_key_of_one_issuer_verifies_no_token_of_another() {
    let of_personal_account = changed(&access_token(), &json!({"iss": v2(CONSUMERS), "tid": CONSUMERS}));
    for (key_issuer, of_tenant, of_consumers) in [
        (json!("https://login.microsoftonline.com/{tenantid}/v2.0"), true, true),
        (json!(null), true, true),
        (json!(v2(CONSUMERS)), false, true),
        (json!(v2(TENANT)), true, false),
        (json!("https://login.microsoftonline.com/{tenant}/v2.0"), false, false),
        (json!("https://sts.windows.net/{tenantid}/"), false, false),
        (json!([v2(TENANT)]), false, false),
        (json!(""), false, false),
    ] {
        let issuer = providers::entra_id(Tenants::dangerously_accept_any(), API)
            .jwks(key_set(&json!({ "issuer": key_issuer })));
        let auth = Auth::builder().clock(TestClock::new()).issuer(issuer).build().unwrap();
        for (token, expected) in [(&access_token(), of_tenant), (&of_personal_account, of_consumers)] {
            let caller = auth.verify(&signed(token)).await;
            assert_eq!(
                caller.is_ok(),
                expected,
                "{key_issuer}: {:?}",
                caller.map(|caller| described(&caller))
            );
        }
    }
}

#[tokio::test]
async fn without_the_preset_tenants_need_a_name_each_and_an_id_token_is_accepted() {
    let common = TrustedIssuer::new(v2("common")).audience(API);
    is_rejected(&common, &access_token(), ISSUER).await;
    let plain = TrustedIssuer::new(v2(TENANT)).audience(API);
    let by_sub = format!("{SUB} r=Orders.Approver s=access_as_user,orders.read p=");
    assert_eq!(caller(&plain, &access_token()).await, Ok(by_sub));
    assert!(caller(&plain, &id_token()).await.is_ok());
}
