//! What a cell says agrees with an actual request.

use auth_runtime::Router;
use auth_runtime::access::Verdict;
use auth_runtime::policy::{ClaimCondition, Condition, Literal, Rule};
use auth_runtime::testing::{TestAuth, TestRequest as _, TestUser};
use auth_tests_declared::VOCABULARY;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{request, send};

const ROLES: [&str; 5] = ["admin", "editor", "viewer", "auditor", "billing"];
const SCOPES: [&str; 2] = ["article:write", "article:read"];
const PERMISSIONS: [&str; 2] = ["invoice.read", "report.read"];

fn some(names: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let some = proptest::sample::subsequence(names, 1..=names.len());
    some.prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

fn condition() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        4 => some(&ROLES).prop_map(Condition::Roles),
        1 => some(&SCOPES).prop_map(Condition::Scopes),
        2 => some(&PERMISSIONS).prop_map(Condition::Permissions),
        1 => Just(Condition::Claim(ClaimCondition::one_of("plan", [Literal::String("pro".into())]))),
    ];
    leaf.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..4).prop_map(Condition::All),
            vec(inner.clone(), 1..4).prop_map(Condition::Any),
            inner.prop_map(|part| Condition::Not(Box::new(part))),
        ]
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    prop_oneof![
        1 => Just(Rule::public()),
        1 => Just(Rule::optional()),
        8 => vec(condition(), 0..3).prop_map(|parts| Rule::authenticated().requires(parts.leak())),
    ]
}

/// Everything that a caller may have beside roles.
fn extras() -> impl Strategy<Value = (Vec<&'static str>, Vec<&'static str>, bool)> {
    let subset = |names: &'static [&'static str]| proptest::sample::subsequence(names, 0..=names.len());
    (subset(&SCOPES), subset(&PERMISSIONS), any::<bool>())
}

#[test]
fn a_cell_says_what_a_request_meets() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let cases = (vec(rule(), 1..4), proptest::option::of(condition()), vec(extras(), 6));
    let seen = std::cell::Cell::new([0_u32; 3]);
    auth_tests_random::runner(30)
        .run(&cases, |(rules, required, extras)| runtime.block_on(agrees(&rules, required, &extras, &seen)))
        .unwrap();
    assert!(seen.get().iter().all(|count| *count > auth_tests_random::times(30)), "{seen:?}");
}

async fn agrees(
    rules: &[Rule],
    required: Option<Condition>,
    extras: &[(Vec<&'static str>, Vec<&'static str>, bool)],
    seen: &std::cell::Cell<[u32; 3]>,
) -> Result<(), TestCaseError> {
    let test = TestAuth::with(|builder| builder.vocabulary(&VOCABULARY));
    let mut inner = Router::new();
    for (index, rule) in rules.iter().enumerate() {
        inner = inner.route(&format!("/{index}"), (axum::routing::get(|| async {}), *rule));
    }
    if let Some(required) = required {
        inner = inner.require(Rule::authenticated().requires(Box::leak(Box::new([required]))));
    }
    let router: Router = Router::new().nest("/v1", inner);
    let table = router.routes().table(test.auth());
    let app = router.finish(test.auth()).unwrap();
    let columns = std::iter::once(None).chain(table.roles.iter().map(|role| Some(&*role.name)));
    let columns: Vec<Option<&str>> = columns.collect();
    for route in &table.routes {
        let anonymous = send(&app, request("GET", &route.path, &[])).await.status.as_u16();
        prop_assert_eq!(route.anonymous, if anonymous == 401 { Verdict::Denied } else { Verdict::Allowed });
        let cells = std::iter::once(route.no_role).chain(route.cells.iter().copied());
        for (role, cell) in columns.iter().zip(cells) {
            for (scopes, permissions, pro) in extras {
                let user = TestUser::new("alice").roles(role.iter().copied());
                let user = user.scopes(scopes.iter().copied()).permissions(permissions.iter().copied());
                let user = if *pro { user.claim("plan", "pro") } else { user };
                let request = request("GET", &route.path, &[]).with_principal(user.principal());
                let status = send(&app, request).await.status.as_u16();
                let expected: &[u16] = match cell {
                    Verdict::Allowed => &[200],
                    Verdict::Denied => &[403],
                    _ => &[200, 403],
                };
                prop_assert!(
                    expected.contains(&status),
                    "{} {role:?} {cell:?}: {status}\n{table}",
                    route.path
                );
                let mut counts = seen.get();
                counts[match cell {
                    Verdict::Allowed => 0,
                    Verdict::Denied => 1,
                    _ => 2,
                }] += 1;
                seen.set(counts);
            }
        }
    }
    Ok(())
}
