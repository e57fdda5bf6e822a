//! The routes, without the servers.

use auth_runtime::session::random_secret;
use auth_runtime::store::MemoryStore;

use super::*;

const NAME: &str = r#"<b onclick="x('&')">A</b>"#;
const SHOWN: &str = "&lt;b onclick=&quot;x(&#39;&amp;&#39;)&quot;&gt;A&lt;/b&gt;";

fn instance() -> Instance {
    Instance { name: NAME.into(), port: 1, other: NAME.into() }
}

async fn routes_and_engine() -> Result<(Router<App>, Auth), BoxError> {
    let settings = Settings {
        instance: instance(),
        store_url: String::new(),
        signing_key: SigningKey::generate_pem(Algorithm::EdDSA)?,
        refresh_key: format!("{:?}", random_secret()?),
    };
    let (users, store) = (Arc::new(Users::new().await?), MemoryStore::new());
    let auth = engine(&settings, &users)?.store(store.clone()).build()?;
    Ok((routes(&auth, users, &settings.instance, store)?, auth))
}

/// After an intended change of who may call what, run this test with `AUTH_LOCK=accept` and commit the file: reviewers see it.
#[tokio::test]
async fn nobody_gains_access_unseen() -> Result<(), BoxError> {
    let (routes, auth) = routes_and_engine().await?;
    routes.routes().table(&auth).assert_lock("access.lock");
    Ok(())
}

#[tokio::test]
async fn what_is_shown_is_text() -> Result<(), BoxError> {
    let (_, auth) = routes_and_engine().await?;
    let (instance, status) = (instance(), auth.revocations().status());
    for page in [
        pages::sessions(&instance, NAME, None, &status),
        pages::log_in(&instance, Some(NAME), &ReturnTo::default()),
    ] {
        assert!(page.0.matches(SHOWN).count() >= 2 && !page.0.contains("<b "), "{}", page.0);
    }
    Ok(())
}
