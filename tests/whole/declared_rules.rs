//! Rules that are decided outside of requests: what `Auth::require` says, and who knows of them.

use std::time::Duration;

use auth_runtime::access::{AccessTable, LockError};
use auth_runtime::openapi::{OpenApi, OpenApiVersion};
use auth_runtime::policy::{Condition, Remedy, Rule};
use auth_runtime::rejection::{CallerErrorKind, RejectionKind};
use auth_runtime::revocation::Revocation;
use auth_runtime::routing::{MethodRouter, get, post};
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::verify::{Algorithm, Key};
use auth_runtime::{Auth, Principal, Router, auth, rule};
use auth_tests_declared::VOCABULARY;
use serde_json::json;

use crate::support::flaky::FlakyStore;

const PUBLISH: Rule = rule!(scopes = ["chat:write"], not(roles = ["muted"]));
const MODERATE: Rule = rule!(roles = ["moderator"]);

#[auth]
async fn chat() {}

#[auth(public)]
async fn open() {}

fn routes() -> Router {
    Router::new().route("/chat", get(chat).declares("publish", &PUBLISH).declares("moderate", &MODERATE))
}

fn finished(test: &TestAuth) -> &Auth {
    let _app = routes().finish(test.auth()).unwrap();
    test.auth()
}

fn writer() -> TestUser {
    TestUser::new("alice").scopes(["chat:write"])
}

fn decide(auth: &Auth, test: &TestAuth, user: &TestUser, rule: &Rule) -> Option<CallerErrorKind> {
    auth.require(&test.principal(user), rule).err().map(|error| error.kind())
}

#[test]
fn a_declared_rule_is_decided_as_for_a_request() {
    const NAMED: Rule = rule!(rule = PUBLISH, acr = ["gold"]);
    let rules: [(&str, Rule); 9] = [
        ("any caller", Rule::authenticated()),
        ("roles", rule!(roles = ["admin", "editor"])),
        ("scopes", rule!(scopes = ["a", "b"])),
        ("permissions", rule!(permissions = ["p"])),
        ("claims", rule!(claims(plan = ["pro", "team"]))),
        ("max_age", rule!(max_age = "5m")),
        ("amr", rule!(amr = ["hwk"])),
        ("a named rule", NAMED),
        ("alternatives", rule!(any(roles = ["admin"], all(scopes = ["a"], not(roles = ["guest"]))))),
    ];
    let users = [
        TestUser::new("nobody"),
        TestUser::new("admin").roles(["admin"]).scopes(["a", "b"]),
        TestUser::new("guest").roles(["guest"]).scopes(["a"]).permissions(["p"]).claim("plan", "pro"),
        TestUser::new("gold")
            .scopes(["chat:write"])
            .claim("acr", "gold")
            .amr(["hwk"])
            .claim("auth_time", 1_799_999_800),
        TestUser::new("late").claim("auth_time", 1_799_999_600),
    ];
    let test = TestAuth::new();
    let routes = rules.iter().fold(Router::<()>::new(), |router, (name, rule)| router.declares(*name, rule));
    let _app = routes.finish(test.auth()).unwrap();
    let mut met = [0; 2];
    for (name, rule) in &rules {
        for user in &users {
            let principal = test.principal(user);
            let expected = rule.decide(&principal, test.auth().now()).is_allow();
            let found = test.auth().require(&principal, rule);
            assert_eq!(found.is_ok(), expected, "{name}: {principal:?}, {found:?}");
            met[usize::from(expected)] += 1;
            if let Err(error) = found {
                assert_eq!(error.kind(), CallerErrorKind::Denied);
                assert!(
                    error.to_string().starts_with("needs ") || error.to_string().contains("no alternative"),
                    "{error}"
                );
            }
        }
    }
    assert!(met.iter().all(|count| *count > 10), "{met:?}");
}

