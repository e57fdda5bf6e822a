//! Which credential counts: none, good, bad, expired, repeated × bearer, cookie × required, optional.

mod ambient;
mod proxy;

use auth_runtime::routing::get;
use auth_runtime::source::Header;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Principal, Router, auth, rule};
use axum::http::{HeaderName, header};
use std::time::Duration;

use crate::support::{request, send};

#[auth(source = ["cookie", "bearer"])]
async fn required(user: Principal) -> String {
    user.subject().to_owned()
}

#[auth(optional, source = ["cookie", "bearer"])]
async fn optional(user: Option<Principal>) -> String {
    user.map_or("nobody".into(), |user| user.subject().to_owned())
}

#[auth]
async fn by_default(user: Principal) -> String {
    user.subject().to_owned()
}

#[auth(source = ["query", "bearer"])]
async fn from_url(user: Principal) -> String {
    user.subject().to_owned()
}

#[auth(source = ["partner", "token", "bearer"])]
async fn partner(user: Principal) -> String {
    user.subject().to_owned()
}

struct Fixture {
    app: axum::Router,
    test: TestAuth,
    expired: String,
}

impl Fixture {
    fn new() -> Self {
        let test = TestAuth::with(|builder| {
            builder
                .dangerously_allow_query_tokens(auth_runtime::source::Query::new().for_every_read())
                .source(Header::new("partner", HeaderName::from_static("x-partner-token")))
                .source(Header::new("token", header::AUTHORIZATION).with_scheme("Token"))
                .source(Header::new("basic", header::AUTHORIZATION).with_scheme("Basic"))
        });
        let expired = test.token(&TestUser::new("old"));
        test.clock().advance(Duration::from_secs(900 + 61));
        let app = Router::new()
            .route("/required", get(required).post(required))
            .route("/optional", get(optional).post(optional))
            .route("/default", get(by_default))
            .route("/url", get(from_url))
            .route("/partner", get(partner))
            .route("/closure", (axum::routing::post(|| async {}), rule!(source = "cookie")))
            .finish(test.auth())
            .unwrap();
        Self { app, test, expired }
    }

    /// `good:alice` is a token of hers; `expired` and `bad` are what they say; anything else is sent as it is.
    fn credential(&self, word: &str) -> String {
        match word.strip_prefix("good:") {
            Some(subject) => self.test.token(&TestUser::new(subject)),
            None if word == "expired" => self.expired.clone(),
            None if word == "bad" => format!("{}x", self.test.token(&TestUser::new("eve"))),
            None => word.to_owned(),
        }
    }

    async fn ask(
        &self,
        method: &str,
        path: &str,
        bearer: &[&str],
        cookies: &[&str],
    ) -> crate::support::Reply {
        let bearer = bearer.iter().map(|word| ("authorization", format!("Bearer {}", self.credential(word))));
        let cookies = cookies
            .iter()
            .map(|word| ("cookie", format!("other=1; __Host-access_token={}", self.credential(word))));
        let headers: Vec<_> = bearer.chain(cookies).collect();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        send(&self.app, request(method, path, &headers)).await
    }
}

