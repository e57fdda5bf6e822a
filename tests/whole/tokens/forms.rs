//! The forms that issuers write claims in: names in strings and in several places, integers, `null`, and no `iss`.

use auth_runtime::routing::get;
use auth_runtime::session::SigningKey;
use auth_runtime::verify::{Algorithm, ClaimName, TrustedIssuer};
use auth_runtime::{Auth, Router, auth};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{app, now, status};
use crate::captured_log::CapturedLog;
use crate::support::{Reply, request, send};

fn key() -> SigningKey {
    SigningKey::secret(Algorithm::HS256, &[7; 32]).unwrap()
}

fn issuer() -> TrustedIssuer {
    TrustedIssuer::new("i").audience("a").key(key().verifying_key())
}

fn engine(issuer: TrustedIssuer) -> axum::Router {
    app(&Auth::builder().issuer(issuer).build().unwrap())
}

async fn get_with(app: &axum::Router, claims: &str) -> Reply {
    let claims = RawValue::from_string(claims.to_owned()).unwrap();
    let bearer = format!("Bearer {}", key().sign(&claims).unwrap());
    send(app, request("GET", "/", &[("authorization", &bearer)])).await
}

/// Who the bearer of a token with these claims is; the status if it is rejected.
async fn caller(issuer: TrustedIssuer, more: &Value) -> String {
    let mut all = json!({"iss": "i", "aud": "a", "sub": "alice", "jti": "t", "exp": now() + 60});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let reply = get_with(&engine(issuer), &all.to_string()).await;
    if reply.status.is_success() { reply.body } else { reply.status.as_u16().to_string() }
}

/// RFC 8693 §4.2 makes `scope` space-delimited, and nothing does so for roles and permissions.
#[tokio::test]
async fn a_string_is_one_role_and_a_list_of_scopes() {
    let text = |text: &str| json!({"roles": text, "scope": text, "permissions": text});
    for (issuer, claims, expected) in [
        (issuer(), text("billing admin"), "r=billing admin s=billing,admin p=billing admin"),
        (issuer(), text("admin"), "r=admin s=admin p=admin"),
        (issuer(), text("a,b"), "r=a,b s=a,b p=a,b"),
        (issuer(), text(""), "r= s= p="),
        (issuer(), json!({"scp": "x y"}), "r= s=x,y p="),
        (issuer(), json!({"scope": "x", "scp": "y"}), "r= s=x p="),
        (issuer(), json!({"roles": ["billing admin"]}), "r=billing admin s= p="),
        (issuer().space_delimited_roles(), text("a  b "), "r=a,b s=a,b p=a  b "),
        (issuer().space_delimited_permissions(), text("a b"), "r=a b s=a,b p=a,b"),
        (
            issuer().roles_at("groups").space_delimited_roles(),
            json!({"groups": "a b", "roles": "c"}),
            "r=a,b s= p=",
        ),
    ] {
        assert_eq!(caller(issuer, &claims).await, format!("alice i t {expected}"), "{claims}");
    }
}

#[auth(roles = ["admin"])]
async fn admins() {}

#[tokio::test]
async fn a_role_with_a_space_is_not_two_roles() {
    let auth = Auth::builder().issuer(issuer()).build().unwrap();
    let app = Router::new().route("/", get(admins)).finish(&auth).unwrap();
    for (roles, expected) in [(json!("billing admin"), 403), (json!("admin"), 200), (json!(["admin"]), 200)] {
        let claims = json!({"iss": "i", "aud": "a", "sub": "s", "exp": now() + 60, "roles": roles});
        assert_eq!(get_with(&app, &claims.to_string()).await.status, expected, "{roles}");
    }
}

#[tokio::test]
async fn a_string_that_may_be_meant_as_a_list_is_logged_once() {
    let once = |log: &CapturedLog, what: &str| {
        let text = log.take();
        assert_eq!(text.matches(what).count(), 1, "{text}");
    };
    let log = CapturedLog::start(tracing::Level::WARN);
    for (name, text, what) in [
        ("scope", "first,second", "only spaces separate names"),
        ("roles", "billing admin", "`space_delimited_roles()`"),
        ("permissions", "read,write", "`space_delimited_permissions()`"),
    ] {
        let app = engine(issuer());
        for _ in 0..3 {
            let claims = json!({"iss": "i", "aud": "a", "sub": "s", "exp": now() + 60, name: text});
            assert_eq!(get_with(&app, &claims.to_string()).await.status, 200);
        }
        once(&log, what);
    }
    let app = engine(issuer().space_delimited_roles());
    for claims in [json!({"scope": "a b", "roles": "a b"}), json!({"scope": ["a,b"], "permissions": ["a b"]})]
    {
        let mut all = json!({"iss": "i", "aud": "a", "sub": "s", "exp": now() + 60});
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        assert_eq!(get_with(&app, &all.to_string()).await.status, 200);
    }
    assert_eq!(log.take(), "");
}