#[test]
fn a_denial_says_what_would_remedy_it() {
    let test = TestAuth::new();
    let (late, scoped) = (rule!(max_age = "5m"), rule!(scopes = ["a", "b"]));
    let routes = Router::<()>::new().declares("late", &late).declares("scoped", &scoped);
    let _app = routes.declares("moderate", &MODERATE).finish(test.auth()).unwrap();
    let user = test.principal(&TestUser::new("alice").claim("auth_time", 1_799_000_000));
    for (rule, remedy, kind) in [
        (
            late,
            Remedy::StepUp { max_age: Some(300), acr_values: vec![] },
            RejectionKind::InsufficientUserAuthentication,
        ),
        (scoped, Remedy::Scopes(vec!["a".into(), "b".into()]), RejectionKind::InsufficientScope),
        (MODERATE, Remedy::None, RejectionKind::InsufficientScope),
    ] {
        let error = test.auth().require(&user, &rule).unwrap_err();
        assert_eq!(
            (error.kind(), error.remedy(), error.rejection_kind()),
            (CallerErrorKind::Denied, &remedy, kind)
        );
    }
}

#[test]
fn a_rule_that_no_router_declares_is_refused() {
    let test = TestAuth::new();
    let undeclared = |rule: &Rule| {
        let error = test.auth().require(&test.principal(&writer()), rule).unwrap_err();
        assert_eq!(
            (error.kind(), error.rejection_kind().status().as_u16()),
            (CallerErrorKind::Misconfigured, 500)
        );
        assert!(
            error.to_string().contains("no router that was finished with this engine declares it"),
            "{error}"
        );
        assert!(error.to_string().contains(".declares(\"name\", &RULE)"), "{error}");
    };
    undeclared(&PUBLISH);
    // Neither one that was not finished, nor one of another engine, nor one that could not be finished.
    let _ = routes();
    drop(routes().finish(TestAuth::new().auth()).unwrap());
    routes().declares("broken", &rule!(public)).finish(test.auth()).unwrap_err();
    undeclared(&PUBLISH);
    let auth = finished(&test);
    assert_eq!(decide(auth, &test, &writer(), &PUBLISH), None);
    // What means the same and is written in another way is another rule, and so is one that only a gate enforces.
    undeclared(&rule!(not(roles = ["muted"]), scopes = ["chat:write"]));
    undeclared(&Rule::authenticated());
}

#[test]
fn a_rule_is_found_by_what_it_says_wherever_it_is() {
    let test = TestAuth::new();
    let leaked: &'static [Condition] = vec![Condition::Roles(vec!["moderator".into()])].leak();
    let made = Rule::authenticated().requires(leaked);
    let _app = routes().declares("made", &made).finish(test.auth()).unwrap();
    let again = Rule::authenticated().requires(vec![Condition::Roles(vec!["moderator".into()])].leak());
    let moderator = TestUser::new("mo").roles(["moderator"]);
    for rule in [PUBLISH, MODERATE, made, again, {
        const COPY: Rule = MODERATE;
        COPY
    }] {
        let expected = (rule == PUBLISH).then_some(CallerErrorKind::Denied);
        assert_eq!(decide(test.auth(), &test, &moderator, &rule), expected, "{rule}");
    }
    static NESTED: Rule = rule!(any(rule = MODERATE, scopes = ["root"]));
    let other = TestAuth::new();
    drop(Router::<()>::new().declares("nested", &NESTED).finish(other.auth()).unwrap());
    assert_eq!(decide(other.auth(), &other, &moderator, &NESTED), None);
}

