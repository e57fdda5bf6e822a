//! Issuers with several names: which `iss` they accept, and that the callers of two names never are one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::revocation::Revocation;
use auth_runtime::routing::get;
use auth_runtime::session::SigningKey;
use auth_runtime::testing::{TestClock, verify_token};
use auth_runtime::verify::{Algorithm, KeySet, Tenants, TrustedIssuer, VerifyError};
use auth_runtime::{Auth, Principal, Router, auth};
use serde_json::{Value, json};

use crate::support::status;

const PATTERN: &str = "https://id.example.com/{tenant}/v2.0";
const ACME: &str = "https://id.example.com/acme/v2.0";
const GLOBEX: &str = "https://id.example.com/globex/v2.0";
/// The time of a new `TestClock`.
const NOW: i64 = 1_800_000_000;

fn key() -> SigningKey {
    SigningKey::secret(Algorithm::HS256, &[7; 32]).unwrap()
}

fn with_key(issuer: TrustedIssuer) -> TrustedIssuer {
    issuer.audience("orders").key(key().verifying_key())
}

fn engine(issuers: impl IntoIterator<Item = TrustedIssuer>) -> Auth {
    let builder = Auth::builder().clock(TestClock::new());
    issuers.into_iter().fold(builder, |builder, issuer| builder.issuer(issuer)).build().unwrap()
}

fn problems(issuers: impl IntoIterator<Item = TrustedIssuer>) -> String {
    let built =
        issuers.into_iter().fold(Auth::builder(), |builder, issuer| builder.issuer(with_key(issuer))).build();
    built.err().map(|error| error.to_string()).unwrap_or_default()
}

fn claims(iss: &str) -> Value {
    json!({"iss": iss, "aud": "orders", "sub": "alice", "jti": "t", "sid": "s", "iat": NOW - 10, "exp": NOW + 600})
}

fn token(iss: &str) -> String {
    key().sign(&claims(iss)).unwrap()
}

/// Every way to name the two tenants.
fn of_both() -> [(&'static str, TrustedIssuer); 4] {
    let both = |tenant: &str| ["acme", "globex"].contains(&tenant);
    [
        ("names", TrustedIssuer::one_of([ACME, GLOBEX])),
        ("a list", TrustedIssuer::of_tenants(PATTERN, ["acme", "globex"])),
        ("a predicate", TrustedIssuer::of_tenants(PATTERN, Tenants::accepted_by(both))),
        ("any", TrustedIssuer::of_tenants(PATTERN, Tenants::dangerously_accept_any())),
    ]
}

#[tokio::test]
async fn the_issuer_of_a_caller_is_the_iss_of_its_token() {
    for (what, issuer) in of_both() {
        let auth = engine([with_key(issuer)]);
        for iss in [ACME, GLOBEX, ACME] {
            let caller = auth.verify(&token(iss)).await.unwrap();
            assert_eq!((caller.issuer(), caller.subject()), (Some(iss), "alice"), "{what}");
        }
    }
}

/// A spoofed name is none, whichever way the real ones are named, alone and beside another issuer.
#[test]
fn a_name_that_is_like_one_is_none() {
    let spoofed = [
        "https://id.example.com/acme/v2.0/",
        "https://id.example.com/acme/v2",
        "https://id.example.com/acme/v2.0.evil.com",
        "https://id.example.com/acme",
        "https://id.example.com/acme/globex/v2.0",
        "https://id.example.com/acme%2Fglobex/v2.0",
        "https://id.example.com/acme%2fv2.0/v2.0",
        "https://id.example.com/%61cme/v2.0",
        "https://id.example.com/acme//v2.0",
        "https://id.example.com//v2.0",
        "https://id.example.com/../v2.0",
        "https://id.example.com/acme\\/v2.0",
        "https://id.example.com/acme#/v2.0",
        "https://id.example.com/acme?/v2.0",
        "https://id.example.com/{tenant}/v2.0",
        "HTTPS://id.example.com/acme/v2.0",
        "https://ID.EXAMPLE.COM/acme/v2.0",
        "https://id.example.com/acme/V2.0",
        "https://id.example.com:443/acme/v2.0",
        "https://id.example.com@evil.com/acme/v2.0",
        "https://alice@id.example.com/acme/v2.0",
        "https://evil.com/?https://id.example.com/acme/v2.0",
        "https://id.example.com.evil.com/acme/v2.0",
        "http://id.example.com/acme/v2.0",
        " https://id.example.com/acme/v2.0",
        "https://id.example.com/acme/v2.0 ",
        "https://id.example.com/аcme/v2.0",
        "urn:auth-runtime:scheme:api_key",
        "",
    ];
    let other =
        || TrustedIssuer::new("https://other.example.com").audience("orders").key(key().verifying_key());
    for (what, issuer) in of_both() {
        for auth in [engine([with_key(issuer.clone())]), engine([other(), with_key(issuer)])] {
            for iss in spoofed {
                let error = verify_token(&auth, &token(iss)).err();
                assert!(matches!(error, Some(VerifyError::UntrustedIssuer(_))), "{what}: {iss:?}: {error:?}");
            }
            let mut without = claims(ACME);
            without.as_object_mut().unwrap().remove("iss");
            let error = verify_token(&auth, &key().sign(&without).unwrap()).err();
            assert_eq!(error, Some(VerifyError::MissingClaim("iss")), "{what}");
        }
    }
}

#[test]
fn a_tenant_that_is_not_named_is_rejected() {
    let third = token("https://id.example.com/initech/v2.0");
    for (what, issuer) in of_both() {
        let found = verify_token(&engine([with_key(issuer)]), &third);
        assert_eq!(found.is_ok(), what == "any", "{what}: {found:?}");
    }
    // A letter in another case is another tenant.
    let upper = token("https://id.example.com/ACME/v2.0");
    for (what, issuer) in of_both().into_iter().take(3) {
        assert!(verify_token(&engine([with_key(issuer)]), &upper).is_err(), "{what}");
    }
}

#[test]
fn the_claim_of_the_tenant_must_be_that_of_iss() {
    for (what, issuer) in of_both().into_iter().skip(1) {
        let auth = engine([with_key(issuer.tenant_at("org.tid"))]);
        let with = |org: Value| {
            let mut claims = claims(ACME);
            claims["org"] = org;
            verify_token(&auth, &key().sign(&claims).unwrap()).err()
        };
        assert_eq!(with(json!({"tid": "acme"})), None, "{what}");
        for org in [
            json!({"tid": "globex"}),
            json!({"tid": "ACME"}),
            json!({"tid": ["acme"]}),
            json!({"tid": null}),
            json!({}),
            json!("acme"),
        ] {
            assert_eq!(with(org.clone()), Some(VerifyError::TenantMismatch), "{what}: {org}");
        }
    }
}

/// Only the verified `iss` of a token is shown to the predicate, and each time.
#[tokio::test]
async fn a_predicate_is_called_for_each_request_and_for_verified_tokens_alone() {
    let (asked, accepted) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(vec!["acme".to_owned()])));
    let (counter, tenants) = (asked.clone(), accepted.clone());
    let issuer = TrustedIssuer::of_tenants(
        PATTERN,
        Tenants::accepted_by(move |tenant| {
            counter.fetch_add(1, Ordering::Relaxed);
            tenants.lock().unwrap().iter().any(|known| known == tenant)
        }),
    );
    let other = TrustedIssuer::new("https://other.example.com").audience("orders").key(key().verifying_key());
    let auth = engine([with_key(issuer), other]);
    let forged = SigningKey::secret(Algorithm::HS256, &[8; 32]).unwrap().sign(&claims(ACME)).unwrap();
    assert!(auth.verify(&forged).await.is_err());
    assert!(auth.verify(&token("https://other.example.com")).await.is_ok());
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    for expected in 1..=3 {
        assert!(auth.verify(&token(ACME)).await.is_ok());
        assert_eq!(asked.load(Ordering::Relaxed), expected);
    }
    assert!(auth.verify(&token(GLOBEX)).await.is_err());
    accepted.lock().unwrap().clear();
    assert!(auth.verify(&token(ACME)).await.is_err());
}

