//! Tokens as Keycloak issues them: roles of the realm, and what each client may do, nested.

use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::key::{KEY_ID, Key};
use crate::{AUDIENCE, ISSUER};

/// What the payload looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Keycloak,
    /// As axum-gate issues its own, which are the only ones that it reads: with an account, and with roles at the top.
    Gate,
}

/// Stands for the number of a token.
const NUMBER: &str = "@@@@@@@@@@@@";

/// Claims with a payload of this many bytes.
pub fn claims(form: Form, size: usize) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let mut claims = json!({
        "iss": ISSUER, "aud": [AUDIENCE], "sub": format!("5f0c6f0e-8a9b-4c1d-9e2f-{NUMBER}"), "exp": now + 3600, "iat": now,
        "jti": NUMBER, "azp": "shop-web", "scope": "orders:read admin",
    });
    let roles = ["admin", "editor"];
    match form {
        Form::Keycloak => claims["realm_access"] = json!({ "roles": roles }),
        Form::Gate => {
            claims["account_id"] = claims["sub"].clone();
            claims["user_id"] = json!("alice");
            claims["roles"] = json!(roles);
            claims["groups"] = json!([]);
            claims["permissions"] =
                serde_json::to_value(axum_gate::permissions::Permissions::new()).expect("a value");
        }
    }
    fill(&mut claims, size);
    claims
}

/// With what Keycloak puts into a token, and with a note, so that the size is exact.
fn fill(claims: &mut Value, size: usize) {
    let profile = [
        ("typ", json!("Bearer")),
        ("sid", json!("b3c6d1f0-2f4e-4d8a-8f19-6c1f0a7e5d42")),
        ("acr", json!("1")),
        ("name", json!("Alice Example-Sørensen")),
        ("preferred_username", json!("alice")),
        ("email", json!("alice@example.com")),
        ("email_verified", json!(true)),
        ("allowed-origins", json!(["https://shop.example.com"])),
    ];
    let mut profile = profile.into_iter();
    // A note takes at least 11 bytes: `,"note":""`.
    let has_room = |claims: &Value| claims.to_string().len() + 11 <= size;
    let mut client = 0;
    loop {
        let mut more = claims.clone();
        match profile.next() {
            Some((name, value)) => more[name] = value,
            None => {
                client += 1;
                let roles =
                    ["view-profile".to_owned(), "manage-account".to_owned(), format!("editor-{client}")];
                more["resource_access"][format!("service-{client}")] = json!({ "roles": roles });
            }
        }
        if !has_room(&more) {
            break;
        }
        *claims = more;
    }
    let missing = (size + 1).saturating_sub(claims.to_string().len() + 11);
    claims["note"] = json!("n".repeat(missing));
}

/// `Bearer`, and a token with these claims, of this number: with an id and a subject of its own.
pub fn credential(key: &Key, claims: &Value, number: usize) -> HeaderValue {
    credentials(key, claims, number..number + 1).remove(0)
}

/// The same for many numbers. It leaves the memory of the process as it was, but for what it returns.
pub fn credentials(key: &Key, claims: &Value, numbers: Range<usize>) -> Vec<HeaderValue> {
    let header = json!({ "alg": key.algorithm.name(), "typ": "at+jwt", "kid": KEY_ID }).to_string();
    let (header, payload) = (URL_SAFE_NO_PAD.encode(header), claims.to_string());
    let one = |number| {
        let payload = payload.replace(NUMBER, &format!("{number:012}"));
        let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()));
        HeaderValue::try_from(format!("Bearer {message}.{signature}")).expect("a header")
    };
    numbers.map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Algorithm;

    #[test]
    fn a_payload_has_the_size_that_was_asked_for() {
        let key = Key::new(Algorithm::Hs256);
        for (form, size) in [Form::Keycloak, Form::Gate]
            .into_iter()
            .flat_map(|form| [600, 1_000, 2_000, 8_000].map(|size| (form, size)))
        {
            let credential = credential(&key, &claims(form, size), 7);
            let payload = credential.to_str().unwrap().split('.').nth(1).unwrap();
            assert_eq!(URL_SAFE_NO_PAD.decode(payload).unwrap().len(), size, "{form:?}");
        }
        assert_eq!(claims(Form::Keycloak, 350).to_string().len(), 350);
    }

    #[test]
    fn tokens_differ() {
        let credentials = credentials(&Key::new(Algorithm::Hs256), &claims(Form::Keycloak, 600), 0..2);
        assert_ne!(credentials[0], credentials[1]);
    }
}
