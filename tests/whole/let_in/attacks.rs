//! What an attacker sends to authenticators: places, spellings, credentials of another scheme, sizes.

use std::sync::atomic::{AtomicUsize, Ordering};

use auth_runtime::auth;
use auth_runtime::routing::{any, get};
use auth_runtime::testing::{TestAuth, TestUser};

use super::*;
use crate::support::request;

#[auth(source = ["bearer", "partner", "signed", "session"])]
async fn all() {}

#[auth(source = ["bearer", "partner", "signed", "session", "key"])]
async fn all_and_key() {}

#[auth(source = "partner")]
async fn partners(caller: Principal) -> String {
    caller.subject().to_owned()
}

#[auth(source = "bearer")]
async fn tokens(caller: Principal) -> String {
    caller.subject().to_owned()
}

async fn known(credential: Credential, asked: Arc<AtomicUsize>) -> Result<Authentication, BoxError> {
    asked.fetch_add(1, Ordering::SeqCst);
    Ok(match credential.text() {
        "ok-a" | "ok-b" => {
            Authenticated::new(Subject::new(credential.text())).remember_for(seconds(60)).into()
        }
        "nobody" => Authentication::Absent,
        _ => Authentication::Invalid("unknown".into()),
    })
}

fn engine(asked: &Arc<AtomicUsize>) -> TestAuth {
    TestAuth::with(|builder| {
        builder
            .authenticator_with("partner", CredentialPlace::header("X-Partner"), known, Arc::clone(asked))
            .authenticator_with("signed", CredentialPlace::authorization("Partner"), known, Arc::clone(asked))
            .authenticator_with("session", CredentialPlace::cookie("sid"), known, Arc::clone(asked))
            .authenticator_with("key", CredentialPlace::dangerously_in_query("key"), known, Arc::clone(asked))
    })
}

type Row<'r> = (&'r str, &'r str, &'r [(&'r str, &'r str)], u16);

