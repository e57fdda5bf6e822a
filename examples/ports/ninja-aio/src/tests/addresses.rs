//! Tokens that are for some addresses alone. The tests are at 127.0.0.1.

use super::claims::{Agency, changed, claims};
use super::*;

/// What the wire is answered, with this list in the token and this header.
async fn wire(magazine: &Magazine, agency: &Agency, listed: &Value, forwarded: Option<&str>) -> u16 {
    let token = agency.key.sign(&changed(&claims(), "allowed_ips", listed)).unwrap();
    let request = magazine.service.request(Method::GET, "/wire").bearer_auth(token);
    let request = match forwarded {
        Some(address) => request.header("x-forwarded-for", address),
        None => request,
    };
    magazine.service.send(request).await.status
}

#[tokio::test]
async fn a_token_is_for_the_addresses_that_it_lists() {
    let agency = Agency::new();
    let magazine =
        Magazine::with(|builder| builder.issuer(issuers::agency(agency.key.verifying_key()))).await;
    for (listed, status) in [
        (json!(["127.0.0.1"]), 200),
        (json!(["203.0.113.7", "127.0.0.1"]), 200),
        (json!(["::ffff:127.0.0.1"]), 403),
        (json!(["203.0.113.7"]), 403),
        (json!(["127.0.0.1/8"]), 403),
        (json!([]), 403),
        (json!("127.0.0.1"), 403),
        (Value::Null, 403),
    ] {
        assert_eq!(wire(&magazine, &agency, &listed, None).await, status, "{listed}");
    }
    // Without a proxy that is trusted, a header is what the client writes.
    assert_eq!(wire(&magazine, &agency, &json!(["203.0.113.7"]), Some("203.0.113.7")).await, 403);
}

#[tokio::test]
async fn behind_a_proxy_the_address_is_that_of_the_client() {
    let agency = Agency::new();
    let magazine = Magazine::with(|builder| {
        let builder = builder.issuer(issuers::agency(agency.key.verifying_key()));
        behind_a_proxy(builder, Some("127.0.0.1".to_owned()))
    })
    .await;
    let listed = json!(["203.0.113.7"]);
    for (forwarded, status) in [
        (Some("203.0.113.7"), 200),
        // The client wrote the first, and the proxy the last.
        (Some("203.0.113.7, 198.51.100.9"), 403),
        (Some("198.51.100.9, 203.0.113.7"), 200),
        (Some("198.51.100.9"), 403),
        (None, 403),
    ] {
        assert_eq!(wire(&magazine, &agency, &listed, forwarded).await, status, "{forwarded:?}");
    }
}
