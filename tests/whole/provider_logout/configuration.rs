//! What a service configures, and the errors where that is wrong.

use auth_runtime::openapi::OpenApi;
use auth_runtime::provider_logout::{SecurityEventTransmitter, back_channel_logout, security_events};
use auth_runtime::verify::{TrustedIssuer, VerifyError};
use auth_runtime::{Auth, Router};
use serde_json::json;

use super::{API, NOW, PROVIDER, RECEIVER, Service, Signer, TRANSMITTER, form, pushed};
use crate::captured_log::CapturedLog;
use crate::support::send;

/// The errors of a configuration with one issuer and one transmitter.
fn errors(
    issuer: impl FnOnce(TrustedIssuer) -> TrustedIssuer,
    transmitter: impl FnOnce(SecurityEventTransmitter) -> SecurityEventTransmitter,
) -> Vec<String> {
    let (provider, events) = (Signer::new("p"), Signer::new("t"));
    let issuer = issuer(TrustedIssuer::new(PROVIDER).audience(API).key(provider.key()));
    let transmitter = transmitter(super::events_of(&events));
    let built = Auth::builder().issuer(issuer).security_event_transmitter(transmitter).build();
    built.map_or_else(|error| error.errors().map(str::to_owned).collect(), |_| Vec::new())
}

#[test]
fn each_error_says_where_what_and_what_to_write_instead() {
    const SECRET: &str = "Bearer 0123456789abcdef0123456789abcdef";
    let allowed = |transmitter: SecurityEventTransmitter| transmitter.subjects_of(PROVIDER);
    let plain = |issuer: TrustedIssuer| issuer;
    let of_issuer = [
        (
            errors(|issuer| issuer.logout_audience(""), allowed),
            vec!["issuer `https://id.test`", "logout audience is empty", "client id"],
        ),
        (
            errors(|issuer| issuer.access_tokens_have_sid().logout_ends_all_sessions(), allowed),
            vec!["issuer `https://id.test`", "both called", "keep one"],
        ),
    ];
    let of_transmitter = [
        (
            errors(plain, |it| it),
            vec!["security event transmitter", TRANSMITTER, "ends nothing", ".subjects_of("],
        ),
        (
            errors(plain, |it| it.subjects_of("https://typo.test")),
            vec![TRANSMITTER, "https://typo.test", ".issuer(..)"],
        ),
        (
            errors(plain, |it| allowed(it).authorization_header("Bearer short")),
            vec!["has 12 bytes", "32 at least", "secret"],
        ),
        (errors(plain, |it| allowed(it).authorization_header(format!("{SECRET}\n"))), vec!["visible ASCII"]),
        (errors(plain, |it| allowed(it).authorization_header(format!("{SECRET} "))), vec!["visible ASCII"]),
    ];
    for (errors, parts) in of_issuer.into_iter().chain(of_transmitter) {
        let [error] = errors.as_slice() else { panic!("{errors:?}") };
        for part in parts {
            // Of "would end nothing".
            let part = part.replace("ends nothing", "end nothing");
            assert!(error.contains(&part), "{part}: {error}");
        }
        assert!(!error.contains("0123456789"));
    }
    assert_eq!(errors(plain, |it| allowed(it).authorization_header(SECRET)), [""; 0]);
}

