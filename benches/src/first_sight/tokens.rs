//! Tokens with payloads of these sizes, as identity providers fill them: names, groups, and what each service may do.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The sizes of payloads, in bytes.
pub const SIZES: [usize; 4] = [300, 600, 2_000, 8_000];

/// The claims of a payload of at least so many bytes.
pub fn claims(size: usize) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let mut claims = json!({
        "iss": "https://id.example.com", "sub": "5f0c6f0e-8a9b-4c1d-9e2f-3a4b5c6d7e8f", "aud": "orders",
        "exp": now + 900, "iat": now, "jti": "6FnIIZrnBwqZ7B9LLNNjyw", "roles": ["editor", "author"],
        "scope": "article:read article:write",
    });
    let profile = [
        ("name", json!("Alice Example-Sørensen")),
        ("email", json!("alice@example.com")),
        ("email_verified", json!(true)),
        ("locale", json!("da-DK")),
        ("updated_at", json!(1_699_999_999)),
        ("address", json!({ "street_address": "1 Main St\nApt 5", "locality": "Odense", "country": "DK" })),
    ];
    let mut profile = profile.into_iter();
    let mut number = 0;
    while claims.to_string().len() < size {
        match profile.next() {
            Some((name, value)) => claims[name] = value,
            None => {
                number += 1;
                let service = format!("service-{number}");
                claims["resource_access"][&service] = json!({ "roles": ["viewer", format!("editor-{number}")], "level": number });
                let mut groups: Vec<Value> = claims["groups"].as_array().cloned().unwrap_or_default();
                groups.push(json!(format!("/departments/{number}/teams/platform")));
                claims["groups"] = groups.into();
                claims[format!("attribute_{number}")] = json!(format!("value of {number}"));
            }
        }
    }
    claims.to_string()
}

pub fn token(algorithm: &str, claims: &str, sign: &dyn Fn(&[u8]) -> Vec<u8>) -> String {
    let header = json!({ "typ": "at+jwt", "alg": algorithm, "kid": "2026-11" }).to_string();
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}