/// Bearer, cookie → required, optional. `C` after the status: the answer clears the cookie.
const TABLE: &[(&[&str], &[&str], &str, &str)] = &[
    // nothing
    (&[], &[], "401", "200 nobody"),
    // one, good
    (&["good:alice"], &[], "200 alice", "200 alice"),
    (&[], &["good:alice"], "200 alice", "200 alice"),
    // one, bad: refused everywhere, but where a credential is optional an ambient one counts as absent and is cleared: its owner
    // did not choose to send it, and would stay locked out
    (&["bad"], &[], "401 invalid_token", "401 invalid_token"),
    (&[], &["bad"], "401 invalid_token", "200 nobody C"),
    (&[""], &[], "401 invalid_token", "401 invalid_token"),
    (&[], &[""], "401 invalid_token", "200 nobody C"),
    (&["two words"], &[], "401 invalid_token", "401 invalid_token"),
    (&[], &["two words"], "401 invalid_token", "200 nobody C"),
    (&["deleted"], &[], "401 invalid_token", "401 invalid_token"),
    (&[], &["deleted"], "401 invalid_token", "200 nobody C"),
    (&[], &["null"], "401 invalid_token", "200 nobody C"),
    (&[], &["\"\""], "401 invalid_token", "200 nobody C"),
    // one, expired
    (&["expired"], &[], "401 invalid_token", "401 invalid_token"),
    (&[], &["expired"], "401 invalid_token", "200 nobody C"),
    // the same carrier twice
    (&["good:alice", "good:alice"], &[], "400 invalid_request", "400 invalid_request"),
    (&["good:alice", "bad"], &[], "400 invalid_request", "400 invalid_request"),
    (&[], &["good:alice", "good:alice"], "400 invalid_request C", "200 nobody C"),
    (&[], &["expired", "expired"], "400 invalid_request C", "200 nobody C"),
    (&["good:alice", "good:alice"], &["good:bob"], "400 invalid_request", "400 invalid_request"),
    (&["good:alice", "good:alice"], &["good:bob", "good:bob"], "400 invalid_request", "400 invalid_request"),
    (&["good:alice"], &["good:bob", "good:bob"], "200 alice", "200 alice"),
    (&["bad"], &["good:bob", "good:bob"], "401 invalid_token", "401 invalid_token"),
    // both: the explicit one decides, though the rule names the cookie first
    (&["good:alice"], &["good:bob"], "200 alice", "200 alice"),
    (&["good:alice"], &["bad"], "200 alice", "200 alice"),
    (&["good:alice"], &["expired"], "200 alice", "200 alice"),
    (&["bad"], &["good:bob"], "401 invalid_token", "401 invalid_token"),
    (&["expired"], &["good:bob"], "401 invalid_token", "401 invalid_token"),
    (&[""], &["good:bob"], "401 invalid_token", "401 invalid_token"),
    (&["bad"], &["expired"], "401 invalid_token", "401 invalid_token"),
];

#[tokio::test]
async fn the_table() {
    let fixture = Fixture::new();
    for (bearer, cookies, on_required, on_optional) in TABLE {
        for (path, expected) in [("/required", on_required), ("/optional", on_optional)] {
            let reply = fixture.ask("GET", path, bearer, cookies).await;
            let challenge = reply.header("www-authenticate");
            let code = challenge.split("error=\"").nth(1).and_then(|rest| rest.split('"').next());
            let mut found = reply.status.as_str().to_owned();
            if reply.status.is_success() {
                found = format!("{found} {}", reply.body);
            } else if let Some(code) = code {
                found = format!("{found} {code}");
            }
            if reply.header("set-cookie").starts_with("__Host-access_token=; ") {
                found.push_str(" C");
            }
            assert_eq!(found, **expected, "bearer {bearer:?}, cookie {cookies:?} on {path}");
            if !reply.status.is_success() {
                assert!(challenge.starts_with("Bearer realm=\""), "{challenge}");
            }
        }
    }
}

