use std::collections::BTreeMap;
use std::error::Error as _;

use serde::{Deserialize, Serialize};

use super::*;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Cart {
    items: Vec<u8>,
}

impl SessionValue for Cart {
    const NAME: &'static str = "cart";
}

/// A later version of it.
#[derive(Debug, Serialize, Deserialize)]
struct LaterCart {
    items: Vec<u8>,
    voucher: String,
}

impl SessionValue for LaterCart {
    const NAME: &'static str = "cart";
}

#[derive(Debug, Serialize, Deserialize)]
struct Points(BTreeMap<(u8, u8), u8>);

impl SessionValue for Points {
    const NAME: &'static str = "points";
}

fn with(name: &str, text: &str) -> StoredSessionData {
    let mut data = StoredSessionData::default();
    data.set(name, Some(text.into()));
    data
}

#[test]
fn each_value_is_written_and_removed_by_itself() {
    let mut data = with("theme", "\"dark\"");
    write_value(&mut data, Some(&Cart { items: vec![1, 2] })).unwrap();
    assert_eq!(read_value(&data).unwrap(), Some(Cart { items: vec![1, 2] }));
    write_value::<Cart>(&mut data, None).unwrap();
    assert_eq!(read_value::<Cart>(&data).unwrap(), None);
    assert_eq!(data, with("theme", "\"dark\""));
}

#[test]
fn an_error_names_the_value_and_the_type_and_quotes_nothing() {
    for (text, place) in [
        (r#"{"items":"hunter2"}"#, "another type at line 1 column 18"),
        (r#"{"items":[1,2,"hunter2"]}"#, "another type at line 1 column 23"),
        (r#""hunter2""#, "another type at line 1 column 9"),
        (r#"{"hunter2":1}"#, "missing field `items` at line 1 column 13"),
    ] {
        let error = read_value::<Cart>(&with("cart", text)).unwrap_err();
        let (shown, debugged) = (error.to_string(), format!("{error:?}"));
        assert!(shown.contains(place) && shown.contains("`cart`"), "{shown}");
        assert!(shown.contains(type_name::<Cart>()), "{shown}");
        assert!(!shown.contains("hunter2") && !debugged.contains("hunter2"), "{shown} {debugged}");
        assert!(error.source().is_none());
    }
    let error = read_value::<LaterCart>(&with("cart", r#"{"items":[]}"#)).unwrap_err().to_string();
    assert!(error.contains("missing field `voucher`") && error.contains("#[serde(default)]"), "{error}");
}

#[test]
fn a_value_that_is_no_json_is_an_error_and_changes_nothing() {
    let mut data = with("points", "1");
    let points = Points(BTreeMap::from([((1, 2), 3)]));
    let error = SessionDataError::from(write_value(&mut data, Some(&points)).unwrap_err());
    assert!(error.to_string().contains("`points`") && error.to_string().contains("key must be a string"));
    assert!(error.to_string().contains(type_name::<Points>()), "{error}");
    assert_eq!(data, with("points", "1"));
}

/// Its `Serialize` says what is in it.
#[derive(Debug, Clone, Deserialize)]
struct Card(String);

impl Serialize for Card {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom(format!("bad card {}", self.0)))
    }
}

impl SessionValue for Card {
    const NAME: &'static str = "card";
}

#[test]
fn what_a_serialize_says_is_not_said() {
    let mut data = with("card", "\"hunter2\"");
    let set = write_value(&mut data, Some(&Card("hunter2".into()))).map_err(SessionDataError::from);
    let updated = update_value(&mut data, |card: &mut Option<Card>| card.clone()).map(drop);
    for failed in [set, updated] {
        let error = failed.unwrap_err();
        let (shown, debugged) = (error.to_string(), format!("{error:?}"));
        assert!(shown.contains("`card`") && shown.contains(type_name::<Card>()), "{shown}");
        assert!(shown.contains("its `Serialize` fails"), "{shown}");
        assert!(!shown.contains("hunter2") && !debugged.contains("hunter2"), "{shown} {debugged}");
        assert!(error.source().is_none());
    }
    assert_eq!(data, with("card", "\"hunter2\""));
}

/// A later version of the service has written what this one does not know.
#[test]
fn what_leaves_a_value_as_it_was_keeps_members_that_it_does_not_know() {
    let later = r#"{"voucher":"x","items":[1]}"#;
    let mut data = with("cart", later);
    let count = |cart: &mut Option<Cart>| cart.as_ref().map(|cart| cart.items.len());
    assert_eq!(update_value(&mut data, count).unwrap(), Some(1));
    assert_eq!(data, with("cart", later));
    update_value(&mut data, |cart: &mut Option<Cart>| cart.as_mut().unwrap().items.push(2)).unwrap();
    assert_eq!(data, with("cart", r#"{"items":[1,2]}"#));
    assert_eq!(update_value(&mut data, Option::<Cart>::take).unwrap(), Some(Cart { items: vec![1, 2] }));
    assert_eq!(data, StoredSessionData::default());
}

#[test]
fn more_than_the_maximum_is_refused_and_less_than_before_is_not() {
    let sized = |bytes: usize| with("", &"x".repeat(bytes));
    let refused = |before, after, max| check_size(&sized(before), &sized(after), max).is_err();
    assert!(!refused(0, 10, 10));
    assert!(refused(0, 11, 10));
    assert!(refused(10, 11, 10));
    assert!(refused(0, 1, 0));
    // The maximum was lowered.
    assert!(!refused(20, 19, 10));
    assert!(!refused(20, 20, 10));
    assert!(refused(20, 21, 10));
    let error = check_size(&sized(0), &sized(11), 10).unwrap_err().to_string();
    assert!(error.contains("11 bytes") && error.contains("10 is the maximum"), "{error}");
    assert!(error.contains("max_session_data"), "{error}");
}

#[test]
fn each_error_has_its_answer() {
    let answers = [
        (StoreError::new("the disk is full").into(), 503),
        (SessionDataError::Ended, 401),
        (SessionDataError::NoSession, 403),
        (SessionDataError::TooLarge { bytes: 2, max: 1 }, 500),
    ];
    for (error, status) in answers {
        let text = error.to_string();
        let mut rejection = Rejection::from(error);
        assert_eq!(rejection.status(), status, "{text}");
        assert_eq!(rejection.take_reason().as_deref(), Some(&*text));
    }
}