#[tokio::test]
async fn names_from_several_places() {
    let client = || ClaimName::path(["resource_access", "my.client", "roles"]);
    let keycloak = || issuer().roles_at("realm_access.roles").roles_at(client());
    let realm = json!({"roles": ["a", "b"]});
    let access = json!({"my.client": {"roles": ["b", "c"]}, "my": {"client": {"roles": ["no"]}}});
    for (issuer, claims, expected) in [
        (keycloak(), json!({"realm_access": realm, "resource_access": access}), "r=a,b,c s= p="),
        (keycloak(), json!({"realm_access": realm}), "r=a,b s= p="),
        (keycloak(), json!({"resource_access": access}), "r=b,c s= p="),
        (keycloak(), json!({"resource_access": access, "roles": ["no"]}), "r=b,c s= p="),
        (issuer().roles_at("roles").roles_at("role"), json!({"roles": ["a"], "role": "b"}), "r=a,b s= p="),
        (
            issuer().scopes_at("scope").scopes_at("scp"),
            json!({"scope": "x y", "scp": ["y", "z"]}),
            "r= s=x,y,z p=",
        ),
        (issuer().permissions_at("p1").permissions_at("p2"), json!({"p1": "a", "p2": ["b"]}), "r= s= p=a,b"),
    ] {
        assert_eq!(caller(issuer, &claims).await, format!("alice i t {expected}"), "{claims}");
    }
    let wrong = json!({"realm_access": realm, "resource_access": {"my.client": {"roles": 5}}});
    assert_eq!(caller(keycloak(), &wrong).await, "401");
}

#[tokio::test]
async fn integers_and_null_where_the_issuer_is_told() {
    let of_user = || issuer().subject_at("user_id");
    for (issuer, claims, expected) in [
        (of_user(), json!({"user_id": 42}), "42 i t r= s= p="),
        (of_user(), json!({"user_id": "42"}), "42 i t r= s= p="),
        (of_user(), json!({"user_id": 4.5}), "401"),
        (issuer(), json!({"sub": 1}), "401"),
        (issuer().accept_integer_sub(), json!({"sub": 1}), "1 i t r= s= p="),
        (issuer(), json!({"jti": 7}), "401"),
        (issuer().accept_integer_jti(), json!({"jti": 7}), "alice i 7 r= s= p="),
        (issuer(), json!({"roles": null}), "401"),
        (issuer(), json!({"cnf": null}), "401"),
        (
            issuer().accept_null_claims(),
            json!({"roles": null, "nbf": null, "sid": null, "auth_time": null, "cnf": null}),
            "alice i t r= s= p=",
        ),
        (issuer().accept_null_claims(), json!({"exp": null}), "401"),
        (issuer().accept_null_claims(), json!({"aud": null}), "401"),
    ] {
        assert_eq!(caller(issuer, &claims).await, expected, "{claims}");
    }
    // The text of the subject, to the last digit.
    let claims = format!(r#"{{"iss":"i","aud":"a","exp":{},"user_id":18446744073709551617}}"#, now() + 60);
    assert_eq!(get_with(&engine(of_user()), &claims).await.body, "18446744073709551617 i - r= s= p=");
}

#[tokio::test]
async fn revoking_a_token_whose_id_is_an_integer() {
    let auth = Auth::builder().issuer(issuer().accept_integer_jti()).build().unwrap();
    let app = app(&auth);
    let claims =
        |jti: Value| json!({"iss": "i", "aud": "a", "sub": "s", "jti": jti, "exp": now() + 60}).to_string();
    let revoked = auth_runtime::revocation::Revocation::Token { issuer: "i".into(), token_id: "7".into() };
    auth.revocations().revoke(revoked).await.unwrap();
    for (jti, expected) in [(json!(7), 401), (json!("7"), 401), (json!(8), 200)] {
        assert_eq!(get_with(&app, &claims(jti.clone())).await.status, expected, "{jti}");
    }
}

/// A token without `iss` is that of the issuer without one, and has to be signed with its key.
#[tokio::test]
async fn an_issuer_without_iss_beside_others() {
    let named = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let nameless = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let without_iss =
        || TrustedIssuer::dangerously_expect_no_issuer().audience("a").key(nameless.verifying_key());
    let with_iss = || TrustedIssuer::new("i").audience("a").key(named.verifying_key());
    let alone = app(&Auth::builder().issuer(without_iss()).build().unwrap());
    let beside = app(&Auth::builder().issuer(with_iss()).issuer(without_iss()).build().unwrap());
    let nullable = without_iss().accept_null_claims();
    let nullable = app(&Auth::builder().issuer(with_iss()).issuer(nullable).build().unwrap());
    for (key, iss, by_alone, by_beside, by_nullable) in [
        (&nameless, None, 200, 200, 200),
        (&named, None, 401, 401, 401),
        (&named, Some(json!("i")), 401, 200, 200),
        (&nameless, Some(json!("i")), 401, 401, 401),
        (&nameless, Some(json!("other")), 401, 401, 401),
        (&nameless, Some(json!("")), 401, 401, 401),
        (&nameless, Some(json!(null)), 401, 401, 200),
        (&nameless, Some(json!(["i"])), 401, 401, 401),
    ] {
        let mut claims = json!({"aud": "a", "sub": "alice", "exp": now() + 60});
        if let Some(iss) = &iss {
            claims["iss"] = iss.clone();
        }
        let token = key.sign(&claims).unwrap();
        for (app, expected) in [(&alone, by_alone), (&beside, by_beside), (&nullable, by_nullable)] {
            assert_eq!(status(app, &token).await, expected, "{claims} by {key:?}");
        }
    }
    let twice = Auth::builder().issuer(without_iss()).issuer(without_iss()).build().unwrap_err();
    assert!(twice.to_string().contains("`TrustedIssuer::dangerously_expect_no_issuer()` is added twice"));
}
