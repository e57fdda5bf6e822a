//! API keys of users: a key has what it was made with, as far as its user has it too.

use auth_runtime::api_key::{ApiKeyOptions, ApiKeys};
use auth_runtime::authenticator;
use auth_runtime::authenticator::{Authenticated, Subject};
use auth_runtime::source::CredentialPlace;
use auth_tests_declared::VOCABULARY;

use super::*;

const KEY_ISSUER: &str = "urn:auth-runtime:scheme:api_key";

#[auth(source = "api_key")]
async fn held(caller: Principal) -> String {
    let join = |names: Vec<&str>| names.join("+");
    let [roles, scopes, permissions] =
        [caller.roles().collect(), caller.scopes().collect(), caller.permissions().collect()].map(join);
    let (has_role, has_permission) = (caller.has_role("editor"), caller.has_permission("invoice.read"));
    assert_eq!(has_role, caller.roles().any(|role| role == "editor"));
    assert_eq!(has_permission, caller.permissions().any(|permission| permission == "invoice.read"));
    format!("{roles} {scopes} {permissions}")
}

#[auth(source = "api_key", roles = ["editor"])]
async fn for_editors() {}

#[auth(source = "api_key", permissions = ["invoice.read"])]
async fn for_readers_of_invoices() {}

#[auth(source = "api_key", scopes = ["article:write"])]
async fn for_scope() {}

#[auth(source = "api_key", not(roles = ["auditor"]), any(scopes = ["article:write"], not(permissions = ["invoice.read"])))]
async fn for_no_auditor() {}

fn routes() -> Router {
    Router::new()
        .route("/no-auditor", get(for_no_auditor))
        .route("/held", get(held))
        .route("/editors", get(for_editors))
        .route("/invoices", get(for_readers_of_invoices))
        .route("/scope", get(for_scope))
}

async fn with_key(app: &axum::Router, key: &str, path: &str) -> Reply {
    send(app, request("GET", path, &[("x-api-key", key)])).await
}

/// With a vocabulary, rules are decided by bits; without one, by names.
#[tokio::test]
async fn a_key_has_at_most_what_it_was_made_with_and_what_its_user_has() {
    for has_vocabulary in [true, false] {
        let accounts = Accounts::new();
        let test = TestAuth::with(|builder| {
            let keys = ApiKeys::in_header("X-API-Key");
            let builder = builder.users(accounts.clone()).api_keys(keys);
            if has_vocabulary { builder.vocabulary(&VOCABULARY) } else { builder }
        });
        let app: axum::Router = routes().finish(test.auth()).unwrap();
        let user = |roles: Option<&[&str]>| {
            let roles = roles.map(|roles| roles.iter().map(|role| (*role).to_owned()).collect());
            accounts.put(KEY_ISSUER, "alice", Account { name: "Alice".into(), is_active: true, roles });
        };
        assert_eq!(test.auth().api_keys().unwrap().issuer(), KEY_ISSUER);
        let make = async |options: ApiKeyOptions| {
            test.auth().api_keys().unwrap().create("alice", options).await.unwrap().text().to_owned()
        };
        let of_scope = make(ApiKeyOptions::new().scopes(["article:write"])).await;
        let of_editor = make(ApiKeyOptions::new().roles(["editor"]).scopes(["article:write"])).await;
        let of_admin = make(ApiKeyOptions::new().roles(["admin"]).permissions(["report.read"])).await;
        let implied = |with: &'static str, without: &'static str| if has_vocabulary { with } else { without };
        for (roles, of_the_keys) in [
            // The store grants nothing: the key's own count.
            (None, [" article:write ", implied("editor+viewer article:write ", "editor article:write "), ""]),
            (
                Some(&["admin"][..]),
                [
                    " article:write ",
                    implied("editor+viewer article:write ", " article:write "),
                    implied("admin+editor+viewer  invoice.read", "admin  "),
                ],
            ),
            (
                Some(&["editor"]),
                [
                    " article:write ",
                    implied("editor+viewer article:write ", "editor article:write "),
                    implied("editor+viewer  ", "  "),
                ],
            ),
            (Some(&[]), [" article:write ", " article:write ", "  "]),
        ] {
            user(roles);
            test.auth().revocations().forget(KEY_ISSUER, "alice").await.unwrap();
            for (key, expected) in [&of_scope, &of_editor, &of_admin].into_iter().zip(of_the_keys) {
                // Twice: loaded, and remembered.
                for _ in 0..2 {
                    let reply = with_key(&app, key, "/held").await;
                    assert_eq!(reply.status, 200);
                    if !expected.is_empty() {
                        assert_eq!(reply.body, expected, "{roles:?}");
                    }
                    for (path, held) in
                        [("/editors", "editor"), ("/invoices", "invoice.read"), ("/scope", "article:write")]
                    {
                        let expected = reply.body.split([' ', '+']).any(|name| name == held);
                        let status = with_key(&app, key, path).await.status;
                        assert_eq!(
                            status,
                            if expected { 200 } else { 403 },
                            "{path} {roles:?} {}",
                            reply.body
                        );
                    }
                }
            }
        }
    }
}

