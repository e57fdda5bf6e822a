//! Keys that are replaced while requests are served: which tokens are accepted then, and which need not be verified again.

mod simultaneous;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use auth_runtime::Auth;
use auth_runtime::rejection::CallerErrorKind;
use auth_runtime::session::{SigningKey, SigningKeys};
use auth_runtime::testing::TestClock;
use auth_runtime::verify::{Algorithm, Key, KeySet, TrustedIssuer};
use serde_json::{Value, json};

use crate::captured_log::CapturedLog;
use crate::support::people::{AUDIENCE, ISSUER, People, issuer, signing_key};

const ONE: &str = "https://one.test";
const OTHER: &str = "https://other.test";
/// The time of a new `TestClock`.
const NOW: i64 = 1_800_000_000;

fn key(id: &str) -> SigningKey {
    SigningKey::generate(Algorithm::ES256).unwrap().with_id(id)
}

/// The public key as a JWK, as an issuer publishes it.
pub(crate) fn jwk(key: &SigningKey) -> Value {
    let auth = Auth::builder().token_issuer(
        auth_runtime::session::TokenIssuer::new("any", "any", key.clone(), People::default())
            .refresh_key(auth_runtime::session::RefreshKey::new("k1", [1; 32])),
    );
    let published: Value = serde_json::from_str(&auth.build().unwrap().tokens().unwrap().key_set()).unwrap();
    published["keys"][0].clone()
}

fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

fn trusted(name: &str, keys: &[&SigningKey]) -> TrustedIssuer {
    let issuer = TrustedIssuer::new(name).audience(AUDIENCE);
    keys.iter().fold(issuer, |issuer, key| issuer.key(key.verifying_key()))
}

fn engine(issuers: impl IntoIterator<Item = TrustedIssuer>) -> Auth {
    let builder = Auth::builder().clock(TestClock::new());
    issuers.into_iter().fold(builder, |builder, issuer| builder.issuer(issuer)).build().unwrap()
}

fn token(key: &SigningKey, issuer: &str) -> String {
    key.sign(&json!({"iss": issuer, "aud": AUDIENCE, "sub": "alice", "exp": NOW + 600})).unwrap()
}

/// The answer to a token, and whether the token was remembered.
type Answer = (Result<(), CallerErrorKind>, bool);

/// What `verify` says, which waits for nothing, and whether the token was remembered: then nothing is allocated.
fn verify(auth: &Auth, token: &str) -> Answer {
    let mut result = Ok(());
    let mut is_known = false;
    let info = measure(|| {
        let verified = pin!(auth.verify(token)).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(verified) = verified else { panic!("it waits") };
        is_known = verified.is_ok();
        result = verified.map(drop).map_err(|error| error.kind());
    });
    (result, is_known && info.count_total == 0)
}

const REMEMBERED: Answer = (Ok(()), true);
const VERIFIED_ANEW: Answer = (Ok(()), false);
const REFUSED: Answer = (Err(CallerErrorKind::Invalid), false);

#[test]
fn only_the_tokens_of_keys_that_went_or_changed_are_verified_again() {
    let [a, b, c] = [key("a"), key("b"), key("c")];
    let again = key("b");
    let mut renamed = jwk(&b);
    renamed["kid"] = "b2".into();
    let rows: [(&str, String, [Answer; 2]); 7] = [
        ("the same keys", set(&[jwk(&a), jwk(&b)]), [REMEMBERED, REMEMBERED]),
        ("in another order", set(&[jwk(&b), jwk(&a)]), [REMEMBERED, REMEMBERED]),
        ("one more", set(&[jwk(&c), jwk(&a), jwk(&b)]), [REMEMBERED, REMEMBERED]),
        ("one less", set(&[jwk(&a)]), [REMEMBERED, REFUSED]),
        ("another key of that id", set(&[jwk(&a), jwk(&again)]), [REMEMBERED, REFUSED]),
        ("the key by another id", set(&[jwk(&a), renamed]), [REMEMBERED, REFUSED]),
        ("none of them", set(&[jwk(&c)]), [REFUSED, REFUSED]),
    ];
    for (what, keys, expected) in rows {
        let auth = engine([trusted(ONE, &[&a, &b]), trusted(OTHER, &[&a])]);
        let [of_a, of_b, of_other] = [token(&a, ONE), token(&b, ONE), token(&a, OTHER)];
        for text in [&of_a, &of_b, &of_other] {
            assert_eq!([verify(&auth, text), verify(&auth, text)], [VERIFIED_ANEW, REMEMBERED]);
        }
        auth.replace_keys(ONE, keys).unwrap();
        assert_eq!([verify(&auth, &of_a), verify(&auth, &of_b)], expected, "{what}");
        assert_eq!(verify(&auth, &of_other), REMEMBERED, "{what}: the issuer with the same key");
    }
}