#[tokio::test]
async fn the_credential_must_still_count() {
    let key = auth_runtime::session::SigningKey::generate(Algorithm::EdDSA).unwrap();
    let store = FlakyStore::default();
    let test = TestAuth::with(|builder| {
        let other = auth_runtime::verify::TrustedIssuer::new("https://other.test").audience("a");
        builder.store(store.clone()).issuer(other.key(key.verifying_key()))
    });
    let auth = finished(&test);
    auth.start().await.unwrap();
    let caller = async |user: &TestUser| auth.verify(&test.token(user)).await.unwrap();
    let alice = caller(&writer().claim("jti", "it")).await;
    let bob = caller(&TestUser::new("bob").scopes(["chat:write"])).await;
    let exp = 1_800_000_600;
    let claims =
        json!({"iss": "https://other.test", "aud": "a", "sub": "carol", "exp": exp, "scope": "chat:write"});
    let carol = auth.verify(&key.sign(&claims).unwrap()).await.unwrap();
    let decide = |caller: &Principal| auth.require(caller, &PUBLISH).err().map(|error| error.kind());
    assert_eq!([&alice, &bob, &carol].map(decide), [None; 3]);
    let issuer = alice.issuer().unwrap().to_owned();
    auth.revocations().revoke(Revocation::Token { issuer, token_id: "it".into() }).await.unwrap();
    auth.replace_keys("https://other.test", Key::secret(Algorithm::HS256, [1; 32])).unwrap();
    use CallerErrorKind::{Expired, Revoked, Unavailable};
    assert_eq!([&alice, &bob, &carol].map(decide), [Some(Revoked), None, Some(Revoked)]);
    test.clock().advance(Duration::from_secs(29));
    assert_eq!(decide(&bob), None);
    store.set_broken(true);
    test.clock().advance(Duration::from_secs(2));
    assert_eq!(decide(&bob), Some(Unavailable));
    test.clock().advance(Duration::from_secs(1000));
    assert_eq!(decide(&bob), Some(Expired));
}

#[test]
fn names_of_another_engine_are_not_taken_for_those_of_this_one() {
    let with = TestAuth::with(|builder| builder.vocabulary(&VOCABULARY));
    let rule = rule!(roles = ["admin"]);
    let _app = Router::<()>::new().declares("it", &rule).finish(with.auth()).unwrap();
    let without = TestAuth::new();
    for (user, expected) in [
        (TestUser::new("a").roles(["admin"]), None),
        (TestUser::new("b").roles(["author"]), Some(CallerErrorKind::Denied)),
    ] {
        assert_eq!(decide(with.auth(), &with, &user, &rule), expected);
        assert_eq!(decide(with.auth(), &without, &user, &rule), expected);
    }
}

#[test]
fn finish_reports_what_can_not_be_decided() {
    let test = TestAuth::with(|builder| builder.vocabulary(&VOCABULARY));
    let undeclared = Rule::authenticated().requires(vec![Condition::Roles(vec!["nobody".into()])].leak());
    let routes = Router::<()>::new()
        .route("/a/{id}", get(open).declares("path", &rule!(claims(tenant = path("id")))))
        .nest("/b", Router::new().route("/c", post(open).declares("source", &rule!(source = "cookie"))))
        .declares("public", &rule!(public))
        .declares("optional", &rule!(optional))
        .declares(" ", &MODERATE)
        .declares("vocabulary", &undeclared)
        .declares("twice", &rule!(roles = ["admin"]))
        .declares("twice", &rule!(roles = ["editor"]))
        .declares("same", &rule!(roles = ["admin"]))
        .declares("same", &rule!(roles = ["admin"]));
    let described = OpenApi::new("t", "1").describe(&routes.routes(), test.auth()).unwrap_err().to_string();
    let error = routes.finish(test.auth()).unwrap_err();
    let errors: Vec<&str> = error.errors().collect();
    let expected = [
        (
            "RULE /a/{id} path (declared at ",
            "compares a claim with `path(\"id\")`, and outside of a request there is no path",
        ),
        (
            "RULE /b/c source (",
            "the rule names the source cookie, and outside of a request no source is looked at",
        ),
        ("RULE public (", "requires no caller, so there is nothing to decide"),
        ("RULE optional (", "requires no caller"),
        ("RULE   (", "it has no name"),
        (
            "RULE vocabulary (",
            "the rule names the role `nobody`, which the engine's vocabulary does not declare",
        ),
        ("RULE twice (", "another rule is declared by this name at tests/whole/declared_rules.rs"),
    ];
    for (start, part) in expected {
        let found = errors.iter().find(|error| error.starts_with(start) && error.contains(part));
        assert!(found.is_some(), "{start} {part}: {errors:#?}");
    }
    assert!(!errors.iter().any(|error| error.starts_with("RULE same")), "{errors:#?}");
    assert!(described.contains("RULE /a/{id} path ("), "{described}");
}