/// A method, a URI, headers, and the status of the answer.
async fn each(test: &TestAuth, rows: &[Row<'_>]) {
    let app = Router::new().route("/", any(all)).route("/key", get(all_and_key));
    let app = app.finish(test.auth()).unwrap();
    for (method, uri, headers, expected) in rows {
        let shown = format!("{method} {uri} {headers:?}");
        let reply = send(&app, request(method, uri, headers)).await;
        assert_eq!(reply.status, *expected, "{shown}");
        assert!(*expected != 401 || reply.headers.contains_key("www-authenticate"), "{shown}");
        let is_in_url = uri.contains("key=") || uri.contains("%6bey");
        assert!(
            !is_in_url || *expected == 405 || reply.header("cache-control").contains("no-store"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn a_cookie_that_is_tossed_or_misspelled() {
    let test = engine(&Arc::default());
    let rows: &[Row<'_>] = &[
        ("GET", "/", &[("cookie", "sid=ok-a")], 200),
        ("GET", "/", &[("cookie", "sid=ok-a; Sid=ok-b; sid2=x; xsid=x")], 200),
        ("GET", "/", &[("cookie", "$Version=1; sid=ok-a")], 200),
        ("GET", "/", &[("cookie", "Sid=ok-a")], 401),
        ("GET", "/", &[("cookie", "__Host-sid=ok-a")], 401),
        ("GET", "/", &[("cookie", "\u{2000}sid=ok-a")], 401),
        ("GET", "/", &[("cookie", "sid=\"ok-a\"")], 401),
        ("GET", "/", &[("cookie", "sid")], 401),
        ("GET", "/", &[("cookie", "sid=")], 401),
        ("GET", "/", &[("cookie", "sid=ok-a,")], 401),
        ("GET", "/", &[("cookie", "sid=ok-a; sid=ok-b")], 400),
        ("GET", "/", &[("cookie", "sid=ok-a; sid=")], 400),
        ("GET", "/", &[("cookie", "sid=ok-a"), ("cookie", "sid=ok-a")], 400),
    ];
    each(&test, rows).await;
}

#[tokio::test]
async fn a_header_that_is_sent_twice_or_is_a_list() {
    let test = engine(&Arc::default());
    let huge = "a".repeat(17 * 1024);
    let rows: &[Row<'_>] = &[
        ("GET", "/", &[("x-partner", "ok-a")], 200),
        ("GET", "/", &[("X-PARTNER", "\tok-a ")], 200),
        ("GET", "/", &[("x-partner", "OK-A")], 401),
        ("GET", "/", &[("x_partner", "ok-a")], 401),
        ("GET", "/", &[("x-partner", "ok-a,ok-a")], 401),
        ("GET", "/", &[("x-partner", "ok-a, ok-b")], 401),
        ("GET", "/", &[("x-partner", "ok-\u{e4}")], 401),
        ("GET", "/", &[("x-partner", "ok-a"), ("x-partner", "ok-a")], 400),
        ("GET", "/", &[("x-partner", ""), ("x-partner", "ok-a")], 400),
        ("GET", "/", &[("x-partner", &huge)], 401),
    ];
    each(&test, rows).await;
}

#[tokio::test]
async fn schemes_of_authorization_are_judged_apart() {
    let test = engine(&Arc::default());
    let token = test.token(&TestUser::new("alice"));
    let as_bearer = format!("Bearer {token}");
    let rows: &[Row<'_>] = &[
        ("GET", "/", &[("authorization", "partner   ok-a")], 200),
        ("GET", "/", &[("authorization", "Partner")], 401),
        ("GET", "/", &[("authorization", "Partner=ok-a")], 401),
        ("GET", "/", &[("authorization", "Partnership ok-a")], 401),
        ("GET", "/", &[("authorization", "Partner Partner ok-a")], 401),
        ("GET", "/", &[("authorization", &as_bearer), ("authorization", "Partner ok-a")], 400),
        ("GET", "/", &[("authorization", "Bearer x, Partner ok-a")], 401),
    ];
    each(&test, rows).await;
}

#[tokio::test]
async fn a_credential_of_one_scheme_at_the_place_of_another() {
    let test = engine(&Arc::default());
    let token = test.token(&TestUser::new("alice"));
    let as_partner = format!("Partner {token}");
    let as_bearer = format!("Bearer {token}");
    let rows: &[Row<'_>] = &[
        ("GET", "/", &[("authorization", &as_bearer)], 200),
        ("GET", "/", &[("authorization", "Bearer ok-a")], 401),
        ("GET", "/", &[("authorization", &as_partner)], 401),
        ("GET", "/", &[("x-partner", &token)], 401),
        ("GET", "/", &[("x-partner", &as_bearer)], 401),
    ];
    each(&test, rows).await;
}

#[tokio::test]
async fn a_query_that_is_encoded() {
    let test = engine(&Arc::default());
    let rows: &[Row<'_>] = &[
        ("GET", "/key?key=ok-a", &[], 200),
        ("HEAD", "/key?key=ok-a", &[], 200),
        ("GET", "/key?key=ok%2Da", &[], 200),
        ("GET", "/key?%6bey=ok-a", &[], 200),
        ("GET", "/key?KEY=ok-a", &[], 401),
        ("GET", "/key?key=ok-a%00", &[], 401),
        ("GET", "/key?key=ok-a+", &[], 401),
        ("GET", "/key?key=ok-a;x=y", &[], 401),
        ("GET", "/key?key=", &[], 401),
        ("GET", "/key?key=ok-a&key=ok-a", &[], 400),
        ("GET", "/key?key=ok-a&%6Bey=ok-b", &[], 400),
        ("POST", "/key?key=ok-a", &[], 405),
        ("GET", "/key?key=ok-a", &[("x-partner", "ok-a")], 400),
        ("GET", "/key?key=ok-a", &[("cookie", "sid=ok-b")], 200),
    ];
    each(&test, rows).await;
}

#[tokio::test]
async fn what_a_browser_sends_for_another_page() {
    let test = engine(&Arc::default());
    let rows: &[Row<'_>] = &[
        ("POST", "/", &[("host", "a.example"), ("origin", "https://b.example"), ("cookie", "sid=ok-a")], 403),
        ("FROB", "/", &[("host", "a.example"), ("origin", "null"), ("cookie", "sid=ok-a")], 403),
        ("POST", "/", &[("sec-fetch-site", "same-site"), ("cookie", "sid=ok-a")], 403),
        ("OPTIONS", "/", &[("host", "a.example"), ("origin", "https://b.example")], 401),
        // A header that says nothing does not hide the origin of a cookie.
        (
            "POST",
            "/",
            &[("sec-fetch-site", "cross-site"), ("x-partner", "nobody"), ("cookie", "sid=ok-a")],
            403,
        ),
    ];
    each(&test, rows).await;
}

#[tokio::test]
async fn a_credential_that_is_too_long_is_nobodys_to_judge() {
    let asked = Arc::new(AtomicUsize::new(0));
    let test = engine(&asked);
    let app = Router::new().route("/", any(all)).finish(test.auth()).unwrap();
    for (length, count) in [(16 * 1024, 1), (16 * 1024 + 1, 1)] {
        let reply = send(&app, request("GET", "/", &[("x-partner", &"a".repeat(length))])).await;
        assert_eq!((reply.status.as_u16(), asked.load(Ordering::SeqCst)), (401, count));
    }
}

#[tokio::test]
async fn a_remembered_credential_counts_at_its_own_place_alone() {
    let test = engine(&Arc::default());
    let app =
        Router::new().route("/all", get(all)).route("/partners", get(partners)).route("/tokens", get(tokens));
    let app = app.finish(test.auth()).unwrap();
    let ask = async |path: &str, header: (&str, &str)| {
        send(&app, request("GET", path, &[header])).await.status.as_u16()
    };
    assert_eq!(ask("/all", ("cookie", "sid=ok-a")).await, 200);
    assert_eq!(ask("/partners", ("cookie", "sid=ok-a")).await, 401);
    assert_eq!(ask("/tokens", ("x-partner", "ok-a")).await, 401);
    let bearer = format!("Bearer {}", test.token(&TestUser::new("ok-a")));
    assert_eq!(ask("/tokens", ("authorization", &bearer)).await, 200);
    assert_eq!(ask("/partners", ("authorization", &bearer)).await, 401);
    assert_eq!(ask("/partners", ("x-partner", &bearer[7..])).await, 401);
}

/// Each with the sources of the engine that the router is finished with, at their places there.
#[tokio::test]
async fn one_router_finished_with_two_engines() {
    let engine = |own: CredentialPlace, other: CredentialPlace, is_swapped: bool| {
        TestAuth::with(|builder| {
            let add = |builder: auth_runtime::AuthBuilder, is_own: bool| match is_own {
                true => builder.authenticator_with("partner", own.clone(), known, Arc::default()),
                false => builder.authenticator_with("other", other.clone(), known, Arc::default()),
            };
            [!is_swapped, is_swapped].into_iter().fold(builder, add)
        })
    };
    let one = engine(CredentialPlace::header("X-One"), CredentialPlace::header("X-Two"), false);
    let two = engine(CredentialPlace::header("X-Two"), CredentialPlace::header("X-One"), true);
    let router = || Router::new().route("/", get(partners));
    for (test, good, bad) in [(&one, "x-one", "x-two"), (&two, "x-two", "x-one")] {
        let app = router().finish(test.auth()).unwrap();
        assert_eq!(send(&app, request("GET", "/", &[(good, "ok-a")])).await.status, 200);
        assert_eq!(send(&app, request("GET", "/", &[(bad, "ok-a")])).await.status, 401);
    }
}

#[tokio::test]
async fn a_required_rule_holds_for_callers_of_authenticators_below_it() {
    let test = TestAuth::with(|builder| {
        let place = CredentialPlace::header("X-Partner");
        builder.authenticator_with("partner", place, known, Arc::default())
    });
    let nested = |required: Rule| {
        let inner = Router::new().route("/partners", get(partners)).route("/tokens", get(tokens));
        Router::new().nest("/v1", Router::new().nest("/in", inner).require(required))
    };
    let admins = Condition::Roles(vec!["admin".into()]);
    for (required, expected) in [
        (Rule::authenticated(), 200),
        (Rule::authenticated().requires(vec![admins].leak()), 403),
        (Rule::deny_all(), 403),
    ] {
        let app = nested(required).finish(test.auth()).unwrap();
        let reply = send(&app, request("GET", "/v1/in/partners", &[("x-partner", "ok-a")])).await;
        assert_eq!(reply.status, expected, "{required}");
        // The sources are those of the route.
        assert_eq!(send(&app, request("GET", "/v1/in/tokens", &[("x-partner", "ok-a")])).await.status, 401);
    }
}

#[tokio::test]
async fn subjects_with_odd_characters_stay_as_they_are() {
    for id in [
        "urn:auth-runtime:scheme:other",
        "a\nb\r\nSet-Cookie: x",
        "\u{202e}nimda",
        "a\0b",
        " ",
        "https://issuer.test",
    ] {
        let test = TestAuth::with(|builder| {
            let odd = async |_: Credential, id: &'static str| Ok::<_, BoxError>(Subject::new(id));
            builder.authenticator_with("partner", CredentialPlace::header("X-Partner"), odd, id)
        });
        let app = Router::new().route("/", any(partners)).finish(test.auth()).unwrap();
        let reply = send(&app, request("GET", "/", &[("x-partner", "x")])).await;
        assert_eq!((reply.status.as_u16(), &*reply.body), (200, id));
        assert!(!reply.headers.contains_key("set-cookie"));
    }
}
