//! The names and the attributes of the cookies.

use auth_runtime::session::routes::SiteData;
use auth_runtime::source::{CookieOptions, SameSite};

use super::*;

fn with(options: CookieOptions) -> Shop {
    Shop::new(Delivery::Cookies, |builder| builder.cookies(options), |routes| routes)
}

/// The `Set-Cookie` values of a login: name and attributes.
async fn at_login(shop: &Shop) -> Vec<String> {
    let reply = shop.log_in("alice").await;
    assert_eq!(reply.status, 200);
    set_cookies(&reply)
        .into_iter()
        .map(|(name, value, attributes)| {
            format!("{name}{}; {attributes}", if value.is_empty() { "=" } else { "" })
        })
        .collect()
}

#[tokio::test]
async fn both_cookies_have_the_names_and_the_attributes_of_the_options() {
    let new = CookieOptions::new;
    let (access_age, refresh_age) = ("Max-Age=900", "Max-Age=1209600");
    for (options, access, refresh) in [
        (
            new().name("__Host-shop"),
            format!("__Host-shop; HttpOnly; SameSite=Lax; Secure; Path=/; {access_age}"),
            format!("__Secure-shop_refresh; HttpOnly; SameSite=Lax; Secure; Path=/auth; {refresh_age}"),
        ),
        (
            new().same_site(SameSite::Strict),
            format!("__Host-access_token; HttpOnly; SameSite=Strict; Secure; Path=/; {access_age}"),
            format!("__Secure-refresh_token; HttpOnly; SameSite=Strict; Secure; Path=/auth; {refresh_age}"),
        ),
        (
            new().same_site(SameSite::None),
            format!("__Host-access_token; HttpOnly; SameSite=None; Secure; Path=/; {access_age}"),
            format!("__Secure-refresh_token; HttpOnly; SameSite=None; Secure; Path=/auth; {refresh_age}"),
        ),
    ] {
        let trusting = |builder: AuthBuilder| builder.trust_origin("https://app.example").cookies(options);
        let shop = Shop::new(Delivery::Cookies, trusting, |routes| routes);
        assert_eq!(at_login(&shop).await, [access, refresh]);
        // They are found again, by both routes and rules.
        let cookies = cookie_header(&shop.log_in("alice").await);
        assert_eq!(shop.who(&[("cookie", &cookies)]).await, 200);
        let reply = send(&shop.app, request("POST", "/auth/refresh", &[("cookie", &cookies)])).await;
        assert_eq!(reply.status, 200);
    }
}

/// Every route and the renewal find both cookies by names of the application's own, and clear them.
#[tokio::test]
async fn a_name_of_its_own_is_used_by_every_route() {
    let new = CookieOptions::new;
    for (options, [access, refresh], renews) in [
        (new().refresh_name("__Secure-renewal"), ["__Host-access_token", "__Secure-renewal"], false),
        (new().name("session").refresh_name("session_key"), ["session", "session_key"], false),
        // Swapped, as another service may have had them.
        (new().name("refresh_token").refresh_name("access_token"), ["refresh_token", "access_token"], false),
        (new().refresh_name("__Host-renewal"), ["__Host-access_token", "__Host-renewal"], true),
        (new().name("session").refresh_name("session_key"), ["session", "session_key"], true),
    ] {
        let build = |builder: AuthBuilder| {
            let builder = builder.cookies(options);
            if renews { builder.renew_transparently() } else { builder }
        };
        let shop = Shop::new(Delivery::Cookies, build, |routes| routes);
        let set = |reply: &Reply| {
            let cookies = set_cookies(reply).into_iter();
            cookies
                .map(|(name, value, attributes)| {
                    let path = attributes.split("; ").find_map(|part| part.strip_prefix("Path="));
                    (name, !value.is_empty(), path.unwrap_or_default().to_owned())
                })
                .collect::<Vec<_>>()
        };
        let path = if renews { "/" } else { "/auth" };
        let expected = |is_set| {
            [(access.to_owned(), is_set, "/".to_owned()), (refresh.to_owned(), is_set, path.to_owned())]
        };
        let login = shop.log_in("alice").await;
        assert_eq!((login.status.as_u16(), set(&login)), (200, expected(true).to_vec()), "{access}");
        let cookies = cookie_header(&login);
        assert_eq!(shop.who(&[("cookie", &cookies)]).await, 200, "{access}");
        let reply = send(&shop.app, request("POST", "/auth/refresh", &[("cookie", &cookies)])).await;
        let mut kept = set(&reply);
        // A refresh also clears those of this name with another path.
        kept.retain(|(_, is_set, _)| *is_set);
        assert_eq!((reply.status.as_u16(), kept), (200, expected(true).to_vec()), "{refresh}");
        let cookies = cookie_header(&reply);
        // With the refresh cookie alone: a route that renews lets it in, and any other does not.
        let (_, key) = cookies.split_once("; ").unwrap();
        assert!(key.starts_with(&format!("{refresh}=")), "{key}");
        assert_eq!(shop.who(&[("cookie", key)]).await, if renews { 200 } else { 401 }, "{refresh}");
        let reply = send(&shop.app, request("POST", "/auth/logout", &[("cookie", key)])).await;
        assert_eq!((reply.status.as_u16(), set(&reply)), (204, expected(false).to_vec()), "{refresh}");
        assert_eq!(shop.who(&[("cookie", &cookies)]).await, 401, "the session has ended: {access}");
    }
}