fn table(router: &Router) -> AccessTable {
    router.routes().table(TestAuth::new().auth())
}

#[test]
fn the_list_and_the_table_show_it() {
    let outer = Router::new()
        .nest("/v1", Router::new().nest("/rooms/{room}", routes()))
        .route("/rpc", MethodRouter::new())
        .declares("invoices", &rule!(permissions = ["invoice.write"]))
        .mounted_at("/api");
    let listed = outer.routes().to_string();
    for line in [
        "RULE    /api/v1/rooms/{room}/chat publish",
        "RULE    /api/v1/rooms/{room}/chat moderate",
        "RULE    invoices",
    ] {
        assert!(listed.contains(line), "{line}\n{listed}");
    }
    let table = table(&outer);
    let names: Vec<_> =
        table.declared.iter().map(|row| (row.path.as_deref(), &*row.name, &*row.who)).collect();
    let chat = Some("/api/v1/rooms/{room}/chat");
    assert_eq!(
        names,
        [
            (chat, "publish", "scope chat:write, and not role muted"),
            (chat, "moderate", "role moderator"),
            (None, "invoices", "permission invoice.write")
        ]
    );
    let text = table.to_string();
    let row = text.lines().find(|line| line.contains("chat moderate")).unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    // anonymous, no role, muted, moderator.
    assert_eq!(cells[..7], ["RULE", "/api/v1/rooms/{room}/chat", "moderate", "-", "-", "-", "yes"], "{text}");
    assert!(table.to_markdown().contains("<code>/api/v1/rooms/{room}/chat moderate</code>"));
    let page = table.to_html();
    assert!(page.contains("<th scope=\"row\">/api/v1/rooms/{room}/chat moderate</th>"), "{page}");
    let json: serde_json::Value = serde_json::from_str(&table.to_json()).unwrap();
    assert_eq!(
        json["declared"][2],
        json!({
            "name": "invoices", "noRole": "depends", "cells": ["depends", "depends"],
            "who": "permission invoice.write",
            "policy": {"access": "authenticated", "all": [{"permissions": ["invoice.write"]}]},
        })
    );
}

