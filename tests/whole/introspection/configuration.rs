//! The errors of a configuration: where, what is wrong, what to write instead.

use std::time::Duration;

use auth_runtime::session::SigningKey;
use auth_runtime::verify::{Algorithm, Introspection, TrustedIssuer, providers};
use auth_runtime::{Auth, BuildError};

use super::{AUDIENCE, ISSUER};

const URL: &str = "https://id.test/introspect";

fn build(issuers: impl IntoIterator<Item = TrustedIssuer>) -> Result<Auth, BuildError> {
    let builder = Auth::builder();
    issuers.into_iter().fold(builder, |builder, issuer| builder.issuer(issuer)).build()
}

fn issuer(introspection: Introspection) -> TrustedIssuer {
    TrustedIssuer::new(ISSUER).audience(AUDIENCE).introspection(introspection)
}

fn at(url: &str) -> Introspection {
    Introspection::at(url).client_secret_basic("orders", "hunter2")
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::EdDSA).unwrap()
}

#[tokio::test]
async fn every_error_names_the_issuer_and_what_to_write_instead() {
    let secret = SigningKey::secret(Algorithm::HS256, &[7; 32]).unwrap();
    let rows: Vec<(Introspection, &str)> = vec![
        (Introspection::at(URL), "call `.client_secret_basic(id, secret)`"),
        (at(URL).client_secret_post("orders", "other"), "keep one of the calls"),
        (Introspection::at(URL).client_secret_basic("", "hunter2"), "the client id is empty"),
        (Introspection::at(URL).client_secret_post("orders", ""), "the client secret is empty"),
        (Introspection::at(URL).private_key_jwt("orders", secret), "use `SigningKey::pem`"),
        (at("http://id.test/introspect"), "is not https"),
        (at("id.test/introspect"), "is no URL"),
        (at("https://orders:secret@id.test/introspect"), "a user name or a password"),
        (at(URL).cache_for(Duration::from_secs(3601)), "`cache_for` is more than 1 hour"),
    ];
    for (introspection, expected) in rows {
        let error = build([issuer(introspection)]).unwrap_err();
        let errors: Vec<&str> = error.errors().collect();
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert!(errors[0].starts_with("issuer `https://id.test`: `introspection`: "), "{errors:#?}");
        assert!(errors[0].contains(expected) && !errors[0].contains("hunter2"), "{expected}: {errors:#?}");
    }
}

#[tokio::test]
async fn what_does_not_go_together() {
    let unnamed = TrustedIssuer::dangerously_accept_any_issuer().audience(AUDIENCE).introspection(at(URL));
    let with_keys = issuer(at(URL).include_jwts()).key(key().verifying_key());
    let other = TrustedIssuer::new("https://other.test").audience(AUDIENCE).introspection(at(URL));
    for (issuers, expected) in [
        (vec![unnamed], "its issuer has no name"),
        (vec![with_keys], "so they would verify nothing: leave out the keys or the call"),
        (
            vec![issuer(at(URL).assertion_audience("https://id.test/token"))],
            "`assertion_audience` is called, and no JWT",
        ),
        (vec![issuer(at(URL)), other], "an opaque token does not say which of them to ask"),
        (vec![TrustedIssuer::new(ISSUER).audience(AUDIENCE)], "it has no key"),
        (vec![TrustedIssuer::new(ISSUER).introspection(at(URL))], "no audience is set"),
    ] {
        let error = build(issuers).unwrap_err();
        assert_eq!(error.errors().filter(|error| error.contains(expected)).count(), 1, "{expected}: {error}");
    }
}

#[tokio::test]
async fn what_goes_together() {
    let jwt = Introspection::at(URL).private_key_jwt("orders", key());
    for issuers in [
        vec![issuer(at(URL))],
        vec![issuer(at(URL)).key(key().verifying_key())],
        vec![issuer(at(URL).include_jwts().cache_for(Duration::ZERO))],
        vec![
            issuer(jwt),
            TrustedIssuer::new("https://other.test").audience(AUDIENCE).key(key().verifying_key()),
        ],
        vec![issuer(at("http://127.0.0.1:9/introspect"))],
        // Its keys are for logout tokens.
        vec![issuer(at(URL).include_jwts()).key(key().verifying_key()).logout_audience("shop-web")],
        vec![
            providers::keycloak("https://id.test/realms/shop", AUDIENCE)
                .introspection(at(URL).include_jwts()),
        ],
    ] {
        build(issuers).unwrap();
    }
}
