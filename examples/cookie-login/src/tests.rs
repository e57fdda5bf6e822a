//! The access table, and the OpenAPI document.

use auth_runtime::openapi::{OpenApi, OpenApiVersion};
use auth_runtime::session::{RefreshKey, SigningKey};
use auth_runtime::verify::Algorithm;
use auth_tests_tools::Tools;

use super::*;

async fn routes_and_engine() -> Result<(Router, Auth), Box<dyn Error>> {
    let users = Arc::new(Users::new().await?);
    let key = SigningKey::generate(Algorithm::EdDSA)?.with_id("1");
    let issuer = TokenIssuer::new("https://cookie-login.example", "cookie-login", key, users.clone())
        .refresh_key(RefreshKey::new("1", [7; 32]));
    let auth = engine(issuer).build()?;
    Ok((routes(&auth, users)?, auth))
}

/// After an intended change of who may call what, run this test with `AUTH_LOCK=accept` and commit the file: reviewers see it.
#[tokio::test]
async fn nobody_gains_access_unseen() -> Result<(), Box<dyn Error>> {
    let (routes, auth) = routes_and_engine().await?;
    routes.routes().table(&auth).assert_lock("access.lock");
    Ok(())
}

#[tokio::test]
async fn the_document_is_as_it_was_reviewed() -> Result<(), Box<dyn Error>> {
    let (routes, auth) = routes_and_engine().await?;
    let document = OpenApi::new("Cookie login", "0.1.0").describe(&routes.routes(), &auth)?;
    insta::assert_snapshot!(document.to_yaml());
    Ok(())
}

#[tokio::test]
#[ignore = "needs openapi-spec-validator and redocly: bash tests/run"]
async fn validators_of_others_find_no_error_in_it() -> Result<(), Box<dyn Error>> {
    let tools = Tools::installed();
    let (routes, auth) = routes_and_engine().await?;
    let document =
        |version| OpenApi::new("Cookie login", "0.1.0").version(version).describe(&routes.routes(), &auth);
    let (older, newer) = (document(OpenApiVersion::V3_1)?, document(OpenApiVersion::V3_2)?);
    tools.assert_valid([("3.1.yaml", older.to_yaml()), ("3.2.json", newer.to_json())]);
    Ok(())
}
