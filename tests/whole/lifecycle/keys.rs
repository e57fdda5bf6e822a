//! The keys that tokens are signed with: how they change, and what is published of them.

use super::*;

#[tokio::test]
async fn keys_change_while_the_service_runs() {
    let key = |id: &str| SigningKey::generate(Algorithm::EdDSA).unwrap().with_id(id);
    let (old, new) = (key("old"), key("new"));
    let people = People::default();
    let build = |keys: SigningKeys| {
        let issuer = TokenIssuer::new(ISSUER, AUDIENCE, keys, people.clone());
        Auth::builder().token_issuer(issuer.refresh_key(RefreshKey::new("k", [1; 32]))).build().unwrap()
    };
    let auth = build(SigningKeys::new(old.clone()));
    let app = Router::new().route("/who", get(who)).route("/keys", get(key_set)).finish(&auth).unwrap();
    let tokens = auth.tokens().unwrap();
    let alice = Subject::new("alice");
    let status = async |token: &str| {
        let bearer = format!("Bearer {token}");
        send(&app, request("GET", "/who", &[("authorization", &bearer)])).await.status.as_u16()
    };
    let published = async || -> Vec<String> {
        let reply = send(&app, request("GET", "/keys", &[])).await;
        assert_eq!(reply.header("content-type"), "application/jwk-set+json");
        assert_eq!(reply.header("cache-control"), "public, max-age=300");
        let keys: Value = serde_json::from_str(&reply.body).unwrap();
        keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    };

    let before = tokens.issue_access(&alice).unwrap();
    let early = new.sign(&part(&before, 1)).unwrap();
    assert_eq!((status(&before).await, status(&early).await), (200, 401));
    assert_eq!(published().await, ["old"]);

    // The next key is published, and accepted, before it signs.
    tokens.rotate_keys(SigningKeys::new(old.clone()).also_accept(new.verifying_key())).unwrap();
    assert_eq!((status(&before).await, status(&early).await), (200, 200));
    assert_eq!(published().await, ["old", "new"]);
    assert_eq!(part(&tokens.issue_access(&alice).unwrap(), 0)["kid"], "old");

    tokens.rotate_keys(SigningKeys::new(new.clone()).also_accept(old.verifying_key())).unwrap();
    let after = tokens.issue_access(&alice).unwrap();
    assert_eq!(part(&after, 0)["kid"], "new");
    assert_eq!((status(&before).await, status(&after).await), (200, 200));

    // What was accepted, and remembered, is not when its key is gone.
    tokens.rotate_keys(new.clone()).unwrap();
    assert_eq!((status(&before).await, status(&after).await), (401, 200));

    // A change that can't be made changes nothing.
    let error = tokens
        .rotate_keys(SigningKeys::new(old.clone()).also_accept(key("old").verifying_key()))
        .unwrap_err();
    assert!(error.to_string().contains("two keys have the id `old`"), "{error}");
    assert_eq!((status(&before).await, status(&after).await), (401, 200));
}

/// A secret is never in the key set; a key without an id gets its thumbprint.
#[tokio::test]
async fn the_key_set_holds_public_keys_alone() {
    let shop = Shop::new();
    assert_eq!(send(&shop.app, request("GET", "/keys", &[])).await.body, r#"{"keys":[]}"#);
    shop.tokens.rotate_keys(SigningKey::generate(Algorithm::ES256).unwrap()).unwrap();
    let keys: Value =
        serde_json::from_str(&send(&shop.app, request("GET", "/keys", &[])).await.body).unwrap();
    let token = shop.log_in("alice").await.access_token;
    assert_eq!(keys["keys"][0]["kid"], part(&token, 0)["kid"]);
    assert_eq!(keys["keys"][0]["kid"].as_str().unwrap().len(), 43);
    let mut names: Vec<_> = keys["keys"][0].as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
}
