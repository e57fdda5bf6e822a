//! The reader of today against the former one, on the same payloads and issuers: they accept the same tokens, and read the same of them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use auth_tests_random::{runner, times};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use super::oracle::{self, Issuer, Lists, Path, Rule, is_long_text};
use super::strict::{SECRET, signed};
use crate::error::ConfigErrors;
use crate::verify::issuer::Audience;
use crate::verify::json::Json;
use crate::verify::mapping::Place;
use crate::verify::names::NameList;
use crate::verify::{
    Algorithm, ClaimName, ClaimRule, JwtVerifier, Key, TokenClaims, TrustedIssuer, VerifiedToken, VerifyError,
};

/// Names of claims, of which some are parts of each other as paths, and of their members.
const NAMES: [&str; 31] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "sid",
    "auth_time",
    "acr",
    "amr",
    "cnf",
    "events",
    "user_generation",
    "issuer_generation",
    "client_id",
    "roles",
    "scope",
    "scp",
    "permissions",
    "a",
    "b",
    "a.b",
    "uid",
    "",
    "$",
    "é",
    "http://schemas.openid.net/event/backchannel-logout",
    "x",
    "id",
    "realm",
];

/// Paths that an issuer reads, among them registered claims and what is in them.
const PATHS: [&[&str]; 18] = [
    &["sub"],
    &["uid"],
    &["a"],
    &["a", "b"],
    &["a", "b", "id"],
    &["a.b"],
    &["roles"],
    &["scope"],
    &["scp"],
    &["permissions"],
    &["sub", "id"],
    &["aud"],
    &["jti"],
    &["client_id"],
    &["events", "a"],
    &["realm", "roles"],
    &["x"],
    &["exp"],
];

fn path() -> impl Strategy<Value = Path> {
    select(PATHS.to_vec()).prop_map(<[_]>::to_vec)
}

fn rule() -> impl Strategy<Value = Rule> {
    let values = vec![
        json!("alice"),
        json!(1),
        json!(true),
        json!(["r"]),
        json!({ "b": "x y" }),
        json!(1.5),
        Value::Null,
    ];
    let plain = prop_oneof![
        3 => Just(Rule::Present),
        3 => prop::collection::vec(select(values), 1..4).prop_map(Rule::OneOf),
        1 => Just(Rule::IsLongText),
        3 => Just(Rule::Absent),
    ];
    plain.prop_flat_map(|rule| prop_oneof![Just(rule.clone()), Just(Rule::AbsentOr(Box::new(rule)))])
}

fn lists() -> impl Strategy<Value = Lists> {
    let places =
        prop_oneof![2 => Just(Vec::new()), 3 => prop::collection::vec((path(), any::<bool>()), 1..4)];
    (places, any::<bool>()).prop_map(|(places, space_delimited)| Lists { places, space_delimited })
}

fn issuer(name: &'static str) -> impl Strategy<Value = Issuer> {
    let audience =
        (prop::option::weighted(0.3, Just("orders")), any::<bool>(), prop::option::weighted(0.5, path()));
    let subject = prop_oneof![3 => Just(vec!["sub"]), 2 => path()];
    let subjects = (subject, prop::option::weighted(0.3, path()), any::<bool>());
    let rules = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec((path(), rule()), 1..3)];
    (audience, subjects, any::<[bool; 3]>(), (lists(), lists(), lists()), rules).prop_map(
        move |(
            (audience, single_audience, audience_without_aud),
            (subject, subject_if_absent, client_is_subject),
            [null_is_absent, integer_jti, integer_sub],
            (roles, scopes, permissions),
            rules,
        )| Issuer {
            name,
            audience,
            single_audience: single_audience && audience.is_some(),
            audience_without_aud,
            subject,
            subject_if_absent,
            client_is_subject,
            null_is_absent,
            integer_jti,
            integer_sub,
            roles,
            scopes: Lists { space_delimited: false, ..scopes },
            permissions,
            rules,
        },
    )
}

fn claim_name(path: &Path) -> ClaimName {
    ClaimName::path(path.iter().copied())
}

fn claim_rule(rule: &Rule) -> ClaimRule {
    match rule {
        Rule::Present => ClaimRule::Present,
        Rule::OneOf(values) => ClaimRule::one_of(values.clone()),
        Rule::IsLongText => ClaimRule::satisfies(is_long_text),
        Rule::Absent => ClaimRule::absent(),
        Rule::AbsentOr(rule) => ClaimRule::absent_or(claim_rule(rule)),
    }
}

