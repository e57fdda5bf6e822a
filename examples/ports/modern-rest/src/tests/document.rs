//! Who may call what, as a table and as an OpenAPI document.

use auth_tests_tools::{CHECKS, Said, Tools};

use super::*;

/// After an intended change of who may call what, run this test with `AUTH_LOCK=accept` and commit the file: reviewers see it.
#[tokio::test]
async fn access_is_as_it_was_reviewed() -> Result<(), BoxError> {
    let (routes, auth) = routes_and_engine().await?;
    routes.routes().table(&auth).assert_lock("access.lock");
    Ok(())
}

#[tokio::test]
async fn each_operation_has_its_security_and_its_401() -> Result<(), BoxError> {
    let (routes, auth) = routes_and_engine().await?;
    let (document, coverage) = describe(&routes, &auth)?;
    assert!(coverage.own_security.is_empty() && coverage.dangling.is_empty(), "{coverage}");
    assert_eq!(document["openapi"], "3.2.0");
    let scheme = &document["components"]["securitySchemes"]["jwt"];
    assert_eq!((&scheme["type"], &scheme["scheme"]), (&json!("http"), &json!("bearer")));
    assert_eq!(scheme["bearerFormat"], "JWT");
    let export = &document["components"]["securitySchemes"]["export"];
    assert!(export.to_string().to_lowercase().contains("x-auth"), "{export}");

    let operation = |path: &str, method: &str| &document["paths"][path][method];
    assert_eq!(operation("/api/contacts", "get")["security"], json!([{ "jwt": [] }, { "cookie": [] }]));
    assert_eq!(operation("/api/exports/contacts", "get")["security"], json!([{ "export": [] }]));
    assert_eq!(operation("/api/auth", "post")["security"], json!([]));
    for (path, method) in [("/api/contacts", "get"), ("/api/me", "get"), ("/api/staff/blocklist", "post")] {
        let response = &operation(path, method)["responses"]["401"];
        let response =
            response["$ref"].as_str().and_then(|path| document.pointer(path.trim_start_matches('#')));
        let schema = &response.unwrap()["content"]["application/json"]["schema"];
        let schema = document.pointer(schema["$ref"].as_str().unwrap().trim_start_matches('#')).unwrap();
        assert_eq!(*schema, form("ErrorModel"), "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn the_forms_of_the_token_routes_are_described() -> Result<(), BoxError> {
    let (routes, auth) = routes_and_engine().await?;
    let (document, _) = describe(&routes, &auth)?;
    let login = &document["paths"]["/api/auth"]["post"];
    let refresh = &document["paths"]["/api/auth/refresh"]["post"];
    let json = |of: &Value| of["content"]["application/json"]["schema"].clone();
    assert_eq!(json(&login["requestBody"]), form("Login"));
    assert_eq!(json(&refresh["requestBody"]), form("Renewal"));
    for (operation, status) in [(login, "201"), (refresh, "200")] {
        assert_eq!(json(&operation["responses"][status]), form("Session"));
        for status in ["400", "401", "503"] {
            assert_eq!(json(&operation["responses"][status]), form("ErrorModel"), "{status}");
        }
    }
    let schemas = &document["components"]["schemas"];
    let fields = |name: &str| schemas[name]["required"].clone();
    assert_eq!((fields("Login"), fields("Renewal")), (json!(["email", "password"]), json!(["refresh"])));
    assert_eq!((fields("Session"), fields("Pair")), (json!(["auth"]), json!(["access", "refresh"])));
    assert_eq!((fields("ErrorModel"), fields("ErrorDetail")), (json!(["detail"]), json!(["msg", "type"])));
    assert_eq!(schemas["ErrorDetail"]["properties"]["loc"]["type"], "array");
    Ok(())
}

#[tokio::test]
async fn the_document_is_as_it_was_reviewed() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let mut document = running.service.get("/docs/openapi.json", None).await.json();
    // Another crate of the build may turn on `preserve_order` of serde_json.
    document.sort_all_objects();
    let paths = serde_json::to_string_pretty(&document["paths"]["/api/auth"])?;
    let me = serde_json::to_string_pretty(&document["paths"]["/api/me"])?;
    insta::assert_snapshot!(format!("{paths}\n{me}"));
    Ok(())
}

#[tokio::test]
#[ignore = "needs openapi-spec-validator and redocly: bash tests/run"]
async fn the_document_is_valid() -> Result<(), BoxError> {
    let tools = Tools::installed();
    let (routes, auth) = routes_and_engine().await?;
    tools.assert_valid([("3.2.json", describe(&routes, &auth)?.0.to_string())]);
    Ok(())
}

/// Requests by the document: each answer has a status, a content type and a schema that the document names.
#[tokio::test]
#[ignore = "needs schemathesis: bash tests/run"]
async fn its_document_says_how_it_answers() -> Result<(), BoxError> {
    let tools = Arc::new(Tools::installed());
    let running = Running::start().await?;
    let header = format!("Authorization: Bearer {}", running.log_in("ana").await.access);
    let url = format!("{}/docs/openapi.json", running.service.origin());
    // The logouts last: they end the token that the other requests are sent with.
    for which in ["--exclude-path-regex", "--include-path-regex"] {
        let (tools, url, header) = (Arc::clone(&tools), url.clone(), header.clone());
        let said = tokio::task::spawn_blocking(move || {
            tools.schemathesis(&url, &header, CHECKS, &[which, "^/(api|web)/auth$"])
        });
        let Said { is_content, text } = said.await?;
        assert!(is_content, "{text}");
    }
    Ok(())
}
