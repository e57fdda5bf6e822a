//! The vocabulary of an engine: what `auth.toml` declares, in an engine that was given it.

use auth_runtime::routing::get;
use auth_runtime::session::TokenError;
use auth_runtime::testing::{TestAuth, TestRequest as _, TestUser};
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
use auth_runtime::vocabulary::Vocabulary;
use auth_runtime::{Auth, AuthBuilder, Principal, Router, auth, rule};
use auth_tests_declared::{Permission, Role, Scope, VOCABULARY, handlers};
use axum::http::StatusCode;

use crate::support::people::{People, issuer};
use crate::support::{get_as, request, send};

fn engine() -> TestAuth {
    TestAuth::with(|builder| builder.vocabulary(&VOCABULARY))
}

fn routes() -> Router {
    Router::new()
        .route("/viewers", get(handlers::viewers))
        .route("/others", get(handlers::others))
        .route("/invoices", get(handlers::invoices))
        .route("/partners", get(handlers::partners))
}

#[tokio::test]
async fn roles_bring_what_they_imply_and_are_granted() {
    let test = engine();
    let app = routes().finish(test.auth()).unwrap();
    let admin = TestUser::new("alice").roles(["admin"]);
    let reply = get_as(&app, &test, &admin, "/viewers").await;
    assert_eq!(reply.body, "admin editor viewer|invoice.read");
    let odd = TestUser::new("bob").roles(["billing", "of another service"]).permissions(["own"]);
    let reply = get_as(&app, &test, &odd, "/others").await;
    assert_eq!(reply.body, "billing of another service|own invoice.read", "what is not declared stays");
    for (roles, path, status) in [
        (&["viewer"][..], "/viewers", 200),
        (&["editor"], "/viewers", 200),
        (&["auditor"], "/viewers", 403),
        (&["editor"], "/others", 403),
        (&["auditor"], "/others", 200),
        (&["admin"], "/invoices", 200),
        (&["billing"], "/invoices", 200),
        (&["editor"], "/invoices", 403),
    ] {
        let user = TestUser::new("carol").roles(roles.iter().copied());
        assert_eq!(get_as(&app, &test, &user, path).await.status.as_u16(), status, "{roles:?} {path}");
        // The same for a principal that a test brings along.
        let request = request("GET", path, &[]).with_principal(user.principal());
        assert_eq!(send(&app, request).await.status.as_u16(), status, "{roles:?} {path}");
    }
    let user = TestUser::new("carol").roles(["viewer"]).permissions(["invoice.read"]);
    assert_eq!(get_as(&app, &test, &user, "/invoices").await.status, 200, "a token may carry it too");
}

#[tokio::test]
async fn who_holds_two_roles_that_exclude_each_other_is_refused() {
    let test = engine();
    let app = routes().finish(test.auth()).unwrap();
    for (roles, status) in [
        (&["auditor", "admin"][..], 401),
        (&["admin", "auditor", "viewer"], 401),
        (&["auditor", "editor"], 200),
    ] {
        let user = TestUser::new("alice").roles(roles.iter().copied());
        let reply = get_as(&app, &test, &user, "/viewers").await;
        assert_eq!(reply.status.as_u16(), status, "{roles:?}");
        if status == 401 {
            assert!(reply.header("www-authenticate").contains("invalid_token"));
            assert!(!reply.body.contains("auditor"), "the reason is for the log");
        }
    }
}

#[tokio::test]
async fn the_log_says_which_roles_clash() {
    let (reasons, heard) = std::sync::mpsc::channel();
    let test = TestAuth::with(|builder| {
        builder.vocabulary(&VOCABULARY).audit(move |event| {
            if event.rejection.is_some() {
                reasons.send(event.reason.to_owned()).unwrap();
            }
        })
    });
    let app = routes().finish(test.auth()).unwrap();
    let user = TestUser::new("alice").roles(["auditor", "admin"]);
    assert_eq!(get_as(&app, &test, &user, "/viewers").await.status, 401);
    assert_eq!(
        heard.try_recv().unwrap(),
        "the token of \"alice\" has the roles `auditor` and `admin`, which the vocabulary says exclude each other"
    );
    let user = TestUser::new("alice").roles(["billing"]);
    assert_eq!(get_as(&app, &test, &user, "/viewers").await.status, 403);
    assert_eq!(heard.try_recv().unwrap(), "needs role viewer; has billing", "names, not bits");
}

#[tokio::test]
async fn no_token_is_given_out_for_roles_that_exclude_each_other() {
    let people = People::default();
    people.set("alice", &["auditor"]);
    let auth = Auth::builder().token_issuer(issuer(&people)).vocabulary(&VOCABULARY).build().unwrap();
    let tokens = auth.tokens().unwrap();
    let subject = |name| people.find(name).unwrap().unwrap();
    let issued = tokens.issue(&subject("alice")).await.unwrap();
    // Somebody makes an auditor an administrator too, by hand.
    people.set("alice", &["auditor", "admin"]);
    for refused in [
        tokens.issue(&subject("alice")).await.map(|_| ()),
        tokens.issue_access(&subject("alice")).map(|_| ()),
        tokens.refresh(&issued.refresh_token).await.map(|_| ()),
    ] {
        let Err(TokenError::Claims(why)) = refused else { panic!("{refused:?}") };
        assert_eq!(
            why,
            "the subject \"alice\" has the roles `auditor` and `admin`, which the vocabulary says exclude each other"
        );
    }
    // And mends it: the login still stands.
    people.set("alice", &["admin"]);
    assert!(tokens.refresh(&issued.refresh_token).await.is_ok());
}

