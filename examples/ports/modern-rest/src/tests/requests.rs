//! Where a token is, what a handler gets, and what is answered to who may not call it.

use auth_runtime::source::{Carrier, CredentialLocation, CredentialSource, Extracted};

use super::*;

#[tokio::test]
async fn a_handler_needs_a_token_and_gets_its_user() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let [ana, ben] = [running.log_in("ana").await, running.log_in("ben").await];
    for path in ["/api/me", "/api/hello", "/api/contacts"] {
        let without = running.service.get(path, None).await;
        assert!(without.status == 401 && without.headers.contains_key("www-authenticate"), "{without:?}");
        assert_eq!(running.status(path, "x").await, 401);
        assert_eq!(running.status(path, &ben.access).await, 200);
    }
    let me = async |tokens: &Pair| running.service.get("/api/me", Some(&tokens.access)).await.json();
    assert_eq!(me(&ana).await, json!({ "id": "1", "email": "ana@new.example", "is_staff": true }));
    assert_eq!(me(&ben).await, json!({ "id": "2", "email": "ben@new.example", "is_staff": false }));
    running.change("2", "update accounts set email = 'benjamin@new.example' where id = ?1").await?;
    assert_eq!(me(&ben).await["email"], "benjamin@new.example");
    Ok(())
}

#[tokio::test]
async fn an_inactive_user_is_rejected_on_every_route() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let ana = running.log_in("ana").await;
    running.change("1", "update accounts set is_active = 0 where id = ?1").await?;
    for path in ["/api/me", "/api/token", "/api/hello", "/api/contacts", "/api/staff/sessions", "/access"] {
        assert_eq!(running.status(path, &ana.access).await, 401, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn a_check_compares_the_row_with_the_user() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let ben = running.log_in("ben").await;
    let remove = async |id: i64| {
        let request = running.service.request(Method::DELETE, &format!("/api/contacts/{id}"));
        running.service.send(request.bearer_auth(&ben.access)).await
    };
    let [foreign, missing] = [remove(1).await, remove(99).await];
    assert_eq!((foreign.status, &foreign.body), (404, &missing.body), "as one that does not exist");
    assert_eq!(missing.status, 404);
    assert_eq!(remove(2).await.status, 204);
    let contacts = running.service.get("/api/contacts", Some(&ben.access)).await.json();
    assert_eq!(contacts, json!([{ "id": 3, "name": "Plumber", "phone": "+49 731 5550101" }]));
    let anas = running.service.get("/api/contacts", Some(&running.log_in("ana").await.access)).await;
    assert_eq!(anas.json()[0]["id"], 1, "it is still there");
    Ok(())
}

/// Of the gate, of the token routes, of a check, and of what the service needs.
#[tokio::test]
async fn every_failure_has_one_form() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let ben = running.log_in("ben").await;
    let wrong = json!({ "email": "ben@new.example", "password": "x" });
    let service = &running.service;
    let remove = service.request(Method::DELETE, "/api/contacts/1").bearer_auth(&ben.access);
    let twice = service.request(Method::GET, "/api/me").bearer_auth(&ben.access).bearer_auth(&ben.access);
    for (reply, status, msg, kind) in [
        (service.get("/api/me", None).await, 401, "Unauthorized", "security"),
        (service.get("/api/me", Some("x")).await, 401, "Unauthorized", "security"),
        (service.get("/api/staff/sessions", Some(&ben.access)).await, 403, "Forbidden", "security"),
        (service.send(remove).await, 404, "Not Found", "not_found"),
        (
            service.post("/api/auth", None, &wrong).await,
            401,
            "The email or the password is wrong",
            "security",
        ),
        (service.post("/api/auth", None, &json!({})).await, 400, "Bad Request", "value_error"),
        (
            running.refresh(&Pair { access: String::new(), refresh: "x".to_owned() }).await,
            401,
            "The refresh token is invalid",
            "security",
        ),
    ] {
        assert_eq!(reply.headers["content-type"], "application/json");
        assert_eq!(
            (reply.status, reply.json()),
            (status, json!({ "detail": [{ "msg": msg, "type": kind }] }))
        );
        // RFC 9110 §15.5.2: a 401 has a challenge.
        assert!(status != 401 || reply.headers.contains_key("www-authenticate"), "{reply:?}");
    }
    for (body, loc) in [
        (json!({ "name": "Baker", "phone": 1 }), json!(["phone"])),
        (json!({ "name": ["Baker"], "phone": "1" }), json!(["name"])),
        (json!({ "name": "Baker", "phone": "1", "owner": "1" }), json!(["owner"])),
        (json!({ "name": "Baker" }), Value::Null),
        (json!("Baker"), Value::Null),
    ] {
        let unreadable = service.post("/api/contacts", Some(&ben.access), &body).await;
        let detail = &unreadable.json()["detail"][0];
        assert_eq!(
            (unreadable.status, &detail["type"], &detail["loc"]),
            (400, &json!("value_error"), &loc),
            "{body}"
        );
    }
    let no_json = service.request(Method::POST, "/api/contacts").bearer_auth(&ben.access).body("name");
    let no_json = service.send(no_json).await;
    assert_eq!((no_json.status, &no_json.json()["detail"][0]["type"]), (415, &json!("value_error")));
    let twice = service.send(twice).await;
    assert_eq!((twice.status, &twice.json()["detail"][0]["type"]), (400, &json!("value_error")));

    running.database.close().await;
    let failed = json!({ "detail": [{ "msg": "Service Unavailable", "type": "internal_error" }] });
    for reply in [
        service.get("/api/contacts", Some(&ben.access)).await,
        service.post("/api/exports", Some(&ben.access), &json!({})).await,
        service.post("/api/auth", None, &wrong).await,
    ] {
        assert_eq!((reply.status, reply.json()), (503, failed.clone()));
    }
    Ok(())
}

