//! A header that a proxy adds to whatever a browser sends: the origin of the page is checked, as for a cookie.

use auth_runtime::Auth;
use auth_runtime::authenticator::{BoxError, Credential, CredentialPlace, Subject};
use auth_runtime::routing::any;
use auth_runtime::source::{Carrier, CredentialSource as _, Header};
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Principal, Router, auth};
use axum::http::{HeaderName, header};

use crate::support::{request, send};

#[auth(source = "access")]
async fn required(user: Principal) -> String {
    user.subject().to_owned()
}

#[auth(optional, source = ["bearer", "access"])]
async fn optional(user: Option<Principal>) -> String {
    user.map_or("nobody".into(), |user| user.subject().to_owned())
}

const OWN: &[(&str, &str)] = &[("host", "shop.example"), ("origin", "https://shop.example")];
const FOREIGN: &[(&str, &str)] = &[("host", "shop.example"), ("origin", "https://evil.example")];
const NO_PAGE: &[(&str, &str)] = &[("host", "shop.example")];

fn access() -> Header {
    Header::new("access", HeaderName::from_static("cf-access-jwt-assertion"))
}

#[test]
fn it_is_ambient_with_and_without_a_scheme() {
    let bearer = || Header::new("token", header::AUTHORIZATION).with_scheme("Bearer");
    for (header, expected) in [
        (access(), Carrier::Explicit),
        (access().added_by_proxy(), Carrier::Ambient),
        (bearer(), Carrier::Explicit),
        (bearer().added_by_proxy(), Carrier::Ambient),
    ] {
        assert_eq!(header.carrier(), expected, "{header:?}");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_does_not_act_as_the_user_whom_the_proxy_knows() {
    type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], [u16; 2]);
    let table: &[Row<'_>] = &[
        ("POST", OWN, [200, 200]),
        ("POST", NO_PAGE, [200, 200]),
        ("POST", FOREIGN, [200, 403]),
        ("DELETE", FOREIGN, [200, 403]),
        ("QUERY", FOREIGN, [200, 403]),
        ("GET", FOREIGN, [200, 200]),
    ];
    for (index, header) in [access(), access().added_by_proxy()].into_iter().enumerate() {
        let test = TestAuth::with(|builder| builder.source(header.clone()));
        let app = Router::new().route("/", any(required)).finish(test.auth()).unwrap();
        let token = test.token(&TestUser::new("alice"));
        for (method, page, expected) in table {
            let headers: Vec<_> =
                page.iter().copied().chain([("cf-access-jwt-assertion", &*token)]).collect();
            let reply = send(&app, request(method, "/", &headers)).await;
            assert_eq!(reply.status, expected[index], "{method} {page:?} {header:?}");
            if reply.status == 200 {
                assert_eq!((&*reply.body, reply.header("cache-control")), ("alice", "private"));
                assert_eq!(reply.header("vary"), "cf-access-jwt-assertion");
            }
        }
    }
}

/// Its owner did not choose to send it; what the client sends by itself comes first.
#[tokio::test]
async fn on_an_optional_route_an_invalid_one_counts_as_absent_and_an_explicit_one_comes_first() {
    let test = TestAuth::with(|builder| builder.source(access().added_by_proxy()));
    let app = Router::new().route("/", any(optional)).finish(test.auth()).unwrap();
    let [alice, bob] = ["alice", "bob"].map(|name| test.token(&TestUser::new(name)));
    let bearer = format!("Bearer {bob}");
    for (headers, expected) in [
        (&[("cf-access-jwt-assertion", &*alice)][..], "alice"),
        (&[("cf-access-jwt-assertion", "x")], "nobody"),
        (&[("cf-access-jwt-assertion", &*alice), ("authorization", &*bearer)], "bob"),
    ] {
        let reply = send(&app, request("GET", "/", headers)).await;
        assert_eq!((reply.status.as_u16(), &*reply.body), (200, expected), "{headers:?}");
        assert!(!reply.headers.contains_key("set-cookie"));
    }
}

async fn forwarded(credential: Credential, (): ()) -> Result<Option<Subject>, BoxError> {
    Ok(Some(Subject::new(credential.text())))
}

#[tokio::test]
async fn an_authenticator_takes_it_from_a_place_that_says_so() {
    let auth =
        |place: CredentialPlace| Auth::builder().authenticator_with("access", place, forwarded, ()).build();
    for (place, name, expected) in [
        (CredentialPlace::header("X-Forwarded-User").added_by_proxy(), "x-forwarded-user", 403),
        (CredentialPlace::header("X-Forwarded-User"), "x-forwarded-user", 200),
        (CredentialPlace::authorization("Access").added_by_proxy(), "authorization", 403),
    ] {
        let app = Router::new().route("/", any(required)).finish(&auth(place).unwrap()).unwrap();
        let value = if name == "authorization" { "Access alice" } else { "alice" };
        for (page, expected) in [(OWN, 200), (FOREIGN, expected)] {
            let headers: Vec<_> = page.iter().copied().chain([(name, value)]).collect();
            assert_eq!(send(&app, request("POST", "/", &headers)).await.status, expected, "{name} {page:?}");
        }
    }
    for place in [
        CredentialPlace::cookie("sid").added_by_proxy(),
        CredentialPlace::dangerously_in_query("key").added_by_proxy(),
        CredentialPlace::from(access()).added_by_proxy(),
    ] {
        let error = auth(place).unwrap_err().to_string();
        assert!(
            error.contains("the authenticator \"access\": `added_by_proxy` is for headers: remove it"),
            "{error}"
        );
    }
}

#[test]
fn the_document_says_what_the_origin_is_checked_for() {
    use auth_runtime::openapi::OpenApi;

    for (header, is_checked) in [(access(), false), (access().added_by_proxy(), true)] {
        let test = TestAuth::with(|builder| builder.source(header));
        let routes: Router = Router::new().route("/", auth_runtime::routing::post(required));
        let document = OpenApi::new("shop", "1").describe(&routes.routes(), test.auth()).unwrap().to_value();
        let description = &document["components"]["securitySchemes"]["access"]["description"];
        assert_eq!(
            description.as_str().unwrap().contains("must come from a page of this service"),
            is_checked
        );
        assert_eq!(document["paths"]["/"]["post"]["responses"].get("403").is_some(), is_checked);
    }
}
