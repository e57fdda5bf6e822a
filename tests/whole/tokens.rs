//! Tokens from outside: which are taken, which are not, and who their bearer then is.

mod again;
mod everybody;
mod forms;
mod frameworks;
mod log;

use std::time::Duration;

use auth_runtime::revocation::Revocation;
use auth_runtime::routing::get;
use auth_runtime::session::SigningKey;
use auth_runtime::source::CookieOptions;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::verify::{Algorithm, ClaimName, Key, TrustedIssuer};
use auth_runtime::{Auth, Principal, Router, auth};
use serde_json::{Value, json};

use crate::support::{base64url, get_as, request, send};

#[auth]
async fn who(user: Principal) -> String {
    let joined = |names: Vec<&str>| names.join(",");
    format!(
        "{} {} {} r={} s={} p={}",
        user.subject(),
        user.issuer().unwrap_or("-"),
        user.token_id().unwrap_or("-"),
        joined(user.roles().collect()),
        joined(user.scopes().collect()),
        joined(user.permissions().collect()),
    )
}

pub(super) fn app(auth: &Auth) -> axum::Router {
    Router::new().route("/", get(who)).finish(auth).unwrap()
}

async fn status(app: &axum::Router, token: &str) -> u16 {
    send(app, request("GET", "/", &[("authorization", &format!("Bearer {token}"))])).await.status.as_u16()
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

fn claims() -> Value {
    json!({ "iss": "https://id.example", "aud": "orders", "sub": "alice", "iat": now(), "exp": now() + 60 })
}

/// An RSA key pair in the forms that such keys come in. Made anew: no key lies in this repository.
struct Rsa {
    private_pem: String,
    public_pem: String,
    public_der: Vec<u8>,
    pkcs1_pem: String,
    jwk: Value,
}

impl Rsa {
    fn generate() -> Self {
        use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
        use aws_lc_rs::rsa::KeySize;
        use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair, RsaPublicKeyComponents};

        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        let components = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
        let pem = |tag: &str, der: &[u8]| pem::encode(&pem::Pem::new(tag, der));
        Self {
            private_pem: pem("PRIVATE KEY", private.as_ref()),
            public_pem: pem("PUBLIC KEY", public.as_ref()),
            public_der: public.as_ref().to_vec(),
            pkcs1_pem: pem("RSA PUBLIC KEY", pair.public_key().as_ref()),
            jwk: json!({ "kty": "RSA", "n": base64url(&components.n), "e": base64url(&components.e) }),
        }
    }
}

/// A PKCS #8 document and the raw public key: of P-256 with the leading 4, of Ed25519 the 32 bytes.
fn pkcs8(algorithm: Algorithm) -> (String, Vec<u8>) {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};

    let (document, public) = match algorithm {
        Algorithm::ES256 => {
            let document =
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).unwrap();
            (document, pair.public_key().as_ref().to_vec())
        }
        _ => {
            let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
            let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
            (document, pair.public_key().as_ref().to_vec())
        }
    };
    (pem::encode(&pem::Pem::new("PRIVATE KEY", document.as_ref())), public)
}

