//! Roles and permissions of the user, in place of those of the token.

use auth_tests_declared::VOCABULARY;

use super::*;

#[auth(roles = ["editor"])]
async fn for_editors(caller: Principal) -> String {
    let join = |names: Vec<&str>| names.join("+");
    format!(
        "{} {} {}",
        join(caller.roles().collect()),
        join(caller.scopes().collect()),
        join(caller.permissions().collect())
    )
}

#[auth(scopes = ["s1"])]
async fn for_scope() {}

#[auth(any(roles = ["editor"], scopes = ["s1"]))]
async fn for_either() {}

fn app(auth: &Auth) -> axum::Router {
    let routes = Router::new()
        .route("/editors", get(for_editors))
        .route("/scope", get(for_scope))
        .route("/either", get(for_either));
    routes.finish(auth).unwrap()
}

fn set_roles(accounts: &Accounts, roles: Option<&[&str]>) {
    let roles = roles.map(|roles| roles.iter().map(|role| (*role).to_owned()).collect());
    accounts.put(TEST_ISSUER, "alice", Account { name: "Alice".into(), is_active: true, roles });
}

#[tokio::test]
async fn they_are_in_place_of_those_of_the_token_and_its_scopes_stay() {
    let user = alice().roles(["editor"]).scopes(["s1"]).permissions(["p1"]);
    for (roles, of_user, editors) in [
        (None, "editor s1 p1", true),
        (Some(&["editor", "viewer"][..]), "editor+viewer s1 ", true),
        (Some(&["viewer"]), "", false),
        (Some(&[]), "", false),
    ] {
        let accounts = Accounts::new();
        set_roles(&accounts, roles);
        let test = TestAuth::with(|builder| builder.users(accounts.clone()));
        let app = app(test.auth());
        let reply = get_as(&app, &test, &user, "/editors").await;
        assert_eq!(reply.status, if editors { 200 } else { 403 }, "{roles:?}");
        if editors {
            assert_eq!(reply.body, of_user);
        }
        assert_eq!(get_as(&app, &test, &user, "/scope").await.status, 200);
        assert_eq!(get_as(&app, &test, &user, "/either").await.status, 200);
        let without_scope = alice().roles(["editor"]);
        let reply = get_as(&app, &test, &without_scope, "/either").await;
        assert_eq!(reply.status, if editors { 200 } else { 403 }, "{roles:?}");
    }
}

/// The token is in the cache of verified tokens, and what the user may do is not.
#[tokio::test]
async fn a_token_that_is_remembered_has_the_roles_that_the_user_has_now() {
    let accounts = Accounts::new();
    let test = TestAuth::with(|builder| builder.users(accounts.clone()));
    let app = app(test.auth());
    let token = test.token(&alice().roles(["admin"]));
    for (roles, expected) in
        [(Some(&["editor"][..]), 200), (Some(&["viewer"]), 403), (Some(&["editor"]), 200), (None, 403)]
    {
        set_roles(&accounts, roles);
        test.auth().revocations().forget(TEST_ISSUER, "alice").await.unwrap();
        for _ in 0..2 {
            assert_eq!(status(&app, "GET", "/editors", Some(&token)).await, expected, "{roles:?}");
        }
    }
}

#[tokio::test]
async fn the_vocabulary_applies_to_them_as_to_those_of_a_token() {
    let accounts = Accounts::new();
    let test = TestAuth::with(|builder| builder.vocabulary(&VOCABULARY).users(accounts.clone()));
    #[auth(roles = ["editor"])]
    async fn roles(caller: Principal) -> String {
        caller.roles().collect::<Vec<_>>().join("+")
    }
    let app: axum::Router = Router::new().route("/", get(roles)).finish(test.auth()).unwrap();
    for (of_token, of_user, expected) in [
        (&["viewer"][..], Some(&["admin"][..]), Ok("admin+editor+viewer")),
        (&["admin"], Some(&["editor"]), Ok("editor+viewer")),
        (&["admin"], Some(&["viewer"]), Err(403)),
        (&["admin"], None, Ok("admin+editor+viewer")),
        // These exclude each other.
        (&["admin"], Some(&["auditor", "admin"]), Err(401)),
        // It excludes none of those of the user.
        (&["auditor"], Some(&["admin"]), Ok("admin+editor+viewer")),
    ] {
        set_roles(&accounts, of_user);
        test.auth().revocations().forget(TEST_ISSUER, "alice").await.unwrap();
        for _ in 0..2 {
            let reply = get_as(&app, &test, &alice().roles(of_token.iter().copied()), "/").await;
            let found = if reply.status == 200 { Ok(&*reply.body) } else { Err(reply.status.as_u16()) };
            assert_eq!(found, expected, "{of_token:?} {of_user:?}");
        }
    }
}
