//! The account of a caller: which it is, how long it is remembered, and what it may do.

use super::*;

#[tokio::test]
async fn the_account_of_the_token_is_the_argument() {
    let magazine = Magazine::open().await;
    let me = async |name| magazine.service.get("/me", Some(&magazine.token(name))).await.body;
    assert_eq!(
        me("alice").await,
        "alice, of the herald. Roles: author. Permissions: article.create. Scopes: read, write.\n"
    );
    assert_eq!(
        me("carol").await,
        "carol, of the gazette. Roles: admin, staff, editor, author. Permissions: article.create, article.update. Scopes: read, write.\n"
    );
    assert_eq!(
        me("erin").await,
        "erin, of the gazette. Roles: none. Permissions: none. Scopes: read, write.\n"
    );
    // The scopes are those of the token, and of nobody's rows.
    let reader = magazine.test.token(&user("bob").scopes(["read"]));
    let bob = magazine.service.get("/me", Some(&reader)).await.body;
    assert!(bob.ends_with("Permissions: article.create, article.update. Scopes: read.\n"), "{bob}");
}

/// A subject is one of its issuer: alice of the provider is not an alice of the agency.
#[tokio::test]
async fn a_subject_of_another_issuer_is_another_caller() {
    let agency = super::claims::Agency::new();
    let magazine =
        Magazine::with(|builder| builder.issuer(issuers::agency(agency.key.verifying_key()))).await;
    for (subject, status) in [("wire", 200), ("alice", 401), ("1", 401)] {
        let claims = super::claims::changed(&super::claims::claims(), "sub", &json!(subject));
        let token = agency.key.sign(&claims).unwrap();
        assert_eq!(magazine.service.get("/me", Some(&token)).await.status, status, "{subject}");
    }
}

#[tokio::test]
async fn the_claims_are_a_type_of_ours() {
    let magazine = Magazine::open().await;
    let context =
        async |user: &TestUser| magazine.service.get("/context", Some(&magazine.test.token(user))).await;
    let alice = user("alice").claim("email", "alice@example.com").roles(["reader"]);
    assert_eq!(
        context(&alice).await.json(),
        json!({ "sub": "alice", "email": "alice@example.com", "roles": ["reader"], "scope": "read write" })
    );
    assert_eq!(context(&user("bob")).await.json()["email"], Value::Null);
    // A claim of another type is no such token.
    let reply = context(&user("alice").claim("email", 1)).await;
    assert!((400..500).contains(&reply.status), "{reply:?}");
}

#[tokio::test]
async fn a_caller_without_an_active_account_is_401() {
    let magazine = Magazine::open().await;
    for name in ["dave", "nobody", ""] {
        for path in ["/me", "/context", "/desk/article", "/keys"] {
            assert_eq!(magazine.status(Method::GET, path, name).await, 401, "{name} {path}");
        }
    }
}

#[tokio::test]
async fn a_check_asks_for_a_subscription() {
    let magazine = Magazine::open().await;
    let print = async |name| magazine.status(Method::GET, "/article/1/print", name).await;
    assert_eq!((print("erin").await, print("alice").await), (200, 403));
    // A draft is printed for nobody.
    assert_eq!(magazine.status(Method::GET, "/article/2/print", "erin").await, 404);
}

#[tokio::test]
async fn a_user_is_remembered_until_it_is_forgotten() {
    let magazine = Magazine::open().await;
    let me = async |name| magazine.status(Method::GET, "/me", name).await;
    assert_eq!((me("alice").await, me("bob").await), (200, 200));
    magazine.run("update accounts set is_active = 0").await;
    assert_eq!(me("alice").await, 200, "it is remembered");
    assert_eq!(me("erin").await, 401, "it was not asked for before");
    magazine.test.auth().revocations().forget(PROVIDER, "alice").await.unwrap();
    assert_eq!((me("alice").await, me("bob").await), (401, 200));
    magazine.test.clock().advance(Duration::from_secs(5 * 60));
    assert_eq!(me("bob").await, 401);
}

/// As the staff does it, there is nothing to remember.
#[tokio::test]
async fn a_deactivated_account_is_rejected_at_once() {
    let magazine = Magazine::open().await;
    assert_eq!(magazine.status(Method::GET, "/me", "alice").await, 200);
    let deactivate =
        async |id: u8, name| magazine.status(Method::POST, &format!("/account/{id}/deactivate"), name).await;
    assert_eq!(deactivate(1, "bob").await, 403);
    assert_eq!(magazine.status(Method::GET, "/me", "alice").await, 200);
    assert_eq!((deactivate(99, "carol").await, deactivate(1, "carol").await), (404, 204));
    assert_eq!(magazine.status(Method::GET, "/me", "alice").await, 401);
    assert_eq!(magazine.status(Method::GET, "/me", "bob").await, 200);
}

/// A role in a token is what its issuer says. Here the roles are those of the database.
#[tokio::test]
async fn a_role_that_a_token_claims_is_none() {
    let magazine = Magazine::open().await;
    let token = magazine.test.token(&user("alice").roles(["staff", "admin"]).permissions(["article.update"]));
    let with = With::Token(&token);
    assert_eq!(magazine.ask(Method::DELETE, "/article/1", with, None).await.status, 403);
    assert_eq!(magazine.ask(Method::POST, "/article/2/publish", with, None).await.status, 403);
}

/// All of those that a rule names, from the rows of the role.
#[tokio::test]
async fn permissions_are_the_rows_of_the_role() {
    let magazine = Magazine::open().await;
    let publish = async || magazine.status(Method::POST, "/article/2/publish", "bob").await;
    assert_eq!(publish().await, 200);
    let forget = async || magazine.test.auth().revocations().forget(PROVIDER, "bob").await.unwrap();
    magazine.run("delete from role_permissions where role = 'editor' and code = 'article.update'").await;
    forget().await;
    assert_eq!(publish().await, 403);
    magazine.run("insert into role_permissions (role, code) values ('editor', 'article.update')").await;
    forget().await;
    assert_eq!(publish().await, 200);
}

#[tokio::test]
async fn a_database_that_fails_is_503_and_lets_nobody_in() {
    let magazine = Magazine::open().await;
    magazine.run("drop view people").await;
    let reply = magazine.service.get("/me", Some(&magazine.token("alice"))).await;
    assert_eq!((reply.status, reply.json()), (503, json!({ "detail": "Service Unavailable" })));
    assert_eq!(magazine.service.get("/article", None).await.status, 200);
}
