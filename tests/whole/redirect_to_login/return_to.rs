//! The way back from the login page leads to this origin, in the reading of browsers, or to `/`.

use std::cell::Cell;

use auth_runtime::ReturnTo;
use axum::Form;
use axum::body::Body;
use proptest::collection::vec;
use proptest::prelude::*;
use serde::Deserialize;
use tower::ServiceExt as _;
use url::Url;

use super::*;

/// Spellings that lead elsewhere, or might where something decodes once more.
const REFUSED: [&str; 76] = [
    "",
    " ",
    "evil.example",
    ".",
    "..",
    "../x",
    "./x",
    "?x",
    "#x",
    // Another origin
    "https://evil.example",
    "https://evil.example/",
    "HTTPS://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:\\\\evil.example",
    "http://shop.example@evil.example/",
    "https://shop.example.evil.example/",
    "https://shop.example/",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "//evil.example@shop.example",
    "//shop.example@evil.example",
    "//shop.example:80#@evil.example",
    "/\\evil.example",
    "\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "/x\\..\\\\evil.example",
    // What a browser removes
    "\t//evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "/\r\n/evil.example",
    "/\t\\evil.example",
    " //evil.example",
    " /x",
    "/x ",
    "\u{0}//evil.example",
    "\u{1}/x",
    "/x\u{7f}",
    "/.//evil.example",
    "/..//evil.example",
    "/././/evil.example",
    "/x/..//evil.example",
    "/x/../..//evil.example",
    "/.",
    "/..",
    // Encoded, once and more often
    "/%2Fevil.example",
    "/%2fevil.example",
    "/%5Cevil.example",
    "/%5c%5cevil.example",
    "/%252Fevil.example",
    "/%25252Fevil.example",
    "/%252525252Fevil.example",
    "/%09/evil.example",
    "/%0a/evil.example",
    "/%0D%0Aset-cookie:%20a=b",
    "/%250d%250aset-cookie:a=b",
    "/%00",
    "/%2e//evil.example",
    "/%2e%2e//evil.example",
    "/%2E%2E%2F%2Fevil.example",
    "/x/%2e%2e%2f%2fevil.example",
    "%2F%2Fevil.example",
    // Scripts and data
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "\u{1}javascript:alert(1)",
    "data:text/html,x",
    "/\"><script>alert(1)</script>",
    "/<x>",
    // What no request has, and look-alikes
    "/x#//evil.example",
    "/\u{ff0f}evil.example",
    "/\u{2044}\u{2044}evil.example",
];

const ACCEPTED: [&str; 22] = [
    "/",
    "/x",
    "/x/",
    "/x//y",
    "/x?",
    "/?x",
    "/x?y=//evil.example",
    "/x?y=https://evil.example/&z=%2F%2Fevil.example",
    "/x?y=%0d%0a",
    "/x?../..",
    "/x:y",
    "/@evil.example",
    "/x@evil.example:80/",
    "/evil.example",
    "/...",
    "/.well-known/x",
    "/x..y/.z",
    "/%C3%A9",
    "/100%25",
    "/100%",
    "/%zz",
    "/javascript:alert(1)",
];

#[derive(Deserialize)]
struct Login {
    #[serde(default)]
    return_to: ReturnTo,
}

/// The path that the query of the login page and its form lead to.
async fn by_query_and_form(app: &axum::Router, text: &str) -> [String; 2] {
    let field = form_of(text);
    let by_query = send(app, request("GET", &format!("/login?{field}"), &[])).await;
    assert_eq!(by_query.status, 200);
    let form = axum::http::Request::post("/in").header("content-type", "application/x-www-form-urlencoded");
    let answer = app.clone().oneshot(form.body(Body::from(field)).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 303, "{text:?}");
    [by_query.body, answer.headers()["location"].to_str().unwrap().to_owned()]
}

fn form_of(text: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new()).append_pair("return_to", text).finish()
}

#[auth(public)]
async fn log_in(Form(login): Form<Login>) -> ReturnTo {
    login.return_to
}