/// A key is not rid of what a rule excludes because it was made without that.
#[tokio::test]
async fn what_a_rule_excludes_is_looked_for_in_the_key_and_in_its_user() {
    for has_vocabulary in [true, false] {
        let accounts = Accounts::new();
        let test = TestAuth::with(|builder| {
            let builder = builder.users(accounts.clone()).api_keys(ApiKeys::in_header("X-API-Key"));
            if has_vocabulary { builder.vocabulary(&VOCABULARY) } else { builder }
        });
        let app: axum::Router = routes().finish(test.auth()).unwrap();
        let keys = test.auth().api_keys().unwrap();
        let make = async |options| keys.create("alice", options).await.unwrap().text().to_owned();
        let (plain, writing) =
            (make(ApiKeyOptions::new()).await, make(ApiKeyOptions::new().scopes(["article:write"])).await);
        let of_auditor = make(ApiKeyOptions::new().roles(["auditor"]).scopes(["article:write"])).await;
        let billing = make(ApiKeyOptions::new().permissions(["invoice.read"])).await;
        for (roles, expected) in [
            (None, [200, 200, 403, 403]),
            (Some(&["auditor"][..]), [403, 403, 403, 403]),
            (Some(&["viewer"]), [200, 200, 403, 403]),
            // With a vocabulary the role is granted the permission.
            (Some(&["billing"]), [if has_vocabulary { 403 } else { 200 }, 200, 403, 403]),
        ] {
            let roles = roles.map(|roles| roles.iter().map(|role| (*role).to_owned()).collect());
            let account = Account { name: "Alice".into(), is_active: true, roles };
            accounts.put(KEY_ISSUER, "alice", account);
            test.auth().revocations().forget(KEY_ISSUER, "alice").await.unwrap();
            for (key, expected) in [&plain, &writing, &of_auditor, &billing].into_iter().zip(expected) {
                let status = with_key(&app, key, "/no-auditor").await.status;
                assert_eq!(status, expected, "{has_vocabulary} {:?}", accounts.0.rows.lock().unwrap());
            }
        }
    }
}

/// One that is not limited has what its user has, as a token has.
#[tokio::test]
async fn an_authenticator_of_ones_own_says_if_its_credentials_limit_their_user() {
    #[authenticator]
    async fn personal_token(credential: &str) -> Result<Authenticated, BoxError> {
        let caller = Authenticated::new(Subject::new("alice").roles(["viewer"]));
        Ok(if credential == "limited" { caller.restrict_grants() } else { caller })
    }
    #[auth(source = "personal")]
    async fn roles(caller: Principal) -> String {
        caller.roles().collect::<Vec<_>>().join("+")
    }

    let accounts = Accounts::new();
    let roles_of_user = Some(vec!["admin".to_owned(), "viewer".to_owned()]);
    let account = Account { name: "Alice".into(), is_active: true, roles: roles_of_user };
    accounts.put("urn:auth-runtime:scheme:personal", "alice", account);
    let test = TestAuth::with(|builder| {
        builder.users(accounts).authenticator(
            "personal",
            CredentialPlace::header("X-Personal"),
            personal_token::with_state(()),
        )
    });
    let app: axum::Router = Router::new().route("/", get(roles)).finish(test.auth()).unwrap();
    for (credential, expected) in [("limited", "viewer"), ("unlimited", "admin+viewer")] {
        let reply = send(&app, request("GET", "/", &[("x-personal", credential)])).await;
        assert_eq!((reply.status.as_u16(), &*reply.body), (200, expected), "{credential}");
    }
}
