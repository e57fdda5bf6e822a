//! Forms of a login page that work without a script: what a browser shows after a login and a logout.

use auth_runtime::LoginPage;
use auth_runtime::openapi::OpenApi;

use super::*;

const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

fn shop(delivery: Delivery, page: impl Into<LoginPage>) -> Shop {
    let page = page.into();
    Shop::new(delivery, |builder| builder.redirect_to_login(page), |routes| routes)
}

async fn send_form(shop: &Shop, path: &str, headers: &[(&str, &str)], form: &str) -> Reply {
    let mut request = request("POST", path, headers);
    request.headers_mut().insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    *request.body_mut() = Body::from(form.to_owned());
    send(&shop.app, request).await
}

fn answer(reply: &Reply) -> (u16, &str, usize) {
    (reply.status.as_u16(), reply.header("location"), set_cookies(reply).len())
}

const RIGHT: &str = "username=alice&password=password%20of%20alice";

#[tokio::test]
async fn a_login_leads_to_the_page_that_was_asked_for() {
    for (path, more, location) in [
        ("/auth/login", "", "/"),
        ("/auth/login", "&return_to=%2Faccount%3Fpage%3D2", "/account?page=2"),
        ("/auth/login?return_to=%2Faccount", "", "/account"),
        // The form says so last.
        ("/auth/login?return_to=%2Faccount", "&return_to=%2Forders", "/orders"),
        ("/auth/login?return_to=%2Faccount", "&return_to=", "/"),
        // No other origin, and none of several.
        ("/auth/login", "&return_to=https%3A%2F%2Fevil.example", "/"),
        ("/auth/login", "&return_to=%2F%2Fevil.example", "/"),
        ("/auth/login", "&return_to=%2F%5Cevil.example", "/"),
        ("/auth/login", "&return_to=%2Fa&return_to=%2Fb", "/"),
        ("/auth/login?return_to=%2F%2Fevil.example", "", "/"),
        ("/auth/login", "&next=%2Faccount", "/"),
    ] {
        // Each with a limit on attempts of its own.
        let shop = shop(Delivery::Cookies, "/login");
        let reply = send_form(&shop, path, &[HTML], &format!("{RIGHT}{more}")).await;
        assert_eq!(answer(&reply), (303, location, 2), "{path} {more}");
        assert_eq!(reply.header("cache-control"), "no-store");
    }
    let renamed = shop(Delivery::Cookies, LoginPage::at("/sign-in").return_parameter("next"));
    let reply =
        send_form(&renamed, "/auth/login", &[HTML], &format!("{RIGHT}&next=%2Faccount&return_to=%2F")).await;
    assert_eq!(answer(&reply), (303, "/account", 2));
}

#[tokio::test]
async fn a_login_that_failed_leads_to_the_form_again_with_the_way_back() {
    let shop = shop(Delivery::Cookies, "/login?lang=de");
    for (form, location) in [
        ("username=alice&password=x", "/login?lang=de&error=invalid_grant"),
        (
            "username=alice&password=x&return_to=%2Faccount",
            "/login?lang=de&error=invalid_grant&return_to=%2Faccount",
        ),
        ("username=alice", "/login?lang=de&error=invalid_request"),
        (
            "username=alice&password=x&return_to=%2F%2Fevil.example",
            "/login?lang=de&error=invalid_grant&return_to=%2F",
        ),
    ] {
        let reply = send_form(&shop, "/auth/login", &[HTML], form).await;
        assert_eq!(answer(&reply), (303, location, 0), "{form}");
    }
    let mut last = String::new();
    for _ in 0..10 {
        let reply = send_form(&shop, "/auth/login", &[HTML], "username=bob&password=x").await;
        last = reply.header("location").to_owned();
    }
    let reply = send_form(&shop, "/auth/login", &[HTML], "username=bob&password=x").await;
    assert_eq!(last, "/login?lang=de&error=invalid_grant");
    assert_eq!(answer(&reply), (303, "/login?lang=de&error=temporarily_unavailable", 0));
    // What no form of this service can lead to is answered as ever.
    let foreign = ("origin", "https://evil.example");
    let reply = send_form(&shop, "/auth/login", &[HTML, foreign], RIGHT).await;
    assert_eq!(answer(&reply), (403, "", 0));
}