/// Every algorithm of this version, with the key in every form that it comes in.
#[tokio::test]
async fn algorithms_and_key_formats() {
    let secret = [7_u8; 64];
    let hs = |algorithm| SigningKey::secret(algorithm, &secret).unwrap();
    let keys = Rsa::generate();
    let rsa = |algorithm| SigningKey::pem(algorithm, keys.private_pem.as_bytes()).unwrap();
    let generated = |algorithm| SigningKey::generate(algorithm).unwrap();
    let k = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw";

    let mut cases: Vec<(SigningKey, Key)> = Vec::new();
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        cases.push((hs(algorithm), Key::secret(algorithm, secret)));
        cases.push((
            hs(algorithm),
            Key::jwk(json!({"kty": "oct", "k": k, "alg": algorithm.name()}).to_string()),
        ));
    }
    for algorithm in [
        Algorithm::RS256,
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::PS384,
        Algorithm::PS512,
    ] {
        cases.push((rsa(algorithm), Key::pem(algorithm, keys.public_pem.as_str())));
        cases.push((rsa(algorithm), Key::pem(algorithm, keys.pkcs1_pem.as_str())));
        cases.push((rsa(algorithm), Key::der(algorithm, keys.public_der.clone())));
        cases.push((rsa(algorithm), rsa(algorithm).verifying_key()));
    }
    for algorithm in [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA, Algorithm::RS256] {
        let key = generated(algorithm);
        cases.push((key.clone(), key.verifying_key()));
    }
    for (signing, verifying) in cases {
        let label = format!("{signing:?} {verifying:?}");
        let issuer = TrustedIssuer::new("https://id.example").audience("orders").key(verifying);
        let app = app(&Auth::builder().issuer(issuer).build().unwrap());
        let token = signing.sign(&claims()).unwrap();
        assert_eq!(status(&app, &token).await, 200, "{label}");
        assert_eq!(status(&app, &format!("{}AAAA", &token[..token.len() - 4])).await, 401, "{label}");
        let mut other = claims();
        other["sub"] = "mallory".into();
        let forged = signing.sign(&other).unwrap();
        let (of_alice, of_mallory): (Vec<_>, Vec<_>) =
            (token.split('.').collect(), forged.split('.').collect());
        let spliced = [of_alice[0], of_mallory[1], of_alice[2]].join(".");
        assert_eq!(status(&app, &spliced).await, 401, "{label}");
    }
}

/// A set with keys of every kind, and with some that can't be used, which must not take the others with them.
#[tokio::test]
async fn json_web_keys() {
    let rsa = Rsa::generate();
    let (p256_pem, p256) = pkcs8(Algorithm::ES256);
    let (ed25519_pem, ed25519) = pkcs8(Algorithm::EdDSA);
    let mut rsa_jwk = rsa.jwk.clone();
    rsa_jwk.as_object_mut().unwrap().extend([
        ("kid".to_owned(), json!("rsa")),
        ("use".to_owned(), json!("sig")),
        ("alg".to_owned(), json!("RS256")),
        ("x5c".to_owned(), json!(["not looked at"])),
    ]);
    let jwks = json!({ "keys": [
        rsa_jwk,
        { "kty": "EC", "kid": "p256", "crv": "P-256", "x": base64url(&p256[1..33]), "y": base64url(&p256[33..]) },
        { "kty": "OKP", "kid": "ed25519", "key_ops": ["verify"], "crv": "Ed25519", "x": base64url(&ed25519) },
        { "kty": "EC", "kid": "of another curve", "crv": "secp256k1", "x": "AA", "y": "AA" },
        { "kty": "RSA", "kid": "for encryption", "use": "enc", "n": rsa.jwk["n"], "e": rsa.jwk["e"] },
        { "kty": "RSA", "kid": "private", "n": rsa.jwk["n"], "e": rsa.jwk["e"], "d": "AA" },
        { "kty": "quantum" },
        5,
    ] });
    let issuer = TrustedIssuer::new("https://id.example").audience("orders").jwks(jwks.to_string());
    let app = app(&Auth::builder().issuer(issuer).build().unwrap());
    for (algorithm, pem, kid) in [
        (Algorithm::RS256, rsa.private_pem, "rsa"),
        (Algorithm::ES256, p256_pem, "p256"),
        (Algorithm::EdDSA, ed25519_pem, "ed25519"),
    ] {
        let key = SigningKey::pem(algorithm, pem.as_bytes()).unwrap();
        for (key, expected) in [
            (key.clone(), 200),
            (key.clone().with_id(kid), 200),
            (key.clone().with_id("another"), 401),
            (key.with_id(if kid == "rsa" { "p256" } else { "rsa" }), 401),
        ] {
            assert_eq!(status(&app, &key.sign(&claims()).unwrap()).await, expected, "{key:?}");
        }
    }
}

