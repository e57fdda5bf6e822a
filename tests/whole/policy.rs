//! Rules: against a reference evaluator that shares nothing with the real one, and the reasons of a denial.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::policy::{ClaimCondition, Condition, Decision, Literal, Remedy, Rule};
use auth_runtime::rule;
use auth_runtime::testing::TestUser;
use proptest::prelude::*;

const NOW: i64 = 1_800_000_000;
const NAMES: &[&str] = &["a", "b", "c", "d"];

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs())
}

/// A rule of the reference: the same conditions in another shape.
#[derive(Clone, Debug)]
enum Model {
    Role(Vec<usize>),
    Scope(Vec<usize>),
    Permission(Vec<usize>),
    Plan(Vec<Option<i8>>),
    Age(u8),
    Acr(Vec<usize>),
    Amr(Vec<usize>),
    Any(Vec<Model>),
    All(Vec<Model>),
    Not(Box<Model>),
}

/// A caller of the reference.
#[derive(Clone, Debug)]
struct Caller {
    roles: BTreeSet<usize>,
    scopes: BTreeSet<usize>,
    permissions: BTreeSet<usize>,
    /// `None`: no claim. An element: a number, or the string "x".
    plan: Option<Vec<Option<i8>>>,
    plan_is_list: bool,
    age: Option<i16>,
    acr: Option<usize>,
    amr: BTreeSet<usize>,
}

fn reference(model: &Model, caller: &Caller) -> bool {
    let count = |parts: &[Model]| parts.iter().map(|part| u32::from(reference(part, caller))).sum::<u32>();
    match model {
        Model::Role(names) => !names.iter().all(|name| !caller.roles.contains(name)),
        Model::Scope(names) => {
            names.iter().collect::<BTreeSet<_>>().is_subset(&caller.scopes.iter().collect())
        }
        Model::Permission(names) => {
            names.iter().filter(|name| caller.permissions.contains(name)).count() == names.len()
        }
        Model::Plan(values) => match &caller.plan {
            None => false,
            Some(plan) => plan.iter().any(|value| values.contains(value)),
        },
        Model::Age(most) => matches!(caller.age, Some(age) if age >= 0 && age <= i16::from(*most)),
        Model::Acr(values) => caller.acr.is_some_and(|acr| values.contains(&acr)),
        Model::Amr(values) => caller.amr.iter().any(|used| values.contains(used)),
        Model::Any(parts) => count(parts) > 0,
        Model::All(parts) => usize::try_from(count(parts)).unwrap() == parts.len(),
        Model::Not(part) => !reference(part, caller),
    }
}

/// The same rule as the library has it.
fn condition(model: &Model) -> Condition {
    let names = |indices: &[usize]| indices.iter().map(|&index| NAMES[index].to_owned()).collect();
    let parts = |models: &[Model]| models.iter().map(condition).collect();
    match model {
        Model::Role(indices) => Condition::Roles(names(indices)),
        Model::Scope(indices) => Condition::Scopes(names(indices)),
        Model::Permission(indices) => Condition::Permissions(names(indices)),
        Model::Plan(values) => {
            let literal = |value: &Option<i8>| match value {
                Some(number) => Literal::Integer(i64::from(*number)),
                None => Literal::String("x".into()),
            };
            Condition::Claim(ClaimCondition::one_of("plan", values.iter().map(literal)))
        }
        Model::Age(most) => Condition::MaxAge(u64::from(*most)),
        Model::Acr(indices) => Condition::Acr(names(indices)),
        Model::Amr(indices) => Condition::Amr(names(indices)),
        Model::Any(models) => Condition::Any(parts(models)),
        Model::All(models) => Condition::All(parts(models)),
        Model::Not(model) => Condition::Not(Box::new(condition(model))),
    }
}

fn user(caller: &Caller) -> TestUser {
    let names = |set: &BTreeSet<usize>| set.iter().map(|&index| NAMES[index]).collect::<Vec<_>>();
    let mut user = TestUser::new("alice")
        .roles(names(&caller.roles))
        .scopes(names(&caller.scopes))
        .permissions(names(&caller.permissions));
    if let Some(plan) = &caller.plan {
        let json =
            |value: &Option<i8>| value.map_or(serde_json::json!("x"), |number| serde_json::json!(number));
        user = match plan.as_slice() {
            [one] if !caller.plan_is_list => user.claim("plan", json(one)),
            several => user.claim("plan", several.iter().map(json).collect::<Vec<_>>()),
        };
    }
    if let Some(age) = caller.age {
        user = user.claim("auth_time", NOW - i64::from(age));
    }
    if let Some(acr) = caller.acr {
        user = user.claim("acr", NAMES[acr]);
    }
    user.amr(names(&caller.amr))
}