/// Two services share a key, and the other has no vocabulary.
#[tokio::test]
async fn a_token_of_clashing_roles_is_not_active_and_can_be_taken_back() {
    let people = People::default();
    people.set("alice", &["auditor", "admin"]);
    let other = Auth::builder().token_issuer(issuer(&people)).build().unwrap();
    let auth = Auth::builder().token_issuer(issuer(&people)).vocabulary(&VOCABULARY).build().unwrap();
    let token = other.tokens().unwrap().issue_access(&people.find("alice").unwrap().unwrap()).unwrap();
    let tokens = auth.tokens().unwrap();
    assert_eq!(tokens.introspect(&token).await.unwrap(), serde_json::json!({ "active": false }));
    tokens.revoke(&token).await.unwrap();
    assert_eq!(auth.revocations().status().entries, 1);
}

#[tokio::test]
async fn declared_sources_and_the_default_are_the_engines() {
    let test = engine();
    let app = routes().finish(test.auth()).unwrap();
    let token = test.token(&TestUser::new("alice").roles(["viewer"]));
    let bearer = format!("Bearer {token}");
    let other_scheme = format!("Token {token}");
    for (header, value, path, status) in [
        ("x-partner-token", &token, "/partners", 200),
        ("authorization", &bearer, "/partners", 401),
        ("x-partner-token", &token, "/viewers", 200),
        ("authorization", &bearer, "/viewers", 200),
        ("authorization", &other_scheme, "/viewers", 401),
    ] {
        let reply = send(&app, request("GET", path, &[(header, value)])).await;
        assert_eq!(reply.status.as_u16(), status, "{header} {path}");
    }

    #[auth(source = "token")]
    async fn by_scheme() {}
    let app = Router::new().route("/", get(by_scheme)).finish(test.auth()).unwrap();
    assert_eq!(send(&app, request("GET", "/", &[("authorization", &other_scheme)])).await.status, 200);
}

#[test]
fn the_builder_and_the_file_say_each_thing_once() {
    let builder = || {
        let key = Key::secret(Algorithm::HS256, [7; 32]);
        Auth::builder().issuer(TrustedIssuer::new("i").audience("a").key(key)).vocabulary(&VOCABULARY)
    };
    let mistake = |builder: AuthBuilder| builder.build().unwrap_err().to_string();
    assert!(builder().build().is_ok());
    assert!(mistake(builder().default_sources(["bearer"])).contains(
        "both `.default_sources(..)` and `default_source` of auth.toml, which is bearer, cookie, partner, are given"
    ));
    let partner =
        auth_runtime::source::Header::new("partner", axum::http::HeaderName::from_static("x-other"));
    assert!(mistake(builder().source(partner)).contains("two sources have the name `partner`"));
    assert!(mistake(builder().vocabulary(&VOCABULARY)).contains("`.vocabulary(..)` is called twice"));
}

#[test]
fn names_that_are_not_declared_are_listed_with_their_routes() {
    #[auth(any(roles = ["viewer", "visitor"], all(scopes = ["article:raed"], not(permissions = ["x"]))))]
    async fn slips() {}
    #[auth(roles = ["visitor"])]
    async fn slips_too() {}

    let routes = Router::new()
        .route("/slips", get(slips))
        .nest("/deep", Router::new().route("/slip", get(slips_too)).require(rule!(roles = ["somebody"])))
        .merge(routes());
    let error = routes.finish(engine().auth()).unwrap_err();
    let mistakes: Vec<&str> = error.errors().collect();
    assert_eq!(mistakes.len(), 5, "{mistakes:#?}");
    for (mistake, start, name) in [
        (mistakes[0], "GET /slips (", "the role `visitor`"),
        (mistakes[1], "GET /slips (", "the scope `article:raed`"),
        (mistakes[2], "GET /slips (", "the permission `x`"),
        (mistakes[3], "GET /deep/slip (", "the role `somebody`"),
        (mistakes[4], "GET /deep/slip (", "the role `visitor`"),
    ] {
        assert!(mistake.starts_with(start) && mistake.contains(name), "{mistake}");
    }
    assert!(mistakes[0].ends_with("(admin, editor, viewer, auditor, billing)"), "{}", mistakes[0]);
}

