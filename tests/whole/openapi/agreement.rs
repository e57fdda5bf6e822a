//! Whom the rule admits, `security` admits; and no other caller, where OpenAPI has words for the rule. By an interpreter of
//! `security` that knows nothing of rules.

use std::collections::BTreeSet;

use auth_runtime::Router;
use auth_runtime::authenticator::{Credential, Subject};
use auth_runtime::openapi::OpenApi;
use auth_runtime::policy::{ClaimCondition, Condition, Literal, Rule};
use auth_runtime::source::CredentialPlace;
use auth_runtime::testing::{TestAuth, TestUser};
use proptest::collection::vec;
use proptest::prelude::*;

use serde_json::Value;

use crate::support::{request, send};

/// `shared` is a role, a scope and a permission.
const ROLES: [&str; 3] = ["admin", "editor", "shared"];
const SCOPES: [&str; 3] = ["write", "read", "shared"];
const PERMISSIONS: [&str; 2] = ["invoice", "shared"];

fn some(names: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let some = proptest::sample::subsequence(names, 1..=names.len());
    some.prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

/// A condition, and whether OpenAPI has words for it.
fn condition() -> impl Strategy<Value = (Condition, bool)> {
    let plan = ClaimCondition::one_of("plan", [Literal::String("pro".into())]);
    let leaf = prop_oneof![
        4 => some(&ROLES).prop_map(|names| (Condition::Roles(names), true)),
        3 => some(&SCOPES).prop_map(|names| (Condition::Scopes(names), true)),
        3 => some(&PERMISSIONS).prop_map(|names| (Condition::Permissions(names), true)),
        1 => Just((Condition::Claim(plan), false)),
        // What every caller satisfies, and what none does.
        1 => Just((Condition::All(Vec::new()), false)),
        1 => Just((Condition::Any(Vec::new()), false)),
        1 => some(&ROLES).prop_map(|names| {
            (Condition::Not(Box::new(Condition::Roles(names))), false)
        }),
    ];
    leaf.prop_recursive(3, 10, 3, |inner| {
        let parts = |parts: Vec<(Condition, bool)>| {
            let (parts, exact): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
            (parts, exact.into_iter().all(|exact| exact))
        };
        prop_oneof![
            vec(inner.clone(), 1..4).prop_map(move |all| {
                let (all, exact) = parts(all);
                (Condition::All(all), exact)
            }),
            vec(inner.clone(), 1..4).prop_map(move |any| {
                let (any, exact) = parts(any);
                (Condition::Any(any), exact)
            }),
            inner.prop_map(|(part, _)| (Condition::Not(Box::new(part)), false)),
        ]
    })
}

fn route() -> impl Strategy<Value = (Rule, bool)> {
    let sources = prop_oneof![
        2 => Just(None),
        1 => Just(Some(&["partner"][..])),
        2 => Just(Some(&["partner", "bearer"][..])),
    ];
    let taking = |rule: Rule, sources: Option<&'static [&'static str]>| match sources {
        Some(sources) => rule.sources(sources),
        None => rule,
    };
    let requiring = (sources.clone(), vec(condition(), 0..3));
    prop_oneof![
        1 => Just((Rule::public(), true)),
        1 => sources.prop_map(move |sources| (taking(Rule::optional(), sources), true)),
        8 => requiring.prop_map(move |(sources, parts)| {
            let (parts, exact): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
            let rule = taking(Rule::authenticated(), sources).requires(parts.leak());
            (rule, exact.into_iter().all(|exact| exact))
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

#[derive(Clone, Debug)]
struct Caller {
    roles: Vec<&'static str>,
    scopes: Vec<&'static str>,
    permissions: Vec<&'static str>,
    pro: bool,
}

fn caller() -> impl Strategy<Value = Caller> {
    let subset = |names: &'static [&'static str]| proptest::sample::subsequence(names, 0..=names.len());
    (subset(&ROLES), subset(&SCOPES), subset(&PERMISSIONS), any::<bool>())
        .prop_map(|(roles, scopes, permissions, pro)| Caller { roles, scopes, permissions, pro })
}

impl Caller {
    fn token(&self, test: &TestAuth) -> String {
        let user = TestUser::new("alice").roles(self.roles.iter().copied());
        let user = user.scopes(self.scopes.iter().copied()).permissions(self.permissions.iter().copied());
        format!("Bearer {}", test.token(&if self.pro { user.claim("plan", "pro") } else { user }))
    }

    fn credential(&self) -> String {
        let Self { roles, scopes, permissions, pro } = self.clone();
        let names: Names<'_> = (roles, scopes, permissions, pro.then_some("pro"));
        serde_json::to_string(&names).unwrap()
    }
}

/// OpenAPI 3.1 §4.8.30: one of the objects, and all of its names. A name without a kind is of the one that the document uses it as.
fn admits(operation: &Value, caller: Option<(&str, &Caller)>, kinds: &BTreeSet<(String, String)>) -> bool {
    let has = |caller: &Caller, name: &str| {
        let (kind, bare) = name.split_once(':').unwrap_or_else(|| {
            let mut of = kinds.iter().filter(|(_, known)| known == name);
            let (kind, _) = of.next().unwrap();
            assert_eq!(of.next(), None, "{name} could be of two kinds");
            (kind, name)
        });
        let names = match kind {
            "role" => &caller.roles,
            "scope" => &caller.scopes,
            _ => &caller.permissions,
        };
        names.contains(&bare)
    };
    let security = operation["security"].as_array().unwrap();
    security.is_empty()
        || security.iter().any(|object| {
            object.as_object().unwrap().iter().all(|(scheme, names)| {
                let mut names = names.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                caller.is_some_and(|(by, caller)| by == scheme && names.all(|name| has(caller, name)))
            })
        })
}

/// What kind each name is of that a rule in the document has.
fn names_in(value: &Value, kinds: &mut BTreeSet<(String, String)>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| names_in(value, kinds)),
        Value::Object(object) => {
            for (key, value) in object {
                if ["roles", "scopes", "permissions"].contains(&&**key) {
                    let names = value.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                    kinds.extend(names.map(|name| (key.trim_end_matches('s').to_owned(), name.to_owned())));
                }
                names_in(value, kinds);
            }
        }
        _ => {}
    }
}

#[test]
fn security_admits_whom_the_rule_admits() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let cases = (vec(route(), 1..4), proptest::option::of(condition()), vec(caller(), 12));
    let seen = std::cell::Cell::new([0_u32; 4]);
    auth_tests_random::runner(100)
        .run(&cases, |(routes, required, callers)| {
            runtime.block_on(agrees(&routes, required, &callers, &seen))
        })
        .unwrap();
    assert!(seen.get().iter().all(|count| *count > auth_tests_random::times(40)), "{seen:?}");
}