/// For development over plain http.
#[tokio::test]
async fn insecure_cookies_have_no_prefix() {
    let options = CookieOptions::new().name("__Host-session").refresh_name("__Secure-session_key");
    let insecure = |builder: AuthBuilder| builder.dangerously_use_insecure_cookies().cookies(options);
    let shop = Shop::new(Delivery::Cookies, insecure, |routes| routes);
    let names = set_cookies(&shop.log_in("alice").await).into_iter().map(|(name, ..)| name);
    assert_eq!(names.collect::<Vec<_>>(), ["session", "session_key"]);
}

/// Two services on one host, each with a name: the browser sends the cookies of both to both.
#[tokio::test]
async fn two_services_on_one_host_do_not_disturb_each_other() {
    for renews in [false, true] {
        let open = |name: &str| {
            let options = CookieOptions::new().name(name);
            let build = |builder: AuthBuilder| {
                let builder = builder.cookies(options);
                if renews { builder.renew_transparently() } else { builder }
            };
            Shop::new(Delivery::Cookies, build, |routes| routes)
        };
        let (one, two) = (open("__Host-one"), open("__Host-two"));
        let (first, second) = (one.log_in("alice").await, two.log_in("bob").await);
        let names = |reply: &Reply| set_cookies(reply).into_iter().map(|(name, ..)| name).collect::<Vec<_>>();
        assert!(names(&first).iter().all(|name| !names(&second).contains(name)));
        let cookies = format!("{}; {}", cookie_header(&first), cookie_header(&second));
        for (shop, name) in [(&one, "alice"), (&two, "bob")] {
            let reply = send(&shop.app, request("GET", "/who", &[("cookie", &cookies)])).await;
            assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, name));
            let reply = send(&shop.app, request("POST", "/auth/refresh", &[("cookie", &cookies)])).await;
            assert_eq!(reply.status, 200);
        }
        let reply = send(&one.app, request("POST", "/auth/logout", &[("cookie", &cookies)])).await;
        assert_eq!(names(&reply), names(&first), "a logout clears its own");
        assert_eq!(two.who(&[("cookie", &cookies)]).await, 200);
    }
}

