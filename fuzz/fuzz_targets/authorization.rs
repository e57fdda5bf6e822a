//! `Authorization`: what is found as a credential is visible ASCII out of that header.
#![no_main]

use auth_runtime::source::{Bearer, CredentialSource, Extracted, Header};
use http::{HeaderValue, Request, header::AUTHORIZATION};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let (head, ()) = Request::builder().header(AUTHORIZATION, &value).body(()).unwrap().into_parts();
    let token = Header::new("token", AUTHORIZATION).with_scheme("Token");
    for source in [&Bearer::default() as &dyn CredentialSource, &token] {
        match source.extract(&head) {
            Extracted::Present(text) => {
                assert!(!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()));
                assert!(value.as_bytes().windows(text.len()).any(|window| window == text.as_bytes()));
            }
            Extracted::Repeated => panic!("there is one header"),
            _ => {}
        }
    }
});
