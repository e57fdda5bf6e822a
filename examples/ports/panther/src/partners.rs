//! A way of its own to authenticate: programs of partners, with a key in a header. Each is a user, whose row handlers get.

use std::path::Path;

use auth_runtime::authenticator;
use auth_runtime::authenticator::{Authentication, BoxError, Subject};
use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ports_support::secret;
use sqlx::{SqlitePool, query, query_scalar};

/// Judges the header `X-Partner`: whose key it is.
#[authenticator]
pub(crate) async fn partner(
    credential: &str,
    State(partners): State<Partners>,
) -> Result<Authentication, BoxError> {
    Ok(match partners.with_key(credential).await? {
        Some(account) => Subject::new(account).into(),
        None => Authentication::Invalid("no partner has this key".into()), // for the log
    })
}

/// The table of partners, which has the hashes of their keys.
#[derive(Clone)]
pub(crate) struct Partners {
    database: SqlitePool,
}

impl Partners {
    pub(crate) fn new(database: SqlitePool) -> Self {
        Self { database }
    }

    async fn with_key(&self, key: &str) -> sqlx::Result<Option<String>> {
        let row = query_scalar("select account from partners where key_sha256 = ?1").bind(hash(key));
        row.fetch_optional(&self.database).await
    }

    /// Makes the account of this name a partner, and returns its key, which is in a file of the data's folder. A service shows a key once,
    /// and does not keep it.
    pub(crate) async fn seed(&self, name: &str, data: &Path) -> Result<String, BoxError> {
        let key = URL_SAFE_NO_PAD.encode(secret(&data.join(format!("{name}.key")))?);
        let row = query("insert or replace into partners select id, ?2 from accounts where name = ?1");
        row.bind(name).bind(hash(&key)).execute(&self.database).await?;
        Ok(key)
    }
}

fn hash(key: &str) -> Vec<u8> {
    digest(&SHA256, key.as_bytes()).as_ref().to_vec()
}