#[tokio::test]
async fn with_a_domain_no_cookie_is_bound_to_the_host_and_both_kinds_are_cleared() {
    let shop = with(CookieOptions::new().domain("Example.com").clear_domains(["old.example", "example.com"]));
    let of = |name: &str, path: &str, rest: &str| {
        format!("{name}; HttpOnly; SameSite=Lax; Secure; Path={path}{rest}")
    };
    let set = at_login(&shop).await;
    assert_eq!(
        set[4..],
        [
            of("__Secure-access_token", "/", "; Domain=example.com; Max-Age=900"),
            of("__Secure-refresh_token", "/auth", "; Domain=example.com; Max-Age=1209600"),
        ]
    );
    // What would be sent besides them: of this host alone, and of the other domain.
    for (cookie, domain) in set[..4].iter().zip(["", "; Domain=old.example", "", "; Domain=old.example"]) {
        assert!(cookie.contains(&format!("{domain}; Max-Age=0")), "{cookie}");
        assert_eq!(cookie.contains("Domain"), !domain.is_empty(), "{cookie}");
    }
    let cookies = cookie_header(&shop.log_in("alice").await);
    let reply = send(&shop.app, request("POST", "/auth/logout", &[("cookie", &cookies)])).await;
    let mut cleared: Vec<_> = set_cookies(&reply)
        .into_iter()
        .map(|(name, value, attributes)| {
            assert!(value.is_empty() && attributes.contains("Max-Age=0"));
            let domain = attributes.split("; ").find_map(|part| part.strip_prefix("Domain="));
            (name, domain.unwrap_or_default().to_owned())
        })
        .collect();
    cleared.sort();
    let expected =
        |name: &str| ["", "example.com", "old.example"].map(|domain| (name.to_owned(), domain.to_owned()));
    assert_eq!(cleared, [expected("__Secure-access_token"), expected("__Secure-refresh_token")].concat());
}

#[tokio::test]
async fn a_name_that_is_bound_to_one_host_is_cleared_there_alone() {
    let shop = with(CookieOptions::new().clear_domains(["example.com"]));
    let reply = send(&shop.app, request("POST", "/auth/logout", &[])).await;
    let cleared = set_cookies(&reply);
    let domains = cleared.iter().map(|(name, _, rest)| (name.as_str(), rest.contains("Domain=example.com")));
    assert_eq!(
        domains.collect::<Vec<_>>(),
        [("__Host-access_token", false), ("__Secure-refresh_token", false), ("__Secure-refresh_token", true),]
    );
}

#[test]
fn options_that_browsers_or_the_rules_reject_are_errors_of_build() {
    let new = CookieOptions::new;
    let errors = |build: fn(AuthBuilder) -> AuthBuilder, options: CookieOptions| {
        let builder = Auth::builder().token_issuer(issuer(&People::default())).cookies(options);
        match build(builder).build() {
            Ok(_) => Vec::new(),
            Err(error) => error.errors().map(str::to_owned).collect(),
        }
    };
    let same = |builder: AuthBuilder| builder;
    let trusting = |builder: AuthBuilder| builder.trust_origin("https://app.example");
    let insecure =
        |builder: AuthBuilder| builder.trust_origin("https://app.example").dangerously_use_insecure_cookies();
    let public = |builder: AuthBuilder| builder.public_origin("https://shop.example.com:8443");
    type Row = (fn(AuthBuilder) -> AuthBuilder, CookieOptions, &'static [&'static str]);
    let table: Vec<Row> = vec![
        (same, new().name("a b"), &["can't be the name of a cookie"]),
        (same, new().name(""), &["can't be the name of a cookie"]),
        (same, new().name("__Host-"), &["can't be the name of a cookie"]),
        (same, new().name("a=b"), &["can't be the name of a cookie"]),
        (same, new().name("__Host-Refresh_Token"), &["is the default name of the refresh cookie"]),
        (
            same,
            new().name("Refresh_Token").refresh_name("refresh_token"),
            &["`CookieOptions::refresh_name(\"refresh_token\")` is the name of the access cookie"],
        ),
        (same, new().name("refresh_token").refresh_name("x"), &[]),
        (same, new().refresh_name("__Secure-ACCESS_token"), &["is the name of the access cookie"]),
        (same, new().name("x").refresh_name("access_token"), &[]),
        (
            same,
            new().refresh_name(""),
            &["`CookieOptions::refresh_name(\"\")` can't be the name of a cookie"],
        ),
        (same, new().refresh_name("a;b"), &["can't be the name of a cookie"]),
        (
            same,
            new().refresh_name("__Host-x"),
            &["`.refresh_name(\"__Secure-x\")`, or call `renew_transparently()`"],
        ),
        (same, new().refresh_name("__Host-x"), &["also where `endpoints()` would give the cookie `Path=/`"]),
        (same, new().refresh_name("__host-http-x"), &["because `__Host-` requires `Path=/`"]),
        (AuthBuilder::renew_transparently, new().refresh_name("__Host-x"), &[]),
        (insecure, new().refresh_name("__Host-x"), &["because `__Host-` requires `Path=/`"]),
        (
            AuthBuilder::renew_transparently,
            new().refresh_name("__Host-x").domain("example.com"),
            &["write `.refresh_name(\"__Secure-x\")`, or leave out the domain"],
        ),
        (same, new().refresh_name("__Host-x").domain("example.com"), &["or leave out the domain"]),
        (same, new().refresh_name("__Secure-x").domain("example.com"), &[]),
        (same, new().name("__host-x").domain("example.com"), &["`__Host-` binds it to one host"]),
        (same, new().name("__Secure-x").domain("example.com"), &[]),
        (same, new().same_site(SameSite::None), &["name their origins in `trust_origin`"]),
        (trusting, new().same_site(SameSite::None), &[]),
        (insecure, new().same_site(SameSite::None), &["without `Secure`"]),
        (insecure, new().name("__Host-x").same_site(SameSite::Strict), &[]),
        (same, new().domain(".example.com"), &["is not a domain"]),
        (same, new().domain("127.0.0.1"), &["is not a domain"]),
        (same, new().domain("example.com:443"), &["is not a domain"]),
        (same, new().domain("example.com; Secure"), &["is not a domain"]),
        (
            same,
            new().clear_domains(["localhost", "example.com"]),
            &["`CookieOptions::clear_domains` has \"localhost\""],
        ),
        (public, new().domain("example.com"), &[]),
        (public, new().domain("shop.example.com"), &[]),
        (public, new().domain("example.org"), &["browsers drop cookies of `shop.example.com`"]),
        (public, new().domain("a.shop.example.com"), &["browsers drop cookies of `shop.example.com`"]),
        (AuthBuilder::renew_transparently, new().clear_domains(["example.com"]), &["has no effect"]),
        (AuthBuilder::renew_transparently, new().name("x").clear_domains(["example.com"]), &[]),
    ];
    for (build, options, expected) in table {
        let errors = errors(build, options.clone());
        assert_eq!(errors.len(), expected.len(), "{options:?}: {errors:?}");
        for (error, part) in errors.iter().zip(expected) {
            assert!(error.contains(part), "{options:?}: {error}");
        }
    }
}

