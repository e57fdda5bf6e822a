//! What types of `serde` get of the claims. All of it holds with every feature of `serde_json`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::verify::TokenClaims;

fn claims(text: &str) -> TokenClaims {
    TokenClaims::from_json(text.as_bytes()).unwrap()
}

#[derive(Debug, PartialEq, Deserialize)]
struct One<T> {
    a: T,
}

/// The value of this text as a type.
fn read<T: DeserializeOwned>(value: &str) -> Result<T, String> {
    let read = claims(&format!(r#"{{"a":{value}}}"#)).deserialize::<One<T>>();
    read.map(|one| one.a).map_err(|error| error.to_string())
}

/// Shows that the texts are this value, and that a tree of `serde_json` means the same.
fn all_are<T: DeserializeOwned + PartialEq + Debug>(texts: &[&str], expected: &T) {
    for text in texts {
        assert_eq!(read::<T>(text).as_ref(), Ok(expected), "{text}");
        let tree: Value = serde_json::from_str(text).unwrap();
        assert_eq!(&serde_json::from_value::<T>(tree).unwrap(), expected, "{text}");
    }
}

/// Shows that the texts are no values of a type, nor are their trees.
fn none_is<T: DeserializeOwned + Debug>(texts: &[&str]) {
    for text in texts {
        assert!(read::<T>(text).is_err(), "{text}");
        assert!(serde_json::from_value::<T>(serde_json::from_str(text).unwrap()).is_err(), "{text}");
    }
}

#[derive(Debug, PartialEq, Deserialize)]
struct Account {
    sub: String,
    #[serde(flatten)]
    details: Details,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Details {
    rating: f64,
    whole: f64,
    debt: i64,
    count: u64,
    note: Option<String>,
    absent: Option<u32>,
    plan: Plan,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Plan {
    Free,
    Paid(f64),
    Pair(u8, String),
    Named { name: String, until: Option<u64> },
}

#[test]
fn flattened_fields_are_read() {
    let text = r#"{"sub":"alice","rating":4.5,"whole":4,"debt":-3,"count":18446744073709551615,"note":null,
        "plan":{"paid":9.99},"more":[1.5,{"x":-0}],"large":18446744073709551616}"#;
    let claims = claims(text);
    let account: Account = claims.deserialize().unwrap();
    let details = Details {
        rating: 4.5,
        whole: 4.0,
        debt: -3,
        count: u64::MAX,
        note: None,
        absent: None,
        plan: Plan::Paid(9.99),
    };
    assert_eq!((account.sub.as_str(), account.details), ("alice", details));
    assert_eq!(account.rest.len(), 2);
    for (name, value) in &account.rest {
        assert_eq!(Some(value), claims.get(name), "{name}");
    }
}

#[test]
fn a_number_is_the_same_in_a_map_as_alone() {
    for number in [
        "0",
        "-0",
        "0.0",
        "1",
        "-1",
        "1.5",
        "1E+5",
        "1e-999",
        "9007199254740993",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "1e308",
    ] {
        let claims = claims(&format!(r#"{{"n":{number},"list":[{number}]}}"#));
        let map: Map<String, Value> = claims.deserialize().unwrap();
        assert_eq!((map.get("n"), map.get("list")), (claims.get("n"), claims.get("list")), "{number}");
        assert_eq!(map, claims.to_map());
    }
}

#[test]
fn numbers_have_the_types_that_hold_them() {
    all_are(&["255"], &255_u8);
    all_are(&["-128"], &-128_i8);
    all_are(&["1", "1.0", "1e0"], &1.0_f64);
    all_are(&["0.5"], &0.5_f32);
    all_are(&["18446744073709551615"], &u64::MAX);
    all_are(&["18446744073709551615"], &u128::from(u64::MAX));
    all_are(&["-9223372036854775808"], &i128::from(i64::MIN));
    // A tree of `serde_json` has rounded these, unless a feature keeps their text.
    assert_eq!(read("340282366920938463463374607431768211455"), Ok(u128::MAX));
    assert_eq!(read("-170141183460469231731687303715884105728"), Ok(i128::MIN));
    none_is::<u8>(&["256", "-1", "1.0", "\"1\"", "null", "true"]);
    none_is::<i64>(&["9223372036854775808", "1e0"]);
    // A feature of `serde_json` makes an integer of minus zero in a tree.
    assert!(read::<i64>("-0").is_err() && read::<u8>("-0").is_err() && read::<i128>("-0").is_err());
    for text in ["-1", "-0", "1.0", "1e3", "340282366920938463463374607431768211456"] {
        assert!(read::<u128>(text).is_err(), "{text}");
    }
    assert_eq!(read::<f64>("18446744073709551616"), Ok(18_446_744_073_709_551_616.0));
    assert!(read::<f64>("-0").is_ok_and(|zero| zero == 0.0 && zero.is_sign_negative()));
}

#[test]
fn options_units_and_newtypes_are_read() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Id(u64);
    #[derive(Debug, PartialEq, Deserialize)]
    struct Nothing;

    all_are(&["null"], &None::<u64>);
    all_are(&["7"], &Some(7_u64));
    all_are(&["null"], &());
    all_are(&["null"], &Nothing);
    all_are(&["7"], &Id(7));
    all_are(&["7"], &Some(Id(7)));
    all_are(&["true"], &true);
    all_are(&["\"é\"", r#""\u00e9""#], &'é');
    all_are(&[r#"[1,"x"]"#], &(1_u8, "x".to_owned()));
    all_are(&["[[1,2],[3,4]]"], &[[1_u8, 2], [3, 4]]);
    all_are(&["[null,1]"], &vec![None, Some(1)]);
    none_is::<()>(&["0", "{}", "[]", "\"\""]);
    none_is::<(u8, u8)>(&["[1]", "[1,2,3]", "{}", "1"]);
    none_is::<bool>(&["0", "\"true\"", "null"]);
}

#[test]
fn variants_are_strings_or_objects_with_one_member() {
    all_are(&[r#""free""#, r#""fr\u0065e""#, r#"{"free":null}"#], &Plan::Free);
    all_are(&[r#"{"paid":1.5}"#, r#"{"p\u0061id":1.5}"#], &Plan::Paid(1.5));
    all_are(&[r#"{"pair":[1,"x"]}"#], &Plan::Pair(1, "x".into()));
    let named = Plan::Named { name: "x".into(), until: Some(7) };
    all_are(&[r#"{"named":{"until":7,"name":"x"}}"#], &named);
    none_is::<Plan>(&[
        "null",
        "1",
        "[]",
        "{}",
        r#""other""#,
        r#""paid""#,
        r#"{"free":1}"#,
        r#"{"paid":1.5,"free":null}"#,
        r#"{"pair":[1]}"#,
        r#"{"pair":[1,"x",2]}"#,
        r#"{"named":{"until":7}}"#,
    ]);
}

#[test]
fn keys_of_maps_can_be_numbers_in_their_one_form() {
    all_are(&[r#"{"7":1,"-3":2}"#], &BTreeMap::from([(7_i64, 1), (-3, 2)]));
    all_are(&[r#"{"true":1}"#], &BTreeMap::from([(true, 1)]));
    all_are(&[r#"{"a":1,"\n":2}"#], &BTreeMap::from([("a".to_owned(), 1), ("\n".to_owned(), 2)]));
    none_is::<BTreeMap<u8, u8>>(&[r#"{"a":1}"#, r#"{"256":1}"#, r#"{"1.0":1}"#, r#"{"":1}"#]);
    for two_forms in [r#"{"7":1,"07":2}"#, r#"{"7":1,"+7":2}"#] {
        assert!(read::<BTreeMap<u8, u8>>(two_forms).is_err(), "{two_forms}");
    }
}

#[test]
fn strings_are_borrowed_also_those_that_had_escapes() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Borrowed<'a> {
        plain: &'a str,
        escaped: &'a str,
        #[serde(borrow)]
        cow: Cow<'a, str>,
    }

    let claims = claims(r#"{"plain":"abc","escaped":"a\n\u00e9","cow":"x"}"#);
    let borrowed: Borrowed<'_> = claims.deserialize().unwrap();
    assert_eq!((borrowed.plain, borrowed.escaped), ("abc", "a\né"));
    assert!(matches!(borrowed.cow, Cow::Borrowed("x")));
}

#[test]
fn raw_values_are_the_text_of_the_claims() {
    for (value, raw) in [
        ("1.50", "1.50"),
        ("18446744073709551616", "18446744073709551616"),
        ("[ 1, {\"a\" : -0} ]", "[ 1, {\"a\" : -0} ]"),
        (r#""plain""#, r#""plain""#),
        // Strings are kept without their escapes.
        (r#""\u0061\n\"""#, r#""a\n\"""#),
        ("null", "null"),
    ] {
        assert_eq!(read::<Box<RawValue>>(value).map(|read| read.get().to_owned()), Ok(raw.to_owned()));
    }
}

#[test]
fn errors_name_the_field_and_no_place_in_the_text() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        #[allow(dead_code, reason = "read alone")]
        sub: String,
    }

    let error = |text: &str| claims(text).deserialize::<Strict>().unwrap_err().to_string();
    assert_eq!(error("{}"), "missing field `sub`");
    assert_eq!(error(r#"{"sub":"a","x":1}"#), "unknown field `x`, expected `sub`");
    assert_eq!(read::<u8>("\"x\""), Err("invalid type: string \"x\", expected u8".into()));
    assert_eq!(read::<u8>("256"), Err("invalid value: integer `256`, expected u8".into()));
    assert_eq!(read::<(u8, u8)>("[1,2,3]").unwrap_err(), "invalid length 3, expected 2 elements in sequence");
    assert_eq!(
        read::<Plan>("{}").unwrap_err(),
        "invalid value: map, expected an object with a single member"
    );
    assert_eq!(read::<Plan>("1").unwrap_err(), "invalid type: integer `1`, expected string or object");
}

#[test]
fn a_tree_is_what_is_read_of_any_value() {
    let text = r#"{"a":[null,true,false,"x\n",{"b":{},"c":[[]]}],"d":{"e":-7,"f":0.25}}"#;
    let expected = json!({"a":[null,true,false,"x\n",{"b":{},"c":[[]]}],"d":{"e":-7,"f":0.25}});
    assert_eq!(claims(text).deserialize::<Value>().unwrap(), expected);
}