#[test]
fn the_lock_knows_who_gained_and_who_lost() {
    let with = |rules: &[(&'static str, Rule)]| {
        let chat = rules.iter().fold(get(open), |router, (name, rule)| router.declares(*name, rule));
        table(&Router::new().route("/chat/{room}", chat).declares("queue", &MODERATE))
    };
    let (one, two) = (rule!(roles = ["admin"]), rule!(roles = ["admin", "editor"]));
    let folder = tempfile::tempdir().unwrap();
    let told = |before: &AccessTable, after: &AccessTable| {
        let path = folder.path().join("access.lock");
        before.write_lock(&path).unwrap();
        match after.check_lock(&path) {
            Ok(()) => Vec::new(),
            Err(LockError::Changed { changes, .. }) => changes.changes,
            Err(error) => panic!("{error}"),
        }
    };
    let editor = "a caller with the role `editor`, and nothing else";
    for (before, after, expected) in [
        (vec![("a", one)], vec![("a", one)], vec![]),
        (vec![("a", one)], vec![("a", two)], vec![format!("RULE /chat/{{room}} a\n    + gained: {editor}")]),
        (vec![("a", two)], vec![("a", one)], vec![format!("RULE /chat/{{room}} a\n    - lost:   {editor}")]),
        (
            vec![],
            vec![("a", one)],
            vec![
                "new: RULE /chat/{room} a\n    + gained: a caller with the role `admin`, and nothing else"
                    .into(),
            ],
        ),
        (
            vec![("a", one)],
            vec![],
            vec![
                "gone: RULE /chat/{room} a\n    - lost:   a caller with the role `admin`, and nothing else"
                    .into(),
            ],
        ),
        (
            vec![],
            vec![("a", Rule::deny_all())],
            vec!["new: RULE /chat/{room} a\n    no caller gained or lost access".into()],
        ),
        (vec![("a", one), ("b", two)], vec![("b", two), ("a", one)], vec![]),
    ] {
        assert_eq!(told(&with(&before), &with(&after)), expected);
    }
    // The name of a parameter makes no difference, and a lock without such rules is as it was.
    let renamed =
        Router::new().route("/chat/{id}", get(open).declares("a", &one)).declares("queue", &MODERATE);
    assert_eq!(told(&with(&[("a", one)]), &table(&renamed)), [""; 0]);
    let path = folder.path().join("plain.lock");
    table(&Router::new().route("/chat", get(open))).write_lock(&path).unwrap();
    assert!(!std::fs::read_to_string(&path).unwrap().contains("declared"));
    table(&routes()).write_lock(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let line = r#"    {"path":"/chat","name":"moderate","policy":{"access":"authenticated","all":[{"roles":["moderator"]}]}},"#;
    assert!(text.contains(line), "{text}");
    let twice = text.replace(line, &format!("{line}\n{line}"));
    std::fs::write(&path, twice).unwrap();
    let error = table(&routes()).check_lock(&path).unwrap_err().to_string();
    assert!(error.contains("the rule /chat moderate is there twice"), "{error}");
}

#[test]
fn the_document_has_it_at_the_operations_of_its_path() {
    let test = TestAuth::new();
    let routes = routes().route("/open", get(open)).routes();
    for version in [OpenApiVersion::V3_1, OpenApiVersion::V3_2] {
        let document = OpenApi::new("t", "1").version(version).describe(&routes, test.auth()).unwrap();
        let document: serde_json::Value = serde_json::from_str(&document.to_json()).unwrap();
        let operation = &document["paths"]["/chat"]["get"];
        assert_eq!(
            operation["x-auth-declared"]["moderate"],
            json!({"access": "authenticated", "all": [{"roles": ["moderator"]}]})
        );
        assert_eq!(
            operation["description"],
            "**Who:** any authenticated caller. Then for `publish`: scope chat:write, and not role muted. \
             Then for `moderate`: role moderator."
        );
        assert!(document["paths"]["/open"]["get"].get("x-auth-declared").is_none());
    }
    let mut theirs = json!({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/chat": {"get": {"description": "Chat."}}}});
    OpenApi::new("t", "1").fill(&mut theirs, &routes, test.auth()).unwrap();
    let operation = &theirs["paths"]["/chat"]["get"];
    assert!(operation["x-auth-declared"].get("publish").is_some(), "{theirs}");
    assert!(operation["description"].as_str().unwrap().ends_with("Then for `moderate`: role moderator."));
}

#[test]
fn a_service_with_a_rule_beside_it_can_declare_rules() {
    let test = TestAuth::new();
    let grpc = (axum::routing::any(async || ()), rule!(public));
    let routes =
        Router::<()>::new().route("/grpc", MethodRouter::new().merge(grpc).declares("call", &MODERATE));
    let _app = routes.finish(test.auth()).unwrap();
    assert_eq!(decide(test.auth(), &test, &TestUser::new("mo").roles(["moderator"]), &MODERATE), None);
}
