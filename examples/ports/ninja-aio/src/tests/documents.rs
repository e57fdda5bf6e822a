//! Who may call what, as a table and as an OpenAPI document.

use auth_tests_tools::{Said, Tools};

use super::*;

async fn routes_and_engine(folder: &TempDir) -> (Router<App>, TestAuth) {
    let accounts = accounts(folder.path()).await;
    let store = RedbStore::open(folder.path().join("auth.redb")).unwrap();
    let test = TestAuth::with(|builder| configure(builder, &accounts, &store, secrets(folder.path())));
    (routes(test.auth(), accounts).unwrap(), test)
}

/// After an intended change of who may call what, run this test with `AUTH_LOCK=accept` and commit the file: reviewers see it.
#[tokio::test]
async fn access_is_as_it_was_reviewed() {
    let folder = tempfile::tempdir().unwrap();
    let (routes, test) = routes_and_engine(&folder).await;
    with_document(routes, test.auth()).unwrap().routes().table(test.auth()).assert_lock("access.lock");
}

/// What Django Ninja Aio generates from a model is five routes, which are written here: method and path are the same.
#[tokio::test]
async fn the_five_routes_of_a_view_set_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let (routes, _) = routes_and_engine(&folder).await;
    let routes = routes.routes();
    for (method, path) in [
        ("GET", "/article"),
        ("POST", "/article"),
        ("GET", "/article/{id}"),
        ("PATCH", "/article/{id}"),
        ("DELETE", "/article/{id}"),
    ] {
        assert!(routes.iter().any(|route| route.method == method && route.path == path), "{method} {path}");
    }
}

#[tokio::test]
async fn the_document_says_what_each_operation_needs() {
    let magazine = Magazine::open().await;
    let document = magazine.service.get("/openapi.json", None).await.json();
    let operation = |path: &str, method: &str| document["paths"][path][method].clone();
    assert_eq!(operation("/article", "get")["security"], json!([]));
    let create = operation("/article", "post");
    assert_eq!(create["security"].as_array().unwrap().len(), 2, "a token or a key: {create}");
    assert!(create["responses"]["401"].is_object() && create["responses"]["403"].is_object());
    assert!(create["description"].as_str().unwrap().contains("article.create"), "{create}");
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    assert!(schemes.values().any(|scheme| scheme["scheme"] == "bearer"), "{schemes:?}");
    assert!(
        schemes
            .values()
            .any(|scheme| scheme["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case("x-api-key")))
    );
    // A 401 names where a credential goes, for the sources of the route.
    let challenged = async |path: &str, method: Method| {
        let reply = magazine.ask(method, path, With::Nothing, None).await;
        let challenges = reply.headers.get_all("www-authenticate").iter();
        challenges.map(|challenge| challenge.to_str().unwrap().to_owned()).collect::<Vec<_>>().join(", ")
    };
    let (both, one) = (challenged("/article", Method::POST).await, challenged("/context", Method::GET).await);
    assert!(both.contains("Bearer") && both.contains("ApiKey"), "{both}");
    assert!(one.contains("Bearer") && !one.contains("ApiKey"), "{one}");
}

/// What the gate answers. The token routes have the form of RFC 6749.
#[tokio::test]
async fn the_document_has_the_form_of_a_rejection() {
    let magazine = Magazine::open().await;
    let document = magazine.service.get("/openapi.json", None).await.json();
    // What is the same on all routes is in the document once.
    let resolved = |value: &Value| match value["$ref"].as_str() {
        Some(shared) => document.pointer(&shared[1..]).cloned().unwrap(),
        None => value.clone(),
    };
    for (path, method, status) in [
        ("/article", "post", "401"),
        ("/article", "post", "403"),
        ("/me", "get", "401"),
        ("/me", "get", "503"),
    ] {
        let answer = resolved(&document["paths"][path][method]["responses"][status]);
        let content = answer["content"].as_object().unwrap();
        assert_eq!(content.keys().collect::<Vec<_>>(), ["application/json"], "{path} {status}");
        let schema = resolved(&content["application/json"]["schema"]);
        let detail = json!({ "detail": { "type": ["string", "null"] } });
        assert_eq!(
            (&schema["properties"], &schema["required"]),
            (&detail, &json!(["detail"])),
            "{path} {status}"
        );
    }
    // And the gate answers so.
    let rejected = magazine.ask(Method::GET, "/me", With::Nothing, None).await;
    assert_eq!((rejected.status, rejected.json()), (401, json!({ "detail": "Unauthorized" })));
}

#[tokio::test]
async fn the_table_of_access_is_for_the_staff() {
    let magazine = Magazine::open().await;
    assert_eq!(magazine.status(Method::GET, "/access", "bob").await, 403);
    let page = magazine.service.get("/access", Some(&magazine.token("carol"))).await;
    assert!(page.status == 200 && page.body.contains("/account/{id}/deactivate"), "{page:?}");
}

#[tokio::test]
#[ignore = "needs openapi-spec-validator and redocly: bash tests/run"]
async fn validators_of_others_find_no_error_in_the_document() {
    let tools = Tools::installed();
    let magazine = Magazine::open().await;
    let document = magazine.service.get("/openapi.json", None).await.body;
    tools.assert_valid([("magazine.json", document)]);
}

/// Requests by the document, with a token and without one.
#[tokio::test]
#[ignore = "needs schemathesis: bash tests/run"]
async fn its_document_says_how_it_answers() {
    let tools = Tools::installed();
    let magazine = Magazine::open().await;
    let header = format!("Authorization: Bearer {}", magazine.token("alice"));
    let url = format!("{}/openapi.json", magazine.service.origin());
    let said = tokio::task::spawn_blocking(move || {
        let only =
            ["--include-path", "/desk/article", "--include-path", "/context", "--include-path", "/keys"];
        tools.schemathesis(
            &url,
            &header,
            &["ignored_auth", "status_code_conformance", "not_a_server_error"],
            &only,
        )
    });
    let Said { is_content, text } = said.await.unwrap();
    assert!(is_content, "{text}");
}