#[tokio::test]
async fn every_other_spelling_leads_to_the_start() {
    let test = TestAuth::new();
    let routes = Router::new().route("/login", get(login_page)).route("/in", post(log_in));
    let app = routes.finish(test.auth()).unwrap();
    for text in REFUSED {
        assert_eq!(ReturnTo::parse(text), None, "{text:?}");
        assert_eq!(by_query_and_form(&app, text).await, ["/", "/"], "{text:?}");
    }
    for text in ACCEPTED {
        assert_eq!(ReturnTo::parse(text).unwrap().as_str(), text);
        assert_eq!(by_query_and_form(&app, text).await, [text, text]);
        assert!(is_of_this_origin(text), "{text:?}");
    }
    for query in
        ["", "?", "?return_to", "?return_to=", "?other=/x", "?return_to=/x&return_to=/y", "?Return_to=/x"]
    {
        assert_eq!(send(&app, request("GET", &format!("/login{query}"), &[])).await.body, "/", "{query}");
    }
    let long = |length: usize| format!("/{}", "x".repeat(length - 1));
    assert!(ReturnTo::parse(&long(2048)).is_some() && ReturnTo::parse(&long(2049)).is_none());
}

#[test]
fn what_is_put_into_html_stays_in_its_attribute() {
    let path = ReturnTo::parse("/o'brien?a=1&b=2").unwrap();
    assert_eq!(path.to_html(), "/o&#39;brien?a=1&amp;b=2");
}

/// Where a browser goes from a page of this service, by the URL standard of WHATWG.
fn is_of_this_origin(text: &str) -> bool {
    ["https://shop.example/login?return_to=x", "http://shop.example:8080/a/b/c"].iter().all(|page| {
        let page = Url::parse(page).unwrap();
        // Twice: some pages go on to the path that they are at.
        let first = page.join(text);
        let second = first.as_ref().ok().and_then(|first| page.join(first.path()).ok());
        [first.ok(), second].iter().all(|url| url.as_ref().is_some_and(|url| url.origin() == page.origin()))
    })
}

/// What the parser of browsers takes apart, whole and encoded.
fn nasty() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "/",
        "/",
        "/",
        "\\",
        ".",
        "..",
        ":",
        "@",
        "?",
        "#",
        "%",
        "%2f",
        "%2F",
        "%5c",
        "%2e",
        "%2E",
        "%25",
        "%252f",
        "%09",
        "%0a",
        "%00",
        "\t",
        "\n",
        "\r",
        "\0",
        " ",
        "\u{7f}",
        "\u{a0}",
        "\u{ff0f}",
        "\u{3002}",
        "\u{ad}",
        "http",
        "https:",
        "javascript:",
        "evil.example",
        "x",
        "1",
        "[",
        "]",
        "&",
        "=",
        ";",
        "|",
        "'",
        "\"",
    ]);
    (any::<bool>(), vec(pieces, 0..12)).prop_map(|(is_path, pieces)| {
        let text = pieces.concat();
        if is_path { format!("/{text}") } else { text }
    })
}

#[test]
fn what_is_accepted_is_of_this_origin_for_every_browser() {
    let accepted = Cell::new(0);
    auth_tests_random::runner(20_000)
        .run(&nasty(), |text| {
            let Some(path) = ReturnTo::parse(&text) else { return Ok(()) };
            accepted.set(accepted.get() + 1);
            prop_assert!(is_of_this_origin(path.as_str()), "{text:?}");
            let (path, _) = text.split_once('?').unwrap_or((&text, ""));
            // Decoded again, by others.
            let mut decoded = path.to_owned();
            for _ in 0..3 {
                let bytes = percent_decode(decoded.as_bytes());
                decoded = String::from_utf8_lossy(&bytes).into_owned();
                // A `?` or `#` that was encoded ends the path in that reading.
                prop_assert!(is_of_this_origin(&decoded), "{text:?} decoded to {decoded:?}");
            }
            Ok(())
        })
        .unwrap();
    assert!(accepted.get() > 200, "{accepted:?} is too few to show anything");
}

fn percent_decode(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = bytes;
    while let [first, behind @ ..] = rest {
        let hex = behind.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match byte.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                rest = &behind[2..];
            }
            None => {
                decoded.push(*first);
                rest = behind;
            }
        }
    }
    decoded
}
