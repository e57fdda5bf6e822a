//! What can't be read or written: how it is answered, and what the log says.

use auth_runtime::openapi::OpenApi;

use super::*;

#[auth(source = "bearer")]
async fn bearer_cart(_session: SessionData) {}

#[auth(source = "bearer")]
async fn anyone(_session: Option<SessionData>) {}

#[auth(source = "bearer")]
async fn bearer_alone() {}

#[auth(source = "bearer", check = has_a_cart)]
async fn paid() {}

/// An instance whose limit is this, on that store.
async fn limited(store: &FlakyStore, bytes: usize) -> Shop {
    Shop::of(store.clone(), |issuer| issuer.max_session_data(bytes), |builder| builder).await
}

#[tokio::test]
async fn too_much_is_500_names_the_limit_and_the_switch_and_changes_nothing() {
    let shop = limited(&FlakyStore::default(), 100).await;
    let session = shop.log_in().await;
    shop.add(&session, "tea").await;
    let log = CapturedLog::start(tracing::Level::WARN);
    let reply = shop.ask("POST", &format!("/cart/{}", "x".repeat(100)), &session).await;
    assert_eq!(reply.status, 500);
    assert!(!reply.body.contains("bytes"), "{}", reply.body);
    // `cart`, and `{"items":["tea","xx.."]}`.
    let text = log.text();
    assert!(text.contains("would have 124 bytes, and 100 is the maximum"), "{text}");
    assert!(text.contains("TokenIssuer::max_session_data") && !text.contains("xxx"), "{text}");
    // The caller has sent too much, so it is no error of the service.
    assert!(text.contains("WARN") && !text.contains("ERROR"), "{text}");
    assert_eq!(shop.cart(&session).await, "tea");

    let error = shop.data(&session).set(&Theme("x".repeat(100))).await.unwrap_err();
    assert!(matches!(error, SessionDataError::TooLarge { bytes: 128, max: 100 }), "{error:?}");
}

/// The limit holds for all values of the session, to the byte.
#[tokio::test]
async fn the_limit_is_what_names_and_values_have_together() {
    let shop = limited(&FlakyStore::default(), 40).await;
    let session = shop.log_in().await;
    let data = shop.data(&session);
    data.set(&Cart { items: vec!["tea".into()] }).await.unwrap(); // 4 + 17
    data.set(&Theme("x".repeat(12))).await.unwrap(); // 5 + 14
    let error = data.set(&Theme("x".repeat(13))).await.unwrap_err();
    assert!(matches!(error, SessionDataError::TooLarge { bytes: 41, max: 40 }), "{error:?}");
    // By default it is 4 KiB.
    let shop = Shop::new().await;
    let data = shop.data(&shop.log_in().await);
    data.set(&Theme("x".repeat(4096 - 7))).await.unwrap();
    let error = data.set(&Theme("x".repeat(4096 - 6))).await.unwrap_err();
    assert!(matches!(error, SessionDataError::TooLarge { bytes: 4097, max: 4096 }), "{error:?}");
}

#[tokio::test]
async fn after_the_limit_was_lowered_a_session_can_shrink() {
    let store = FlakyStore::default();
    let before = limited(&store, 1000).await;
    let session = before.log_in().await;
    before.data(&session).set(&Theme("x".repeat(500))).await.unwrap();
    let after = limited(&store, 100).await;
    let data = after.data(&session);
    assert_eq!(data.get::<Theme>().await.unwrap().unwrap().0.len(), 500);
    data.set(&Theme("x".repeat(400))).await.unwrap();
    data.set(&Theme("x".repeat(401))).await.unwrap_err();
    // It is refreshed all the same.
    let next = after.tokens.refresh(&session.refresh_token).await.unwrap();
    after.data(&next).remove::<Theme>().await.unwrap();
    assert_eq!(after.add(&next, "tea").await, "tea");
}

#[tokio::test]
async fn a_login_with_too_much_begins_no_session() {
    let shop = limited(&FlakyStore::default(), 20).await;
    let subject = Subject::new("alice").session_value(&Theme("x".repeat(20)));
    let error = shop.tokens.issue(&subject).await.unwrap_err();
    assert!(
        matches!(error, TokenError::SessionData(SessionDataError::TooLarge { bytes: 27, max: 20 })),
        "{error:?}"
    );
    assert!(!error.is_temporary());
    assert!(shop.tokens.sessions("alice").await.unwrap().sessions.is_empty());
}

/// It is known at the start that no session is of this service.
#[test]
fn an_engine_without_an_issuer_does_not_serve_what_takes_session_data() {
    let auth = Auth::builder()
        .issuer(TrustedIssuer::new(OTHER).audience(AUDIENCE).key(signing_key(7).verifying_key()));
    let auth = auth.build().unwrap();
    for (route, handler) in [
        ("GET /x (whole::session_data::errors::bearer_cart at ", get(bearer_cart)),
        ("GET /x (whole::session_data::errors::anyone at ", get(anyone)),
        ("GET /x (whole::session_data::errors::paid at ", get(paid)),
    ] {
        let router: Router = Router::new().route("/x", handler);
        let error = router.finish(&auth).unwrap_err();
        let errors: Vec<&str> = error.errors().collect();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains(route) && errors[0].contains("no `TokenIssuer`"), "{errors:?}");
    }
}

