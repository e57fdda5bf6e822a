//! A tree that turns on both of `jsonwebtoken`'s providers, as this package does.

use auth_runtime::session::SigningKey;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::verify::Algorithm;

#[test]
fn its_process_wide_default_is_not_ours() {
    // The premise: in such a tree the default can't be had.
    let by_default = std::panic::catch_unwind(|| {
        let key = jsonwebtoken::EncodingKey::from_secret(&[7; 32]);
        jsonwebtoken::encode(&jsonwebtoken::Header::default(), &serde_json::json!({}), &key)
    });
    assert!(by_default.is_err(), "without the clash this test shows nothing");

    let test = TestAuth::new();
    assert!(!test.token(&TestUser::new("alice")).is_empty());
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA] {
        assert!(SigningKey::generate(algorithm).unwrap().sign(&serde_json::json!({})).is_ok(), "{algorithm}");
    }
    let secret = SigningKey::secret(Algorithm::HS256, &[7; 32]).unwrap();
    assert!(secret.sign(&serde_json::json!({})).is_ok());
}
