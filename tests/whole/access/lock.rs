//! The lock: what it tells of a change, and what it does not.

use std::path::PathBuf;

use auth_runtime::access::{AccessTable, LockError};
use auth_runtime::policy::{Requirement, Rule};
use auth_runtime::routing::{self, MethodFilter};
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
    assert_eq!(
        changes,
        [
            "routes that nothing of this library stands before are merged 1 times, and were 0: everybody may have gained what they serve"
        ]
    );
}

/// A request for a route that is gone may meet another one.
#[test]
fn what_a_request_meets_is_what_is_compared() {
    let test = TestAuth::new();
    let table = |router: Router| router.routes().table(test.auth());
    let (open, admins) = (Rule::public(), rule!(roles = ["admin"]));
    let any =
        |router: Router, path: &str, rule: Rule| router.route(path, (axum::routing::any(|| async {}), rule));
    #[auth(public)]
    async fn for_all() {}
    #[auth(roles = ["admin"])]
    async fn for_admins() {}
    let on = |methods: auth_runtime::routing::MethodRouter| Router::<()>::new().route("/x", methods);
    let anonymous = "+ gained: everybody who sends no credential";
    let others = "+ gained: a caller with none of what the rule names";
    for (before, after, expected) in [
        (
            any(any(Router::new(), "/{*rest}", open), "/secret", Rule::refuse_all()),
            any(Router::new(), "/{*rest}", open),
            vec![format!(
                "gone: ANY /secret\n    requests to it are now served by ANY /{{*rest}}\n    {anonymous}\n    {others}"
            )],
        ),
        (
            on(routing::any(for_all).on(MethodFilter::GET, for_admins)),
            on(routing::any(for_all)),
            vec![format!("GET /x\n    {anonymous}\n    {others}")],
        ),
        (
            on(routing::get(for_all).head(for_admins)),
            on(routing::get(for_all)),
            vec![format!("HEAD /x\n    {anonymous}\n    {others}")],
        ),
        (
            on(routing::get(for_admins)),
            on(routing::any(for_admins)),
            vec!["new: ANY /x\n    + gained: a caller with the role `admin`, and nothing else".to_owned()],
        ),
        (
            any(Router::new(), "/{id}/x", admins).fallback(for_all),
            Router::new().fallback(for_all),
            vec![format!(
                "gone: ANY /{{id}}/x\n    requests to it are now served by ANY /(fallback)\n    {anonymous}\n    {others}"
            )],
        ),
        (
            Router::new().fallback(for_all).fallback(for_admins),
            Router::new().fallback(for_admins).fallback(for_all),
            vec![format!("ANY /(fallback)\n    {anonymous}\n    {others}")],
        ),
        (
            any(Router::new(), "/x", Rule::refuse_all()),
            Router::new(),
            vec!["gone: ANY /x\n    nobody gained access or lost it".to_owned()],
        ),
        (any(Router::new(), "/{{id}}/{id}", admins), any(Router::new(), "/{{id}}/{x}", admins), vec![]),
    ] {
        assert_eq!(told(&table(before), &table(after)), expected);
    }
}

#[test]
fn optional_routes_look_at_credentials_too() {
    assert_eq!(
        told(&table(&[("/x", Rule::optional())]), &table(&[("/x", Rule::public())])),
        ["ANY /x\n    + gained: callers with a credential that is not good"]
    );
    let routes = [("/x", Rule::optional())];
    let declared = table_of(&routes, |builder| builder.vocabulary(&VOCABULARY));
    let changes = told(&table(&routes), &declared);
    assert!(
        changes[0].contains("- lost:   a caller with the role `auditor`, the role `admin`"),
        "{changes:?}"
    );
}

#[test]
fn parameters_are_told_by_their_names() {
    let (one, other) = (rule!(claims(t = path("a"))), rule!(claims(t = path("b"))));
    assert_eq!(
        told(&table(&[("/{a}/{b}", one)]), &table(&[("/{a}/{b}", other)])),
        [
            "ANY /{a}/{b}\n    + gained: a caller with the claim `t` equal to {b} of the path, and nothing else\n    \
          - lost:   a caller with the claim `t` equal to {a} of the path, and nothing else"
        ]
    );
}

#[test]
fn a_rule_that_is_too_large_is_compared_word_for_word() {
    let names = |kind: &str| (0..24).map(|n| &*format!("{kind}{n}").leak()).collect::<Vec<&'static str>>();
    let (ones, others) = (names("a"), names("b"));
    let all = |names: &[&'static str]| {
        let each = names.iter().map(|name| Requirement::Scopes(vec![*name].leak()));
        Requirement::Any(each.collect::<Vec<_>>().leak())
    };
    let pairs = ones.iter().zip(&others).map(|(one, other)| Requirement::Scopes(vec![*one, *other].leak()));
    let pairs = Requirement::Any(pairs.collect::<Vec<_>>().leak());
    let rule = |first: Requirement| {
        Rule::authenticated().requires(vec![all(&ones), all(&others), pairs, first].leak())
    };
    let (one, other) = (rule(Requirement::Roles(&["viewer"])), rule(Requirement::Roles(&["editor"])));
    assert_eq!(told(&table(&[("/x", one)]), &table(&[("/x", one)])), [""; 0]);
    assert!(told(&table(&[("/x", one)]), &table(&[("/x", other)]))[0].contains("too large to say for whom"));
    let declared = table_of(&[("/x", one)], |builder| builder.vocabulary(&VOCABULARY));
    assert!(told(&table(&[("/x", one)]), &declared)[0].contains("too large to say for whom"));
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
    let caller =
        "a caller with the role `a`, and nothing else, whom the check `whole::access::lock::owns` refuses";
    assert_eq!(told(&before, &after), [format!("GET /x\n    - lost:   {caller}")]);
    assert_eq!(told(&after, &before), [format!("GET /x\n    + gained: {caller}")]);

    // Another function of the same name is another check.
    mod other {
        #[auth_runtime::check]
        pub(super) async fn owns(_: &auth_runtime::Principal) -> bool {
            false
        }
    }
    #[auth(roles = ["a"], check = other::owns)]
    async fn with_another() {}
    let another: Router = Router::new().route("/x", auth_runtime::routing::get(with_another));
    let changes = told(&after, &another.routes().table(test.auth()));
    assert!(
        changes[0].contains("lock::owns` refuses") && changes[0].contains("other::owns` refuses"),
        "{changes:?}"
    );
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
    let route = r#"{"method":"GET","path":"/x","policy":{"access":"public"}}"#;
    let twice = format!(r#"{{"version":1,"roles":{{}},"permissions":{{}},"routes":[{route},{route}]}}"#);
    for text in ["", "{}", r#"{"version":2,"more":1}"#, "[1]", &twice] {
        std::fs::write(&missing, text).unwrap();
        let error = after.check_lock(&missing).unwrap_err();
        assert!(matches!(error, LockError::Unreadable(..)), "{text}: {error}");
    }
}
