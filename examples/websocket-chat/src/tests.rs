//! The access table.

use super::*;

/// After an intended change of who may call what, run this test with `AUTH_LOCK=accept` and commit the file: reviewers see it.
#[tokio::test]
async fn nobody_gains_access_unseen() -> Result<(), BoxError> {
    let (auth, users) = engine().await?;
    routes(&auth, &users)?.routes().table(&auth).assert_lock("access.lock");
    Ok(())
}
