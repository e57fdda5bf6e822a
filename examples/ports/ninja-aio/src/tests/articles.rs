//! Who may do what with articles: by method, by role, by scope, and by author.

use super::*;

fn ids(reply: &Reply) -> Vec<i64> {
    reply.json().as_array().unwrap().iter().map(|article| article["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn each_method_has_its_own_rule() {
    let magazine = Magazine::open().await;
    let alice = magazine.token("alice");
    assert_eq!(ids(&magazine.service.get("/article", None).await), [1, 3, 4, 6]);
    assert_eq!(magazine.service.get("/article/1", None).await.status, 200);
    assert_eq!(magazine.service.get("/article/2", None).await.status, 404);
    for (method, path) in [
        (Method::POST, "/article"),
        (Method::PATCH, "/article/2"),
        (Method::DELETE, "/article/2"),
        (Method::POST, "/article/2/publish"),
    ] {
        let reply = magazine.ask(method.clone(), path, With::Nothing, Some(&a_draft())).await;
        assert_eq!(reply.status, 401, "{method} {path}");
    }
    assert_eq!(magazine.service.post("/article", Some(&alice), &a_draft()).await.status, 201);
}

#[tokio::test]
async fn every_route_of_a_router_needs_its_rule() {
    let magazine = Magazine::open().await;
    for path in ["/desk/article", "/desk/article/2"] {
        assert_eq!(magazine.service.get(path, None).await.status, 401, "{path}");
        assert_eq!(magazine.status(Method::GET, path, "alice").await, 200, "{path}");
        let writer = magazine.test.token(&user("alice").scopes(["write"]));
        let denied = magazine.service.get(path, Some(&writer)).await;
        assert_eq!(denied.status, 403, "{path}");
        let challenge = denied.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains(r#"error="insufficient_scope", scope="read""#), "{challenge}");
    }
}

#[tokio::test]
async fn a_view_of_its_own_has_a_rule_of_its_own() {
    let magazine = Magazine::open().await;
    let total = async || magazine.service.get("/article/stats", None).await.json();
    assert_eq!(total().await, json!({ "total": 4 }));
    assert_eq!(magazine.service.post("/article/2/publish", None, &json!({})).await.status, 401);
    assert_eq!(magazine.status(Method::POST, "/article/2/publish", "bob").await, 200);
    assert_eq!(total().await, json!({ "total": 5 }));
    assert_eq!(magazine.service.get("/article/2", None).await.json()["is_published"], true);
}

#[tokio::test]
async fn everyone_reads_authors_write_their_own_and_the_staff_deletes() {
    let magazine = Magazine::open().await;
    let edit = async |id: i64, name| {
        let token = magazine.token(name);
        magazine.ask(Method::PATCH, &format!("/article/{id}"), With::Token(&token), Some(&a_draft())).await
    };
    let edited = edit(2, "alice").await;
    assert_eq!((edited.status, &*edited.text("title")), (200, "The flood"));
    assert_eq!(edit(3, "alice").await.status, 403, "bob's, and everyone can read it");
    // A draft of somebody else is as one that does not exist, byte for byte.
    let (hidden, missing) = (edit(5, "alice").await, edit(99, "alice").await);
    assert_eq!((hidden.status, &hidden.body), (404, &missing.body));
    assert_eq!(missing.status, 404);
    assert!(magazine.service.get("/article/3", None).await.body.contains("A guide to the fair"));

    for (name, status) in [("alice", 403), ("bob", 403), ("carol", 204), ("carol", 404)] {
        assert_eq!(magazine.status(Method::DELETE, "/article/1", name).await, status, "{name}");
    }
    assert_eq!(magazine.service.get("/article/1", None).await.status, 404);
}

/// Neither role is the other.
#[tokio::test]
async fn one_of_several_roles_is_enough() {
    let magazine = Magazine::open().await;
    magazine.run("update accounts set is_staff = 1 where name = 'erin'").await;
    let count = async |name: &str| magazine.service.get("/desk/count", Some(&magazine.token(name))).await;
    let (of_the_editor, of_the_staff) = (count("bob").await, count("erin").await);
    assert_eq!(of_the_editor.json(), json!({ "tenant": "herald", "total": 3 }));
    assert_eq!(of_the_staff.json(), json!({ "tenant": "gazette", "total": 3 }));
    let me = magazine.service.get("/me", Some(&magazine.token("erin"))).await.body;
    assert!(me.contains("Roles: staff."), "{me}");
    let author = count("alice").await;
    let challenge = author.headers["www-authenticate"].to_str().unwrap();
    assert!(author.status == 403 && challenge.contains("insufficient_scope"), "{author:?}");
}

/// An admin is an editor, as auth.toml says, so one role is named.
#[tokio::test]
async fn a_role_that_implies_another_is_that_one_too() {
    let magazine = Magazine::open().await;
    magazine.run("update accounts set tenant = 'gazette' where name in ('alice', 'bob')").await;
    let publish = async |name: &str| {
        let token = magazine.test.token(&user(name).claim("tenant_id", "gazette"));
        magazine.ask(Method::POST, "/article/5/publish", With::Token(&token), None).await.status
    };
    assert_eq!([publish("bob").await, publish("carol").await], [200, 200]);
    assert_eq!([publish("alice").await, publish("erin").await], [403, 403]);
}

/// 401 asks a client to log in, and a second login would not help.
#[tokio::test]
async fn a_caller_without_the_role_is_403_and_not_401() {
    let magazine = Magazine::open().await;
    let reply = magazine.ask(Method::DELETE, "/article/1", With::Token(&magazine.token("bob")), None).await;
    assert_eq!((reply.status, reply.json()), (403, json!({ "detail": "Forbidden" })));
    let challenge = reply.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("insufficient_scope") && !challenge.contains("staff"), "{challenge}");
}

/// A scope without the permission is not enough, nor is the permission without the scope.
#[tokio::test]
async fn scopes_are_what_the_token_is_for() {
    let magazine = Magazine::open().await;
    let create = async |name: &str, scopes: &[&str]| {
        let token = magazine.test.token(&user(name).scopes(scopes.iter().copied()));
        magazine.service.post("/article", Some(&token), &a_draft()).await.status
    };
    assert_eq!(create("alice", &["write"]).await, 201);
    assert_eq!(create("alice", &["read", "write"]).await, 201);
    assert_eq!(create("alice", &["read"]).await, 403);
    assert_eq!(create("alice", &[]).await, 403);
    assert_eq!(create("erin", &["read", "write"]).await, 403, "she writes for no paper");
}