#[test]
fn an_issuer_that_has_no_exact_name_is_an_error() {
    let key = Signer::new("p").key();
    let errors_of = |issuer: TrustedIssuer| {
        let transmitter = SecurityEventTransmitter::new(issuer.clone().key(key.clone()).audience(RECEIVER));
        let issuer = issuer.audience(API).key(key.clone()).logout_audience("client");
        let transmitter = transmitter.subjects_of(PROVIDER);
        let built = Auth::builder().issuer(issuer).security_event_transmitter(transmitter).build();
        built.unwrap_err().to_string()
    };
    for issuer in
        [TrustedIssuer::dangerously_accept_any_issuer(), TrustedIssuer::dangerously_expect_no_issuer()]
    {
        let text = errors_of(issuer);
        for part in ["`logout_audience` is called", "has no exact name", "TrustedIssuer::new"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

#[test]
fn what_is_wrong_with_the_keys_of_a_transmitter_is_said_of_it() {
    let key = Signer::new("p").key();
    let built = Auth::builder()
        .issuer(TrustedIssuer::new(PROVIDER).audience(API).key(key))
        .security_event_transmitter(
            SecurityEventTransmitter::new(TrustedIssuer::new(TRANSMITTER)).subjects_of(PROVIDER),
        )
        .build();
    let error = built.unwrap_err();
    let errors: Vec<&str> = error.errors().collect();
    assert_eq!(errors.len(), 2, "{errors:?}");
    for error in errors {
        assert!(error.starts_with("security event transmitter: issuer `https://events.test`: "), "{error}");
    }
}

#[test]
fn a_route_that_would_reject_everything_is_not_made() {
    let key = Signer::new("p").key();
    let auth = Auth::builder().issuer(TrustedIssuer::new(PROVIDER).audience(API).key(key)).build().unwrap();
    let error = back_channel_logout::<()>(&auth).unwrap_err();
    assert!(error.to_string().contains(".logout_audience("), "{error}");
    let error = security_events::<()>(&auth).unwrap_err();
    assert!(error.to_string().contains(".security_event_transmitter("), "{error}");
}

/// A router of another engine would enforce nothing of what it acknowledges.
#[tokio::test]
async fn a_router_of_another_engine_acknowledges_nothing() {
    let (service, other) = (Service::new(), Service::new());
    let routes: Router = Router::new()
        .route("/logout", back_channel_logout(&service.auth).unwrap())
        .route("/events", security_events(&service.auth).unwrap());
    let app = routes.finish(&other.auth).unwrap();
    let log = CapturedLog::start(tracing::Level::ERROR);
    let token = service.logout_token(NOW, json!({"sub": "alice"}));
    assert_eq!(send(&app, form(&format!("logout_token={token}"))).await.status, 500);
    let event = service.event_token(NOW, super::user("alice"), json!({"https://x.test": {}}));
    assert_eq!(send(&app, pushed(&event, &[])).await.status, 500);
    assert_eq!(log.text().matches("use the same `Auth` for both").count(), 2, "{}", log.text());
}

/// They are public routes, and OpenAPI describes them.
#[test]
fn the_routes_are_listed_and_described() {
    let service = Service::new();
    let routes: Router = Router::new()
        .route("/logout", back_channel_logout(&service.auth).unwrap())
        .route("/events", security_events(&service.auth).unwrap());
    let routes = routes.routes();
    let table = routes.table(&service.auth).to_string();
    for path in ["POST    /events", "POST    /logout"] {
        assert!(table.contains(path), "{table}");
    }
    assert_eq!(table.matches("public").count(), 2, "{table}");
    let mut document = json!({});
    OpenApi::new("shop", "1").fill(&mut document, &routes, &service.auth).unwrap();
    for (path, content_type, statuses) in [
        ("/logout", "application/x-www-form-urlencoded", vec!["200", "400", "503"]),
        ("/events", "application/secevent+jwt", vec!["202", "400", "408", "413", "415", "503"]),
    ] {
        let operation = &document["paths"][path]["post"];
        assert!(operation["requestBody"]["content"][content_type]["schema"].is_object(), "{operation}");
        let described: Vec<&String> = operation["responses"].as_object().unwrap().keys().collect();
        assert_eq!(described, statuses, "{operation}");
        assert_eq!(operation["security"], json!([]), "{operation}");
    }
}

#[test]
fn what_is_said_of_a_logout_token_as_a_credential() {
    let error = VerifyError::LogoutToken.to_string();
    assert!(error.contains("logout token") && error.contains("no access token"), "{error}");
}
