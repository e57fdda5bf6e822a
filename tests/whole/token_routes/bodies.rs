//! What the routes read: media types, and bodies of the application's own types. And what they answer to wrong credentials.

use auth_runtime::openapi::OpenApi;
use auth_runtime::session::routes::RefreshTokenRequest;
use serde::Deserialize;

use super::*;

/// A login with this content type and body.
async fn log_in_as(shop: &Shop, kinds: &[&str], text: &str) -> u16 {
    let mut sent = request("POST", "/auth/login", &[]);
    for kind in kinds {
        sent.headers_mut().append("content-type", kind.parse().unwrap());
    }
    *sent.body_mut() = Body::from(text.to_owned());
    send(&shop.app, sent).await.status.as_u16()
}

/// Media types are whole and have no case (RFC 9110 §8.3.1).
#[tokio::test]
async fn media_types() {
    let unlimited: Configure =
        |routes| routes.limit_per_account(AttemptLimit::new(100, Duration::from_millis(1)));
    let shop = Shop::new(Delivery::Json, |builder| builder, unlimited);
    let form = "username=alice&password=password+of+alice";
    let json = credentials("alice").to_string();
    for (kind, of_form, of_json) in [
        ("application/x-www-form-urlencoded", 200, 400),
        ("Application/X-WWW-Form-Urlencoded; charset=UTF-8", 200, 400),
        ("APPLICATION/X-WWW-FORM-URLENCODED;Charset=\"utf-8\"", 200, 400),
        ("application/x-www-form-urlencoded;boundary=x", 200, 400),
        ("application/x-www-form-urlencoded; charset=iso-8859-1", 400, 400),
        ("application/x-www-form-urlencodedX", 400, 400),
        ("application/x-www-form-urlencoded-2", 400, 400),
        ("application/x-www-form", 400, 400),
        ("text/x-www-form-urlencoded", 400, 400),
        ("application/x-www-form-urlencoded, application/json", 400, 400),
        ("application/json", 400, 200),
        ("Application/JSON;charset=UTF-8", 400, 200),
        ("application/vnd.shop.login+json", 400, 200),
        ("application/vnd.shop.login+JSON", 400, 200),
        ("application/jsonX", 400, 400),
        ("application/xjson", 400, 400),
        ("text/json", 400, 400),
        ("text/plain", 400, 400),
        ("multipart/form-data", 400, 400),
        ("x-www-form-urlencoded", 400, 400),
        ("", 400, 400),
    ] {
        assert_eq!(log_in_as(&shop, &[kind], form).await, of_form, "a form as {kind:?}");
        assert_eq!(log_in_as(&shop, &[kind], &json).await, of_json, "JSON as {kind:?}");
    }
    assert_eq!(log_in_as(&shop, &[], &json).await, 400);
}

/// As `djangorestframework-simplejwt` names it.
#[derive(Deserialize)]
struct Renewal {
    refresh: Option<String>,
}

impl RefreshTokenRequest for Renewal {
    fn into_refresh_token(self) -> Option<String> {
        self.refresh
    }

    fn schema() -> Value {
        json!({ "type": "object", "properties": { "refresh": { "type": "string" } } })
    }
}

#[tokio::test]
async fn bodies_of_the_applications_own_types() {
    let own: Configure =
        |routes| routes.refresh_request::<Renewal>().logout_request::<Renewal>().logins_at_once(4);
    let shop = Shop::new(Delivery::Json, |builder| builder, own);
    let first = body(&shop.log_in("alice").await);
    for (wrong, status) in [
        (json!({ "refresh_token": first["refresh_token"] }), 400),
        (json!({}), 400),
        (json!({ "refresh": 1 }), 400),
        (json!({ "refresh": "unknown" }), 400),
    ] {
        assert_eq!(shop.post("/auth/refresh", &[], &wrong).await.status.as_u16(), status, "{wrong}");
    }
    let reply = shop.post("/auth/refresh", &[], &json!({ "refresh": first["refresh_token"] })).await;
    assert_eq!(reply.status, 200);
    let mut sent = request("POST", "/auth/refresh", &[("content-type", "application/x-www-form-urlencoded")]);
    *sent.body_mut() = Body::from(format!("refresh={}", body(&reply)["refresh_token"].as_str().unwrap()));
    let last = body(&send(&shop.app, sent).await);

    assert_eq!(shop.post("/auth/logout", &[], &json!({})).await.status, 204);
    let access = bearer(&last["access_token"]);
    assert_eq!(shop.who(&[("authorization", &access)]).await, 200, "no token, no logout");
    assert_eq!(
        shop.post("/auth/logout", &[], &json!({ "refresh": last["refresh_token"] })).await.status,
        204
    );
    assert_eq!(shop.who(&[("authorization", &access)]).await, 401);
}

