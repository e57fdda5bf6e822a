//! What `finish` says of a router that is not the protected resource that it is declared to be.

use auth_runtime::routing::{ProtectedResource, get};
use auth_runtime::source::Query;
use auth_runtime::testing::TestAuth;
use auth_runtime::verify::{Algorithm, Introspection, Key, TrustedIssuer, providers};
use auth_runtime::{Auth, AuthBuilder, Router, rule};

use super::{PROVIDER, RESOURCE, beside, engine, home, read, test_engine};

/// The errors, each after the name of the resource and the place where it is declared.
fn errors(router: Router, auth: &Auth) -> Vec<String> {
    let Err(error) = router.finish(auth) else { return Vec::new() };
    let errors = error.errors().map(|error| {
        let (head, what) = error.split_once("): ").unwrap_or_else(|| panic!("{error}"));
        assert!(head.starts_with("the protected resource `"), "{error}");
        assert!(head.contains("(declared at tests/whole/protected_resource/errors.rs:"), "{error}");
        what.to_owned()
    });
    errors.collect()
}

#[track_caller]
fn assert_error(router: Router, auth: &Auth, expected: &[&str]) {
    let errors = errors(router, auth);
    let is_expected = errors.len() == 1 && expected.iter().all(|part| errors[0].contains(part));
    assert!(is_expected, "{expected:?}: {errors:?}");
}

fn routes() -> Router {
    Router::new().route("/", get(home))
}

fn key() -> Key {
    Key::secret(Algorithm::HS256, [7; 32])
}

#[test]
fn what_is_written_wrongly() {
    let test = test_engine();
    for (identifier, expected) in [
        ("orders", "it is not a URL: write scheme and host"),
        ("https://api.example.com/?tenant=1", "it has a query or a fragment: leave it out (RFC 9728 §1.2"),
        ("https://Api.example.com", "has capital letters"),
        ("http://api.example.com", "it is not `https` (RFC 9728 §1.2)"),
    ] {
        assert_error(routes().protected_resource(identifier), test.auth(), &[expected]);
    }
    let resource = || ProtectedResource::new(RESOURCE);
    for (resource, expected) in [
        (
            resource().authorization_server("id"),
            "the authorization server \"id\" is no issuer identifier (RFC 8414 §2)",
        ),
        (resource().authorization_server("http://id.example.com"), "is no issuer identifier"),
        (resource().scopes(["a b"]), "\"a b\" can't be a scope (RFC 6749 §3.3)"),
        (resource().scopes([""]), "\"\" can't be a scope"),
        (resource().scopes(["a\"b"]), "can't be a scope"),
        (resource().documentation("docs"), "the URL of `documentation`, \"docs\", is no URL"),
        (resource().policy("javascript:alert(1)"), "the URL of `policy`"),
        (resource().terms_of_service(""), "the URL of `terms_of_service`"),
    ] {
        assert_error(routes().protected_resource(resource), test.auth(), &[expected]);
    }
}