#[tokio::test]
async fn a_logout_leads_to_the_login_page() {
    let shop = shop(Delivery::Cookies, "/login");
    for (path, location) in [
        ("/auth/logout", "/login"),
        ("/auth/logout?return_to=%2Fbye", "/bye"),
        ("/auth/logout?return_to=%2F%2Fevil.example", "/login"),
        ("/auth/logout-everywhere", "/login"),
    ] {
        let cookies = cookie_header(&shop.log_in("alice").await);
        let reply = send_form(&shop, path, &[HTML, ("cookie", &cookies)], "").await;
        assert_eq!(answer(&reply), (303, location, 2), "{path}");
        assert_eq!(shop.who(&[("cookie", &cookies)]).await, 401, "{path}");
    }
}

#[tokio::test]
async fn scripts_programs_and_services_without_a_login_page_get_the_standard_answers() {
    let fetched: &[(&str, &str)] = &[HTML, ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")];
    let with = || shop(Delivery::Cookies, "/login");
    for (shop, headers, cookies) in [
        (with(), &[][..], 2),
        (with(), &[("accept", "application/json")], 2),
        (with(), fetched, 2),
        (Shop::cookies(), &[HTML], 2),
        (shop(Delivery::Json, "/login"), &[HTML], 0),
    ] {
        let right = format!("{RIGHT}&return_to=%2Faccount");
        let reply = send_form(&shop, "/auth/login", headers, &right).await;
        assert_eq!(answer(&reply), (200, "", cookies), "{headers:?}");
        assert_eq!(body(&reply)["token_type"], "Bearer");
        let reply = send_form(&shop, "/auth/login", headers, "username=alice&password=x").await;
        assert_eq!(answer(&reply), (400, "", 0), "{headers:?}");
        assert_eq!(send_form(&shop, "/auth/logout", headers, "").await.status, 204, "{headers:?}");
    }
}

#[test]
fn the_document_has_the_redirects() {
    for (delivery, has_page, is_redirected) in
        [(Delivery::Cookies, true, true), (Delivery::Cookies, false, false), (Delivery::Json, true, false)]
    {
        let people = People::default();
        let builder = Auth::builder().token_issuer(issuer(&people)).default_sources(["cookie"]);
        let builder = if has_page { builder.redirect_to_login("/") } else { builder };
        let auth = builder.build().unwrap();
        let tokens = auth.tokens().unwrap();
        let routes = match delivery {
            Delivery::Cookies => TokenRoutes::cookies(tokens, people),
            _ => TokenRoutes::json(tokens, people),
        };
        let routes: Router = Router::new()
            .route("/", get(home))
            .route("/change", post(change).put(change))
            .nest("/auth", routes.router());
        let document = OpenApi::new("shop", "1").describe(&routes.routes(), &auth).unwrap().to_value();
        let has_redirect =
            |path: &str, method: &str| document["paths"][path][method]["responses"].get("303").is_some();
        for path in ["/auth/login", "/auth/logout", "/auth/logout-everywhere"] {
            assert_eq!(
                has_redirect(path, "post"),
                is_redirected || (has_page && path.ends_with("everywhere")),
                "{path}"
            );
        }
        let form = &document["paths"]["/auth/login"]["post"]["requestBody"]["content"];
        let has_field = |kind: &str| form[kind]["schema"]["properties"].get("return_to").is_some();
        assert_eq!(has_field("application/x-www-form-urlencoded"), is_redirected);
        assert!(!has_field("application/json"));
        // By the gate: to a browser that loads a page, but for the login page itself.
        assert_eq!(has_redirect("/change", "post"), has_page);
        assert!(!has_redirect("/change", "put") && !has_redirect("/", "get"));
        assert_eq!(document["components"]["responses"].get("AuthLoginPage").is_some(), has_page);
    }
}
