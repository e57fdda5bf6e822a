//! The header is read by the reader of the claims: what the one refuses, the other refuses.

use auth_tests_random::{runner, times};
use proptest::prelude::*;

use super::strict::signed;
use super::{any_claims, verify};
use crate::verify::{Algorithm, JwtVerifier, Key, TokenClaims, VerifyError};

const MALFORMED: VerifyError = VerifyError::Malformed("the header is not one strict JSON object");

fn hs256() -> JwtVerifier {
    any_claims(Key::secret(Algorithm::HS256, super::strict::SECRET))
}

/// The header and the claims with a member that nothing uses.
fn both(member: &str) -> (Option<VerifyError>, Option<VerifyError>) {
    let header = format!(r#"{{"alg":"HS256",{member}}}"#);
    let by_header = verify(&hs256(), &signed(header.as_bytes(), b"{}")).err();
    let by_claims = TokenClaims::from_json(format!("{{{member}}}").as_bytes()).err();
    (by_header, by_claims)
}

/// RFC 8725 §2.4, RFC 7515 §4.
#[test]
fn members_that_nothing_uses_are_read_strictly() {
    let nested = |depth: usize| format!(r#""x":{}1{}"#, "[".repeat(depth), "]".repeat(depth));
    let members = |count: usize| {
        let members: Vec<_> = (0..count).map(|index| format!(r#""{index}":1"#)).collect();
        format!(r#""x":{{{}}}"#, members.join(","))
    };
    let many: Vec<_> = (0..300).map(|index| format!(r#""{index}":1"#)).collect();
    for member in [
        r#""x":{"y":1,"y":2}"#,
        r#""x":[{"y":1,"\u0079":1}]"#,
        r#""x":"\ud800""#,
        r#""x":["\udfff\ud800"]"#,
        r#""x":{"\ud800":1}"#,
        r#""x":1e999"#,
        r#""x":[-1e999]"#,
        r#""x":{"$serde_json::private::Number":"1"}"#,
        &nested(16),
        &nested(2_000),
        &members(257),
        &many.join(","),
    ] {
        let (by_header, by_claims) = both(member);
        assert_eq!(by_header, Some(MALFORMED), "{member}");
        assert!(by_claims.is_some(), "{member}");
    }
    for member in [
        r#""x":{"y":1,"z":{"y":2}}"#,
        r#""x":"\ud83d\ude00""#,
        r#""x":1e99"#,
        r#""x":123456789012345678901234567890"#,
        &nested(15),
        &members(256),
    ] {
        assert_eq!(both(member), (None, None), "{member}");
    }
}

#[test]
fn any_value_is_accepted_by_both_or_by_none() {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"a\"",
        "\"b\"",
        "\"\\u0061\"",
        "\"\\ud800\"",
        "\"\\n\"",
        "1",
        "-0.5",
        "1e999",
        "01",
        "true",
        "null",
        " ",
        "{\"a\":1,\"a\":1}",
        "{\"a\":1}",
        "[[]]",
    ]);
    let soup = prop::collection::vec(piece.clone(), 1..8).prop_map(|pieces| pieces.concat());
    let list = prop::collection::vec(piece.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(",")));
    let object = prop::collection::vec((piece.clone(), piece), 0..4).prop_map(|members| {
        let members: Vec<_> = members.into_iter().map(|(name, value)| format!("{name}:{value}")).collect();
        format!("{{{}}}", members.join(","))
    });
    let accepted = std::cell::Cell::new(0);
    runner(2_000)
        .run(&prop_oneof![soup, list, object], |value| {
            let (by_header, by_claims) = both(&format!(r#""x":{value}"#));
            prop_assert_eq!(by_header.is_none(), by_claims.is_none(), "{}", value);
            accepted.set(accepted.get() + u32::from(by_header.is_none()));
            Ok(())
        })
        .unwrap();
    assert!(accepted.get() > times(100), "{} were accepted", accepted.get());
}

/// draft-ietf-oauth-rfc8725bis-10 §3.14.
#[test]
fn a_token_has_no_character_but_those_of_base64url_and_dots() {
    let good = signed(br#"{"alg":"HS256"}"#, b"{}");
    assert!(verify(&hs256(), &good).is_ok());
    let others = ('\0'..='ÿ').filter(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.'));
    for other in others {
        for (index, old) in good.char_indices().filter(|(_, old)| *old != '.') {
            for width in [0, old.len_utf8()] {
                let bad = [&good[..index], &other.to_string(), &good[index + width..]].concat();
                assert!(verify(&hs256(), &bad).is_err(), "{other:?} at {index}");
            }
        }
    }
}
