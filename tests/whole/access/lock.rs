//! The lock: what it reports of a change, and what it does not.

use std::path::PathBuf;

use auth_runtime::access::{AccessTable, LockError};
use auth_runtime::policy::{Condition, Rule};
use auth_runtime::routing::{self, MethodFilter};
use auth_runtime::testing::TestAuth;
use auth_runtime::{AuthBuilder, Router, auth, rule};
use auth_tests_declared::VOCABULARY;

/// A table of routes with these rules, of an engine without a vocabulary.
pub(super) fn table(routes: &[(&str, Rule)]) -> AccessTable {
    table_of(routes, |builder| builder)
}

fn table_of(routes: &[(&str, Rule)], configure: impl FnOnce(AuthBuilder) -> AuthBuilder) -> AccessTable {
    let test = TestAuth::with(configure);
    let router = routes.iter().fold(Router::<()>::new(), |router, (path, rule)| {
        router.route(path, (axum::routing::get(|| async {}), *rule))
    });
    router.routes().table(test.auth())
}

pub(super) struct Lock {
    pub(super) path: PathBuf,
    _folder: tempfile::TempDir,
}

pub(super) fn locked(table: &AccessTable) -> Lock {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.lock");
    table.write_lock(&path).unwrap();
    Lock { path, _folder: folder }
}

/// What is reported of a change from one table to another; empty where nothing is.
pub(super) fn reported(before: &AccessTable, after: &AccessTable) -> Vec<String> {
    let lock = locked(before);
    match after.check_lock(&lock.path) {
        Ok(()) => Vec::new(),
        Err(LockError::Changed { changes, .. }) => changes.changes,
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
            "+ gained: anonymous callers\n    + gained: a caller with none of what the rule names",
        ),
        (Rule::optional(), Rule::authenticated(), "- lost:   anonymous callers"),
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
            "- lost:   a caller with a login at most 3600 s old, and nothing else",
        ),
        (
            rule!(acr = ["mfa"]),
            rule!(acr = ["mfa", "hw"]),
            "+ gained: a caller with a login of class `hw`, and nothing else",
        ),
        (
            rule!(source = "bearer"),
            rule!(source = "cookie"),
            "+ gained: callers with a credential from `cookie`\n    - lost:   callers with a credential from `bearer`",
        ),
    ] {
        assert_eq!(
            reported(&table(&[("/x", before)]), &table(&[("/x", after)])),
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
        assert_eq!(reported(&table(&[("/x", before)]), &table(&[("/x", after)])), [""; 0]);
    }
    // Nor the order of routes, the name of a parameter, or a requirement that moved to the router around.
    let tenant = |name: &'static str| match name {
        "a" => rule!(claims(tenant = path("a"))),
        _ => rule!(claims(tenant = path("b"))),
    };
    let before = table(&[("/{a}/x", tenant("a")), ("/y", rule!(roles = ["r"]))]);
    let after = table(&[("/y", rule!(roles = ["r"])), ("/{b}/x", tenant("b"))]);
    assert_eq!(reported(&before, &after), [""; 0]);
    let test = TestAuth::new();
    let around: Router =
        Router::new().route("/y", (axum::routing::get(|| async {}), rule!())).require(rule!(roles = ["r"]));
    let around = around.routes().table(test.auth());
    assert_eq!(reported(&table(&[("/y", rule!(roles = ["r"]))]), &around), [""; 0]);
}