#[test]
fn a_key_that_was_added_is_accepted_and_one_that_came_back_is_too() {
    let [a, b] = [key("a"), key("b")];
    let auth = engine([trusted(ONE, &[&a])]);
    let [of_a, of_b] = [token(&a, ONE), token(&b, ONE)];
    assert_eq!(verify(&auth, &of_b), REFUSED);
    auth.replace_keys(ONE, set(&[jwk(&a), jwk(&b)])).unwrap();
    assert_eq!([verify(&auth, &of_a), verify(&auth, &of_b)], [VERIFIED_ANEW; 2]);
    auth.replace_keys(ONE, b.verifying_key()).unwrap();
    assert_eq!([verify(&auth, &of_a), verify(&auth, &of_b)], [REFUSED, REMEMBERED]);
    auth.replace_keys(ONE, KeySet::new().key(b.verifying_key()).jwks(set(&[jwk(&a)]))).unwrap();
    assert_eq!([verify(&auth, &of_a), verify(&auth, &of_b)], [VERIFIED_ANEW, REMEMBERED]);
    // What was remembered before the key was withdrawn is not brought back.
    assert_eq!(verify(&auth, &of_a), REMEMBERED);
}

#[test]
fn what_can_not_replace_good_keys_changes_nothing_and_says_why() {
    let a = key("a");
    let own = issuer(&People::default());
    let auth = Auth::builder().clock(TestClock::new()).token_issuer(own).issuer(trusted(ONE, &[&a]));
    let auth = auth.build().unwrap();
    let of_a = token(&a, ONE);
    assert_eq!(verify(&auth, &of_a), VERIFIED_ANEW);
    let broken = json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"});
    let mut with_private = jwk(&key("p"));
    with_private["d"] = "AA".into();
    let secret = json!({"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"});
    let short = Key::secret(Algorithm::HS256, [1; 8]);
    let rows: [(&str, KeySet, &[&str]); 9] = [
        (ONE, KeySet::new(), &["issuer `https://one.test`: the new key set is empty"]),
        (ONE, set(&[]).into(), &["the JWKS has no usable key: it is empty"]),
        (ONE, "".into(), &["this is not a JWKS"]),
        (ONE, "<html>502 Bad Gateway</html>".into(), &["this is not a JWKS"]),
        (ONE, jwk(&a).to_string().into(), &["this is not a JWKS"]),
        (
            ONE,
            set(&[broken, with_private, secret]).into(),
            &[
                "key 0: a key on this curve",
                "key 1: it contains private parts",
                "key 2: a set of public keys must not",
            ],
        ),
        // One that is good does not excuse one that the code itself names.
        (ONE, KeySet::from(a.verifying_key()).key(short), &["key 2, a secret for HS256: the secret"]),
        (
            "https://one.test/",
            set(&[jwk(&a)]).into(),
            &["`https://one.test/` is not an issuer of this engine, which has issuer `https://one.test`"],
        ),
        (
            ISSUER,
            set(&[jwk(&a)]).into(),
            &["is the engine's own token issuer", "call `rotate_keys` of `Auth::tokens()`"],
        ),
    ];
    for (name, keys, expected) in rows {
        let error = auth.replace_keys(name, keys).unwrap_err().to_string();
        assert!(error.starts_with("the keys of the issuer can't be replaced:"), "{error}");
        for part in expected {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert_eq!(verify(&auth, &of_a), REMEMBERED, "{error}");
    }
    let error = auth.replace_keys_of_unnamed_issuer(set(&[jwk(&a)])).unwrap_err().to_string();
    assert!(error.contains("an issuer without a name is not an issuer of this engine"), "{error}");
}

#[test]
fn a_key_that_can_not_be_used_is_skipped_and_logged() {
    let [a, b] = [key("a"), key("b")];
    let auth = engine([trusted(ONE, &[&a])]);
    let log = CapturedLog::start(tracing::Level::INFO);
    let unknown = json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"});
    auth.replace_keys(ONE, set(&[unknown, jwk(&b)])).unwrap();
    let text = log.text();
    for part in
        ["WARN", "a key of the JWKS is not used", "issuer `https://one.test`", "index=0", r#"type \"AKP\""#]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    for part in ["INFO", "the keys of an issuer were replaced", "keys=1", "withdrawn=1"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(verify(&auth, &token(&b, ONE)), VERIFIED_ANEW);
}

#[test]
fn the_settings_of_the_issuer_apply_to_its_new_keys() {
    let a = key("a");
    let mut without_alg = jwk(&a);
    without_alg.as_object_mut().unwrap().remove("alg");
    let issuer = || TrustedIssuer::new(ONE).audience(AUDIENCE).jwks(set(&[jwk(&a)]));
    // The algorithms of the keys of a set.
    let other = SigningKey::generate(Algorithm::ES384).unwrap();
    let of_other = TrustedIssuer::new(ONE).audience(AUDIENCE).jwks(set(&[jwk(&other)]));
    let restricted = engine([of_other.jwks_algorithms([Algorithm::ES384])]);
    for (jwk, expected) in [
        (without_alg.clone(), "a key on this curve is for ES256"),
        (jwk(&a), "its `alg` is ES256, which `jwks_algorithms` does not name"),
    ] {
        let error = restricted.replace_keys(ONE, set(&[jwk])).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    restricted.replace_keys(ONE, a.verifying_key()).expect("a single key has its own algorithm");
    let auth = engine([issuer().jwks_algorithms([Algorithm::ES256])]);
    engine([issuer()]).replace_keys(ONE, set(&[without_alg])).unwrap();
    // They are not needed for single keys.
    auth.replace_keys(ONE, a.verifying_key()).unwrap();
    // A token is tried with 16 keys.
    let keys: Vec<SigningKey> = (0..17).map(|_| key("same")).collect();
    auth.replace_keys(ONE, set(&keys.iter().map(jwk).collect::<Vec<_>>())).unwrap();
    assert_eq!(verify(&auth, &token(&keys[15], ONE)), VERIFIED_ANEW);
    assert_eq!(verify(&auth, &token(&keys[16], ONE)), REFUSED);
}

#[test]
fn the_issuer_without_a_name_has_a_method_of_its_own() {
    let [a, b] = [key("a"), key("b")];
    for (issuer, claim) in [
        (TrustedIssuer::dangerously_accept_any_issuer(), Some("anyone")),
        (TrustedIssuer::dangerously_expect_no_issuer(), None),
    ] {
        let auth = engine([issuer.audience(AUDIENCE).key(a.verifying_key())]);
        let mut claims = json!({"aud": AUDIENCE, "sub": "alice", "exp": NOW + 600});
        if let Some(claim) = claim {
            claims["iss"] = claim.into();
        }
        let [of_a, of_b] = [&a, &b].map(|key| key.sign(&claims).unwrap());
        assert_eq!([verify(&auth, &of_a), verify(&auth, &of_b)], [VERIFIED_ANEW, REFUSED]);
        let error = auth.replace_keys("", b.verifying_key()).unwrap_err().to_string();
        assert!(error.contains("or call `replace_keys_of_unnamed_issuer`"), "{error}");
        auth.replace_keys_of_unnamed_issuer(b.verifying_key()).unwrap();
        assert_eq!([verify(&auth, &of_a), verify(&auth, &of_b)], [REFUSED, VERIFIED_ANEW]);
    }
}

#[test]
fn the_own_issuer_forgets_the_tokens_of_a_withdrawn_key_alone() {
    let auth =
        Auth::builder().clock(TestClock::new()).token_issuer(issuer(&People::default())).build().unwrap();
    let tokens = auth.tokens().unwrap();
    let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": NOW + 600});
    let [one, two] = [1, 2].map(|number| signing_key(number).sign(&claims).unwrap());
    assert_eq!([verify(&auth, &one), verify(&auth, &one)], [VERIFIED_ANEW, REMEMBERED]);
    let keys = |signs: u8, also: u8| {
        SigningKeys::new(signing_key(signs)).also_accept(signing_key(also).verifying_key())
    };
    tokens.rotate_keys(keys(1, 2)).unwrap();
    assert_eq!([verify(&auth, &one), verify(&auth, &two)], [REMEMBERED, VERIFIED_ANEW]);
    tokens.rotate_keys(keys(2, 1)).unwrap();
    assert_eq!([verify(&auth, &one), verify(&auth, &two)], [REMEMBERED, REMEMBERED]);
    tokens.rotate_keys(keys(2, 3)).unwrap();
    assert_eq!([verify(&auth, &one), verify(&auth, &two)], [REFUSED, REMEMBERED]);
}

#[test]
fn debug_shows_no_key() {
    let set = KeySet::from(r#"{"keys":["hidden"]}"#)
        .key(Key::secret(Algorithm::HS256, *b"hidden-hidden-hidden-hidden-hid!"));
    let text = format!("{set:?}");
    assert!(!text.contains("hidden") && !text.contains("104"), "{text}");
}

/// The work is in proportion to the number of keys: a set of 200 keys is compared with another one of 200.
#[test]
fn keys_are_not_compared_in_pairs() {
    let set_of = |count: usize| {
        let keys: Vec<Value> = (0..count).map(|index| jwk(&key(&index.to_string()))).collect();
        set(&keys)
    };
    let cost = |count: usize| {
        let (first, second) = (set_of(count), set_of(count));
        let auth = engine([TrustedIssuer::new(ONE).audience(AUDIENCE).jwks(first)]);
        measure(|| auth.replace_keys(ONE, second.clone()).unwrap()).count_total
    };
    let (few, many) = (cost(50), cost(200));
    assert!(many < 6 * few, "{few} {many}");
}