/// RFC 8707 §2.
#[test]
fn a_trusted_issuer_has_the_resource_as_its_audience() {
    let with = |issuers: Vec<TrustedIssuer>| {
        issuers.into_iter().fold(Auth::builder(), AuthBuilder::issuer).build().unwrap()
    };
    let declared = || routes().protected_resource(RESOURCE);
    let provider = || TrustedIssuer::new(PROVIDER).key(key());
    let missing = [
        "no client could get a token for it",
        "the audience `https://api.example.com` (RFC 8707 §2): call `.audience(\"https://api.example.com\")`",
    ];
    assert_error(declared(), &with(vec![provider().audience("orders")]), &missing);
    assert_error(declared(), &with(vec![provider().audience("https://api.example.com/")]), &missing);
    assert_error(declared(), &with(vec![TrustedIssuer::new("id").audience(RESOURCE).key(key())]), &missing);
    assert_error(declared(), TestAuth::new().auth(), &missing);
    assert!(errors(declared(), &with(vec![provider().audience(RESOURCE)])).is_empty());
    // One that is asked about its tokens, and has no keys.
    let introspected = |audience: &str| {
        let introspection = Introspection::at("https://id.example.com/introspect");
        let introspection = introspection.client_secret_basic("api", "secret");
        TrustedIssuer::new(PROVIDER).audience(audience).introspection(introspection)
    };
    assert_error(declared(), &with(vec![introspected("orders")]), &missing);
    assert!(errors(declared(), &with(vec![introspected(RESOURCE)])).is_empty());

    // One that does not look at the audience, also next to one that does.
    let other = || TrustedIssuer::new("https://other.example").key(key());
    for (issuer, label) in [
        (other().dangerously_accept_any_audience(), "issuer `https://other.example` needs no `aud`"),
        (
            providers::cognito("eu-west-1_shop", "client").key(key()).audience(RESOURCE),
            "issuer `https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_shop` needs no `aud`",
        ),
        (other().dangerously_expect_no_audience(), "issuer `https://other.example` needs no `aud`"),
        (
            TrustedIssuer::dangerously_expect_no_issuer().dangerously_accept_any_audience().key(key()),
            "the issuer without `iss` needs no `aud`",
        ),
    ] {
        let auth = with(vec![provider().audience(RESOURCE), issuer]);
        assert_error(
            declared(),
            &auth,
            &[label, "(RFC 8707 §2): call `.audience(\"https://api.example.com\")`"],
        );
    }
    // Where another server issues the tokens, it is named.
    let named = || ProtectedResource::new(RESOURCE).authorization_server("https://opaque.example");
    assert!(
        errors(routes().protected_resource(named()), &with(vec![provider().audience("orders")])).is_empty()
    );
}

#[test]
fn tokens_are_in_the_header_alone() {
    let (test, _) = engine(RESOURCE, |builder| {
        builder
            .dangerously_allow_query_tokens(Query::new().for_every_read())
            .default_sources(["bearer", "cookie"])
    });
    let with = |rule| Router::new().route("/x", beside(rule));
    let download = || axum::routing::get(async || ());
    let in_url = auth_runtime::routing::MethodRouter::new().on_service(
        auth_runtime::routing::MethodFilter::GET,
        (download(), rule!(source = ["bearer", "query"])),
    );
    assert_error(
        Router::new().route("/x", in_url).protected_resource(RESOURCE),
        test.auth(),
        &["GET /x ([service]) takes a credential from the URL by the source `query`", "(RFC 9700 §4.3.2)"],
    );
    let none = "none of its routes takes a bearer token from the header `Authorization` (RFC 6750 §2.1)";
    assert_error(with(rule!(source = "cookie")).protected_resource(RESOURCE), test.auth(), &[none]);
    for router in [
        with(rule!()),
        with(rule!(source = ["cookie", "bearer"])),
        with(rule!(source = "cookie")).route("/api", get(read)),
        // No credential is looked at.
        with(rule!(public)),
        Router::new(),
    ] {
        assert_eq!(errors(router.protected_resource(RESOURCE), test.auth()), [""; 0]);
    }
}

#[test]
fn the_document_is_public_and_in_its_place() {
    let test = test_engine();
    let declared = || routes().protected_resource(RESOURCE);
    let place = [
        "would be served at `/v1/.well-known/oauth-protected-resource`",
        "call `protected_resource` on the outermost router",
    ];
    assert_error(Router::new().nest("/v1", declared()), test.auth(), &place);
    assert_error(declared().mounted_at("/v1"), test.auth(), &place);
    let required = [
        "must be public, and a router around it requires role admin: require that of a router which is nested or merged",
    ];
    assert_error(declared().require(rule!(roles = ["admin"])), test.auth(), &required);
    let merged = Router::new().merge(declared()).require(rule!(roles = ["admin"]));
    assert_error(merged, test.auth(), &required);
    for router in [
        Router::new().merge(declared()),
        Router::new().merge(routes().require(rule!(roles = ["admin"]))).protected_resource(RESOURCE),
    ] {
        assert_eq!(errors(router, test.auth()), [""; 0]);
    }
}

#[test]
fn a_router_is_one_protected_resource() {
    let test = test_engine();
    let other = || Router::new().protected_resource("https://api.example.com/mcp");
    let twice = routes().protected_resource(RESOURCE).merge(other());
    assert_error(
        twice,
        test.auth(),
        &["`https://api.example.com/mcp` is declared too (at tests/whole/protected_resource/errors.rs:"],
    );
}
