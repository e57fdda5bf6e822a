//! That a peer verifies what it is measured for.

use axum::http::HeaderValue;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::app::App;
use crate::key::Key;
use crate::tokens::{Form, claims, credential};

/// What a peer must refuse. The audience and the issuer are those of another service.
const FLAWS: [&str; 6] = [
    "a broken signature",
    "another key",
    "an expired token",
    "another audience",
    "another issuer",
    "no such role",
];

/// What it accepts although it should not.
///
/// # Errors
///
/// Where it refuses a valid token.
pub fn accepted_flaws(
    app: &mut dyn App,
    runtime: &Runtime,
    key: &Key,
    form: Form,
) -> Result<Vec<&'static str>, String> {
    let valid = claims(form, 600);
    app.ask(runtime, &credential(key, &valid, 0))
        .map_err(|answer| format!("refuses a valid token: {answer}"))?;
    let mut accepted = Vec::new();
    for flaw in FLAWS {
        if app.ask(runtime, &flawed(key, &valid, flaw)).is_ok() {
            accepted.push(flaw);
        }
    }
    Ok(accepted)
}

fn flawed(key: &Key, valid: &Value, flaw: &str) -> HeaderValue {
    let mut claims = valid.clone();
    match flaw {
        "a broken signature" => return broken(&credential(key, &claims, 0)),
        "another key" => return credential(&Key::another(key.algorithm), &claims, 0),
        "an expired token" => claims["exp"] = json!(claims["exp"].as_u64().expect("a time") - 7_200),
        "another audience" => claims["aud"] = json!(["another"]),
        "another issuer" => claims["iss"] = json!("https://id.example.com/realms/another"),
        _ => {
            for name in ["realm_access", "roles", "scope"] {
                match claims.get_mut(name) {
                    None => {}
                    Some(Value::String(scope)) => *scope = "orders:read".to_owned(),
                    Some(Value::Array(roles)) => *roles = vec![json!("editor")],
                    Some(other) => other["roles"] = json!(["editor"]),
                }
            }
        }
    }
    credential(key, &claims, 0)
}

/// With another bit in the middle of the signature.
fn broken(credential: &HeaderValue) -> HeaderValue {
    let mut text = credential.as_bytes().to_vec();
    let signature = text.iter().rposition(|byte| *byte == b'.').expect("a signature") + 1;
    let middle = signature.midpoint(text.len());
    text[middle] = if text[middle] == b'A' { b'B' } else { b'A' };
    HeaderValue::from_bytes(&text).expect("a header")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Algorithm;
    use crate::peers::{GUARDED, PLAIN_ROUTERS, use_aws_lc};

    fn runtime() -> Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn every_peer_refuses_all_that_it_must_refuse() {
        use_aws_lc();
        let runtime = runtime();
        let mut without = Vec::new();
        for algorithm in Algorithm::ALL {
            let key = Key::new(algorithm);
            for peer in &GUARDED {
                match peer.app(&key, &runtime) {
                    Ok(mut app) => {
                        let accepted = accepted_flaws(&mut *app, &runtime, &key, peer.form);
                        assert_eq!(accepted, Ok(Vec::new()), "{} {}", algorithm.name(), peer.name);
                    }
                    Err(_) => without.push((algorithm.name(), peer.name)),
                }
            }
        }
        let expected = [
            ("HS256", "authkestra-axum"),
            ("HS256", "oauth-resource-server"),
            ("ES256", "authkestra-axum"),
            ("EdDSA", "aliri_axum, aliri_tower"),
        ];
        assert_eq!(without, expected);
    }

    #[test]
    fn a_router_that_guards_nothing_accepts_all_flaws() {
        let (runtime, key) = (runtime(), Key::new(Algorithm::Hs256));
        for peer in &PLAIN_ROUTERS {
            let mut app = peer.app(&key, &runtime).unwrap();
            assert_eq!(accepted_flaws(&mut *app, &runtime, &key, peer.form), Ok(FLAWS.to_vec()));
        }
    }
}
