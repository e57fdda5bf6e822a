//! Keys in the access table, its lock and the OpenAPI document.

use auth_runtime::access::LockError;
use auth_runtime::api_key::ApiKeys;
use auth_runtime::openapi::OpenApi;
use auth_runtime::routing::get;
use auth_runtime::source::CredentialPlace;
use auth_runtime::testing::TestAuth;
use auth_runtime::{Router, auth};
use serde_json::{Value, json};

use super::shop::reading;

#[auth(source = "bearer")]
async fn by_token() {}

#[auth(source = ["bearer", "api_key"])]
async fn by_both() {}

fn engine(place: CredentialPlace) -> TestAuth {
    TestAuth::with(|builder| builder.api_keys(ApiKeys::at(place)))
}

fn document(place: CredentialPlace) -> Value {
    OpenApi::new("Shop", "1").describe(&reading().routes(), engine(place).auth()).unwrap().to_value()
}

#[test]
fn a_token_or_a_key_are_two_alternatives() {
    let document = document(CredentialPlace::header("X-API-Key"));
    let security = |path: &str| &document["paths"][path]["get"]["security"];
    assert_eq!(*security("/who"), json!([{ "bearer": [] }, { "api_key": [] }]));
    assert_eq!(*security("/orders"), json!([{ "api_key": ["orders:read"] }]));
    let optional = security("/optional").as_array().unwrap();
    assert!(optional.contains(&json!({})) && optional.contains(&json!({ "api_key": [] })), "{optional:?}");
    assert!(document["paths"]["/who"]["get"]["responses"]["503"].is_object());
}

#[test]
fn a_scheme_says_where_the_key_is() {
    for (place, expected) in [
        (
            CredentialPlace::header("X-API-Key"),
            json!({ "type": "apiKey", "in": "header", "name": "x-api-key", "description": "An API key in the header `x-api-key`." }),
        ),
        (
            CredentialPlace::dangerously_in_query("key"),
            json!({ "type": "apiKey", "in": "query", "name": "key", "description": "An API key in the query parameter `key`, only for requests that change no state." }),
        ),
    ] {
        assert_eq!(document(place)["components"]["securitySchemes"]["api_key"], expected);
    }
    let cookie = &document(CredentialPlace::cookie("key"))["components"]["securitySchemes"]["api_key"];
    assert_eq!(
        (&cookie["type"], &cookie["in"], &cookie["name"]),
        (&json!("apiKey"), &json!("cookie"), &json!("key"))
    );
    let after_scheme =
        &document(CredentialPlace::authorization("ApiKey"))["components"]["securitySchemes"]["api_key"];
    assert_eq!((&after_scheme["type"], &after_scheme["scheme"]), (&json!("http"), &json!("apikey")));
}

#[test]
fn the_table_and_its_lock_know_keys() {
    let test = engine(CredentialPlace::header("X-API-Key"));
    let of = |router: Router| router.routes().table(test.auth());
    let (before, after) =
        (of(Router::new().route("/", get(by_token))), of(Router::new().route("/", get(by_both))));
    let json: Value = serde_json::from_str(&after.to_json()).unwrap();
    assert_eq!(json["routes"][0]["policy"]["sources"], json!(["bearer", "api_key"]));
    let directory = tempfile::tempdir().unwrap();
    let lock = directory.path().join("access.lock");
    before.write_lock(&lock).unwrap();
    let Err(LockError::Changed { changes, .. }) = after.check_lock(&lock) else {
        panic!("nothing has changed")
    };
    assert!(changes.to_string().contains("api_key"), "{changes}");
    after.write_lock(&lock).unwrap();
    after.check_lock(&lock).unwrap();
}