fn models() -> impl Strategy<Value = Model> {
    let names = || prop::collection::vec(0..NAMES.len(), 1..3);
    let plan = || prop::option::of(-1..2_i8);
    let leaf = prop_oneof![
        names().prop_map(Model::Role),
        names().prop_map(Model::Scope),
        names().prop_map(Model::Permission),
        prop::collection::vec(plan(), 1..3).prop_map(Model::Plan),
        (0..4_u8).prop_map(Model::Age),
        names().prop_map(Model::Acr),
        names().prop_map(Model::Amr),
    ];
    leaf.prop_recursive(6, 40, 4, |inner| {
        let several = || prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            several().prop_map(Model::Any),
            several().prop_map(Model::All),
            inner.clone().prop_map(|model| Model::Not(Box::new(model))),
        ]
    })
}

fn callers() -> impl Strategy<Value = Caller> {
    let set = || prop::collection::btree_set(0..NAMES.len(), 0..4);
    let plan = prop::option::of(prop::collection::vec(prop::option::of(-1..2_i8), 0..3));
    let login = (prop::option::of(-1..5_i16), prop::option::of(0..NAMES.len()), set());
    (set(), set(), set(), plan, any::<bool>(), login).prop_map(
        |(roles, scopes, permissions, plan, plan_is_list, (age, acr, amr))| Caller {
            roles,
            scopes,
            permissions,
            plan,
            plan_is_list,
            age,
            acr,
            amr,
        },
    )
}

#[test]
fn random_rules_and_callers_against_the_reference() {
    let both = std::cell::Cell::new([0_u32; 2]);
    let inputs = (prop::collection::vec(models(), 0..4), callers());
    auth_tests_random::runner(1_000)
        .run(&inputs, |(models, caller)| {
            let expected = models.iter().all(|model| reference(model, &caller));
            // A rule is a constant, so a random one is leaked.
            let rule = Rule::authenticated().requires(Vec::leak(models.iter().map(condition).collect()));
            let decision = rule.decide(&user(&caller).principal(), now());
            let mut counts = both.get();
            counts[usize::from(expected)] += 1;
            both.set(counts);
            prop_assert_eq!(decision.is_allow(), expected, "{}: {:?}", decision, models);
            if let Decision::Deny { reason, .. } = &decision {
                prop_assert!(!reason.is_empty());
            }
            Ok(())
        })
        .unwrap();
    let [denied, allowed] = both.get();
    assert!(
        denied > auth_tests_random::times(100) && allowed > auth_tests_random::times(100),
        "both answers are met often: {denied} denied, {allowed} allowed"
    );
}

const EDITORS: Rule = rule!(roles = ["editor"], scopes = ["write"]);

#[test]
fn a_denial_says_what_is_needed_and_what_is_there() {
    let alice =
        TestUser::new("alice").roles(["viewer"]).scopes(["read"]).claim("plan", "free").claim("acr", "pwd");
    let alice = alice.amr(["pwd", "sms"]);
    for (rule, expected) in [
        (rule!(roles = ["admin", "editor"]), "needs role admin or editor; has viewer"),
        (rule!(scopes = ["read", "write"]), "needs scopes read and write; has read"),
        (rule!(permissions = ["x"]), "needs permission x; has none"),
        (rule!(claims(plan = "pro")), "needs claim plan equal to \"pro\"; has another"),
        (rule!(claims(plan = ["pro", "team"])), "needs claim plan equal to \"pro\" or \"team\"; has another"),
        (
            rule!(claims(seats = 5, beta = true)),
            "needs claim seats equal to 5; has none; and needs claim beta equal to true; has none",
        ),
        (rule!(max_age = "5m"), "needs a login at most 300 s old; has one of unknown age"),
        (rule!(acr = ["mfa"]), "needs a login of class mfa; has \"pwd\""),
        (rule!(amr = ["hwk", "otp"]), "needs a login by method hwk or otp; has pwd, sms"),
        (rule!(not(roles = ["viewer"])), "must not have role viewer"),
        (
            rule!(any(roles = ["admin"], scopes = ["write"])),
            "no alternative holds (needs role admin; has viewer | needs scope write; has read)",
        ),
        (rule!(rule = EDITORS), "needs role editor; has viewer; and needs scope write; has read"),
        (Rule::deny_all(), "no caller satisfies the rule"),
    ] {
        let Decision::Deny { reason, .. } = rule.decide(&alice.principal(), now()) else {
            panic!("{rule} is satisfied")
        };
        assert_eq!(reason, expected);
    }
    assert_eq!(rule!(roles = ["viewer"]).decide(&alice.principal(), now()), Decision::Allow);
}

/// A token can have thousands of roles, and a rejection must not take longer for it.
#[test]
fn a_denial_lists_sixteen_names_and_counts_the_others() {
    let reason = |held: usize| {
        let caller = TestUser::new("alice").roles((0..held).map(|number| format!("r{number}")));
        match rule!(roles = ["admin"]).decide(&caller.principal(), now()) {
            Decision::Deny { reason, .. } => reason,
            Decision::Allow => panic!("{held} other roles do not satisfy the rule"),
        }
    };
    let listed: Vec<String> = (0..16).map(|number| format!("r{number}")).collect();
    let listed = format!("needs role admin; has {}", listed.join(", "));
    assert_eq!(reason(16), listed);
    assert_eq!(reason(17), format!("{listed} and 1 more"));
    assert_eq!(reason(1_000), format!("{listed} and 984 more"));
}

