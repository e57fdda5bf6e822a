//! Who may call what, and the OpenAPI document.

use auth_runtime::policy::Access;
use auth_tests_tools::{CHECKS, Said, Tools};
use serde_json::Value;

use super::*;

async fn routes_and_engine() -> Result<(Router, Auth, tempfile::TempDir), BoxError> {
    let folder = tempfile::tempdir()?;
    let (routes, auth, ..) = parts(folder.path(), &TestClock::new()).await?;
    Ok((routes, auth, folder))
}

/// After an intended change of who may call what, run this test with `AUTH_LOCK=accept` and commit the file: reviewers see it.
#[tokio::test]
async fn nobody_gains_access_unseen() -> Result<(), BoxError> {
    let (routes, auth, _folder) = routes_and_engine().await?;
    routes.routes().table(&auth).assert_lock("access.lock");
    Ok(())
}

#[tokio::test]
async fn the_public_paths_are_these() -> Result<(), BoxError> {
    let (routes, _auth, _folder) = routes_and_engine().await?;
    let listed = routes.routes();
    let public = listed.iter().filter(|route| route.access() == Access::Public);
    let mut public: Vec<_> = public.map(|route| route.path.as_str()).collect();
    public.sort_unstable();
    public.dedup();
    let of_the_document = ["/api/login", "/docs/{*}", "/health", "/login", "/schema.yml", "/signup"];
    let ours = ["/", "/api/logout", "/auth/login", "/auth/logout", "/style.css"];
    let mut expected = [&of_the_document[..], &ours].concat();
    expected.sort_unstable();
    assert_eq!(public, expected);
    Ok(())
}

#[tokio::test]
async fn everyone_may_read_the_documents() -> Result<(), BoxError> {
    let running = Running::start().await?;
    let schema = running.service.get("/schema.yml", None).await;
    assert_eq!((schema.status, header(&schema, "content-type")), (200, "application/yaml"));
    assert!(schema.body.starts_with("openapi:") && schema.body.contains("/api/notes/{id}"));
    assert_eq!(leads_to(&running.service.get("/docs", None).await), "/docs/");
    let page = running.service.get("/docs/", None).await;
    assert!(page.status == 200 && page.body.contains("swagger-ui"), "{page:#?}");
    assert_eq!(running.service.get("/health", None).await.status, 204);
    Ok(())
}

/// The schemas of the application's own answers: of the login, and of rejections.
#[tokio::test]
async fn the_document_has_the_form_of_the_answers() -> Result<(), BoxError> {
    let (routes, auth, _folder) = routes_and_engine().await?;
    let document = OpenApi::new("Notes", "0.1.0").describe(&routes.routes(), &auth)?.to_value();
    // What is the same on all routes is in the document once.
    let resolved = |value: &Value| match value["$ref"].as_str() {
        Some(shared) => document.pointer(&shared[1..]).cloned().unwrap_or_default(),
        None => value.clone(),
    };
    let schema = |path: &str, method: &str, status: &str| {
        let answer = resolved(&document["paths"][path][method]["responses"][status]);
        resolved(&answer["content"]["application/json"]["schema"])
    };
    let string = json!({ "type": "string" });
    assert_eq!(schema("/api/login", "post", "200")["properties"]["token"], string);
    for (path, method, status) in
        [("/api/login", "post", "401"), ("/api/me", "get", "401"), ("/api/admin/users", "get", "403")]
    {
        assert_eq!(schema(path, method, status)["properties"]["error"], string, "{path} {status}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs openapi-spec-validator and redocly: bash tests/run"]
async fn validators_of_others_find_no_error_in_it() -> Result<(), BoxError> {
    let tools = Tools::installed();
    let (routes, auth, _folder) = routes_and_engine().await?;
    let document = OpenApi::new("Notes", "0.1.0").describe(&routes.routes(), &auth)?;
    tools.assert_valid([("notes.yaml", document.to_yaml()), ("notes.json", document.to_json())]);
    Ok(())
}

/// Requests by the document: each answer has the status, the headers and the form that it says.
#[tokio::test]
#[ignore = "needs schemathesis: bash tests/run"]
async fn the_document_says_how_the_api_answers() -> Result<(), BoxError> {
    let tools = Tools::installed();
    let running = Running::start().await?;
    let header = format!("Authorization: Bearer {}", running.admin().await);
    let url = format!("{}/schema.yml", running.service.origin());
    let only = ["--include-path-regex", "^/api/(login|me|protected|admin)"];
    let said = tokio::task::spawn_blocking(move || tools.schemathesis(&url, &header, CHECKS, &only));
    let Said { is_content, text } = said.await?;
    assert!(is_content, "{text}");
    Ok(())
}
