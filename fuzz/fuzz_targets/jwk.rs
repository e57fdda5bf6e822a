//! JWK and JWKS: an engine is built, or says why not; no panic, and no key without words for it.
#![no_main]

use auth_runtime::Auth;
use auth_runtime::verify::{Key, TrustedIssuer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let issuer = || TrustedIssuer::dangerously_accept_any_issuer().dangerously_accept_any_audience();
    for issuer in [issuer().key(Key::jwk(text)), issuer().jwks(text)] {
        if let Err(error) = Auth::builder().issuer(issuer).build() {
            assert!(error.errors().all(|error| !error.is_empty()));
        }
    }
});
