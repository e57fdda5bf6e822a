//! Who may open a WebSocket with a cookie: a page of another origin may not (cross-site WebSocket hijacking).

use super::{Service, is_echoed};

#[tokio::test]
async fn a_page_of_another_origin_does_not_open_a_socket_with_the_browsers_cookie() {
    let service = Service::new().await;
    let alice = service.log_in("alice").await;
    let cookie = format!("__Host-access_token={}", alice.access_token);
    let own = format!("http://{}", service.address);
    let bearer = format!("Bearer {}", alice.access_token);
    let protocol = format!("chat, bearer.{}", alice.access_token);
    let foreign = ("origin", "https://evil.example");
    type Row<'a> = (&'a [(&'static str, &'a str)], Result<(), u16>);
    let table: &[Row<'_>] = &[
        (&[("cookie", &cookie), foreign], Err(403)),
        (&[("cookie", &cookie), ("origin", "null")], Err(403)),
        (&[("cookie", &cookie), ("origin", "")], Err(403)),
        (&[("cookie", &cookie), ("origin", &own), foreign], Err(403)),
        (&[("cookie", &cookie), ("origin", &own), ("sec-fetch-site", "cross-site")], Err(403)),
        (&[("cookie", &cookie), ("sec-fetch-site", "same-site")], Err(403)),
        (&[("cookie", &cookie), ("origin", &own)], Ok(())),
        (&[("cookie", &cookie), foreign, ("sec-fetch-site", "same-origin")], Ok(())),
        // Not from a browser, which always sends an origin (RFC 6455 §10.2): no cookie is used without its owner's will.
        (&[("cookie", &cookie)], Ok(())),
        // No browser adds these by itself.
        (&[("authorization", &bearer), foreign], Ok(())),
        (&[("sec-websocket-protocol", &protocol), foreign], Ok(())),
        (&[("authorization", &bearer), ("cookie", &cookie), foreign], Ok(())),
        (&[("sec-websocket-protocol", "chat, bearer.x"), ("cookie", &cookie), ("origin", &own)], Err(401)),
        (&[foreign], Err(401)),
    ];
    for (headers, expected) in table {
        let opened = service.open("/echo", headers).await;
        assert_eq!(opened.as_ref().map(|_| ()).map_err(|status| *status), *expected, "{headers:?}");
        if let Ok((mut socket, _)) = opened {
            assert!(is_echoed(&mut socket).await);
        }
    }
}

/// What an attacker's page can do to get around the check of the method: other spellings of the upgrade.
#[tokio::test]
async fn every_spelling_of_an_upgrade_is_checked() {
    use auth_runtime::testing::{TestAuth, TestUser};
    use auth_runtime::{Router, auth, routing::get};

    use crate::support::{request, send};

    #[auth(source = "cookie")]
    async fn guarded() {}

    let test = TestAuth::new();
    let app = Router::new().route("/", get(guarded)).finish(test.auth()).unwrap();
    let cookie = format!("__Host-access_token={}", test.token(&TestUser::new("alice")));
    for upgrade in ["websocket", "WebSocket", "h2c, websocket", "websocket/13", "", "other"] {
        let headers = [("cookie", &*cookie), ("upgrade", upgrade), ("origin", "https://evil.example")];
        assert_eq!(send(&app, request("GET", "/", &headers)).await.status, 403, "{upgrade:?}");
    }
}
