//! Cookies that end with the browser, for users that do not want to be remembered.

use super::*;

fn shop(delivery: Delivery, renews: bool) -> Shop {
    let build = |builder: AuthBuilder| if renews { builder.renew_transparently() } else { builder };
    let shop = Shop::new(delivery, build, |routes| routes);
    shop.people.ask_to_remember();
    shop
}

async fn log_in(shop: &Shop, remember: Option<Value>) -> Reply {
    let mut sent = credentials("alice");
    sent.as_object_mut().unwrap().extend(remember.map(|remember| ("remember".to_owned(), remember)));
    let reply = shop.post("/auth/login", &[], &sent).await;
    assert_eq!(reply.status, 200);
    reply
}

/// Whether the answer sets both cookies, and with which lifetimes.
fn lifetimes(reply: &Reply) -> Vec<Option<String>> {
    let mut cookies = set_cookies(reply);
    // A refresh also clears those with another path.
    cookies.retain(|(_, value, _)| !value.is_empty());
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    let all = cookies.into_iter().map(|(_, _, attributes)| {
        assert!(!attributes.contains("Expires"), "{attributes}");
        attributes.split("; ").find_map(|part| part.strip_prefix("Max-Age=")).map(str::to_owned)
    });
    all.collect()
}

#[tokio::test]
async fn whether_a_user_is_remembered_holds_for_the_whole_session() {
    let remembered = [Some("900".to_owned()), Some("1209600".to_owned())];
    for (remember, expected) in
        [(Some(json!(true)), &remembered), (Some(json!(false)), &[None, None]), (None, &[None, None])]
    {
        let shop = shop(Delivery::Cookies, false);
        let mut reply = log_in(&shop, remember.clone()).await;
        assert_eq!(lifetimes(&reply), expected, "{remember:?}");
        for _ in 0..3 {
            shop.clock.advance(Duration::from_secs(3600));
            let cookies = cookie_header(&reply);
            reply = send(&shop.app, request("POST", "/auth/refresh", &[("cookie", &cookies)])).await;
            assert_eq!(lifetimes(&reply), expected, "{remember:?}");
        }

        let shop = self::shop(Delivery::Cookies, true);
        let mut reply = log_in(&shop, remember.clone()).await;
        for _ in 0..3 {
            shop.clock.advance(Duration::from_secs(3600));
            let cookies = cookie_header(&reply);
            reply = send(&shop.app, request("GET", "/who", &[("cookie", &cookies)])).await;
            assert_eq!(
                (reply.body.as_str(), lifetimes(&reply)),
                ("alice", expected.to_vec()),
                "{remember:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_checkbox_that_is_not_ticked_is_not_sent() {
    let shop = shop(Delivery::Cookies, false);
    for (rest, is_remembered) in
        [("&remember=on", true), ("", false), ("&remember=off", false), ("&remember=", false)]
    {
        let form = ("content-type", "application/x-www-form-urlencoded");
        let mut sent = request("POST", "/auth/login", &[form]);
        *sent.body_mut() = Body::from(format!("username=alice&password=password+of+alice{rest}"));
        let reply = send(&shop.app, sent).await;
        assert_eq!(lifetimes(&reply).iter().all(Option::is_some), is_remembered, "{rest:?}");
    }
}

/// The library decides nothing where the application does not say it; and tokens as JSON are the client's to keep.
#[tokio::test]
async fn without_a_choice_users_are_remembered_and_json_has_none() {
    let shop = Shop::cookies();
    let reply = shop.log_in("alice").await;
    assert!(lifetimes(&reply).iter().all(Option::is_some));
    let shop = self::shop(Delivery::Json, false);
    let [with, without] = [log_in(&shop, Some(json!(true))).await, log_in(&shop, None).await];
    let fields = |reply: &Reply| body(reply).as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&with), fields(&without));
    assert_eq!(body(&with)["expires_in"], body(&without)["expires_in"]);
}
