//! Tokens as frameworks of Python make them: access tokens are accepted, and refresh tokens of the same key are not.

use auth_runtime::testing::TestClock;
use auth_runtime::verify::{Algorithm, ClaimRule, Key, TrustedIssuer};
use auth_runtime::{Auth, AuthBuilder};
use serde_json::{Value, json};

use super::app;
use crate::support::{base64url, request, send};

/// The time of the clock.
const NOW: i64 = 1_800_000_000;

const SECRET: [u8; 32] = [7; 32];

/// These frameworks write neither `iss` nor `aud` by default, and `JWT` as `typ`.
fn issuer() -> TrustedIssuer {
    TrustedIssuer::dangerously_expect_no_issuer()
        .dangerously_expect_no_audience()
        .key(Key::secret(Algorithm::HS256, SECRET))
}

fn signed(claims: &Value) -> String {
    let header = base64url(br#"{"alg":"HS256","typ":"JWT"}"#);
    let message = format!("{header}.{}", base64url(claims.to_string().as_bytes()));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &SECRET);
    let signature = aws_lc_rs::hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", base64url(signature.as_ref()))
}

struct Framework {
    name: &'static str,
    /// The issuer without the rule.
    issuer: TrustedIssuer,
    rule: (&'static str, ClaimRule),
    access: Value,
    others: Vec<Value>,
}

fn frameworks() -> Vec<Framework> {
    let (iat, exp) = (NOW - 10, NOW + 290);
    let simplejwt = |kind: &str, user_id: Value| json!({"token_type": kind, "exp": exp, "iat": iat, "jti": "127800fa64f7439e", "user_id": user_id});
    let dmr =
        |kind: &str| json!({"sub": "42", "exp": exp, "iat": iat, "jti": "7817cc", "extras": {"type": kind}});
    let panther = |kind: &str| json!({"token_type": kind, "user_id": 42, "iat": iat as f64 + 0.25, "exp": exp as f64 + 0.25});
    let access = || ClaimRule::equals("access");
    vec![
        Framework {
            name: "djangorestframework-simplejwt 5.4",
            issuer: issuer().subject_at("user_id"),
            rule: ("token_type", access()),
            access: simplejwt("access", json!(42)),
            others: vec![simplejwt("refresh", json!(42)), simplejwt("sliding", json!(42))],
        },
        Framework {
            name: "djangorestframework-simplejwt 5.5",
            issuer: issuer().subject_at("user_id"),
            rule: ("token_type", access()),
            access: simplejwt("access", json!("42")),
            others: vec![simplejwt("refresh", json!("42"))],
        },
        Framework {
            name: "django-modern-rest",
            issuer: issuer(),
            rule: ("extras.type", access()),
            access: dmr("access"),
            others: vec![dmr("refresh"), json!({"sub": "42", "exp": exp, "iat": iat, "extras": {}})],
        },
        Framework {
            name: "panther",
            issuer: issuer().subject_at("user_id"),
            rule: ("token_type", access()),
            access: panther("access"),
            others: vec![panther("refresh")],
        },
        Framework {
            name: "drf-cookie-jwtauth",
            issuer: issuer().subject_at("user_id"),
            rule: ("token_string", ClaimRule::absent()),
            access: json!({"user_id": 42, "iat": iat, "exp": exp}),
            others: vec![json!({"token_string": "s3cr3t", "user_id": 42, "iat": iat, "exp": exp})],
        },
    ]
}

async fn get(builder: AuthBuilder, claims: &Value) -> (u16, String) {
    let app = app(&builder.clock(TestClock::new()).build().unwrap());
    let reply =
        send(&app, request("GET", "/", &[("authorization", &format!("Bearer {}", signed(claims)))])).await;
    (reply.status.as_u16(), reply.body.split(' ').next().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn refresh_tokens_are_no_access_tokens() {
    for Framework { name, issuer, rule, access, others } in frameworks() {
        let with_rule = || Auth::builder().issuer(issuer.clone().claim(rule.0, rule.1.clone()));
        let without_rule = || Auth::builder().issuer(issuer.clone());
        assert_eq!(get(with_rule(), &access).await, (200, "42".into()), "{name}: {access}");
        for other in others {
            assert_eq!(get(with_rule(), &other).await.0, 401, "{name}: {other}");
            assert_eq!(get(without_rule(), &other).await.0, 200, "{name}: nothing else rejects {other}");
        }
    }
}