#[tokio::test]
async fn a_logout_clears_what_the_option_names() {
    let none = Shop::cookies();
    let reply = send(&none.app, request("POST", "/auth/logout", &[])).await;
    assert_eq!((reply.status.as_u16(), reply.header("clear-site-data")), (204, ""));
    for delivery in [Delivery::Cookies, Delivery::Json] {
        let data = |routes: TokenRoutes<People>| {
            routes.clear_site_data([SiteData::Cache, SiteData::Storage, SiteData::Cache])
        };
        let shop = Shop::new(delivery, |builder| builder.default_sources(["bearer", "cookie"]), data);
        let reply = shop.log_in("alice").await;
        assert_eq!(reply.header("clear-site-data"), "", "at a logout alone");
        for path in ["/auth/logout", "/auth/logout-everywhere"] {
            let reply = shop.log_in("alice").await;
            let credential = match delivery {
                Delivery::Cookies => ("cookie", cookie_header(&reply)),
                _ => ("authorization", bearer(&body(&reply)["access_token"])),
            };
            let reply = send(&shop.app, request("POST", path, &[(credential.0, &credential.1)])).await;
            assert_eq!(
                (reply.status.as_u16(), reply.header("clear-site-data")),
                (204, "\"cache\", \"storage\"")
            );
        }
        // A logout that failed clears nothing.
        let foreign = [("origin", "https://evil.example"), ("host", "shop.test")];
        let reply = send(&shop.app, request("GET", "/auth/logout", &foreign)).await;
        assert_eq!(reply.header("clear-site-data"), "");
    }
    let all = Shop::new(
        Delivery::Cookies,
        |builder| builder,
        |routes| routes.clear_site_data([SiteData::Cookies]).clear_site_data([]),
    );
    let reply = send(&all.app, request("POST", "/auth/logout", &[])).await;
    assert_eq!(reply.header("clear-site-data"), "", "the last call decides");
}
