//! The routes and their documents, without the server.

use auth_runtime::openapi::OpenApiVersion;
use auth_runtime::session::{RefreshKey, SigningKey, SubjectStore as _};
use auth_runtime::verify::Algorithm;
use auth_tests_tools::{Said, Tools};
use utoipa::openapi::OpenApiVersion as Version;

use super::*;

async fn routes_and_engine() -> Result<(Router<App>, Auth), BoxError> {
    let users = Arc::new(Users::new().await?);
    let key = SigningKey::generate(Algorithm::EdDSA)?.with_id("1");
    let issuer = TokenIssuer::new("https://quickstart.example", "quickstart", key, Arc::clone(&users))
        .refresh_key(RefreshKey::new("1", [7; 32]));
    let auth = Auth::builder().token_issuer(issuer).vocabulary(&VOCABULARY).build()?;
    Ok((routes(auth.tokens()?, users), auth))
}

/// After an intended change of who may call what, run this test with `AUTH_LOCK=accept` and commit the file: reviewers see it.
#[tokio::test]
async fn nobody_gains_access_unseen() -> Result<(), BoxError> {
    let (routes, auth) = routes_and_engine().await?;
    with_documents(routes, &auth)?.routes().table(&auth).assert_lock("access.lock");
    Ok(())
}

#[tokio::test]
async fn the_document_is_as_it_was_reviewed() -> Result<(), BoxError> {
    let (routes, auth) = routes_and_engine().await?;
    let (document, coverage) = describe(&routes, &auth)?;
    assert_eq!(
        coverage.to_string(),
        "served, and not documented: GET /ready\nserved, and not documented: GET /access\n",
        "these are for the staff"
    );
    insta::assert_snapshot!(document.to_pretty_json()?);
    Ok(())
}

/// Both documents: that of the handlers, and the standalone one, which has every route.
#[tokio::test]
#[ignore = "needs openapi-spec-validator and redocly: bash tests/run"]
async fn validators_of_others_find_no_error_in_it() -> Result<(), BoxError> {
    let tools = Tools::installed();
    let (routes, auth) = routes_and_engine().await?;
    let api = |version| OpenApi::new("Quickstart", "0.1.0").version(version);
    let mut newer = OpenApiDocument::default();
    newer.openapi = Version::Version32;
    api(OpenApiVersion::V3_2).fill(&mut newer, &routes.routes(), &auth)?;
    tools.assert_valid([
        ("filled-3.1.json", describe(&routes, &auth)?.0.to_json()?),
        ("filled-3.2.json", newer.to_json()?),
        ("standalone-3.1.json", api(OpenApiVersion::V3_1).describe(&routes.routes(), &auth)?.to_json()),
        ("standalone-3.2.json", api(OpenApiVersion::V3_2).describe(&routes.routes(), &auth)?.to_json()),
    ]);
    Ok(())
}

/// A copy of the server with one path that is not guarded: `schemathesis` finds it by the document.
#[tokio::test]
#[ignore = "needs schemathesis: bash tests/run"]
async fn a_guard_that_was_taken_away_is_caught() -> Result<(), BoxError> {
    let tools = Tools::installed();
    let (routes, auth) = routes_and_engine().await?;
    let routes = with_documents(routes, &auth)?;
    let alice = Users::new().await?.subject("alice").await?.ok_or("alice is gone")?;
    let header = format!("Authorization: Bearer {}", auth.tokens()?.issue(&alice).await?.access_token);
    let guarded = routes.with_state(App { notes: NOTES }).finish(&auth)?;
    let copy = axum::Router::new()
        .route("/admin", axum::routing::get(|| async { "Everybody is an admin.\n" }))
        .fallback_service(guarded);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/openapi.json", listener.local_addr()?);
    let server = tokio::spawn(async move { axum::serve(listener, copy).await });
    let only = ["--include-path", "/admin", "--include-path", "/me"];
    let said =
        tokio::task::spawn_blocking(move || tools.schemathesis(&url, &header, &["ignored_auth"], &only));
    let Said { is_content, text } = said.await?;
    server.abort();
    assert!(!is_content && text.contains("GET /admin") && !text.contains("GET /me"), "{text}");
    assert!(text.contains("API accepts requests without authentication"), "{text}");
    Ok(())
}