#[auth]
async fn who(user: Principal) -> String {
    format!("{} {}", user.issuer().unwrap_or("-"), user.subject())
}

/// The statuses of the answers to alice of the one tenant, and to alice of the other.
async fn statuses(auth: &Auth) -> (u16, u16) {
    let app = Router::new().route("/", get(who)).finish(auth).unwrap();
    let [acme, globex] = [token(ACME), token(GLOBEX)];
    (status(&app, "GET", "/", Some(&acme)).await, status(&app, "GET", "/", Some(&globex)).await)
}

#[tokio::test]
async fn what_is_revoked_for_one_tenant_is_not_for_the_other() {
    for (what, issuer) in of_both() {
        let engine = || engine([with_key(issuer.clone())]);
        let auth = engine();
        assert_eq!(statuses(&auth).await, (200, 200), "{what}");
        let alice = auth.verify(&token(GLOBEX)).await.unwrap();
        auth.revocations().revoke_token(&alice).await.unwrap();
        assert_eq!(statuses(&auth).await, (200, 401), "{what}: a token");

        let auth = engine();
        let alice = auth.verify(&token(GLOBEX)).await.unwrap();
        auth.revocations().revoke_user(&alice).await.unwrap();
        assert_eq!(statuses(&auth).await, (200, 401), "{what}: a user");

        // As an administrator does, who has no token.
        let auth = engine();
        let now = UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs());
        let user =
            Revocation::User { issuer: ACME.into(), subject: "alice".into(), issued_at_or_before: now };
        auth.revocations().revoke(user).await.unwrap();
        assert_eq!(statuses(&auth).await, (401, 200), "{what}: a user by name");
    }
}

