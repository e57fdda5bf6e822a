//! Answers of the application's own, and handlers of its own around the endpoints.

use super::*;

/// A page's answers: redirects, and words of its own.
struct Pages;

impl TokenAnswers for Pages {
    fn tokens(&self, _: &IssuedTokens, _: &TokenRequest<'_>) -> Response {
        Redirect::to("/").into_response()
    }

    fn failed(&self, failure: TokenFailure, request: &TokenRequest<'_>) -> Response {
        match (failure, request.route) {
            (TokenFailure::InvalidGrant, TokenRoute::Login) => Redirect::to("/?failed").into_response(),
            // An error: a failure is never a success.
            _ => "all is well".into_response(),
        }
    }

    fn logged_out(&self, _: &TokenRequest<'_>) -> Response {
        Redirect::to("/bye").into_response()
    }
}

#[tokio::test]
async fn the_application_answers_in_its_own_form() {
    let shop = Shop::new(Delivery::Cookies, |builder| builder, |routes| routes.answers(Pages));
    let reply = shop.log_in("alice").await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/"));
    assert_eq!((set_cookies(&reply).len(), reply.header("cache-control")), (2, "no-store"));
    let cookies = cookie_header(&reply);
    let wrong = json!({ "username": "alice", "password": "wrong" });
    let reply = shop.post("/auth/login", &[], &wrong).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/?failed"));
    assert_eq!(shop.post("/auth/login", &[], &json!([])).await.status, StatusCode::BAD_REQUEST);
    let reply = send(&shop.app, request("POST", "/auth/logout", &[("cookie", &cookies)])).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/bye"));
    assert_eq!(set_cookies(&reply).len(), 2);
}

#[auth(public)]
async fn own_log_in(Extension(endpoints): Extension<TokenEndpoints<People>>, request: Request) -> Response {
    let mut response = endpoints.log_in(request).await;
    response.headers_mut().insert("x-own", "yes".parse().unwrap());
    response
}

#[auth]
async fn own_everywhere(
    Extension(endpoints): Extension<TokenEndpoints<People>>,
    request: Request,
) -> Response {
    endpoints.log_out_everywhere(request).await
}

#[auth(public)]
async fn wrong_everywhere(
    Extension(endpoints): Extension<TokenEndpoints<People>>,
    request: Request,
) -> Response {
    endpoints.log_out_everywhere(request).await
}

#[tokio::test]
async fn the_same_as_plain_functions() {
    let people = People::default();
    let auth = Auth::builder().token_issuer(issuer(&people)).build().unwrap();
    let endpoints = TokenRoutes::json(auth.tokens().unwrap(), people).endpoints();
    let app = Router::new()
        .route("/in", post(own_log_in))
        .route("/out", post(own_everywhere))
        .route("/wrong", post(wrong_everywhere))
        .layer(Extension(endpoints))
        .layer(MockConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4711))))
        .finish(&auth)
        .unwrap();
    let mut sent = request("POST", "/in", &[("content-type", "application/json")]);
    *sent.body_mut() = Body::from(credentials("alice").to_string());
    let reply = send(&app, sent).await;
    assert_eq!((reply.status.as_u16(), reply.header("x-own")), (200, "yes"));
    let access = bearer(&body(&reply)["access_token"]);
    assert_eq!(send(&app, request("POST", "/wrong", &[("authorization", &access)])).await.status, 500);
    assert_eq!(send(&app, request("POST", "/out", &[("authorization", &access)])).await.status, 204);
    assert_eq!(send(&app, request("POST", "/out", &[("authorization", &access)])).await.status, 401);
}