/// A document of these routes.
fn document(routes: impl FnOnce(TokenRoutes<People>) -> TokenRoutes<People>) -> Value {
    let people = People::default();
    let auth = Auth::builder().token_issuer(issuer(&people)).build().unwrap();
    let routes: Router = routes(TokenRoutes::json(auth.tokens().unwrap(), people)).router();
    OpenApi::new("Shop", "1").describe(&routes.routes(), &auth).unwrap().to_value()
}

#[test]
fn the_document_has_the_applications_types() {
    let document = document(|routes| routes.refresh_request::<Renewal>().logout_request::<Renewal>());
    for (path, is_required) in [("/refresh", true), ("/logout", false)] {
        let body = &document["paths"][path]["post"]["requestBody"];
        assert_eq!(body["required"], is_required, "{path}");
        for kind in ["application/json", "application/x-www-form-urlencoded"] {
            assert_eq!(body["content"][kind]["schema"], Renewal::schema(), "{path} {kind}");
        }
    }
}

/// RFC 9110 §15.5.2: a 401 has a challenge. Neither scheme opens a dialog of a browser.
#[tokio::test]
async fn wrong_credentials_are_answered_401_where_the_application_says_so() {
    let unauthorized: Configure = |routes| routes.unauthorized_on_wrong_credentials();
    let realm = |builder: AuthBuilder| builder.realm("the shop");
    let wrong = json!({ "username": "alice", "password": "wrong" });
    for (delivery, challenge) in
        [(Delivery::Json, "Bearer realm=\"the shop\""), (Delivery::Cookies, "Cookie realm=\"the shop\"")]
    {
        let shop = Shop::new(delivery, realm, unauthorized);
        let reply = shop.post("/auth/login", &[], &wrong).await;
        assert_eq!((reply.status.as_u16(), body(&reply)), (401, json!({ "error": "invalid_grant" })));
        assert_eq!(
            (reply.header("www-authenticate"), reply.header("cache-control")),
            (challenge, "no-store")
        );
        // All else is as before.
        let reply = shop.post("/auth/login", &[], &json!([])).await;
        assert_eq!((reply.status.as_u16(), reply.header("www-authenticate")), (400, ""));
        let reply = shop.post("/auth/refresh", &[], &json!({ "refresh_token": "unknown" })).await;
        assert_eq!((reply.status.as_u16(), body(&reply)), (400, json!({ "error": "invalid_grant" })));
    }
    let reply = Shop::json().post("/auth/login", &[], &wrong).await;
    assert_eq!((reply.status.as_u16(), reply.header("www-authenticate")), (400, ""));
}

/// An application that answers 401 itself need not think of the challenge.
#[tokio::test]
async fn a_401_of_the_applications_own_has_a_challenge() {
    struct Unauthorized;
    impl TokenAnswers for Unauthorized {
        fn failed(&self, failure: TokenFailure, request: &TokenRequest<'_>) -> Response {
            assert_eq!(failure, TokenFailure::InvalidGrant);
            match request.route {
                TokenRoute::Login => StatusCode::UNAUTHORIZED.into_response(),
                _ => (StatusCode::UNAUTHORIZED, [("www-authenticate", "Own")]).into_response(),
            }
        }
    }
    let shop = Shop::new(Delivery::Json, |builder| builder, |routes| routes.answers(Unauthorized));
    let reply = shop.post("/auth/login", &[], &json!({ "username": "alice", "password": "wrong" })).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("www-authenticate")),
        (401, "Bearer realm=\"restricted\"")
    );
    let reply = shop.post("/auth/refresh", &[], &json!({ "refresh_token": "unknown" })).await;
    assert_eq!((reply.status.as_u16(), reply.header("www-authenticate")), (401, "Own"));
}
