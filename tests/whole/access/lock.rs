//! The lock: what it tells of a change, and what it does not.

use std::path::PathBuf;

use auth_runtime::access::{AccessTable, LockError};
use auth_runtime::policy::Rule;
use auth_runtime::testing::TestAuth;
use auth_runtime::{AuthBuilder, Router, auth, rule};
use auth_tests_declared::VOCABULARY;

/// A table of routes with these rules, of an engine without a vocabulary.
fn table(routes: &[(&str, Rule)]) -> AccessTable {
    table_of(routes, |builder| builder)
}

fn table_of(routes: &[(&str, Rule)], configure: impl FnOnce(AuthBuilder) -> AuthBuilder) -> AccessTable {
    let test = TestAuth::with(configure);
    let router = routes.iter().fold(Router::<()>::new(), |router, (path, rule)| {
        router.route(path, (axum::routing::get(|| async {}), *rule))
    });
    router.routes().table(test.auth())
}

struct Lock {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

fn locked(table: &AccessTable) -> Lock {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.lock");
    table.write_lock(&path).unwrap();
    Lock { path, _folder: folder }
}

/// What is told of a change from one table to another; empty where nothing is.
fn told(before: &AccessTable, after: &AccessTable) -> Vec<String> {
    let lock = locked(before);
    match after.check_lock(&lock.path) {
        Ok(()) => Vec::new(),
        Err(LockError::Changed(_, changes)) => changes.changes,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn who_gained_and_who_lost_is_told_with_an_example() {
    let admins = rule!(roles = ["admin"]);
    for (before, after, expected) in [
        (
            admins,
            rule!(roles = ["admin", "editor"]),
            "+ gained: a caller with the role `editor`, and nothing else",
        ),
        (
            rule!(roles = ["admin", "editor"]),
            admins,
            "- lost:   a caller with the role `editor`, and nothing else",
        ),
        (Rule::authenticated(), admins, "- lost:   a caller with none of what the rule names"),
        (admins, Rule::authenticated(), "+ gained: a caller with none of what the rule names"),
        (
            admins,
            rule!(roles = ["admin"], scopes = ["a"]),
            "- lost:   a caller with the role `admin`, and nothing else",
        ),
        (
            rule!(scopes = ["a", "b"]),
            rule!(permissions = ["p"]),
            "+ gained: a caller with the permission `p`, and nothing else\n    \
             - lost:   a caller with the scope `a`, the scope `b`, and nothing else",
        ),
        (
            admins,
            Rule::public(),
            "+ gained: everybody who sends no credential\n    + gained: a caller with none of what the rule names",
        ),
        (Rule::optional(), Rule::authenticated(), "- lost:   everybody who sends no credential"),
        (
            admins,
            rule!(roles = ["admin"], not(roles = ["suspended"])),
            "- lost:   a caller with the role `admin`, the role `suspended`, and nothing else",
        ),
        (
            rule!(claims(plan = "pro")),
            rule!(claims(plan = ["pro", "free"], seats = 5)),
            "+ gained: a caller with the claim `plan` \"free\", the claim `seats` 5, and nothing else\n    \
             - lost:   a caller with the claim `plan` \"pro\", and nothing else",
        ),
        (
            rule!(max_age = "1h"),
            rule!(max_age = "5m"),
            "- lost:   a caller with a log-in at most 3600 s old, and nothing else",
        ),
        (
            rule!(acr = ["mfa"]),
            rule!(acr = ["mfa", "hw"]),
            "+ gained: a caller with a log-in of class `hw`, and nothing else",
        ),
        (
            rule!(source = "bearer"),
            rule!(source = "cookie"),
            "+ gained: callers with a credential from `cookie`\n    - lost:   callers with a credential from `bearer`",
        ),
    ] {
        assert_eq!(
            told(&table(&[("/x", before)]), &table(&[("/x", after)])),
            [format!("ANY /x\n    {expected}")]
        );
    }
}

#[test]
fn a_change_that_changes_nothing_is_not_told() {
    const EDITORS: Rule = rule!(roles = ["editor", "admin"]);
    for (before, after) in [
        (rule!(roles = ["admin", "editor"]), rule!(any(roles = ["editor"], all(roles = ["admin"])))),
        (rule!(roles = ["admin", "editor"]), rule!(rule = EDITORS)),
        (rule!(scopes = ["a"], roles = ["b"]), rule!(not(any(not(roles = ["b"]), not(scopes = ["a"]))))),
        (rule!(source = "bearer"), Rule::authenticated()),
        (rule!(source = ["bearer", "cookie"]), rule!(source = ["cookie", "bearer"])),
    ] {
        assert_eq!(told(&table(&[("/x", before)]), &table(&[("/x", after)])), [""; 0]);
    }
    // Nor the order of routes, the name of a parameter, or a requirement that moved to the router around.
    let tenant = |name: &'static str| match name {
        "a" => rule!(claims(tenant = path("a"))),
        _ => rule!(claims(tenant = path("b"))),
    };
    let before = table(&[("/{a}/x", tenant("a")), ("/y", rule!(roles = ["r"]))]);
    let after = table(&[("/y", rule!(roles = ["r"])), ("/{b}/x", tenant("b"))]);
    assert_eq!(told(&before, &after), [""; 0]);
    let test = TestAuth::new();
    let around: Router =
        Router::new().route("/y", (axum::routing::get(|| async {}), rule!())).require(rule!(roles = ["r"]));
    let around = around.routes().table(test.auth());
    assert_eq!(told(&table(&[("/y", rule!(roles = ["r"]))]), &around), [""; 0]);
}

#[test]
fn routes_that_come_and_go_are_told() {
    let one = ("/one", rule!(roles = ["a"]));
    let two = ("/two", Rule::public());
    let both = table(&[one, two]);
    assert_eq!(
        told(&table(&[one]), &both),
        [
            "new: ANY /two\n    + gained: everybody who sends no credential\n    + gained: a caller with none of what the rule names"
        ]
    );
    assert_eq!(
        told(&both, &table(&[two])),
        ["gone: ANY /one\n    - lost:   a caller with the role `a`, and nothing else"]
    );
    let test = TestAuth::new();
    let open = axum::Router::new().route("/open", axum::routing::get(|| async {}));
    let unguarded: Router = Router::new().merge_unguarded(open);
    let unguarded = unguarded.routes().table(test.auth());
    let changes = told(&table(&[]), &unguarded);
    assert_eq!(changes.len(), 1);
    assert!(changes[0].contains("nothing of this library stands before it now"), "{changes:?}");
}

#[test]
fn a_check_that_comes_or_goes_is_told() {
    #[auth_runtime::check]
    async fn owns(_: &auth_runtime::Principal) -> bool {
        true
    }
    #[auth(roles = ["a"])]
    async fn without() {}
    #[auth(roles = ["a"], check = owns)]
    async fn with() {}
    let test = TestAuth::new();
    let before: Router = Router::new().route("/x", auth_runtime::routing::get(without));
    let after: Router = Router::new().route("/x", auth_runtime::routing::get(with));
    let [before, after] = [before, after].map(|router| router.routes().table(test.auth()));
    let caller = "a caller with the role `a`, and nothing else, whom the check `owns` refuses";
    assert_eq!(told(&before, &after), [format!("GET /x\n    - lost:   {caller}")]);
    assert_eq!(told(&after, &before), [format!("GET /x\n    + gained: {caller}")]);
}

#[test]
fn what_the_vocabulary_makes_of_roles_is_part_of_it() {
    let routes =
        [("/viewers", rule!(roles = ["viewer"])), ("/invoices", rule!(permissions = ["invoice.read"]))];
    let plain = table(&routes);
    let declared = table_of(&routes, |builder| builder.vocabulary(&VOCABULARY));
    let changes = told(&plain, &declared);
    assert_eq!(changes.len(), 2, "{changes:#?}");
    assert!(
        changes[0].contains("+ gained: a caller with the permission")
            || changes[0].contains("+ gained: a caller with the role")
    );
    for (change, lost) in
        [(&changes[0], "the role `admin`, the role `auditor`"), (&changes[1], "the role `auditor`")]
    {
        assert!(
            change.contains("- lost:   a caller with") && change.contains(lost),
            "who holds both is refused: {change}"
        );
    }
    assert_eq!(told(&declared, &declared), [""; 0]);
}

#[test]
fn the_assertion_says_what_to_do() {
    let before = table(&[("/x", rule!(roles = ["admin"]))]);
    let after = table(&[("/x", rule!(roles = ["admin", "editor"]))]);
    let lock = locked(&before);
    before.assert_lock(&lock.path);
    let error = after.check_lock(&lock.path).unwrap_err().to_string();
    assert!(error.contains("access has changed since") && error.contains("AUTH_LOCK=accept"), "{error}");
    let missing = lock.path.with_extension("missing");
    let error = after.check_lock(&missing).unwrap_err().to_string();
    assert!(error.contains("Where there is none yet, run this test with AUTH_LOCK=accept"), "{error}");
    for text in ["", "{}", "{\"version\":2,\"roles\":{},\"permissions\":{},\"routes\":[]}", "[1]"] {
        std::fs::write(&missing, text).unwrap();
        let error = after.check_lock(&missing).unwrap_err();
        assert!(matches!(error, LockError::Unreadable(..)), "{text}: {error}");
    }
}