/// A caller that has no session is answered 403, and the document of the routes says so.
#[tokio::test]
async fn the_document_has_what_callers_without_a_session_are_answered() {
    let auth = Auth::builder().token_issuer(issuer(&People::default())).build().unwrap();
    let router: Router = Router::new()
        .route("/data", get(bearer_cart))
        .route("/optional", get(anyone))
        .route("/none", get(bearer_alone));
    let document = OpenApi::new("Shop", "1").describe(&router.routes(), &auth).unwrap().to_value();
    let statuses = |path: &str| -> Vec<String> {
        let responses = document["paths"][path]["get"]["responses"].as_object().unwrap();
        ["403", "503"]
            .into_iter()
            .filter(|status| responses.contains_key(*status))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(statuses("/data"), ["403", "503"]);
    assert_eq!(statuses("/optional"), ["503"]);
    assert!(statuses("/none").is_empty());
    let app = router.finish(&auth).unwrap();
    let token = auth.tokens().unwrap().access_token(&Subject::new("alice")).issue().unwrap();
    let bearer = format!("Bearer {token}");
    for (path, status) in [("/data", 403), ("/optional", 200), ("/none", 200)] {
        let reply = send(&app, request("GET", path, &[("authorization", &bearer)])).await;
        assert_eq!(reply.status, status, "{path}");
    }
}

#[test]
fn a_service_that_allows_too_much_is_not_built() {
    let build = |bytes| {
        let issuer = issuer(&People::default()).max_session_data(bytes);
        Auth::builder().token_issuer(issuer).build().map_err(|error| error.to_string())
    };
    assert!(build(65_536).is_ok() && build(0).is_ok());
    let error = build(65_537).unwrap_err();
    assert!(error.contains("`max_session_data` is 65537 bytes, and must be 65536 at most"), "{error}");
}

/// A deployment changed the type of a value.
#[tokio::test]
async fn a_value_of_another_version_is_500_until_it_is_replaced() {
    let shop = Shop::new().await;
    let session = shop.log_in().await;
    shop.add(&session, "hunter2").await;
    let log = CapturedLog::start(tracing::Level::TRACE);
    let reply = shop.ask("GET", "/later", &session).await;
    assert_eq!(reply.status, 500);
    let text = log.text();
    assert!(text.contains("LaterCart") && text.contains("`cart`"), "{text}");
    assert!(text.contains("another type at line 1 column 19"), "{text}");
    assert!(text.contains("SessionValue::NAME"), "{text}");
    assert!(!text.contains("hunter2") && !reply.body.contains("cart"), "{text}");

    let data = shop.data(&session);
    let mut is_called = false;
    let error = data.update(|_: &mut Option<LaterCart>| is_called = true).await.unwrap_err();
    assert!(matches!(error, SessionDataError::Unreadable { name: "cart", .. }), "{error:?}");
    assert!(!is_called);
    // Other values are read.
    data.set(&Theme("dark".into())).await.unwrap();
    assert_eq!(data.get::<Theme>().await.unwrap(), Some(Theme("dark".into())));
    data.set(&LaterCart { items: vec![7] }).await.unwrap();
    assert_eq!(data.get::<LaterCart>().await.unwrap(), Some(LaterCart { items: vec![7] }));
    data.remove::<LaterCart>().await.unwrap();
    assert_eq!(shop.ask("GET", "/later", &session).await.status, 200);
}

#[tokio::test]
async fn while_the_store_fails_the_answer_is_503() {
    let shop = Shop::new().await;
    let session = shop.log_in().await;
    shop.add(&session, "tea").await;
    shop.store.set_broken(true);
    for (method, path) in [("GET", "/cart"), ("POST", "/cart/x"), ("DELETE", "/cart"), ("POST", "/theme/x")] {
        let reply = shop.ask(method, path, &session).await;
        assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, "5"), "{method} {path}");
        assert!(!reply.body.contains("fire"), "{}", reply.body);
    }
    // What does not take it does not ask the store.
    let reply = send(&shop.app, request("GET", "/page", &[])).await;
    assert_eq!(reply.status, 200);
    shop.store.set_broken(false);
    assert_eq!(shop.cart(&session).await, "tea");
}

/// Whatever happens to a value, no line of a log has it, at any level.
#[tokio::test]
async fn no_log_has_a_value() {
    let log = CapturedLog::start(tracing::Level::TRACE);
    let shop = limited(&FlakyStore::default(), 100).await;
    let subject = Subject::new("alice").session_value(&Theme("hunter2".into()));
    let session = shop.tokens.issue(&subject).await.unwrap();
    shop.ask("GET", "/cart", &session).await;
    shop.ask("GET", "/pay", &session).await;
    let data = shop.data(&session);
    data.update(|theme: &mut Option<Theme>| theme.clone()).await.unwrap();
    data.set(&Cart { items: vec!["hunter2".into()] }).await.unwrap();
    data.set(&Cart { items: vec!["hunter2".repeat(100)] }).await.unwrap_err();
    data.get::<LaterCart>().await.unwrap_err();
    data.set(&Card("hunter2".into())).await.unwrap_err();
    let reply = shop.ask("POST", "/card", &session).await;
    assert_eq!(reply.status, 500);
    let text = log.text();
    assert!(text.contains("the value `card` of the session, a `whole::session_data::Card`"), "{text}");
    shop.ask("GET", "/later", &session).await;
    shop.store.set_broken(true);
    data.set(&Cart { items: vec!["hunter2".into(), "hunter2".into()] }).await.unwrap_err();
    shop.ask("GET", "/cart", &session).await;
    shop.store.set_broken(false);
    shop.tokens.log_out(&session.refresh_token).await.unwrap();
    shop.ask("GET", "/cart", &session).await;

    let shown = format!("{:?} {data:?} {:?} {subject:?}", shop.auth, shop.tokens);
    assert!(shown.contains(&session.session_id));
    for text in [log.text(), shown] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}