/// Otherwise `not(roles = ["viewer"])` would let in an admin, though the compiler's auth.toml says that an admin is a viewer.
#[tokio::test]
async fn a_rule_that_was_checked_by_a_file_is_not_served_without_it() {
    let test = TestAuth::new();
    let routes: Router = Router::new().route("/", get(handlers::others));
    let error = routes.finish(test.auth()).unwrap_err().to_string();
    assert!(error.contains("call `.vocabulary(&VOCABULARY)` on the builder"), "{error}");
    #[auth(rule = handlers::AUDITORS)]
    async fn by_name() {}
    let routes: Router = Router::new().route("/", get(by_name));
    assert!(routes.finish(test.auth()).is_err());

    let plain = |test: &TestAuth| {
        axum::Router::new().route("/", axum::routing::get(handlers::others)).layer(test.auth().layer())
    };
    let user = TestUser::new("alice").roles(["admin"]);
    let reply = get_as(&plain(&test), &test, &user, "/").await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    let test = engine();
    assert_eq!(get_as(&plain(&test), &test, &user, "/").await.status, StatusCode::FORBIDDEN);
    let user = TestUser::new("alice").roles(["auditor"]);
    assert_eq!(get_as(&plain(&test), &test, &user, "/").await.status, StatusCode::OK);
}

/// What another crate's auth.toml might say: the same names, and less of them.
static LESS: Vocabulary = {
    use auth_runtime::__private::{DeclaredPermission, DeclaredRole};
    Vocabulary::new(
        &[],
        &[
            DeclaredRole::new("admin", None, &[], &[]),
            DeclaredRole::new("editor", None, &["viewer"], &[]),
            DeclaredRole::new("viewer", None, &[], &[]),
            DeclaredRole::new("auditor", None, &[], &[]),
            DeclaredRole::new("billing", None, &[], &[]),
        ],
        &[],
        &[DeclaredPermission::new("invoice.read", &["billing"])],
        &[],
    )
};

/// Otherwise a rule would let in a caller that it excludes by the auth.toml of its own crate.
#[tokio::test]
async fn an_engine_must_declare_no_less_than_the_file_of_the_compiler() {
    let test = TestAuth::with(|builder| builder.vocabulary(&LESS));
    for (rule, assumption) in [
        (handlers::NO_VIEWERS, "`admin` implies `viewer`"),
        (handlers::INVOICES, "`admin` is granted `invoice.read`"),
        (handlers::APART, "no caller has both `admin` and `auditor`"),
    ] {
        let routes: Router = Router::new().route("/x", (axum::routing::get(|| async {}), rule));
        let error = routes.finish(test.auth()).unwrap_err().to_string();
        assert!(error.contains(&format!("says that {assumption}, and the engine's")), "{error}");
        // An engine that says the same serves it.
        let routes: Router = Router::new().route("/x", (axum::routing::get(|| async {}), rule));
        assert!(routes.finish(engine().auth()).is_ok());
    }
    let plain =
        axum::Router::new().route("/", axum::routing::get(handlers::others)).layer(test.auth().layer());
    let user = TestUser::new("alice").roles(["admin"]);
    assert_eq!(get_as(&plain, &test, &user, "/").await.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_plain_router_serves_no_rule_with_names_that_are_not_declared() {
    #[auth(not(roles = ["visitor"]))]
    async fn slips() {}
    let test = engine();
    let plain = axum::Router::new().route("/", axum::routing::get(slips)).layer(test.auth().layer());
    for _ in 0..2 {
        let reply = get_as(&plain, &test, &TestUser::new("alice"), "/").await;
        assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    }
}

#[tokio::test]
async fn a_principal_of_a_test_with_clashing_roles_is_refused_as_its_token_would_be() {
    #[auth(optional)]
    async fn home(user: Option<Principal>) -> String {
        user.map_or("nobody".into(), |user| user.subject().to_owned())
    }
    let test = engine();
    let app = Router::new().route("/", get(home)).finish(test.auth()).unwrap();
    let user = TestUser::new("alice").roles(["auditor", "admin"]);
    let injected = request("GET", "/", &[]).with_principal(user.principal());
    assert_eq!(send(&app, injected).await.status, 401);
    assert_eq!(get_as(&app, &test, &user, "/").await.status, 401);
}

#[test]
fn a_rule_that_names_nothing_relies_on_nothing() {
    let routes: Router = Router::new().route("/", (axum::routing::get(|| async {}), handlers::FRESH));
    assert!(routes.finish(TestAuth::new().auth()).is_ok());
}

#[tokio::test]
async fn a_handler_asks_by_names_that_the_compiler_knows() {
    #[auth]
    async fn asks(user: Principal) -> String {
        format!(
            "{} {} {} {}",
            user.has(Role::Viewer),
            user.has(Role::Auditor),
            user.has(Permission::InvoiceRead),
            user.has(Scope::ArticleWrite)
        )
    }
    let test = engine();
    let app = Router::new().route("/", get(asks)).finish(test.auth()).unwrap();
    let user = TestUser::new("alice").roles([Role::Admin]).scopes([Scope::ArticleWrite]);
    assert_eq!(get_as(&app, &test, &user, "/").await.body, "true false true true");
    assert!(test.principal(&user).has(Role::Viewer), "as the engine sees the user");
    assert!(!user.principal().has(Role::Viewer), "as the token says it");
    assert_eq!(
        Role::ALL.iter().map(Role::to_string).collect::<Vec<_>>().join(" "),
        "admin editor viewer auditor billing"
    );
}
