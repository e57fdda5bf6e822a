//! What a cell says agrees with an actual request.

use auth_runtime::Router;
use auth_runtime::access::Verdict;
use auth_runtime::authenticator::{Credential, Subject};
use auth_runtime::policy::{ClaimCondition, Condition, Literal, Rule};
use auth_runtime::source::CredentialPlace;
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
    let sources = prop_oneof![
        2 => Just(None),
        1 => Just(Some(&["device"][..])),
        2 => Just(Some(&["device", "bearer"][..])),
    ];
    let taking = |rule: Rule, sources: Option<&'static [&'static str]>| match sources {
        Some(sources) => rule.sources(sources),
        None => rule,
    };
    let requiring = (sources.clone(), vec(condition(), 0..3));
    prop_oneof![
        1 => Just(Rule::public()),
        1 => sources.prop_map(move |sources| taking(Rule::optional(), sources)),
        8 => requiring.prop_map(move |(sources, parts)| {
            taking(Rule::authenticated(), sources).requires(parts.leak())
        }),
    ]
}

/// A caller's roles, scopes, permissions and plan.
type Names<'n> = (Vec<&'n str>, Vec<&'n str>, Vec<&'n str>, Option<&'n str>);

/// The credential is what its caller has, in JSON.
async fn as_it_says(credential: Credential, (): ()) -> Result<Subject, serde_json::Error> {
    let (roles, scopes, permissions, plan): Names<'_> = serde_json::from_str(credential.text())?;
    let subject = Subject::new("acme").roles(roles).scopes(scopes).permissions(permissions);
    Ok(plan.into_iter().fold(subject, |subject, plan| subject.claim("plan", plan)))
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
    let test = TestAuth::with(|builder| {
        let place = CredentialPlace::header("X-Device");
        builder.vocabulary(&VOCABULARY).authenticator_with("device", place, as_it_says, ())
    });
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
                let with_principal = request("GET", &route.path, &[]).with_principal(user.principal());
                let status = send(&app, with_principal).await.status.as_u16();
                // The same of a caller of the authenticator, where the rule takes its credentials.
                let roles = role.iter().copied().collect();
                let names: Names<'_> = (roles, scopes.clone(), permissions.clone(), pro.then_some("pro"));
                let credential = serde_json::to_string(&names).unwrap();
                let reply = send(&app, request("GET", &route.path, &[("x-device", &credential)])).await;
                let takes_it = route.policy.sources.iter().any(|source| source == "device");
                prop_assert_eq!(reply.status.as_u16(), if takes_it { status } else { anonymous });
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