#[tokio::test]
async fn a_cleared_cookie_is_gone_in_every_respect() {
    let reply = Fixture::new().ask("GET", "/optional", &[], &["expired"]).await;
    let cookie = reply.header("set-cookie");
    for part in ["Max-Age=0", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
}

#[tokio::test]
async fn the_scheme_is_compared_without_case_and_another_counts_as_absent() {
    let fixture = Fixture::new();
    let token = fixture.credential("good:alice");
    for (value, status) in [
        (format!("bearer {token}"), 200),
        (format!("BEARER   {token}"), 200),
        (format!("Bearer\t{token}"), 200),
        (format!("Bearer {token} "), 200),
        (format!("Bearer{token}"), 401),
        (format!("Basic {token}"), 401),
        ("Bearer".to_owned(), 401),
        (token.clone(), 401),
    ] {
        let reply = send(&fixture.app, request("GET", "/default", &[("authorization", &value)])).await;
        assert_eq!(reply.status.as_u16(), status, "{value:.20}");
    }
    let basic = send(&fixture.app, request("GET", "/default", &[("authorization", "Basic YTpi")])).await;
    assert_eq!(
        basic.header("www-authenticate"),
        "Bearer realm=\"restricted\"",
        "no error code: nothing was sent for us"
    );
}

#[tokio::test]
async fn by_default_a_cookie_is_not_looked_at() {
    let reply = Fixture::new().ask("GET", "/default", &[], &["good:alice"]).await;
    assert_eq!(reply.status, 401);
}

#[tokio::test]
async fn a_cookie_is_found_among_others_and_in_split_headers() {
    let fixture = Fixture::new();
    let token = fixture.credential("good:alice");
    let good = format!("__Host-access_token={token}");
    for (headers, status) in [
        (vec![("cookie", format!("a=1; {good}; b=2").into_bytes())], 200),
        (vec![("cookie", b"a=1".to_vec()), ("cookie", good.clone().into_bytes())], 200),
        // bytes of another's cookie, which are not UTF-8
        (vec![("cookie", [b"a=\xff\xfe; ", good.as_bytes()].concat())], 200),
        (vec![("cookie", format!("{good}; {good}").into_bytes())], 400),
        (vec![("cookie", format!("x{good}").into_bytes())], 401),
        // To a browser this has no prefix, so any subdomain can set it: white space is what RFC 6265 says, not Unicode.
        (vec![("cookie", format!("\u{2000}{good}").into_bytes())], 401),
        (vec![("cookie", format!("\u{a0}{good}").into_bytes())], 401),
        (vec![("cookie", format!("a=1;\u{2000}{good}; {good}").into_bytes())], 200),
        (vec![("cookie", format!("  \t{good}\t ;").into_bytes())], 200),
        (vec![("cookie", good.replace('=', " = ").into_bytes())], 200),
        (vec![("cookie", good.replace('=', "").into_bytes())], 401),
        (vec![("cookie", "__host-access_token=x".to_owned().into_bytes())], 401),
        (vec![("cookie", [good.as_bytes(), b"\xff"].concat())], 401),
        (vec![("cookie", vec![b'a'; 20_000])], 401),
        (vec![("cookie", [b"__Host-access_token=".as_slice(), &[b'a'; 20_000]].concat())], 401),
    ] {
        let mut request = request("GET", "/required", &[]);
        for (name, value) in &headers {
            request.headers_mut().append(*name, value.as_slice().try_into().unwrap());
        }
        let reply = send(&fixture.app, request).await;
        assert_eq!(reply.status.as_u16(), status, "{headers:?}");
    }
}

#[tokio::test]
async fn a_token_in_the_url() {
    let fixture = Fixture::new();
    let token = fixture.credential("good:alice");
    let bearer = format!("Bearer {token}");
    for (query, headers, status) in [
        (format!("?access_token={token}"), vec![], 200),
        (format!("?a=b&access_token={token}&c"), vec![], 200),
        (format!("?access%5Ftoken={token}"), vec![], 200),
        ("?access_token=".into(), vec![], 401),
        ("?access_token=a%20b".into(), vec![], 401),
        ("?access_token=%ff".into(), vec![], 401),
        ("?access_token=x+y".into(), vec![], 401),
        (String::new(), vec![], 401),
        // RFC 6750 §2: not twice, and not in two ways
        (format!("?access_token={token}&access_token={token}"), vec![], 400),
        (format!("?access_token={token}"), vec![("authorization", bearer.as_str())], 400),
    ] {
        let reply = send(&fixture.app, request("GET", &format!("/url{query}"), &headers)).await;
        assert_eq!(reply.status.as_u16(), status, "{query:.30} {}", headers.len());
        assert_eq!(reply.header("cache-control") == "no-store", status != 200 || query.contains("access"));
    }
    // Where the rule does not name it, it is not looked at.
    let reply = send(&fixture.app, request("GET", &format!("/default?access_token={token}"), &[])).await;
    assert_eq!(reply.status, 401);
}

#[tokio::test]
async fn headers_of_the_users_choice_side_by_side() {
    let fixture = Fixture::new();
    let (alice, bob) = (fixture.credential("good:alice"), fixture.credential("good:bob"));
    let (token, bearer) = (format!("Token {alice}"), format!("Bearer {bob}"));
    for (headers, expected) in [
        (vec![("x-partner-token", alice.as_str())], "alice"),
        (vec![("authorization", token.as_str())], "alice"),
        (vec![("authorization", bearer.as_str())], "bob"),
        // the order written
        (vec![("authorization", bearer.as_str()), ("x-partner-token", alice.as_str())], "alice"),
    ] {
        let reply = send(&fixture.app, request("GET", "/partner", &headers)).await;
        assert_eq!(reply.body, expected);
    }
    let twice = [("x-partner-token", alice.as_str()), ("x-partner-token", alice.as_str())];
    assert_eq!(send(&fixture.app, request("GET", "/partner", &twice)).await.status, 400);
    let reply = send(&fixture.app, request("GET", "/partner", &[])).await;
    let challenges: Vec<_> = reply.headers.get_all("www-authenticate").iter().collect();
    assert_eq!(
        challenges,
        ["ApiKey realm=\"restricted\"", "Token realm=\"restricted\"", "Bearer realm=\"restricted\""]
    );
}

#[tokio::test]
async fn a_cookie_is_as_good_as_the_page_that_sends_it() {
    let fixture = Fixture::new();
    let cookie = format!("__Host-access_token={}", fixture.credential("good:alice"));
    let bearer = format!("Bearer {}", fixture.credential("good:alice"));
    let foreign = [("host", "shop.example"), ("origin", "https://evil.example")];
    for (credential, path, status) in [
        (("cookie", cookie.as_str()), "/required", 403),
        (("cookie", cookie.as_str()), "/closure", 403),
        (("authorization", bearer.as_str()), "/required", 200),
    ] {
        let headers: Vec<_> = foreign.iter().copied().chain([credential]).collect();
        let reply = send(&fixture.app, request("POST", path, &headers)).await;
        assert_eq!(reply.status.as_u16(), status, "{path}");
        assert!(!reply.headers.contains_key("www-authenticate"));
    }
    // The explicit credential decides, and it needs no page.
    let both: Vec<_> = foreign
        .iter()
        .copied()
        .chain([("cookie", cookie.as_str()), ("authorization", bearer.as_str())])
        .collect();
    assert_eq!(send(&fixture.app, request("POST", "/required", &both)).await.status, 200);
    // The page is looked at before the token is: a foreign page learns nothing about it.
    let bad: Vec<_> = foreign.iter().copied().chain([("cookie", "__Host-access_token=bad")]).collect();
    assert_eq!(send(&fixture.app, request("POST", "/required", &bad)).await.status, 403);
}

/// What a browser keeps and sends by itself is ambient, in whatever header it stands.
#[tokio::test]
async fn a_password_that_the_browser_keeps_is_ambient() {
    #[auth(source = "basic")]
    async fn basic() {}
    let fixture = Fixture::new();
    let app = Router::new().route("/", get(basic).post(basic)).finish(fixture.test.auth()).unwrap();
    let basic = format!("Basic {}", fixture.credential("good:alice"));
    let foreign =
        [("host", "shop.example"), ("origin", "https://evil.example"), ("authorization", basic.as_str())];
    assert_eq!(send(&app, request("GET", "/", &foreign)).await.status, 200);
    assert_eq!(send(&app, request("POST", "/", &foreign)).await.status, 403);
}
