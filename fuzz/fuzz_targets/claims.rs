//! The claims reader: what it accepts `serde_json` reads whole, and reads the same.
#![no_main]

use auth_runtime::verify::TokenClaims;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(claims) = TokenClaims::from_json(bytes) {
        let again: Map<String, Value> = serde_json::from_slice(bytes).unwrap();
        for (name, value) in &again {
            assert_eq!(claims.get(name), Some(value));
        }
    }
});
