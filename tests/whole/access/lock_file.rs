//! The lock as a file: what is said when it can't be read, and how much it costs to compare.

use allocation_counter::measure;
use auth_runtime::access::LockError;
use auth_runtime::testing::TestAuth;
use auth_runtime::{Router, routing, rule};
use proptest::prelude::*;

use super::lock::{for_admins, locked, reported, table};

/// Of the work, what it allocates is counted. Each route is compared with each that requests to it may meet instead: no more.
#[test]
fn the_work_of_a_comparison_grows_with_the_square_of_the_routes() {
    // All of them renamed at once.
    let routes = |prefix: &str, count: usize| {
        let paths = (0..count).map(|number| match number % 4 {
            0 => format!("/{prefix}{number}/{{id}}"),
            1 => format!("/{{tenant}}/{prefix}{number}"),
            2 => format!("/{prefix}{number}/a/{{*rest}}"),
            _ => format!("/{prefix}{number}/a/b/c"),
        });
        let router =
            paths.fold(Router::<()>::new(), |router, path| router.route(&path, routing::get(for_admins)));
        let test = TestAuth::new();
        router.routes().table(test.auth())
    };
    let [few, many] = [50, 200].map(|count| {
        let (before, after) = (routes("a", count), routes("b", count));
        let mut changes = 0;
        let work = measure(|| changes = reported(&before, &after).len());
        assert_eq!(changes, 2 * count);
        work.count_total
    });
    assert!(many <= 16 * few, "{few} allocations for 50 routes, and {many} for 200");
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
    assert!(error.contains("If there is no lock yet, run this test with AUTH_LOCK=accept"), "{error}");
    let error = after.write_lock(&missing.join("folder")).unwrap_err().to_string();
    assert!(error.contains("can't be written") && !error.contains("AUTH_LOCK"), "{error}");
    let texts = ["", "{}", r#"{"version":2,"more":1}"#, "[1]"].map(str::to_owned);
    let [many, more] = [25, 26].map(|number| "/{p}".repeat(number));
    let refused = [
        ["/x", "/x"],
        ["/{a}", "/{b}/../{b"],
        ["/x/{a}", "/x/{*b}"],
        ["/x", "/x/{*}"],
        ["/v1/{a}/(fallback)", "/v1/(fallback)"],
        ["/{", "/"],
        ["/}", "/"],
        ["/{a}b", "/"],
        ["/{*a}/b", "/"],
        [&more, "/"],
    ];
    for text in texts.into_iter().chain(refused.map(|paths| lock_of(&paths))) {
        std::fs::write(&missing, &text).unwrap();
        let error = after.check_lock(&missing).unwrap_err();
        assert!(matches!(error, LockError::Malformed { .. } | LockError::Invalid { .. }), "{text}: {error}");
    }
    for held in [["/{{a}}", "/{a}"], ["/x/a-{b}", "/x/{c}"], [&*many, "/(fallback)"], ["", "x"]] {
        std::fs::write(&missing, lock_of(&held)).unwrap();
        let error = after.check_lock(&missing).unwrap_err();
        assert!(matches!(error, LockError::Changed { .. }), "{held:?}: {error}");
    }
}

/// A lock as if edited by hand.
fn lock_of(paths: &[&str]) -> String {
    let routes: Vec<_> = paths
        .iter()
        .map(|path| serde_json::json!({"method": "GET", "path": path, "policy": {"access": "public"}}))
        .collect();
    serde_json::json!({"version": 1, "roles": {}, "permissions": {}, "routes": routes}).to_string()
}

#[test]
fn no_lock_makes_the_comparison_panic() {
    let table = table(&[("/x", rule!(roles = ["admin"]))]);
    let lock = locked(&table);
    let segment = proptest::sample::select(vec![
        "",
        "a",
        "b",
        "ü",
        "{x}",
        "{*x}",
        "{*}",
        "{",
        "}",
        "{{",
        "}}",
        "{}",
        "*",
        "{{a}}",
        "a{x}",
        "a{*y}",
        "{x}a",
        "(fallback)",
    ]);
    let path = proptest::collection::vec(segment, 0..5).prop_map(|segments| segments.join("/"));
    let paths = proptest::collection::vec(path, 1..5);
    auth_tests_random::runner(200)
        .run(&paths, |paths| {
            let paths: Vec<_> = paths.iter().map(|path| format!("/{path}")).collect();
            std::fs::write(&lock.path, lock_of(&paths.iter().map(|path| &**path).collect::<Vec<_>>()))
                .unwrap();
            let result = table.check_lock(&lock.path);
            prop_assert!(!matches!(result, Err(LockError::NotRead { .. })), "{:?}", result);
            Ok(())
        })
        .unwrap();
}
