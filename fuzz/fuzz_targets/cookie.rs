//! `Cookie`, in up to three headers: a credential is found only behind the very name, and never of two.
#![no_main]

use std::sync::LazyLock;

use auth_runtime::Auth;
use auth_runtime::source::{CredentialSource, Extracted};
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
use http::{HeaderValue, Request, header::COOKIE};
use libfuzzer_sys::fuzz_target;

const NAME: &[u8] = b"__Host-access_token";

static AUTH: LazyLock<Auth> = LazyLock::new(|| {
    let key = Key::secret(Algorithm::HS256, [7; 32]);
    Auth::builder().issuer(TrustedIssuer::dangerously_accept_any_issuer().dangerously_accept_any_audience().key(key)).build().unwrap()
});

fuzz_target!(|headers: [&[u8]; 3]| {
    let mut request = Request::builder().body(()).unwrap();
    let mut all = Vec::new();
    for bytes in headers {
        if let Ok(value) = HeaderValue::from_bytes(bytes) {
            request.headers_mut().append(COOKIE, value);
            all.extend_from_slice(bytes);
            all.push(b'\n');
        }
    }
    let times = all.windows(NAME.len()).filter(|window| *window == NAME).count();
    let (head, ()) = request.into_parts();
    match AUTH.access_cookie().extract(&head) {
        Extracted::Present(text) => {
            assert!(!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';'));
            assert!(times >= 1);
        }
        Extracted::Repeated => assert!(times >= 2),
        Extracted::Unusable(_) => assert!(times >= 1),
        _ => {}
    }
});