#[test]
fn routes_that_come_and_go_are_told() {
    let one = ("/one", rule!(roles = ["a"]));
    let two = ("/two", Rule::public());
    let both = table(&[one, two]);
    assert_eq!(
        reported(&table(&[one]), &both),
        [
            "new: ANY /two\n    + gained: anonymous callers\n    + gained: a caller with none of what the rule names"
        ]
    );
    assert_eq!(
        reported(&both, &table(&[two])),
        ["gone: ANY /one\n    - lost:   a caller with the role `a`, and nothing else"]
    );
    let test = TestAuth::new();
    let open = axum::Router::new().route("/open", axum::routing::get(|| async {}));
    let unguarded: Router = Router::new().dangerously_merge_unguarded(open);
    let unguarded = unguarded.routes().table(test.auth());
    let changes = reported(&table(&[]), &unguarded);
    assert_eq!(
        changes,
        [
            "routers merged by `dangerously_merge_unguarded`: 1 now, 0 before: any caller may have gained access to their routes"
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
    let on = |methods: auth_runtime::routing::MethodRouter| Router::<()>::new().route("/x", methods);
    let anonymous = "+ gained: anonymous callers";
    let others = "+ gained: a caller with none of what the rule names";
    for (before, after, expected) in [
        (
            any(any(Router::new(), "/{*rest}", open), "/secret", Rule::deny_all()),
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
            any(Router::new(), "/x", Rule::deny_all()),
            Router::new(),
            vec!["gone: ANY /x\n    no caller gained or lost access".to_owned()],
        ),
        (any(Router::new(), "/{{id}}/{id}", admins), any(Router::new(), "/{{id}}/{x}", admins), vec![]),
    ] {
        assert_eq!(reported(&table(before), &table(after)), expected);
    }
}

#[auth(public)]
async fn for_all() {}

#[auth(roles = ["admin"])]
pub(super) async fn for_admins() {}

const ANYBODY: &str = "+ gained: anonymous callers\n    + gained: a caller with none of what the rule names";
const NOBODY: &str = "- lost:   anonymous callers\n    - lost:   a caller with none of what the rule names";
const ADMINS: &str = "a caller with the role `admin`, and nothing else";

fn told_of(before: Router, after: Router) -> Vec<String> {
    let test = TestAuth::new();
    let [before, after] = [before, after].map(|router| router.routes().table(test.auth()));
    reported(&before, &after)
}

#[test]
fn of_two_paths_a_request_meets_the_one_that_is_literal_first() {
    let others = || {
        let router = Router::new().route("/a/{*rest}", routing::any(for_all));
        router.route("/{x}/b/c", routing::any(for_admins))
    };
    assert_eq!(
        told_of(others().route("/a/b/c", routing::any(for_admins)), others()),
        [format!("gone: ANY /a/b/c\n    requests to it are now served by ANY /a/{{*rest}}\n    {ANYBODY}")]
    );
}

#[test]
fn a_nested_fallback_answers_below_a_parameter_and_at_the_prefix() {
    let inner = || Router::new().route("/x", routing::get(for_admins)).fallback(for_all);
    for (nest, path) in [("/org/{tenant}", "/org/acme/y"), ("/v1", "/v1"), ("/v1/", "/v1/")] {
        let others = || Router::new().nest(nest, inner()).fallback(for_admins);
        let fallback = format!("{nest}/(fallback)");
        let gone = told_of(others().route(path, routing::get(for_admins)), others());
        assert_eq!(
            gone,
            [
                format!(
                    "gone: GET {path}\n    requests to it are now served by ANY {fallback}\n    {ANYBODY}"
                ),
                format!(
                    "requests: any other method {path}\n    they are now served by ANY {fallback}\n    {ANYBODY}"
                ),
            ]
        );
    }
    // Not at the prefix with a slash behind it, nor without the one that it has.
    for (nest, path) in [("/v1", "/v1/"), ("/v1/", "/v1")] {
        let others = || Router::new().nest(nest, inner()).fallback(for_admins);
        let gone = told_of(others().route(path, routing::any(for_admins)), others());
        let nobody = "requests to it are now served by ANY /(fallback)\n    no caller gained or lost access";
        assert_eq!(gone, [format!("gone: ANY {path}\n    {nobody}")]);
    }
    // A fallback that came takes requests from the one around it, and leaves them their routes.
    let nested = |inner: Router| Router::new().nest("/org/{tenant}", inner).fallback(for_admins);
    let without = Router::new().route("/x", routing::get(for_admins));
    assert_eq!(
        told_of(nested(without), nested(inner())),
        [format!(
            "new: ANY /org/{{tenant}}/(fallback)\n    requests to it were served by ANY /(fallback)\n    {ANYBODY}"
        )]
    );
    // A route that goes leaves its requests to more than one fallback.
    let others = || Router::new().nest("/org", inner()).fallback(for_admins);
    let gone = told_of(others().route("/{x}/y", routing::any(for_admins)), others());
    assert_eq!(
        gone,
        [
            "gone: ANY /{x}/y\n    requests to it are now served by ANY /(fallback)\n    no caller gained or lost access"
                .to_owned(),
            format!(
                "requests: GET, any other method /org/y\n    they were served by ANY /{{x}}/y\n    \
                 they are now served by ANY /org/(fallback)\n    {ANYBODY}"
            ),
        ]
    );
}

#[test]
fn parameters_at_other_places_are_others() {
    let own = rule!(claims(org = path("org")));
    let with = |path| table(&[("/{org}/{*rest}", own), (path, own)]);
    assert_eq!(
        reported(&table(&[("/{org}/{*rest}", own)]), &with("/x/{org}")),
        ["new: ANY /x/{org}\n    requests to it were served by ANY /{org}/{*rest}\n    \
          + gained: a caller with the claim `org` equal to {org} of the path, and nothing else\n    \
          - lost:   a caller with the claim `org` equal to {org} of /{org}/{*rest}, and nothing else"]
    );
    // At the same place it is the same, whatever else the paths are.
    assert_eq!(
        reported(&table(&[("/{org}/{*rest}", own)]), &with("/{org}/x")),
        [
            "new: ANY /{org}/x\n    requests to it were served by ANY /{org}/{*rest}\n    no caller gained or lost access"
        ]
    );
    // A wildcard takes more than a segment.
    let rest = rule!(claims(org = path("rest")));
    let changes =
        reported(&table(&[("/x/{*rest}", rest)]), &table(&[("/x/{*rest}", rest), ("/x/a/{rest}", rest)]));
    assert!(changes[0].contains("+ gained:"), "{changes:?}");
}

#[test]
fn the_path_is_found_before_the_method() {
    let others = || Router::new().route("/f/{*p}", routing::post(for_all).delete(for_all));
    let with = || others().route("/f/secret", routing::get(for_admins));
    assert_eq!(
        told_of(with(), others()),
        [
            format!("gone: GET /f/secret\n    - lost:   {ADMINS}"),
            format!("requests: DELETE /f/secret\n    they are now served by DELETE /f/{{*p}}\n    {ANYBODY}"),
            format!("requests: POST /f/secret\n    they are now served by POST /f/{{*p}}\n    {ANYBODY}"),
        ]
    );
    let others = || {
        let router = Router::new().route("/{a}/b", routing::any(for_all));
        router.route("/x/{c}", routing::post(for_admins))
    };
    assert_eq!(
        told_of(others(), others().route("/x/b", routing::get(for_all))),
        [
            format!("new: GET /x/b\n    {ANYBODY}"),
            format!("requests: POST /x/b\n    they were served by POST /x/{{c}}\n    - lost:   {ADMINS}"),
        ]
    );
}

#[test]
fn requests_of_several_methods_are_told_once() {
    let others = || {
        let router = Router::new().route("/{a}/b", routing::any(for_all));
        router.route("/x", routing::put(for_all).head(for_all).post(for_all))
    };
    assert_eq!(
        told_of(others(), others().route("/x/{id}", routing::get(for_all))),
        [
            format!("new: GET /x/{{id}}\n    {ANYBODY}"),
            format!(
                "requests: POST, PUT, any other method /x/b\n    they were served by ANY /{{a}}/b\n    {NOBODY}"
            ),
        ]
    );
    // `HEAD` is reported where it does not go with `GET`.
    let get = || Router::new().route("/x/{id}", routing::get(for_all).head(for_admins));
    assert_eq!(
        told_of(get(), get().route("/x/b", routing::get(for_all))),
        [
            "new: GET /x/b\n    requests to it were served by GET /x/{id}\n    no caller gained or lost access".to_owned(),
            format!(
                "requests: HEAD /x/b\n    they were served by HEAD /x/{{id}}\n    they are now served by GET /x/b\n    {ANYBODY}"
            ),
        ]
    );
}

#[test]
fn a_wildcard_takes_paths_of_any_length() {
    let changes = told_of(
        Router::new().route("/f/{name}", routing::any(for_all)),
        Router::new().route("/f/{*name}", routing::any(for_all)),
    );
    assert_eq!(
        changes,
        [
            format!("new: ANY /f/{{*name}}\n    {ANYBODY}"),
            "gone: ANY /f/{name}\n    requests to it are now served by ANY /f/{*name}\n    no caller gained or lost access"
                .to_owned(),
        ]
    );
}

#[test]
fn a_wildcard_that_goes_may_leave_its_longer_paths_alone() {
    let others = || Router::new().route("/{x}/{y}/{*z}", routing::get(for_all));
    assert_eq!(
        told_of(others().route("/a/{*rest}", routing::get(for_all)), others()),
        [
            "gone: GET /a/{*rest}\n    requests to it are now served by GET /{x}/{y}/{*z}\n    no caller gained or lost access"
                .to_owned(),
            format!("requests: GET /a/{{}}\n    they were served by GET /a/{{*rest}}\n    {NOBODY}"),
            format!("requests: GET /a/{{}}/\n    they were served by GET /a/{{*rest}}\n    {NOBODY}"),
        ]
    );
}

#[test]
fn a_service_answers_at_its_path_too() {
    let service =
        |router: Router, path: &str| router.nest_service(path, (axum::Router::<()>::new(), Rule::public()));
    let admins = |path: &str| Router::new().route(path, routing::get(for_admins));
    let changes = told_of(admins("/files"), service(Router::new(), "/files"));
    assert_eq!(
        changes,
        [
            format!("gone: GET /files\n    requests to it are now served by ANY /files/{{*}}\n    {ANYBODY}"),
            format!("new: ANY /files/{{*}}\n    {ANYBODY}"),
        ]
    );
    // Not where it is mounted with a slash.
    let changes = told_of(service(admins("/files"), "/files/"), service(Router::new(), "/files/"));
    assert_eq!(changes, [format!("gone: GET /files\n    - lost:   {ADMINS}")]);
    let changes = told_of(service(Router::new(), "/files/"), service(Router::new(), "/files"));
    let expected = format!(
        "requests: any other method /files\n    they are now served by ANY /files/{{*}}\n    {ANYBODY}"
    );
    assert_eq!(changes[2..], [expected]);
}

#[test]
fn optional_routes_look_at_credentials_too() {
    assert_eq!(
        reported(&table(&[("/x", Rule::optional())]), &table(&[("/x", Rule::public())])),
        ["ANY /x\n    + gained: callers with an invalid credential"]
    );
    let routes = [("/x", Rule::optional())];
    let declared = table_of(&routes, |builder| builder.vocabulary(&VOCABULARY));
    let changes = reported(&table(&routes), &declared);
    assert!(
        changes[0].contains("- lost:   a caller with the role `auditor`, the role `admin`"),
        "{changes:?}"
    );
}

#[test]
fn parameters_are_told_by_their_names() {
    let (one, other) = (rule!(claims(t = path("a"))), rule!(claims(t = path("b"))));
    assert_eq!(
        reported(&table(&[("/{a}/{b}", one)]), &table(&[("/{a}/{b}", other)])),
        [
            "ANY /{a}/{b}\n    + gained: a caller with the claim `t` equal to {b} of the path, and nothing else\n    \
          - lost:   a caller with the claim `t` equal to {a} of the path, and nothing else"
        ]
    );
}

#[test]
fn a_rule_that_is_too_large_is_compared_word_for_word() {
    let names = |kind: &str| (0..24).map(|n| format!("{kind}{n}")).collect::<Vec<_>>();
    let (ones, others) = (names("a"), names("b"));
    let any = |names: &[String]| {
        Condition::Any(names.iter().map(|name| Condition::Scopes(vec![name.clone()])).collect())
    };
    let pairs =
        ones.iter().zip(&others).map(|(one, other)| Condition::Scopes(vec![one.clone(), other.clone()]));
    let pairs = Condition::Any(pairs.collect());
    let rule = |role: &str| {
        let role = Condition::Roles(vec![role.to_owned()]);
        Rule::authenticated().requires(vec![any(&ones), any(&others), pairs.clone(), role].leak())
    };
    let (one, other) = (rule("viewer"), rule("editor"));
    assert_eq!(reported(&table(&[("/x", one)]), &table(&[("/x", one)])), [""; 0]);
    assert!(
        reported(&table(&[("/x", one)]), &table(&[("/x", other)]))[0]
            .contains("too large to find out for whom")
    );
    let declared = table_of(&[("/x", one)], |builder| builder.vocabulary(&VOCABULARY));
    assert!(reported(&table(&[("/x", one)]), &declared)[0].contains("too large to find out for whom"));
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
        "a caller with the role `a`, and nothing else, whom the check `whole::access::lock::owns` rejects";
    assert_eq!(reported(&before, &after), [format!("GET /x\n    - lost:   {caller}")]);
    assert_eq!(reported(&after, &before), [format!("GET /x\n    + gained: {caller}")]);

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
    let changes = reported(&after, &another.routes().table(test.auth()));
    assert!(
        changes[0].contains("lock::owns` rejects") && changes[0].contains("other::owns` rejects"),
        "{changes:?}"
    );
}

#[test]
fn what_the_vocabulary_makes_of_roles_is_part_of_it() {
    let routes =
        [("/viewers", rule!(roles = ["viewer"])), ("/invoices", rule!(permissions = ["invoice.read"]))];
    let plain = table(&routes);
    let declared = table_of(&routes, |builder| builder.vocabulary(&VOCABULARY));
    let changes = reported(&plain, &declared);
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
    assert_eq!(reported(&declared, &declared), [""; 0]);
}

/// The router that is merged is not guarded; what answers for the methods that it lacks is.
#[test]
fn the_method_fallback_of_a_merged_router_is_locked() {
    let merged = || {
        let open = axum::Router::new().route("/open", axum::routing::get(|| async {}));
        Router::<()>::new().dangerously_merge_unguarded(open)
    };
    let closed = merged().method_not_allowed_fallback(for_admins);
    let changes = told_of(closed, merged().method_not_allowed_fallback(for_all));
    assert!(changes.iter().any(|change| change.contains("+ gained: anonymous callers")), "{changes:?}");
    let same = told_of(
        merged().method_not_allowed_fallback(for_admins),
        merged().method_not_allowed_fallback(for_admins),
    );
    assert_eq!(same, Vec::<String>::new());
}