fn trusted(issuer: &Issuer) -> TrustedIssuer {
    let mut trusted = TrustedIssuer::new(issuer.name).key(Key::secret(Algorithm::HS256, SECRET));
    trusted.audience = issuer.audience.map_or(Audience::Any, |name| Audience::OneOf(vec![name.to_owned()]));
    trusted.single_audience = issuer.single_audience;
    trusted.audience_without_aud = issuer.audience_without_aud.as_ref().map(claim_name);
    let mapping = &mut trusted.mapping;
    mapping.subject = claim_name(&issuer.subject);
    mapping.subject_if_absent = issuer.subject_if_absent.as_ref().map(claim_name);
    mapping.client_is_subject = issuer.client_is_subject;
    mapping.forms.null_is_absent = issuer.null_is_absent;
    mapping.forms.integer_jti = issuer.integer_jti;
    mapping.forms.integer_sub = issuer.integer_sub;
    for (claims, lists) in [
        (&mut mapping.roles, &issuer.roles),
        (&mut mapping.scopes, &issuer.scopes),
        (&mut mapping.permissions, &issuer.permissions),
    ] {
        claims.space_delimited |= lists.space_delimited;
        for (path, are_keys) in &lists.places {
            let name = claim_name(path);
            claims.add(if *are_keys { Place::keys_of(name) } else { Place::names(name) });
        }
    }
    issuer
        .rules
        .iter()
        .fold(trusted, |trusted, (path, rule)| trusted.claim(claim_name(path), claim_rule(rule)))
}

fn verifier(issuers: &[Issuer]) -> JwtVerifier {
    let mut errors = ConfigErrors::default();
    let issuers: Vec<_> = issuers.iter().map(trusted).collect();
    let verifier = JwtVerifier::new(&issuers, 1 << 20, &mut errors);
    assert!(errors.into_vec().is_empty());
    verifier
}

/// Texts of values without others in them.
fn scalar() -> impl Strategy<Value = String> {
    let valid = vec![
        "null",
        "true",
        "false",
        "0",
        "1",
        "-1",
        "-0",
        "42",
        "1.5",
        "10.9",
        "1e3",
        "1E-2",
        "1700000000",
        "9007199254740993",
        "18446744073709551616",
        r#""""#,
        r#""i""#,
        r#""j""#,
        r#""orders""#,
        r#""alice""#,
        r#""a b  c""#,
        r#""r,s""#,
        r#""\u0061lice""#,
        r#""\"\\\/\b\f\n\r\t""#,
        r#""\ud83d\ude00 \u00e9""#,
        r#""é""#,
        r#"" x y ""#,
        r#"["r","s","r"]"#,
        r#"["i"]"#,
        r#"["orders","x"]"#,
        "[]",
        "{}",
        r#"{"admin":{"org":1},"no":false,"r":[]}"#,
        r#"[{"r":1},{"r":2,"s":"x"},{}]"#,
    ];
    let invalid = vec![
        r#""\ud800""#,
        r#""\udc00x""#,
        r#""\u12""#,
        r#""\x""#,
        "1e999",
        "-1e999",
        "01",
        "1.",
        "+1",
        "tru",
        "nul",
        "\"\u{1}\"",
        "\"\u{7f}",
        "",
        "x",
        "'a'",
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":1}"#,
        r#"{"$serde_json::private::Number":"1"}"#,
        r#"{"$serde_json::private::RawValue":"1"}"#,
        "[1,]",
        "{,}",
        r#"{"a"}"#,
        r#"{"a":1,}"#,
        "[1 2]",
        "{1:2}",
    ];
    prop_oneof![40 => select(valid), 1 => select(invalid)].prop_map(str::to_owned)
}

fn name() -> impl Strategy<Value = String> {
    let plain = select(NAMES.to_vec()).prop_map(str::to_owned);
    // The first character as an escape.
    let escaped = plain.clone().prop_map(|name| match name.chars().next() {
        Some(first) => format!("\\u{:04x}{}", u32::from(first), &name[first.len_utf8()..]),
        None => name,
    });
    prop_oneof![9 => plain, 1 => escaped]
}

fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![6 => Just(""), 1 => select(vec![" ", "\n", "\t", "\r", "  \n"])]
}