#[test]
fn keys_are_replaced_by_the_pattern_or_by_a_listed_name() {
    let next = SigningKey::secret(Algorithm::HS256, &[9; 32]).unwrap();
    let set = || KeySet::from(next.verifying_key());
    for (what, issuer) in of_both() {
        let is_listed = matches!(what, "names" | "a list");
        for (name, expected) in [
            (PATTERN, what != "names"),
            (ACME, is_listed),
            (GLOBEX, is_listed),
            ("https://id.example.com/x/v2.0", false),
        ] {
            let auth = engine([with_key(issuer.clone())]);
            let replaced = auth.replace_keys(name, set());
            assert_eq!(replaced.is_ok(), expected, "{what}: {name}: {replaced:?}");
            // They are the keys of all tenants.
            for iss in [ACME, GLOBEX] {
                assert_eq!(verify_token(&auth, &token(iss)).is_ok(), !expected, "{what}: {name}");
                assert_eq!(
                    verify_token(&auth, &next.sign(&claims(iss)).unwrap()).is_ok(),
                    expected,
                    "{what}: {name}"
                );
            }
        }
    }
}

#[test]
fn names_between_which_iss_could_not_choose_are_an_error_of_build() {
    let pattern = |tenants: Tenants| TrustedIssuer::of_tenants(PATTERN, tenants);
    let any = || pattern(Tenants::dangerously_accept_any());
    for (one, other, shared) in [
        (TrustedIssuer::new(ACME), TrustedIssuer::new(ACME), Some(ACME)),
        (TrustedIssuer::new(ACME), TrustedIssuer::one_of([GLOBEX, ACME]), Some(ACME)),
        (TrustedIssuer::new(ACME), pattern("acme".into()), Some(ACME)),
        (TrustedIssuer::new(ACME), any(), Some(ACME)),
        (TrustedIssuer::new(ACME), pattern(Tenants::accepted_by(|_| false)), Some(ACME)),
        (pattern("acme".into()), any(), Some(ACME)),
        (pattern(["acme", "globex"].into()), pattern(["initech", "globex"].into()), Some(GLOBEX)),
        (
            any(),
            TrustedIssuer::of_tenants(
                "https://id.example.com/acme/{version}",
                Tenants::dangerously_accept_any(),
            ),
            Some(PATTERN),
        ),
        (TrustedIssuer::new(ACME), TrustedIssuer::one_of([GLOBEX]), None),
        (TrustedIssuer::new(ACME), pattern("globex".into()), None),
        (pattern("acme".into()), pattern("globex".into()), None),
        (any(), TrustedIssuer::new("https://id.example.com/acme/v1.0"), None),
        (
            any(),
            TrustedIssuer::of_tenants("https://id.example.com/{tenant}", Tenants::dangerously_accept_any()),
            None,
        ),
    ] {
        for pair in [[one.clone(), other.clone()], [other, one]] {
            let found = problems(pair);
            match shared {
                None => assert_eq!(found, ""),
                Some(_) => assert!(found.contains("is added twice"), "{found}"),
            }
            if let Some(shared) = shared.filter(|shared| *shared != PATTERN) {
                assert!(found.contains(&format!("`{shared}`")), "{found}");
            }
        }
    }
}

#[test]
fn what_accepts_no_token_or_a_reserved_name_is_an_error_of_build() {
    for (issuer, expected) in [
        (TrustedIssuer::one_of([""; 0]), "`TrustedIssuer::one_of` has no name"),
        (TrustedIssuer::one_of([ACME, ""]), "the name of an issuer is empty"),
        (
            TrustedIssuer::one_of([ACME, "urn:auth-runtime:scheme:api_key"]),
            "reserved for the callers of authenticators",
        ),
        (TrustedIssuer::of_tenants(PATTERN, Vec::<String>::new()), "`Tenants::one_of` has no tenant"),
        (TrustedIssuer::of_tenants(PATTERN, ["acme", "a/b"]), "`a/b` can't be the name of a tenant"),
        (TrustedIssuer::of_tenants(PATTERN, ".."), "`..` can't be the name of a tenant"),
        (TrustedIssuer::of_tenants(ACME, "acme"), "has not one whole segment of its path in braces"),
        (TrustedIssuer::of_tenants("https://{tenant}.example.com", "acme"), "has not one whole segment"),
        (
            TrustedIssuer::of_tenants("urn:auth-runtime:scheme:/{x}", Tenants::dangerously_accept_any()),
            "is not a URL with a host",
        ),
        (TrustedIssuer::of_tenants(PATTERN, "acme").tenant_at(""), "the name of a claim is empty"),
        (TrustedIssuer::new(ACME).tenant_at("tid"), "its names have no tenant"),
    ] {
        let found = problems([issuer]);
        assert!(found.contains(expected), "{found:?} without {expected:?}");
    }
    // The same name twice in a list is that name.
    assert_eq!(problems([TrustedIssuer::one_of([ACME, ACME])]), "");
}

/// What the application's own list or predicate says, the name of an authenticator is none of a token.
#[test]
fn any_issuer_is_not_that_of_an_authenticator() {
    let auth = engine([with_key(TrustedIssuer::dangerously_accept_any_issuer())]);
    let error = verify_token(&auth, &token("urn:auth-runtime:scheme:api_key")).err();
    assert!(matches!(error, Some(VerifyError::UntrustedIssuer(_))), "{error:?}");
    assert!(verify_token(&auth, &token(ACME)).is_ok());
}
