//! The lock reports what judges the credentials of a source, and where they are.

use auth_runtime::authenticator::{Credential, Subject};
use auth_runtime::policy::Rule;
use auth_runtime::source::{CredentialPlace, Header};
use auth_runtime::testing::TestAuth;
use auth_runtime::{AuthBuilder, Router, rule};

use super::lock::{locked, reported};

async fn anybody(credential: Credential, (): ()) -> Result<Subject, std::convert::Infallible> {
    Ok(Subject::new(credential.text()))
}

fn table(
    rule: Rule,
    configure: impl FnOnce(AuthBuilder) -> AuthBuilder,
) -> auth_runtime::access::AccessTable {
    let test = TestAuth::with(configure);
    let router: Router = Router::new().route("/x", (axum::routing::get(|| async {}), rule));
    router.routes().table(test.auth())
}

fn at(place: CredentialPlace) -> impl FnOnce(AuthBuilder) -> AuthBuilder {
    |builder| builder.authenticator_with("partner", place, anybody, ())
}

#[test]
fn another_scheme_of_a_route_is_told() {
    let partner = || at(CredentialPlace::header("X-Partner"));
    let [jwt, either, partners] =
        [rule!(source = "bearer"), rule!(source = ["bearer", "partner"]), rule!(source = "partner")]
            .map(|rule| table(rule, partner()));
    let gained = "+ gained: callers with a credential from `partner`";
    let lost = "- lost:   callers with a credential from `bearer`";
    assert_eq!(reported(&jwt, &either), [format!("ANY /x\n    {gained}")]);
    assert_eq!(reported(&either, &partners), [format!("ANY /x\n    {lost}")]);
    assert_eq!(reported(&jwt, &partners), [format!("ANY /x\n    {gained}\n    {lost}")]);
    assert_eq!(reported(&partners, &partners), [""; 0]);
}

#[test]
fn the_same_name_at_another_place_or_judged_by_something_else_is_told() {
    let rule = rule!(source = "partner");
    let header = || table(rule, at(CredentialPlace::header("X-Partner")));
    let tokens = table(rule, |builder| builder.source(Header::new("partner", "x-partner".parse().unwrap())));
    let text = |now: &str, before: &str| {
        format!(
            "the source `partner`: its credentials are {now} now, and {before} before: other callers may have gained and lost access to \
             the routes that take them"
        )
    };
    let of = |place: &str| format!("of an authenticator, in the {place}");
    for (after, expected) in [
        (table(rule, at(CredentialPlace::cookie("partner"))), of("cookie partner")),
        (
            table(rule, at(CredentialPlace::authorization("Partner"))),
            of("header authorization, scheme partner"),
        ),
        (table(rule, at(CredentialPlace::dangerously_in_query("key"))), of("query parameter key")),
        (tokens.clone(), "tokens".to_owned()),
    ] {
        assert_eq!(reported(&header(), &after), [text(&expected, &of("header x-partner"))]);
    }
    assert_eq!(reported(&tokens, &header()), [text(&of("header x-partner"), "tokens")]);
    // The name of a header has no case.
    assert_eq!(reported(&header(), &table(rule, at(CredentialPlace::header("x-PARTNER")))), [""; 0]);
}

#[test]
fn a_lock_has_the_authenticators_that_routes_name_and_no_others() {
    let partner = || at(CredentialPlace::header("X-Partner"));
    let text = |rule| std::fs::read_to_string(&locked(&table(rule, partner())).path).unwrap();
    assert!(
        text(rule!(source = "partner"))
            .contains("  \"authenticators\": {\n    \"partner\": \"header x-partner\"\n  },\n")
    );
    assert!(!text(rule!(source = "bearer")).contains("authenticators"));
}
