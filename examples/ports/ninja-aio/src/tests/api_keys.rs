//! API keys, as a user and a program of the user have them.

use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A new key of a user: its id and its text.
async fn create(magazine: &Magazine, name: &str, scopes: &[&str], days: u8) -> (String, String) {
    let new = json!({ "label": "import", "scopes": scopes, "days": days });
    let reply = magazine.service.post("/keys", Some(&magazine.token(name)), &new).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    (reply.text("id"), reply.text("key"))
}

/// What a new draft by a program with this key is answered.
async fn write(magazine: &Magazine, key: &str) -> Reply {
    magazine.ask(Method::POST, "/article", With::Key(key), Some(&a_draft())).await
}

#[tokio::test]
async fn a_program_with_a_key_is_its_owner() {
    let magazine = Magazine::open().await;
    let (_, key) = create(&magazine, "alice", &["write"], 90).await;
    assert!(key.starts_with("magazine_"), "{key}");
    let written = write(&magazine, &key).await;
    assert_eq!((written.status, &written.json()["author"]), (201, &json!(1)));
    let me = magazine.ask(Method::GET, "/me", With::Key(&key), None).await;
    assert_eq!(me.body, "alice, of the herald. Roles: none. Permissions: article.create. Scopes: write.\n");
    for wrong in ["made-up", &key[..key.len() - 1], &key.replace("magazine_", "other_")] {
        assert_eq!(write(&magazine, wrong).await.status, 401, "{wrong}");
    }
    // It makes no keys, and where keys are not named it is no credential.
    for path in ["/keys", "/context", "/desk/article"] {
        assert_eq!(magazine.ask(Method::GET, path, With::Key(&key), None).await.status, 401, "{path}");
    }
}

/// The scopes of a key are among those of the token that asks for it, and its owner's permissions count as they are by then.
#[tokio::test]
async fn a_key_is_for_no_more_than_its_owner_may_do() {
    let magazine = Magazine::open().await;
    let reader = magazine.test.token(&user("alice").scopes(["read"]));
    let new = json!({ "label": "import", "scopes": ["read", "write"], "days": 90 });
    assert_eq!(magazine.service.post("/keys", Some(&reader), &new).await.status, 403);
    // Nor for no time, or for ever.
    for new in [json!({ "label": "", "scopes": [], "days": 0 }), json!({ "label": "", "scopes": [] })] {
        assert_eq!(magazine.service.post("/keys", Some(&reader), &new).await.status, 422);
    }
    let (_, reading) = create(&magazine, "alice", &["read"], 90).await;
    assert_eq!(write(&magazine, &reading).await.status, 403);
    let (_, writing) = create(&magazine, "erin", &["write"], 90).await;
    assert_eq!(write(&magazine, &writing).await.status, 403, "erin writes for no paper");

    let (_, key) = create(&magazine, "alice", &["write"], 90).await;
    assert_eq!(write(&magazine, &key).await.status, 201);
    magazine.run("delete from role_permissions where role = 'author'").await;
    magazine.test.clock().advance(Duration::from_secs(5 * 60));
    assert_eq!(write(&magazine, &key).await.status, 403, "its owner may not write any more");
    magazine.run("insert into role_permissions (role, code) values ('author', 'article.create')").await;
    magazine.test.clock().advance(Duration::from_secs(5 * 60));
    assert_eq!(write(&magazine, &key).await.status, 201);
    assert_eq!(magazine.status(Method::POST, "/account/1/deactivate", "carol").await, 204);
    assert_eq!(write(&magazine, &key).await.status, 401);
}

#[tokio::test]
async fn a_key_expires_and_is_rotated_and_revoked() {
    let magazine = Magazine::open().await;
    let (_, expiring) = create(&magazine, "alice", &["write"], 30).await;
    let (id, old) = create(&magazine, "alice", &["write"], 90).await;
    magazine.test.clock().advance(30 * DAY - Duration::from_secs(1));
    assert_eq!(write(&magazine, &expiring).await.status, 201);
    magazine.test.clock().advance(Duration::from_secs(1));
    assert_eq!(write(&magazine, &expiring).await.status, 401);

    let alice = magazine.token("alice");
    let rotated = magazine.service.post(&format!("/keys/{id}/rotate"), Some(&alice), &json!({})).await;
    assert_eq!(rotated.status, 200, "{rotated:?}");
    let (new_id, new) = (rotated.text("id"), rotated.text("key"));
    assert_eq!([write(&magazine, &old).await.status, write(&magazine, &new).await.status], [201, 201]);
    magazine.test.clock().advance(Duration::from_secs(60 * 60));
    assert_eq!([write(&magazine, &old).await.status, write(&magazine, &new).await.status], [401, 201]);

    let revoke = async |name: &str| magazine.status(Method::DELETE, &format!("/keys/{new_id}"), name).await;
    assert_eq!(revoke("bob").await, 404, "it is not bob's");
    assert_eq!(write(&magazine, &new).await.status, 201);
    assert_eq!(revoke("alice").await, 204);
    assert_eq!(write(&magazine, &new).await.status, 401);
}