async fn agrees(
    routes: &[(Rule, bool)],
    required: Option<(Condition, bool)>,
    callers: &[Caller],
    seen: &std::cell::Cell<[u32; 4]>,
) -> Result<(), TestCaseError> {
    let test = TestAuth::with(|builder| {
        builder.authenticator_with("partner", CredentialPlace::header("X-Partner"), as_it_says, ())
    });
    let mut inner = Router::new();
    for (index, (rule, _)) in routes.iter().enumerate() {
        let path = if index == 0 { "/".to_owned() } else { format!("/{index}/{{id}}") };
        inner = inner.route(&path, (axum::routing::get(|| async {}), *rule));
    }
    let must_be_exact = required.as_ref().is_none_or(|(_, exact)| *exact);
    if let Some((required, _)) = required {
        inner = inner.require(Rule::authenticated().requires(Box::leak(Box::new([required]))));
    }
    let router: Router = Router::new().nest("/v1", inner);
    let document = OpenApi::new("Random", "1").describe(&router.routes(), test.auth()).unwrap().to_value();
    let app = router.finish(test.auth()).unwrap();
    let mut kinds = BTreeSet::new();
    names_in(&document["paths"], &mut kinds);
    for (index, (rule, exact)) in routes.iter().enumerate() {
        let path = if index == 0 { "/v1".to_owned() } else { format!("/v1/{index}/{{id}}") };
        let operation = &document["paths"][&path]["get"];
        let is_exact = *exact && must_be_exact;
        let url = path.replace("{id}", "7");

        let anonymous = send(&app, request("GET", &url, &[])).await.status.as_u16();
        prop_assert_eq!(admits(operation, None, &kinds), anonymous == 200, "{} {}", url, rule);
        let schemes = [("bearer", "authorization"), ("partner", "x-partner")];
        for (caller, (scheme, header)) in callers.iter().flat_map(|caller| schemes.map(|by| (caller, by))) {
            let credential = if scheme == "bearer" { caller.token(&test) } else { caller.credential() };
            let reply = send(&app, request("GET", &url, &[(header, &credential)])).await;
            let is_let_in = reply.status == 200;
            let is_admitted = admits(operation, Some((scheme, caller)), &kinds);
            let security = &operation["security"];
            prop_assert!(is_admitted || !is_let_in, "{rule} lets {scheme} {caller:?} in: {security:?}");
            prop_assert!(
                !is_exact || is_let_in == is_admitted,
                "{rule} and {scheme} {caller:?}: {security:?}"
            );
            let mut counts = seen.get();
            counts[usize::from(is_exact) * 2 + usize::from(is_let_in)] += 1;
            seen.set(counts);
        }
    }
    Ok(())
}
