//! What a caller tries who wants the rows of another tenant.

use super::*;

fn succeeds(answer: &Answer) -> bool {
    answer.status.is_success()
}

/// All routes that name a project, also those that are added to this service later.
#[tokio::test]
async fn an_id_of_another_tenant_is_answered_as_one_that_does_not_exist() -> Result<(), BoxError> {
    let service = Service::start().await?;
    let before = service.rows("acme").await?;
    let paths = paths(true)?;
    assert_eq!(paths.len(), 3);
    for (method, path) in &paths {
        let ask = async |user, id| service.ask(user, method.clone(), &path.replace("{id}", id)).await;
        let of_another = ask("bob", "rocket").await?;
        assert_eq!(of_another.status, StatusCode::NOT_FOUND, "{method} {path}");
        assert_eq!(of_another, ask("bob", "nothing").await?, "{method} {path}");
    }
    assert_eq!(service.rows("acme").await?, before);
    for (method, path) in &paths {
        let own = service.ask("alice", method.clone(), &path.replace("{id}", "rocket")).await?;
        assert!(succeeds(&own), "{method} {path}: {own:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_route_without_an_id_shows_and_changes_nothing_of_another_tenant() -> Result<(), BoxError> {
    let service = Service::start().await?;
    let before = service.rows("acme").await?;
    for (method, path) in paths(false)? {
        let answer = service.ask("bob", method.clone(), &path).await?;
        let shown = answer.body.to_lowercase();
        assert!(
            !["rocket", "anvil", "acme"].iter().any(|word| shown.contains(word)),
            "{method} {path}: {answer:?}"
        );
    }
    assert_eq!(service.rows("acme").await?, before);
    Ok(())
}

#[tokio::test]
async fn anonymous_callers_operators_and_tenants_have_routes_of_their_own() -> Result<(), BoxError> {
    let service = Service::start().await?;
    for (method, path) in [paths(true)?, paths(false)?].concat() {
        let path = path.replace("{id}", "rocket");
        let status =
            async |user| service.ask(user, method.clone(), &path).await.map(|answer| answer.status.as_u16());
        let is_for_operators = path == "/tenants";
        assert_eq!(status("anonymous").await?, 401, "{method} {path}");
        assert_eq!(status("olga").await?, if is_for_operators { 200 } else { 403 }, "{method} {path}");
        assert_eq!(status("alice").await? == 403, is_for_operators, "{method} {path}");
    }
    Ok(())
}

#[tokio::test]
async fn an_operator_sees_all_tenants_there_and_nowhere_else() -> Result<(), BoxError> {
    let service = Service::start().await?;
    let sizes = service.ask("olga", Method::GET, "/tenants").await?;
    assert_eq!(sizes.body, r#"[{"tenant":"acme","projects":2},{"tenant":"globex","projects":1}]"#);
    // With both, each route gives what it is for.
    let token = service.provider.token("otto", &json!("globex"), &["operator"])?;
    let ask = async |path| service.ask_with(Some(&token), Method::GET, path, Value::Null).await;
    assert!(succeeds(&ask("/tenants").await?));
    assert!(succeeds(&ask("/projects/sailboat").await?));
    assert_eq!(ask("/projects/rocket").await?.status, StatusCode::NOT_FOUND);
    Ok(())
}

#[tokio::test]
async fn only_a_tenant_that_the_token_names_exactly_counts() -> Result<(), BoxError> {
    let service = Service::start().await?;
    let ask = async |tenant: &Value, path: &str| -> Result<_, BoxError> {
        let token = service.provider.token("eve", tenant, &[])?;
        service.ask_with(Some(&token), Method::GET, path, Value::Null).await
    };
    for tenant in [json!(null), json!(""), json!(1), json!(true), json!(["acme"]), json!({ "acme": "acme" })]
    {
        assert_eq!(ask(&tenant, "/projects").await?.status, StatusCode::FORBIDDEN, "{tenant}");
        assert_eq!(ask(&tenant, "/projects/rocket").await?.status, StatusCode::FORBIDDEN, "{tenant}");
    }
    for tenant in [
        "Acme",
        "acme ",
        "acm",
        "%",
        "_cme",
        "*",
        "acme\u{0}",
        "acme' or '1' = '1",
        "acme'; drop table projects; --",
    ] {
        assert_eq!(ask(&json!(tenant), "/projects").await?.body, "[]", "{tenant}");
        assert_eq!(ask(&json!(tenant), "/projects/rocket").await?.status, StatusCode::NOT_FOUND, "{tenant}");
    }
    assert_eq!(ask(&json!("acme"), "/projects/rocket").await?.status, StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn nothing_but_the_token_chooses_the_tenant() -> Result<(), BoxError> {
    let service = Service::start().await?;
    let token = service.token("bob")?.ok_or("bob has a token")?;
    for path in [
        "/projects/rocket?tenant=acme",
        "/projects/acme%2Frocket",
        "/projects/..%2Facme%2Frocket",
        "/projects/%25",
        "/projects/rocket'%20or%20'1'='1",
        "/projects/rocket%00",
    ] {
        let request = service.client.get(format!("{}{path}", service.origin)).bearer_auth(&token);
        let answer = request.header("x-tenant", "acme").header("cookie", "tenant=acme").send().await?;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let body = json!({ "name": "A balloon", "tenant": "acme" });
    let answer = service.ask_with(Some(&token), Method::POST, "/projects", body).await?;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(service.rows("acme").await?.len(), 2);
    Ok(())
}

/// Ids of one tenant are no ids of another: a tenant that has the same id has its own row.
#[tokio::test]
async fn two_tenants_may_have_the_same_id() -> Result<(), BoxError> {
    let service = Service::start().await?;
    let insertion =
        sqlx::query("insert into projects (tenant, id, name) values ('globex', 'rocket', 'Another rocket')");
    insertion.execute(&mut service.connection().await?).await?;
    for (user, name) in [("alice", "A rocket"), ("bob", "Another rocket")] {
        let answer = service.ask(user, Method::GET, "/projects/rocket").await?;
        assert_eq!(answer.body, format!(r#"{{"id":"rocket","name":"{name}"}}"#));
    }
    assert_eq!(service.ask("bob", Method::DELETE, "/projects/rocket").await?.status, StatusCode::NO_CONTENT);
    assert_eq!(service.ask("alice", Method::GET, "/projects/rocket").await?.status, StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn a_database_that_fails_is_answered_503_without_details() -> Result<(), BoxError> {
    let service = Service::start().await?;
    sqlx::query("drop table projects").execute(&mut service.connection().await?).await?;
    for (method, path) in [paths(true)?, paths(false)?].concat() {
        let user = if path == "/tenants" { "olga" } else { "alice" };
        let path = path.replace("{id}", "rocket");
        let answer = service.ask(user, method.clone(), &path).await?;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{method} {path}");
        assert_eq!(answer.body, "", "{method} {path}");
        // Who is asked for a credential is so before the database is.
        assert_eq!(service.ask("anonymous", method, &path).await?.status, StatusCode::UNAUTHORIZED);
    }
    assert!(service.database.seed().await.is_err());
    Ok(())
}
