//! A cookie of the same name of a parent domain or of another path: a browser sends both.

use auth_runtime::source::CookieOptions;

use super::*;
use crate::captured_log::CapturedLog;

fn shop(options: CookieOptions) -> Shop {
    Shop::new(Delivery::Cookies, |builder| builder.cookies(options), |routes| routes)
}

/// The domains whose cookies of this name an answer clears.
fn cleared(reply: &Reply, name: &str) -> Vec<String> {
    let cookies = set_cookies(reply).into_iter().filter(|(found, ..)| found == name);
    let domains = cookies.map(|(_, value, attributes)| {
        assert!(value.is_empty() && attributes.contains("Path=/;") && attributes.contains("Max-Age=0"));
        attributes.split("; ").find_map(|part| part.strip_prefix("Domain=")).unwrap_or_default().to_owned()
    });
    domains.collect()
}

#[tokio::test]
async fn a_duplicate_is_named_and_ours_are_cleared_on_every_route() {
    let new = || CookieOptions::new().name("sid");
    let table = [
        (new(), vec![""]),
        (new().domain("shop.example"), vec!["", "shop.example"]),
        (
            new().domain("shop.example").clear_domains(["old.example"]),
            vec!["", "shop.example", "old.example"],
        ),
        (
            new().clear_domains(["parent.example", "other.example"]),
            vec!["", "parent.example", "other.example"],
        ),
    ];
    for (options, domains) in table {
        let shop = shop(options);
        let own = cookie_header(&shop.log_in("alice").await);
        let own = own.split("; ").find(|pair| pair.starts_with("sid=")).unwrap();
        for path in ["/who", "/"] {
            for cookies in [format!("{own}; sid=of-another"), "sid=a; sid=a; sid=a".to_owned()] {
                let log = CapturedLog::start(tracing::Level::INFO);
                let reply = send(&shop.app, request("GET", path, &[("cookie", &cookies)])).await;
                assert_eq!(cleared(&reply, "sid"), domains, "{path}");
                assert_eq!(set_cookies(&reply).len(), domains.len(), "{path}");
                if path == "/" {
                    // An optional page is served without them.
                    assert_eq!(reply.status, 200);
                    continue;
                }
                assert_eq!(reply.status, 400);
                assert!(reply.header("www-authenticate").contains("error=\"invalid_request\""));
                let detail = &body(&reply)["detail"];
                assert_eq!(*detail, json!("the cookie `sid` was sent more than once"));
                let text = log.take();
                for part in ["the cookie `sid` was sent more than once", "__Host-", "clear_domains"] {
                    assert!(text.contains(part), "{part:?} is not in {text}");
                }
            }
        }
    }
}

/// Other credentials are named too, and there is nothing to clear.
#[tokio::test]
async fn what_was_sent_twice_is_named_wherever_it_was() {
    let shop = Shop::json();
    let twice = [("authorization", "Bearer a"), ("authorization", "Bearer b")];
    let reply = send(&shop.app, request("GET", "/who", &twice)).await;
    assert_eq!(reply.status, 400);
    assert_eq!(body(&reply)["detail"], json!("the header `Authorization` was sent more than once"));
    assert!(set_cookies(&reply).is_empty());
}

/// After `clear_domains` has named the other domain, one login is enough.
#[tokio::test]
async fn a_login_clears_what_a_browser_would_send_besides() {
    let shop = shop(CookieOptions::new().name("sid").clear_domains(["parent.example"]));
    let reply = shop.log_in("alice").await;
    let cookies = set_cookies(&reply);
    let is_removal = |(_, value, attributes): &(String, String, String)| {
        value.is_empty() && attributes.contains("Domain=parent.example") && attributes.contains("Max-Age=0")
    };
    assert!(cookies[..2].iter().all(is_removal), "{cookies:?}");
    let names: Vec<_> = cookies.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["sid", "__Secure-sid_refresh", "sid", "__Secure-sid_refresh"]);
    assert!(
        cookies[2..].iter().all(|(_, value, attributes)| !value.is_empty() && !attributes.contains("Domain"))
    );
    // A refresh sets the same two, and clears those of the former paths of the refresh cookie, of both domains.
    let sent: Vec<_> = cookies[2..].iter().map(|(name, value, _)| format!("{name}={value}")).collect();
    let reply = send(&shop.app, request("POST", "/auth/refresh", &[("cookie", &sent.join("; "))])).await;
    assert_eq!((reply.status.as_u16(), given(&reply)), (200, 2));
    let cleared = set_cookies(&reply).into_iter().filter(|(_, value, _)| value.is_empty());
    let cleared = cleared.map(|cookie| (cookie.2.contains("Domain=parent.example"), path_of(cookie)));
    let expected = ["/", "/auth/", "/auth/refresh"].into_iter().flat_map(|path| {
        [false, true].map(|is_of_parent| (is_of_parent, ("__Secure-sid_refresh".to_owned(), path.to_owned())))
    });
    assert_eq!(cleared.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_refresh_cookie_that_was_sent_twice_is_named_in_the_log() {
    let shop = Shop::cookies();
    let log = CapturedLog::start(tracing::Level::INFO);
    let twice = [("cookie", "__Secure-refresh_token=a; __Secure-refresh_token=b")];
    let reply = send(&shop.app, request("POST", "/auth/refresh", &twice)).await;
    assert_eq!((reply.status.as_u16(), body(&reply)), (400, json!({ "error": "invalid_grant" })));
    let text = log.take();
    assert!(text.contains("sent more than once") && text.contains("__Secure-refresh_token"), "{text}");
}
