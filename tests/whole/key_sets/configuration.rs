//! Configurations of fetched keys that are errors, and what each says.

use auth_runtime::Auth;
use auth_runtime::verify::{Algorithm, TrustedIssuer};

use super::{ISSUER, Provider, key, started};
use crate::support::people::AUDIENCE;

fn error(issuer: TrustedIssuer) -> String {
    Auth::builder().issuer(issuer.audience(AUDIENCE)).build().unwrap_err().to_string()
}

#[tokio::test]
async fn what_does_not_fit_is_an_error_of_build_that_says_what_to_write() {
    let a = key("a");
    let fetched = || TrustedIssuer::new(ISSUER).jwks_from(|| async { Ok::<_, String>(String::new()) });
    for (what, issuer, expected) in [
        ("keys twice", fetched().key(a.verifying_key()), "leave out `.key(..)` and `.jwks(..)`"),
        ("sets twice", fetched().jwks(r#"{"keys":[]}"#), "leave out `.key(..)` and `.jwks(..)`"),
        (
            "a secret algorithm",
            fetched().jwks_algorithms([Algorithm::HS256]),
            "`jwks_algorithms` names HS256",
        ),
        (
            "an option of fetched keys",
            TrustedIssuer::new(ISSUER).key(a.verifying_key()).serve_503_until_reachable(),
            "`serve_503_until_reachable()` is called, but its keys are given",
        ),
        ("no key", TrustedIssuer::new(ISSUER), "`.jwks_url(..)`"),
        ("http", TrustedIssuer::discover("http://id.example.com"), "is not https"),
        ("http", TrustedIssuer::new(ISSUER).jwks_url("http://id.example.com/jwks"), "dangerously_allow_http"),
        ("no URL", TrustedIssuer::discover("id.example.com"), "is no URL"),
        ("a query", TrustedIssuer::discover("https://id.example.com/?a=b"), "has a query"),
        (
            "no name",
            TrustedIssuer::dangerously_accept_any_issuer().jwks_url("ftp://id.example.com"),
            "is not https",
        ),
    ] {
        let error = error(issuer);
        assert!(error.contains(expected), "{what}: {error}");
    }
    let http = TrustedIssuer::discover("http://id.example.com").audience(AUDIENCE).dangerously_allow_http();
    Auth::builder().issuer(http).build().expect("by the switch");
}

#[tokio::test(start_paused = true)]
async fn fetched_keys_can_not_be_replaced_by_hand() {
    let [a, b] = [key("a"), key("b")];
    let (auth, _) = started(&Provider::new(&[&a])).await;
    let error = auth.replace_keys(ISSUER, b.verifying_key()).unwrap_err().to_string();
    assert!(error.contains("its keys are fetched"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_fetches_nothing_starts() {
    let auth = Auth::builder()
        .issuer(TrustedIssuer::new(ISSUER).audience(AUDIENCE).key(key("a").verifying_key()))
        .build()
        .unwrap();
    auth.start().await.unwrap();
    assert!(auth.key_sets().is_empty());
}
