//! Where the credentials of an authenticator may be, and the errors of a configuration.

use std::sync::Arc;

use auth_runtime::session::SigningKey;
use auth_runtime::source::{CredentialPlace, Header};
use auth_runtime::verify::{Algorithm, TrustedIssuer};

use super::*;

#[auth(source = "own")]
async fn own(caller: Principal) -> String {
    caller.subject().to_owned()
}

fn engine(place: impl Into<CredentialPlace>) -> Result<Auth, auth_runtime::BuildError> {
    Auth::builder().authenticator_with("own", place, says, Arc::default()).build()
}

#[tokio::test]
async fn a_credential_is_found_at_each_place() {
    let source = Header::new("own", "x-own".parse().unwrap()).with_scheme("Own");
    let places: [(CredentialPlace, &str, &str, &str); 5] = [
        (CredentialPlace::header("X-Own"), "/", "x-own", "acme"),
        (CredentialPlace::authorization("Own"), "/", "authorization", "own acme"),
        (CredentialPlace::cookie("own"), "/", "cookie", "a=b; own=acme"),
        (CredentialPlace::dangerously_in_query("key"), "/?a=b&key=acme", "x-none", ""),
        (source.into(), "/", "x-own", "Own acme"),
    ];
    for (place, uri, header, value) in places {
        let shown = format!("{place:?}");
        let app = Router::new().route("/", get(own)).finish(&engine(place).unwrap()).unwrap();
        let reply = send(&app, request("GET", uri, &[(header, value)])).await;
        assert_eq!((reply.status.as_u16(), &*reply.body), (200, "acme"), "{shown}");
        assert_eq!(send(&app, request("GET", "/", &[])).await.status, 401, "{shown}");
    }
}

#[test]
fn what_is_misconfigured_is_said_at_build() {
    let header = || CredentialPlace::header("X-Own");
    let with = |name: &str, place: CredentialPlace| {
        let calls = Arc::new(AtomicUsize::new(0));
        let builder = Auth::builder().authenticator_with("other", header(), says, Arc::clone(&calls));
        builder.authenticator_with(name, place, says, calls).build().unwrap_err().to_string()
    };
    for (name, place, expected) in [
        ("own", header(), "the sources `other` and `own` take a credential from one place"),
        ("own", CredentialPlace::header("x-own"), "take a credential from one place"),
        ("own", CredentialPlace::header("x own"), "can't be the name of a header"),
        ("own", CredentialPlace::cookie("a b"), "can't be the name of a cookie"),
        ("own", CredentialPlace::cookie(""), "can't be the name of a cookie"),
        ("own", CredentialPlace::dangerously_in_query(""), "the name of the query parameter is empty"),
        ("own", CredentialPlace::authorization("a b"), "can't be an authentication scheme"),
        (
            "own",
            Header::new("another", "x-a".parse().unwrap()).into(),
            "let `CredentialSource::name` return `own`",
        ),
        ("other", CredentialPlace::header("X-B"), "two sources have the name `other`"),
        ("bearer", CredentialPlace::header("X-B"), "a source can't have the name `bearer`"),
        ("cookie", CredentialPlace::header("X-B"), "a source can't have the name `cookie`"),
        ("query", CredentialPlace::header("X-B"), "a source can't have the name `query`"),
        ("jwt", CredentialPlace::header("X-B"), "a source can't have the name `jwt`"),
        ("", CredentialPlace::header("X-B"), "can't be the name of a source: it is empty"),
    ] {
        let error = with(name, place);
        assert!(error.contains(expected), "{name}: {error}");
    }
    let error = with_an_issuer().unwrap_err().to_string();
    assert!(error.contains("the sources `bearer` and `own` take a credential from one place"), "{error}");
}

fn with_an_issuer() -> Result<Auth, auth_runtime::BuildError> {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap().verifying_key();
    Auth::builder()
        .issuer(TrustedIssuer::new("https://id.example").audience("a").key(key))
        .authenticator_with("own", CredentialPlace::authorization("bearer"), says, Arc::default())
        .build()
}
