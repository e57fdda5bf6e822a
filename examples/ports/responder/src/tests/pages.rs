//! The login form, and the way to the pages behind it.

use super::*;

#[tokio::test]
async fn a_form_login_leads_to_the_dashboard() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let form = running.open("/login", "").await;
    assert!(form.status == 200 && form.body.contains(r#"name="return_to" value="/dashboard""#), "{form:#?}");
    let form = "username=alice&password=wonderland&return_to=%2Fdashboard";
    let reply = running.submit("/auth/login", "", form).await;
    assert_eq!(leads_to(&reply), "/dashboard");
    for cookie in reply.set_cookies() {
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    }
    let page = running.open("/dashboard", &reply.cookies()).await;
    assert!(page.status == 200 && page.body.contains("<h1>Welcome, alice</h1>"), "{page:#?}");
    // A link to the form cannot lead to another site.
    let form = running.open("/login?return_to=https%3A%2F%2Fevil.example", "").await;
    assert!(form.body.contains(r#"value="/dashboard""#), "{form:#?}");
    Ok(())
}

#[tokio::test]
async fn a_wrong_form_login_shows_the_form_again() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let form = "username=alice&password=builder&return_to=%2Fadmin%2Fusers";
    let reply = running.submit("/auth/login", "", form).await;
    let shown = leads_to(&reply);
    assert_eq!(shown, "/login?error=invalid_grant&return_to=%2Fadmin%2Fusers");
    let page = running.open(shown, "").await;
    assert!(page.body.contains(r#"<p role="alert">Wrong name or password.</p>"#), "{page:#?}");
    assert!(page.body.contains(r#"value="/admin/users""#), "{page:#?}");
    assert_eq!(running.open("/dashboard", &reply.cookies()).await.status, 303);
    Ok(())
}

#[tokio::test]
async fn the_dashboard_is_for_users_with_a_session() -> Result<(), BoxError> {
    let running = Running::start().await?;
    assert_eq!(leads_to(&running.open("/", "").await), "/dashboard");
    assert_eq!(leads_to(&running.open("/dashboard", "").await), "/login?return_to=%2Fdashboard");
    assert_eq!(running.service.get("/dashboard", None).await.status, 401, "a program is not redirected");
    // A token is for the API, and a cookie for the pages.
    let (token, cookies) = (running.alice().await, running.alice_in_a_browser().await);
    assert_eq!(running.service.get("/dashboard", Some(&token)).await.status, 401);
    let with_cookie = running.service.request(Method::GET, "/api/me").header(COOKIE, &cookies);
    assert_eq!(running.service.send(with_cookie).await.status, 401);
    assert_eq!(running.open("/dashboard", &cookies).await.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_logout_is_a_post_and_ends_the_session() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let cookies = running.alice_in_a_browser().await;
    assert_eq!(running.open("/auth/logout", &cookies).await.status, 405);
    assert_eq!(running.open("/dashboard", &cookies).await.status, 200, "a link has logged nobody out");

    let from_elsewhere = running.service.request(Method::POST, "/auth/logout");
    let from_elsewhere = from_elsewhere.header(COOKIE, &cookies).header("origin", "https://evil.example");
    assert_eq!(running.service.send(from_elsewhere).await.status, 403);
    assert_eq!(running.open("/dashboard", &cookies).await.status, 200);

    let reply = running.submit("/auth/logout", &cookies, "").await;
    assert_eq!(leads_to(&reply), "/login");
    // Also for someone who has copied the cookies.
    assert_eq!(leads_to(&running.open("/dashboard", &cookies).await), "/login?return_to=%2Fdashboard");
    Ok(())
}

#[tokio::test]
async fn a_new_account_is_logged_in() -> Result<(), BoxError> {
    let running = Running::start().await?;
    assert!(running.open("/signup", "").await.body.contains("<h1>Make an account</h1>"));
    let reply = running.submit("/signup", "", "username=Carol&password=teapot").await;
    assert_eq!(leads_to(&reply), "/");
    let page = running.open("/dashboard", &reply.cookies()).await;
    assert!(page.body.contains("<h1>Welcome, carol</h1>"), "{page:#?}");

    for (form, error) in [
        ("username=carol&password=other", "taken"),
        ("username=ADMIN&password=other", "taken"),
        ("username=&password=other", "invalid"),
        ("username=c%20d&password=other", "invalid"),
        ("username=al%C3%AFce&password=other", "invalid"),
        ("username=dave&password=", "invalid"),
        ("username=dave&password=a%00b", "invalid"),
    ] {
        let reply = running.submit("/signup", "", form).await;
        assert_eq!(leads_to(&reply), format!("/signup?error={error}"), "{form}");
        assert!(reply.set_cookies().is_empty(), "{form}");
        assert!(running.open(leads_to(&reply), "").await.body.contains(r#"role="alert""#));
    }
    assert_eq!(running.number_of("accounts").await?, 4);
    assert_eq!(running.alice().await.split('.').count(), 3, "the password of alice is what it was");
    Ok(())
}

/// Each hashes a password: without limits, anyone could keep the processors busy.
#[tokio::test]
async fn signups_have_the_limits_of_logins() -> Result<(), BoxError> {
    let running = Running::start().await?;
    for _ in 0..10 {
        let reply = running.submit("/signup", "", "username=alice&password=other").await;
        assert_eq!(leads_to(&reply), "/signup?error=taken");
    }
    let reply = running.submit("/signup", "", "username=alice&password=other").await;
    assert_eq!(leads_to(&reply), "/login?error=temporarily_unavailable");

    let from_elsewhere =
        running.service.request(Method::POST, "/signup").header("origin", "https://evil.example");
    let form =
        from_elsewhere.header(TYPE, "application/x-www-form-urlencoded").body("username=eve&password=other");
    assert_eq!(running.service.send(form).await.status, 403);
    assert_eq!(running.number_of("accounts").await?, 3);
    Ok(())
}

#[tokio::test]
async fn what_is_shown_is_text() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let text = r#"<b onclick="x('&')">bob</b>"#;
    running.service.post("/api/notes", Some(&running.alice().await), &json!({ "text": text })).await;
    let page = running.open("/dashboard", &running.alice_in_a_browser().await).await;
    let shown = "&lt;b onclick=&quot;x(&#39;&amp;&#39;)&quot;&gt;bob&lt;/b&gt;";
    assert!(page.body.contains(shown) && !page.body.contains("<b "), "{page:#?}");
    let policy = header(&page, "content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("script") && !policy.contains("unsafe")
    );
    assert_eq!(header(&page, "cache-control"), "no-store");
    Ok(())
}