#[test]
#[allow(deprecated, reason = "rules whose parts say the same twice have remedies too")]
fn a_remedy_is_named_only_if_it_would_do() {
    let alice = TestUser::new("alice");
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let scopes = |names: &[&str]| Remedy::Scopes(owned(names));
    let step_up = |max_age, classes: &[&str]| Remedy::StepUp { max_age, acr_values: owned(classes) };
    for (rule, expected) in [
        (rule!(scopes = ["a"]), scopes(&["a"])),
        (rule!(scopes = ["a"], all(scopes = ["b"])), scopes(&["a", "b"])),
        (rule!(scopes = ["a"], max_age = "1m"), scopes(&["a"])),
        (rule!(max_age = "2m", all(max_age = "1m", acr = ["x"])), step_up(Some(60), &["x"])),
        (rule!(amr = ["hwk"]), step_up(None, &[])),
        (rule!(amr = ["hwk"], acr = ["x"]), step_up(None, &["x"])),
        (rule!(max_age = "1m", roles = ["r"]), Remedy::None),
        (rule!(any(max_age = "1m", roles = ["r"])), step_up(Some(60), &[])),
        (rule!(any(scopes = ["a"], roles = ["r"])), scopes(&["a"])),
        (rule!(not(not(scopes = ["a"]))), Remedy::None),
    ] {
        let Decision::Deny { remedy, .. } = rule.decide(&alice.principal(), now()) else {
            panic!("{rule} is satisfied")
        };
        assert_eq!(remedy, expected, "{rule}");
    }
}

/// RFC 8176 §1: an array of strings. Some issuers write a string where there is one.
#[test]
fn the_methods_of_a_login() {
    let rule = rule!(amr = ["hwk", "otp"]);
    for (amr, expected) in [
        (serde_json::json!(["pwd", "otp"]), true),
        (serde_json::json!(["pwd"]), false),
        (serde_json::json!("hwk"), true),
        (serde_json::json!("pwd otp"), false),
        (serde_json::json!([]), false),
    ] {
        let user = TestUser::new("u").claim("amr", &amr);
        assert_eq!(rule.decide(&user.principal(), now()).is_allow(), expected, "{amr}");
    }
    let user = TestUser::new("u").amr(["pwd", "otp"]).principal();
    assert_eq!(user.amr().collect::<Vec<_>>(), ["pwd", "otp"]);
}

#[test]
fn claims_of_one_argument_are_one_requirement_inside_any_too() {
    let rule = rule!(any(claims(a = 1, b = 2), roles = ["r"]));
    for (user, expected) in [
        (TestUser::new("u").claim("a", 1), false),
        (TestUser::new("u").claim("b", 2), false),
        (TestUser::new("u").claim("a", 1).claim("b", 2), true),
        (TestUser::new("u").roles(["r"]), true),
    ] {
        assert_eq!(rule.decide(&user.principal(), now()).is_allow(), expected, "{user:?}");
    }
}

/// What a rule requires is one list, in the JSON of the lock, with what it names in place of the names.
#[test]
fn every_argument_becomes_its_condition() {
    const NAMED: Rule = rule!(roles = ["a"], any(scopes = ["b"], permissions = ["c", "d"]));
    const NESTED: Rule = rule!(roles = ["e"], scopes = ["f"]);
    let rule = rule!(
        rule = NAMED,
        acr = ["mfa"],
        amr = ["hwk", "otp"],
        max_age = "5m",
        claims(plan = ["pro", -3, true], tenant = path("tenant")),
        not(any(rule = NESTED, claims("https://x.test/\"é\"" = "\u{1}\n"))),
    );
    let named = serde_json::json!([
        { "roles": ["a"] },
        { "any": [{ "scopes": ["b"] }, { "permissions": ["c", "d"] }] },
    ]);
    let json = serde_json::to_value(rule.conditions()).unwrap();
    assert_eq!(
        json,
        serde_json::json!([
            named[0],
            named[1],
            { "acr": ["mfa"] },
            { "amr": ["hwk", "otp"] },
            { "maxAge": 300 },
            { "claim": { "name": "plan", "oneOf": ["pro", -3, true] } },
            { "claim": { "name": "tenant", "path": "tenant" } },
            { "not": { "any": [
                { "all": [{ "roles": ["e"] }, { "scopes": ["f"] }] },
                { "claim": { "name": "https://x.test/\"é\"", "oneOf": ["\u{1}\n"] } },
            ] } },
        ])
    );
    let read: Vec<Condition> = serde_json::from_value(json).unwrap();
    assert_eq!(Rule::authenticated().requires(read.leak()), rule);
}

/// What replaces a rule with an error.
#[test]
fn deny_all_denies_every_caller() {
    let everything = TestUser::new("root").roles(NAMES.iter().copied()).scopes(NAMES.iter().copied());
    assert!(!Rule::deny_all().decide(&everything.principal(), now()).is_allow());
}
