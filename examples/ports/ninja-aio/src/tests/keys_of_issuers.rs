//! The keys that tokens are verified with: their forms, and their algorithms.

use std::sync::LazyLock;

use auth_runtime::session::key_set;
use auth_runtime::session::{Subject, SubjectStore};
use auth_runtime::verify::Key;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair};
use axum::body::{Body, to_bytes};
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tower::ServiceExt as _;

use super::claims::{claims, trusting};
use super::*;

/// An RSA key, which takes a moment to make.
static PAIR: LazyLock<RsaKeyPair> = LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());

fn pem(tag: &str, der: &[u8]) -> String {
    pem::encode(&pem::Pem::new(tag, der))
}

/// The private key, for one of the algorithms of RSA.
fn rsa(algorithm: Algorithm) -> SigningKey {
    let der: Pkcs8V1Der<'_> = PAIR.as_der().unwrap();
    SigningKey::pem(algorithm, pem("PRIVATE KEY", der.as_ref()).as_bytes()).unwrap()
}

async fn is_accepted(test: &TestAuth, key: &SigningKey) -> bool {
    test.auth().verify(&key.sign(&claims()).unwrap()).await.is_ok()
}

#[tokio::test]
async fn a_key_is_a_pem_a_jwk_a_set_or_a_secret() {
    let public: PublicKeyX509Der<'_> = PAIR.public_key().as_der().unwrap();
    let set = published(&rsa(Algorithm::RS256)).await;
    let jwk = serde_json::from_str::<Value>(&set).unwrap()["keys"][0].to_string();
    let secret = Key::secret(Algorithm::HS256, [7; 32]);
    for (form, test) in [
        ("PEM", trusting(Key::pem(Algorithm::RS256, pem("PUBLIC KEY", public.as_ref())))),
        ("JWK", trusting(Key::jwk(jwk))),
        ("set", TestAuth::with(|builder| builder.issuer(issuers::agency(secret.clone()).jwks(&*set)))),
    ] {
        assert!(is_accepted(&test, &rsa(Algorithm::RS256)).await, "{form}");
        let forged = SigningKey::generate(Algorithm::RS256).unwrap();
        assert!(!is_accepted(&test, &forged).await, "{form}");
    }
    assert!(is_accepted(&trusting(secret), &SigningKey::secret(Algorithm::HS256, &[7; 32]).unwrap()).await);
}

/// The algorithm is that of the key. A token that names another one is rejected, also one of the same key, and one that takes the public key for a
/// secret.
#[tokio::test]
async fn each_algorithm_is_that_of_its_key() {
    use Algorithm::*;
    let mut others = Vec::new();
    for algorithm in
        [HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA]
    {
        let key = match algorithm {
            HS256 | HS384 | HS512 => SigningKey::secret(algorithm, &[7; 64]).unwrap(),
            ES256 | ES384 | ES512 | EdDSA => SigningKey::generate(algorithm).unwrap(),
            _ => rsa(algorithm),
        };
        let test = trusting(key.verifying_key());
        assert!(is_accepted(&test, &key).await, "{algorithm:?}");
        for (name, other) in &others {
            assert!(!is_accepted(&test, other).await, "{algorithm:?}: a token of {name:?}");
        }
        others.push((algorithm, key));
    }
    assert!(
        trusting(rsa(RS256).verifying_key()).auth().verify(&with_the_public_key_as_a_secret()).await.is_err()
    );
}

/// Where no algorithm is named, it is that of theirs. A key in PEM is never without one.
#[tokio::test]
async fn an_rsa_key_of_a_set_without_an_algorithm_is_for_rs256() {
    let mut set: Value = serde_json::from_str(&published(&rsa(Algorithm::RS256)).await).unwrap();
    let named = set["keys"][0].as_object_mut().unwrap().remove("alg");
    assert_eq!(named, Some(json!("RS256")));
    let secret = Key::secret(Algorithm::HS256, [7; 32]);
    let test = TestAuth::with(|builder| builder.issuer(issuers::agency(secret).jwks(set.to_string())));
    for (algorithm, expected) in [
        (Algorithm::RS256, true),
        (Algorithm::RS384, false),
        (Algorithm::RS512, false),
        (Algorithm::PS256, false),
    ] {
        assert_eq!(is_accepted(&test, &rsa(algorithm)).await, expected, "{algorithm:?}");
    }
}

/// The forgery that works where a token chooses its algorithm (RFC 8725 §2.1).
fn with_the_public_key_as_a_secret() -> String {
    let public: PublicKeyX509Der<'_> = PAIR.public_key().as_der().unwrap();
    let parts = [json!({ "alg": "HS256", "typ": "at+jwt" }), claims()];
    let message = parts.map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let secret = hmac::Key::new(hmac::HMAC_SHA256, pem("PUBLIC KEY", public.as_ref()).as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&secret, message.as_bytes())))
}

/// What the advice asks for: a short secret is none, and a key in the place of a secret is no secret.
#[test]
fn a_weak_key_is_an_error_at_the_start() {
    let public: PublicKeyX509Der<'_> = PAIR.public_key().as_der().unwrap();
    for secret in [b"your-secret-key".to_vec(), pem("PUBLIC KEY", public.as_ref()).into_bytes()] {
        let issuer = issuers::agency(Key::secret(Algorithm::HS256, secret));
        assert!(Auth::builder().issuer(issuer).build().is_err());
    }
    assert!(SigningKey::secret(Algorithm::HS256, b"your-secret-key").is_err());
}

/// The key set that a provider with this key publishes, as this library publishes its own.
pub(super) async fn published(key: &SigningKey) -> String {
    struct Nobody;
    impl SubjectStore for Nobody {
        async fn subject(&self, _: &str) -> Result<Option<Subject>, BoxError> {
            Ok(None)
        }
    }
    let issuer = TokenIssuer::new("https://id.example", "none", key.clone(), Nobody);
    let auth =
        Auth::builder().token_issuer(issuer.refresh_key(RefreshKey::new("1", [7; 32]))).build().unwrap();
    let app: axum::Router = Router::new().route("/jwks", get(key_set)).finish(&auth).unwrap();
    let reply = app.oneshot(Request::get("/jwks").body(Body::empty()).unwrap()).await.unwrap();
    let body = to_bytes(reply.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}
