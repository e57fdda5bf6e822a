//! The compact form and its header: nothing without the right signature is a token.
#![no_main]

use std::sync::LazyLock;

use auth_runtime::Auth;
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
use libfuzzer_sys::fuzz_target;

static AUTH: LazyLock<Auth> = LazyLock::new(|| {
    let key = Key::secret(Algorithm::HS256, *b"a secret that no fuzzer will find");
    Auth::builder().issuer(TrustedIssuer::dangerously_accept_any_issuer().dangerously_accept_any_audience().key(key)).build().unwrap()
});

fuzz_target!(|text: &str| {
    assert!(auth_runtime::testing::verify_token(&AUTH, text).is_err());
});