#[test]
fn build_lists_every_mistake() {
    let rsa = Rsa::generate();
    let error = Auth::builder()
        .issuer(
            TrustedIssuer::new("https://id.example")
                .key(Key::secret(Algorithm::HS256, "short"))
                .key(Key::secret(Algorithm::RS256, [0; 64]))
                .key(Key::pem(Algorithm::RS256, rsa.private_pem))
                .key(Key::secret(Algorithm::HS256, rsa.public_pem.as_str()))
                .key(Key::pem(Algorithm::RS256, rsa.public_pem.repeat(2)))
                .key(Key::pem(Algorithm::ES256, rsa.public_pem))
                .key(Key::jwk(format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, base64url(&[0; 32]))))
                .key(Key::pem(Algorithm::RS256, "no pem"))
                .key(Key::der(Algorithm::EdDSA, [1, 2, 3]))
                .key(Key::jwk("{}"))
                .key(Key::jwk(r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#))
                .jwks(r#"{"keys":[]}"#),
        )
        .leeway(Duration::from_secs(301))
        .max_token_lifetime(Duration::ZERO)
        .default_sources(["bearer", "query", "nowhere"])
        .public_origin("https://shop.example/")
        .trust_origin("shop.example")
        .dangerously_use_insecure_cookies()
        .cookies(CookieOptions::new().name("__Host-to ken").domain(".shop.example"))
        .build()
        .unwrap_err();
    let text = error.to_string();
    for expected in [
        "`leeway` is 301 s, and must be 300 s at most",
        "`max_token_lifetime` is less than a second",
        "no audience is set, so a token for another service would be accepted",
        "the secret has 5 bytes, and HS256 needs at least 32",
        "RS256 verifies with a public key, not with a secret",
        "this is the private key: give the public key",
        "the secret is a PEM, not a secret",
        "the PEM has 2 blocks, and only one of them could be used",
        "this is not a public key for ES256",
        "the Ed25519 key is a point of low order, for which everyone can sign",
        "this is not a PEM",
        "this is not a public key for EdDSA",
        "this is not a JWK",
        "an Ed25519 key is for EdDSA and has an `x` of 32 bytes",
        "the JWKS has no usable key: it is empty",
        "`default_sources` names `query`, which is not one of the sources bearer, cookie: call `dangerously_allow_query_tokens(Query::new())`",
        "`public_origin(\"https://shop.example/\")` is not an origin",
        "`trust_origin(\"shop.example\")` is not an origin",
        "`CookieOptions::name(\"__Host-to ken\")` can't be the name of a cookie",
        "browsers drop a cookie `__Host-to ken` with `CookieOptions::domain(\".shop.example\")`",
        "`CookieOptions::domain` has \".shop.example\", which is not a domain",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in\n{text}");
    }
    assert!(!text.contains(rsa.jwk["n"].as_str().unwrap()), "{text}");
    assert!(text.contains("key 1, a secret for HS256: the secret has"), "{text}");
    assert_eq!(format!("{error:?}"), text);
}

/// The constructor of `SigningKey` can fail, so it says what `build` says of the same secret or key in a `Key`.
#[test]
fn a_signing_key_is_refused_where_it_is_made() {
    let rsa = Rsa::generate();
    for (secret, expected) in [
        (vec![7; 15], "the secret has 15 bytes, and HS256 needs at least 32"),
        (rsa.public_pem.clone().into_bytes(), "the secret is a PEM, not a secret"),
    ] {
        let signing = SigningKey::secret(Algorithm::HS256, &secret).unwrap_err().to_string();
        let issuer = TrustedIssuer::new("i").audience("a").key(Key::secret(Algorithm::HS256, secret));
        let verifying = Auth::builder().issuer(issuer).build().unwrap_err().to_string();
        assert!(signing.contains(expected) && verifying.contains(&signing), "{signing}\n{verifying}");
    }
    let two = rsa.private_pem.repeat(2);
    let error = SigningKey::pem(Algorithm::RS256, two.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("the PEM has 2 blocks"), "{error}");
}

#[test]
fn what_is_no_origin_is_neither_trusted_nor_public() {
    let ports =
        [":", ":0", ":00443", ":+443", ":65536", ":99999"].map(|port| format!("https://shop.example{port}"));
    let others = ["https://bücher.example", "https://shop.example.*", "https://127.1", "*", "null", ""]
        .map(str::to_owned);
    for text in ports.iter().chain(&others) {
        let error = Auth::builder().trust_origin(text).public_origin(text).build().unwrap_err().to_string();
        for method in ["trust_origin", "public_origin"] {
            let expected = format!("`{method}({text:?})` is not an origin: write scheme, host and");
            assert!(error.contains(&expected), "{expected}\n{error}");
        }
    }
    for text in [
        "https://shop.example:8443",
        "https://xn--bcher-kva.example",
        "http://[::1]:3000",
        "http://127.0.0.1",
    ] {
        let error = Auth::builder().trust_origin(text).public_origin(text).build().unwrap_err().to_string();
        assert!(!error.contains("is not an origin"), "{error}");
    }
}

#[test]
fn build_demands_what_would_weaken_it_to_be_said_aloud() {
    let key = || Key::secret(Algorithm::HS256, [7; 32]);
    let mistakes = |builder: auth_runtime::AuthBuilder| builder.build().err().map(|error| error.to_string());
    assert!(mistakes(Auth::builder()).unwrap().contains("no issuer"));
    assert!(
        mistakes(Auth::builder().issuer(TrustedIssuer::new("i").key(key()))).unwrap().contains("no audience")
    );
    assert!(
        mistakes(Auth::builder().issuer(TrustedIssuer::new("i").audience("a"))).unwrap().contains("no key")
    );
    assert!(
        mistakes(Auth::builder().issuer(TrustedIssuer::new("").audience("a").key(key())))
            .unwrap()
            .contains("empty")
    );
    let loud = TrustedIssuer::dangerously_accept_any_issuer().dangerously_accept_any_audience().key(key());
    assert_eq!(mistakes(Auth::builder().issuer(loud.clone())), None);
    let beside =
        Auth::builder().issuer(loud.clone()).issuer(TrustedIssuer::new("i").audience("a").key(key()));
    assert!(mistakes(beside).unwrap().contains("is used together with another issuer"));
    let insecure = Auth::builder().issuer(loud).dangerously_use_insecure_cookies();
    assert!(
        mistakes(insecure.public_origin("https://shop.example"))
            .unwrap()
            .contains("the public origin is https")
    );
}

#[tokio::test]
async fn times_issuer_and_audience() {
    let test = TestAuth::new();
    let app = app(test.auth());
    let at = 1_800_000_000_i64;
    for (name, value, expected) in [
        ("exp", json!(at - 59), 200),
        ("exp", json!(at - 60), 401),
        ("exp", json!(at - 60 + 1), 200),
        ("exp", json!(at as f64 + 0.5), 200),
        ("exp", json!(null), 401),
        ("exp", json!("1900000000"), 401),
        ("exp", json!(at + 24 * 3600), 200),
        ("exp", json!(at + 24 * 3600 + 1), 401),
        ("nbf", json!(at + 60), 200),
        ("nbf", json!(at + 61), 401),
        ("nbf", json!(at as f64 + 60.5), 401),
        ("nbf", json!("0"), 401),
        ("iat", json!(at + 60), 200),
        ("iat", json!(at + 61), 401),
        ("iat", json!(at - 25 * 3600), 401),
        ("iss", json!("https://issuer.test/"), 401),
        ("iss", json!("https://ISSUER.test"), 401),
        ("iss", json!(["https://issuer.test"]), 401),
        ("aud", json!("other"), 401),
        ("aud", json!(["other", "test"]), 200),
        ("aud", json!(["other"]), 401),
        ("aud", json!([]), 401),
        ("aud", json!({"test": 1}), 401),
        ("sub", json!(""), 401),
        ("sub", json!(5), 401),
        ("roles", json!(5), 401),
        ("roles", json!(["a", 5]), 401),
        ("cnf", json!({"jkt": "x"}), 401),
    ] {
        let reply = get_as(&app, &test, &TestUser::new("alice").claim(name, value.clone()), "/").await;
        assert_eq!(reply.status.as_u16(), expected, "{name} = {value}");
    }
}

#[tokio::test]
async fn a_token_without_iat() {
    let test = TestAuth::new();
    let auth = test.auth();
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let issuer = TrustedIssuer::new("i").audience("a").key(key.verifying_key());
    let auth_without = Auth::builder().issuer(issuer).build().unwrap();
    let app = app(&auth_without);
    let token = |exp: i64| key.sign(&json!({"iss": "i", "aud": "a", "sub": "alice", "exp": exp})).unwrap();
    assert_eq!(status(&app, &token(now() + 60)).await, 200);
    assert_eq!(
        status(&app, &token(now() + 25 * 3600)).await,
        401,
        "its life can't be shown to be short enough"
    );
    let user = Revocation::User {
        issuer: "i".into(),
        subject: "alice".into(),
        issued_at_or_before: auth.now() - Duration::from_secs(1_000_000_000),
    };
    auth_without.revocations().revoke(user).await.unwrap();
    assert_eq!(status(&app, &token(now() + 60)).await, 401, "it can't be shown to be newer than the bound");
}

#[tokio::test]
async fn where_the_facts_stand_in_the_claims() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let issuer = || TrustedIssuer::new("i").audience("a").key(key.verifying_key());
    for (issuer, more, expected) in [
        (
            issuer(),
            json!({"roles": ["a", "b"], "scope": "x y", "permissions": ["p"]}),
            "alice i t r=a,b s=x,y p=p",
        ),
        (issuer(), json!({"scp": ["x"]}), "alice i t r= s=x p="),
        (issuer(), json!({}), "alice i t r= s= p="),
        // Keycloak
        (
            issuer().roles_at("realm_access.roles"),
            json!({"realm_access": {"roles": ["a"]}, "roles": ["no"]}),
            "alice i t r=a s= p=",
        ),
        // Auth0
        (
            issuer().roles_at("https://example.com/roles"),
            json!({"https://example.com/roles": ["a"]}),
            "alice i t r=a s= p=",
        ),
        (issuer().scopes_at(ClaimName::literal("a.b")), json!({"a.b": "x"}), "alice i t r= s=x p="),
        (issuer().subject_at("user.id"), json!({"user": {"id": "bob"}}), "bob i t r= s= p="),
        (issuer().permissions_at("x.y.z"), json!({"x": {"y": 5}}), "alice i t r= s= p="),
    ] {
        let app = app(&Auth::builder().issuer(issuer).build().unwrap());
        let mut all =
            json!({"iss": "i", "aud": "a", "sub": "alice", "jti": "t", "iat": now(), "exp": now() + 60});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let bearer = format!("Bearer {}", key.sign(&all).unwrap());
        let reply = send(&app, request("GET", "/", &[("authorization", &bearer)])).await;
        assert_eq!(reply.body, expected, "{more}");
    }
}

#[tokio::test]
async fn several_issuers_each_with_its_own_keys() {
    let (one, two) =
        (SigningKey::generate(Algorithm::EdDSA).unwrap(), SigningKey::generate(Algorithm::EdDSA).unwrap());
    let issuer =
        |name: &str, key: &SigningKey| TrustedIssuer::new(name).audience(name).key(key.verifying_key());
    let app = app(&Auth::builder().issuer(issuer("one", &one)).issuer(issuer("two", &two)).build().unwrap());
    let token = |key: &SigningKey, iss: &str, aud: &str| {
        key.sign(&json!({"iss": iss, "aud": aud, "sub": "alice", "exp": now() + 60})).unwrap()
    };
    for (key, iss, aud, expected) in [
        (&one, "one", "one", 200),
        (&two, "two", "two", 200),
        (&two, "one", "one", 401),
        (&one, "one", "two", 401),
        (&one, "three", "one", 401),
    ] {
        assert_eq!(status(&app, &token(key, iss, aud)).await, expected, "{iss} {aud}");
    }
}

#[tokio::test]
async fn revocation_by_token_session_and_user() {
    let test = TestAuth::new();
    let app = app(test.auth());
    let user =
        |subject: &str, jti: &str, sid: &str| TestUser::new(subject).claim("jti", jti).claim("sid", sid);
    let revocations = test.auth().revocations();
    revocations.revoke_token(&user("alice", "t1", "s1").principal()).await.unwrap();
    revocations.revoke_session(&user("bob", "t2", "s2").principal()).await.unwrap();
    revocations.revoke_user(&user("carol", "t3", "s3").principal()).await.unwrap();
    for (who, expected) in [
        (user("alice", "t1", "s9"), 401),
        (user("alice", "t9", "s1"), 200),
        (user("bob", "t9", "s2"), 401),
        (user("bob", "t2", "s9"), 200),
        (user("carol", "t9", "s9"), 401),
        (user("dave", "t9", "s9"), 200),
    ] {
        assert_eq!(get_as(&app, &test, &who, "/").await.status.as_u16(), expected, "{who:?}");
    }
    // The issuer's clock may be ahead by the leeway. A token that is dated later is a new login.
    for (seconds, expected) in [(60, 401), (1, 200)] {
        test.clock().advance(Duration::from_secs(seconds));
        assert_eq!(get_as(&app, &test, &TestUser::new("carol"), "/").await.status.as_u16(), expected);
    }
}

#[test]
fn a_lifetime_of_tokens_without_a_bound_is_an_error() {
    let build = |lifetime| {
        let issuer = TrustedIssuer::new("https://one.test").audience("a");
        let key = Key::secret(Algorithm::HS256, b"a secret of 32 bytes, at the least");
        Auth::builder().issuer(issuer.key(key)).max_token_lifetime(lifetime).build()
    };
    let century = Duration::from_secs(100 * 366 * 24 * 3600);
    build(century).unwrap();
    for lifetime in [century + Duration::from_secs(1), Duration::MAX] {
        let error = build(lifetime).unwrap_err().to_string();
        assert!(error.contains("(100 years) at most: revocations are kept for as long"), "{error}");
    }
}

#[tokio::test]
async fn a_revocation_outlives_every_token_that_it_concerns() {
    let test = TestAuth::with(|builder| builder.max_token_lifetime(Duration::from_secs(3600)));
    let app = app(test.auth());
    let token = test.token(&TestUser::new("alice").claim("jti", "t").claim("exp", 1_800_000_000 + 3600));
    test.auth()
        .revocations()
        .revoke_token(&TestUser::new("alice").claim("jti", "t").principal())
        .await
        .unwrap();
    for _ in 0..73 {
        assert_eq!(status(&app, &token).await, 401);
        // Revoking is when old entries go.
        test.auth().revocations().revoke_token(&TestUser::new("other").principal()).await.unwrap();
        test.clock().advance(Duration::from_secs(51));
    }
}

#[tokio::test]
async fn log_out_everywhere_takes_the_callers_own_token_too() {
    let test = TestAuth::new();
    let app = app(test.auth());
    // The issuer's clock is ahead, within the leeway.
    let ahead = TestUser::new("alice").claim("iat", 1_800_000_000 + 30);
    let token = test.token(&ahead);
    assert_eq!(status(&app, &token).await, 200);
    test.auth().revocations().revoke_user(&ahead.principal()).await.unwrap();
    assert_eq!(status(&app, &token).await, 401);
}

#[tokio::test]
async fn a_bound_in_the_future_is_kept_until_it_has_passed() {
    let test = TestAuth::new();
    let app = app(test.auth());
    let week = Duration::from_secs(7 * 24 * 3600);
    let bound = Revocation::User {
        issuer: "https://issuer.test".into(),
        subject: "alice".into(),
        issued_at_or_before: test.auth().now() + week,
    };
    test.auth().revocations().revoke(bound).await.unwrap();
    for (wait, expected) in [(0, 401), (6, 401), (2, 200)] {
        test.clock().advance(Duration::from_secs(wait * 24 * 3600));
        // Revoking is when old entries go.
        test.auth().revocations().revoke_token(&TestUser::new("other").principal()).await.unwrap();
        assert_eq!(get_as(&app, &test, &TestUser::new("alice"), "/").await.status.as_u16(), expected);
    }
}

#[test]
fn debug_gives_no_secret_away() {
    let jwks = r#"{"keys":[{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"}]}"#;
    let secret = b"secret-secret-secret-secret-secret";
    let issuer = TrustedIssuer::new("i")
        .audience("a")
        .jwks(jwks)
        .key(Key::secret(Algorithm::HS256, secret))
        .key(Key::jwk(jwks));
    let signing = SigningKey::secret(Algorithm::HS256, secret).unwrap();
    let builder = Auth::builder().issuer(issuer.clone());
    for text in [
        format!("{issuer:?}"),
        format!("{builder:?}"),
        format!("{signing:?}"),
        format!("{:?}", Key::jwk(jwks)),
    ] {
        assert!(!text.contains("c2Vj") && !text.contains("secret-") && !text.contains("115, 101"), "{text}");
    }
}