#[tokio::test]
async fn the_header_and_its_scheme_are_of_our_own() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let ben = running.log_in("ben").await;
    let export = running.service.post("/api/exports", Some(&ben.access), &json!({})).await.text("token");
    for (name, value, status) in [
        ("x-auth", format!("JWT {export}"), 200),
        ("x-auth", format!("jwt {export}"), 200),
        ("x-auth", format!("Bearer {export}"), 401),
        ("x-auth", export.clone(), 401),
        ("authorization", format!("JWT {export}"), 401),
        ("authorization", format!("Bearer {export}"), 401),
        ("x-auth", format!("JWT {}", ben.access), 403),
    ] {
        let request = running.service.request(Method::GET, "/api/exports/contacts").header(name, &value);
        assert_eq!(running.service.send(request).await.status, status, "{name}: {value}");
    }
    Ok(())
}

/// A source of one's own: a cookie of an earlier service.
#[derive(Debug)]
struct Legacy;

impl CredentialSource for Legacy {
    fn name(&self) -> &str {
        "legacy"
    }

    fn carrier(&self) -> Carrier {
        Carrier::Ambient
    }

    fn location(&self) -> Option<CredentialLocation<'_>> {
        Some(CredentialLocation::Cookie { name: "legacy" })
    }

    fn extract<'r>(&self, head: &'r axum::http::request::Parts) -> Extracted<'r> {
        let cookies = head.headers.get("cookie").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let token = cookies.split("; ").find_map(|cookie| cookie.strip_prefix("legacy="));
        token.map_or(Extracted::Absent, |token| Extracted::Present(token.into()))
    }
}

#[tokio::test]
async fn a_token_is_where_a_source_finds_it_and_never_in_a_body() -> Result<(), BoxError> {
    let running =
        Running::start_with(|engine| engine.source(Legacy).default_sources(["bearer", "legacy"])).await?;
    let ben = running.log_in("ben").await;
    let get = running.service.request(Method::GET, "/api/contacts");
    let with = get.header("cookie", format!("a=b; legacy={}", ben.access));
    assert_eq!(running.service.send(with).await.status, 200);
    for body in [
        json!({ "access_token": ben.access, "name": "a", "phone": "b" }),
        json!({ "token": ben.access, "name": "a", "phone": "b" }),
        json!(ben.access),
    ] {
        assert_eq!(running.service.post("/api/contacts", None, &body).await.status, 401);
    }
    // RFC 6750 §2.2, which this library does not have.
    let form = running.service.request(Method::POST, "/api/contacts");
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    let form = form.body(format!("access_token={}", ben.access));
    assert_eq!(running.service.send(form).await.status, 401);
    let contacts = running.service.get("/api/contacts", Some(&ben.access)).await;
    assert_eq!(contacts.json().as_array().map(Vec::len), Some(2), "no handler was called");
    Ok(())
}