#[tokio::test]
async fn the_last_use_of_a_key_is_listed() {
    let magazine = Magazine::open().await;
    let (id, key) = create(&magazine, "alice", &["write"], 90).await;
    let listed = async || magazine.service.get("/keys", Some(&magazine.token("alice"))).await;
    assert_eq!(listed().await.json()[0]["last_used_at"], Value::Null);
    magazine.test.clock().advance(DAY);
    write(&magazine, &key).await;
    magazine.test.auth().api_keys().unwrap().record_last_uses().await;
    let list = listed().await;
    let seconds = NOW + i64::try_from(DAY.as_secs()).unwrap();
    assert_eq!(
        list.json(),
        json!([{ "id": id, "label": "import", "scopes": ["write"], "is_valid": true, "last_used_at": seconds }])
    );
    assert!(!list.body.contains(&key));
    assert_eq!(magazine.service.get("/keys", Some(&magazine.token("bob"))).await.json(), json!([]));
}

/// Somebody who reads the file of the store has no key.
#[tokio::test]
async fn the_store_has_no_key_that_can_be_used() {
    let magazine = Magazine::open().await;
    let (id, key) = create(&magazine, "alice", &["write"], 90).await;
    let secret = key.rsplit_once('_').unwrap().1;
    let bytes = std::fs::read(magazine.service.folder().join("auth.redb")).unwrap();
    let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has(&id), "the row is there");
    assert!(!has(&key) && !has(secret));
}

#[tokio::test]
async fn an_account_has_ten_keys_at_most() {
    let magazine = Magazine::open().await;
    for _ in 0..10 {
        create(&magazine, "alice", &["read"], 1).await;
    }
    let new = json!({ "label": "import", "scopes": ["read"], "days": 1 });
    let another = async |name| magazine.service.post("/keys", Some(&magazine.token(name)), &new).await.status;
    assert_eq!((another("alice").await, another("bob").await), (409, 201));
    magazine.test.clock().advance(DAY);
    assert_eq!(another("alice").await, 201, "those that have expired do not count");
}

/// A rotation brings the text of a new key, so it needs what a new key needs.
#[tokio::test]
async fn a_rotation_needs_the_scopes_of_the_key() {
    let magazine = Magazine::open().await;
    let (writing, _) = create(&magazine, "alice", &["read", "write"], 90).await;
    let (reading, _) = create(&magazine, "alice", &["read"], 90).await;
    let reader = magazine.test.token(&user("alice").scopes(["read"]));
    let rotate = async |id: &str, token: &str| {
        magazine.service.post(&format!("/keys/{id}/rotate"), Some(token), &json!({})).await
    };
    let listed = async || magazine.service.get("/keys", Some(&reader)).await.json();
    let before = listed().await;
    assert_eq!(rotate(&writing, &reader).await.status, 403);
    assert_eq!(listed().await, before, "nothing has changed");
    assert_eq!(rotate(&reading, &reader).await.status, 200);
    assert_eq!(rotate(&writing, &magazine.token("alice")).await.status, 200);
}

/// During the overlap the old key is one more.
#[tokio::test]
async fn rotations_count_as_keys() {
    let magazine = Magazine::open().await;
    let (id, _) = create(&magazine, "alice", &["read"], 90).await;
    let rotate = async |id: &str| {
        magazine.service.post(&format!("/keys/{id}/rotate"), Some(&magazine.token("alice")), &json!({})).await
    };
    let mut latest = String::new();
    for _ in 1..10 {
        let rotated = rotate(&id).await;
        assert_eq!(rotated.status, 200, "{rotated:?}");
        latest = rotated.text("id");
    }
    assert_eq!((rotate(&id).await.status, rotate(&latest).await.status), (409, 409));
    magazine.test.clock().advance(Duration::from_secs(60 * 60));
    assert_eq!((rotate(&latest).await.status, rotate(&latest).await.status), (200, 409));
}

/// One credential decides: the first that is there, in the order of the rule. Otherwise an attacker would choose which counts.
#[tokio::test]
async fn a_token_or_a_key_is_enough_and_an_invalid_one_is_not_passed_over() {
    let magazine = Magazine::open().await;
    let (_, key) = create(&magazine, "alice", &["write"], 90).await;
    let alice = magazine.token("alice");
    let both = async |token: &str, key: &str| {
        let request = magazine.service.request(Method::POST, "/article").bearer_auth(token);
        magazine.service.send(request.header("x-api-key", key).json(&a_draft())).await.status
    };
    assert_eq!(magazine.service.post("/article", Some(&alice), &a_draft()).await.status, 201);
    assert_eq!(write(&magazine, &key).await.status, 201);
    assert_eq!(both(&alice, &key).await, 201);
    assert_eq!(both("made-up", &key).await, 401);
    assert_eq!(both(&magazine.token("nobody"), &key).await, 401);
}