fn value() -> impl Strategy<Value = String> {
    scalar().prop_recursive(3, 12, 4, |inner| {
        let list = (space(), prop::collection::vec(inner.clone(), 0..4))
            .prop_map(|(space, values)| format!("[{space}{}{space}]", values.join(&format!("{space},"))));
        prop_oneof![list, object(inner, 0..4)]
    })
}

fn object(
    value: impl Strategy<Value = String>,
    size: impl Into<prop::collection::SizeRange>,
) -> impl Strategy<Value = String> {
    let member = (name(), space(), value)
        .prop_map(|(name, space, value)| (name.clone(), format!("{space}\"{name}\"{space}:{space}{value}")));
    // A name that appears twice is rare, or nothing would be accepted.
    (prop::collection::vec(member, size), prop::bool::weighted(0.03)).prop_map(|(members, may_repeat)| {
        let mut seen: Vec<String> = Vec::new();
        let mut is_new = |name: &str| {
            let read = serde_json::from_str::<String>(&format!("\"{name}\"")).unwrap_or_default();
            let is_new = !seen.contains(&read);
            seen.push(read);
            is_new
        };
        let members: Vec<String> = members
            .into_iter()
            .filter(|(name, _)| is_new(name) || may_repeat)
            .map(|(_, text)| text)
            .collect();
        format!("{{{}}}", members.join(","))
    })
}

/// A registered claim of a right type, or one that is often read.
fn fitting_member() -> impl Strategy<Value = String> {
    // As many as are looked for in a table, some of them twice.
    let many: Vec<_> = (0..24).map(|n| format!("name-{}", n % 20)).collect();
    let many_roles = format!(r#""roles":["{}","r"]"#, many.join(r#"",""#));
    let many_scopes = format!(r#""scope":"a {}  s""#, many.join(" "));
    let few = [
        r#""sub":"alice""#,
        r#""sub":"\u0061""#,
        r#""sub":7"#,
        r#""aud":"orders""#,
        r#""aud":["x","orders"]"#,
        r#""exp":1700000000"#,
        r#""exp":10.9"#,
        r#""nbf":10.1"#,
        r#""iat":1e3"#,
        r#""jti":"j\n""#,
        r#""jti":18446744073709551616"#,
        r#""sid":"s""#,
        r#""auth_time":-1"#,
        r#""acr":"gold""#,
        r#""amr":["pwd","otp"]"#,
        r#""amr":"pwd""#,
        r#""client_id":"orders""#,
        r#""uid":"u""#,
        r#""a":{"b":{"id":42},"id":"x"}"#,
        r#""a":{"b":"r s"}"#,
        r#""roles":["r","s","r"]"#,
        r#""roles":"r s""#,
        r#""roles":{"admin":{},"r":1}"#,
        r#""scope":"a b  c""#,
        r#""scp":["a","d"]"#,
        r#""permissions":["p"]"#,
        r#""realm":{"roles":["r","t"]}"#,
        r#""user_generation":3"#,
        r#""issuer_generation":4"#,
        r#""x":null"#,
        r#""events":{"a":{}}"#,
        r#""a.b":"y""#,
    ];
    select(few.map(str::to_owned).into_iter().chain([many_roles, many_scopes]).collect::<Vec<_>>())
}

/// The outermost object, as its members.
fn outermost() -> impl Strategy<Value = String> {
    let other = (name(), value()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
    let member = prop_oneof![6 => fitting_member(), 1 => other];
    (prop::collection::vec(member, 0..10), prop::bool::weighted(0.03)).prop_map(|(members, may_repeat)| {
        let mut seen: Vec<String> = Vec::new();
        let mut is_new = |member: &str| {
            let name = member.split("\":").next().unwrap_or_default().to_owned();
            let is_new = !seen.contains(&name);
            seen.push(name);
            is_new
        };
        let members: Vec<String> =
            members.into_iter().filter(|member| is_new(member) || may_repeat).collect();
        format!("{{{}}}", members.join(","))
    })
}

/// A payload, often with what makes it acceptable, and sometimes with a few bytes changed.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let iss = prop_oneof![12 => select(vec![r#""iss":"i","#, r#""iss":"j","#]), 1 => select(vec!["", r#""iss":null,"#, r#""iss":1,"#, r#""iss":"\u0069","#])];
    let edit = (any::<Index>(), prop_oneof![select(b"\"\\{}[]:,0e-u ".to_vec()), any::<u8>()], 0..3_u8);
    let edits = prop_oneof![9 => Just(Vec::new()), 1 => prop::collection::vec(edit, 1..3)];
    let object = prop_oneof![1 => object(value(), 0..10), 4 => outermost()];
    (iss, object, edits).prop_map(|(iss, object, edits)| {
        // Another `iss` would be a duplicate.
        let rest = if object.contains("\"iss\"") || object.contains("\\u0069ss") {
            object
        } else {
            object.replacen('{', &format!("{{{iss}"), 1).replace(",}", "}")
        };
        let mut bytes = rest.into_bytes();
        for (index, byte, kind) in edits {
            let at = index.index(bytes.len().max(1));
            match (kind, bytes.get_mut(at)) {
                (0, Some(old)) => *old = byte,
                (1, Some(_)) => drop(bytes.remove(at)),
                _ => bytes.insert(at.min(bytes.len()), byte),
            }
        }
        bytes
    })
}

/// Errors of a payload that has several may differ: today the whole text is read first, and then claim by claim in a fixed order.
fn is_of_payload(error: &VerifyError) -> bool {
    matches!(
        error,
        VerifyError::Malformed(_)
            | VerifyError::InvalidClaim(_)
            | VerifyError::NullClaim(_)
            | VerifyError::IntegerClaim(_)
    )
}

fn compare_claims(today: &TokenClaims, former: &oracle::TokenClaims) -> Result<(), TestCaseError> {
    prop_assert_eq!(today.issuer(), former.issuer.as_deref());
    prop_assert_eq!(today.sub(), former.sub.as_deref());
    prop_assert_eq!(today.token_id(), former.token_id.as_deref());
    prop_assert_eq!(today.session_id(), former.session_id.as_deref());
    prop_assert_eq!(today.acr(), former.acr.as_deref());
    let audience = former.audience.as_ref().map(|list| list.iter().map(|name| &**name).collect::<Vec<_>>());
    prop_assert_eq!(today.audience().map(Iterator::collect::<Vec<_>>), audience);
    prop_assert_eq!(
        (today.expires_at, today.not_before, today.issued_at, today.auth_time),
        (former.expires_at, former.not_before, former.issued_at, former.auth_time)
    );
    prop_assert_eq!(
        (today.user_generation, today.issuer_generation, today.is_logout_token, today.sender_constrained),
        (former.user_generation, former.issuer_generation, former.is_logout_token, former.sender_constrained)
    );
    prop_assert_eq!(&today.to_map(), former.as_map());
    prop_assert_eq!(&today.deserialize::<Map<String, Value>>().unwrap(), former.as_map());
    prop_assert_eq!(format!("{today:?}").len(), format!("{former:?}").len());
    for name in NAMES {
        prop_assert_eq!(today.get(name), former.get(name));
        prop_assert_eq!(today.find(name).is_some(), former.get(name).is_some());
        if let (Some(value), Some(former)) = (today.find(name), former.get(name)) {
            compare_values(value, former)?;
        }
    }
    let amr = former.as_map().get("amr");
    let amr = amr.and_then(Value::as_array).into_iter().flatten().chain(amr).filter_map(Value::as_str);
    prop_assert_eq!(today.amr().collect::<Vec<_>>(), amr.collect::<Vec<_>>());
    Ok(())
}

/// A value as it is in the token, in each form in which rules and principals ask for it.
fn compare_values(today: Json<'_>, former: &Value) -> Result<(), TestCaseError> {
    prop_assert_eq!(today.as_str(), former.as_str());
    prop_assert_eq!(today.as_bool(), former.as_bool());
    prop_assert_eq!(today.is_null(), former.is_null());
    prop_assert_eq!(today.number(), former.as_number().cloned());
    prop_assert_eq!((today.is_array(), today.is_object()), (former.is_array(), former.is_object()));
    prop_assert!(today.equals(former));
    let list = former.as_array().map_or(&[][..], Vec::as_slice);
    prop_assert_eq!(today.elements().count(), list.len());
    for (element, former) in today.elements().zip(list) {
        compare_values(element, former)?;
    }
    prop_assert_eq!(today.named_members().count(), former.as_object().map_or(0, Map::len));
    for (name, former) in former.as_object().into_iter().flatten() {
        let member = today.get(name).ok_or_else(|| TestCaseError::fail(format!("no {name:?}")))?;
        compare_values(member, former)?;
    }
    Ok(())
}

/// Which names a token has, by the question that rules ask, and which it has not.
fn compare_held(today: &VerifiedToken, former: &[Vec<Box<str>>; 3]) -> Result<(), TestCaseError> {
    const OTHERS: [&str; 8] = ["r", "s", "t", "p", "admin", "name-3", "name-33", "orders r"];
    let (claims, names) = (today.claims(), today.held_names().map_err(TestCaseError::fail)?);
    let asked = former.iter().flatten().map(|name| &**name).chain(NAMES).chain(OTHERS);
    for name in asked {
        for (list, former) in
            [NameList::Roles, NameList::Scopes, NameList::Permissions].into_iter().zip(former)
        {
            let is_held = former.iter().any(|held| **held == *name);
            prop_assert_eq!(names.has(list, name, claims), is_held, "{:?} in {:?}", name, list);
        }
    }
    Ok(())
}

fn compare(
    today: &VerifiedToken,
    former: &oracle::Token,
    issuer: Option<&Issuer>,
) -> Result<(), TestCaseError> {
    let claims = today.claims();
    compare_claims(claims, &former.claims)?;
    prop_assert_eq!(today.subject(), former.subject.as_deref());
    let names = today.names().map(|names| [names.roles, names.scopes, names.permissions]);
    // The members of an object had the order of `serde_json`, which depends on its features.
    let are_keys = issuer.map(Issuer::lists).map(|lists| lists.map(Lists::reads_keys)).unwrap_or_default();
    let sorted = |mut names: [Vec<Box<str>>; 3]| {
        names.iter_mut().zip(are_keys).filter(|(_, are_keys)| *are_keys).for_each(|(list, _)| list.sort());
        names
    };
    prop_assert_eq!(names.map(sorted).map_err(drop), former.names.clone().map(sorted));
    former.names.as_ref().map_or(Ok(()), |names| compare_held(today, names))
}

/// One issuer, whose payload is read after the signature, and two, of which the payload chooses one before it.
#[test]
fn both_readers_accept_the_same_and_read_the_same() {
    let counts = RefCell::new(BTreeMap::<&str, u32>::new());
    let issuers = (issuer("i"), issuer("j"), any::<bool>());
    let payloads = prop::collection::vec(payload(), 8);
    runner(750)
        .run(&(issuers, payloads), |((one, other, alone), payloads)| {
            let issuers = if alone { vec![one] } else { vec![one, other] };
            let verifier = verifier(&issuers);
            for payload in payloads {
                let today = verifier.verify(&signed(br#"{"alg":"HS256"}"#, &payload));
                let shown = || format!("{} for {issuers:?}", String::from_utf8_lossy(&payload));
                let class = match (today, oracle::read(&issuers, &payload)) {
                    (Ok(today), Ok(former)) => {
                        let issuer = |issuer: &&Issuer| former.claims.issuer.as_deref() == Some(issuer.name);
                        compare(&today, &former, issuers.iter().find(issuer))
                            .map_err(|error| TestCaseError::fail(format!("{error}: {}", shown())))?;
                        match (former.names.is_ok(), alone) {
                            (true, true) => "accepted, alone",
                            (true, false) => "accepted, of two",
                            (false, _) => "accepted, with invalid names",
                        }
                    }
                    (Err(today), Err(former)) => {
                        let is_same = today == former || (is_of_payload(&today) && is_of_payload(&former));
                        // Of two issuers, one was chosen before all of the payload was read.
                        let is_read_first = !alone
                            && today == VerifyError::Malformed("the claims are not one strict JSON object")
                            && !oracle::is_strict(&payload);
                        prop_assert!(is_same || is_read_first, "{} and {}: {}", today, former, shown());
                        if is_of_payload(&today) { "rejected payload" } else { "rejected by the issuer" }
                    }
                    (today, former) => {
                        let (today, former) = (today.err(), former.err());
                        return Err(TestCaseError::fail(format!(
                            "today {today:?}, formerly {former:?}: {}",
                            shown()
                        )));
                    }
                };
                *counts.borrow_mut().entry(class).or_default() += 1;
            }
            Ok(())
        })
        .unwrap();
    let counts = counts.into_inner();
    for class in [
        "accepted, alone",
        "accepted, of two",
        "accepted, with invalid names",
        "rejected payload",
        "rejected by the issuer",
    ] {
        assert!(counts.get(class).is_some_and(|count| *count > times(100)), "{class}: {counts:?}");
    }
}
