//! The accounts, and who they are at which issuer.

use ports_support::DatabaseError;
use sqlx::{query, query_as, query_scalar};

use super::Database;

/// An account, with what its role may do: a row of the view `people`.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) tenant: String,
    pub(crate) role: Option<String>,
    pub(crate) permissions: Vec<String>,
    pub(crate) is_staff: bool,
    pub(crate) is_active: bool,
    pub(crate) has_subscription: bool,
    pub(crate) password_hash: Option<String>,
}

type Row = (i64, String, String, Option<String>, Option<String>, bool, bool, bool, Option<String>);

impl From<Row> for Account {
    fn from(row: Row) -> Self {
        let (id, name, tenant, role, codes, is_staff, is_active, has_subscription, password_hash) = row;
        let permissions = codes.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        Self { id, name, tenant, role, permissions, is_staff, is_active, has_subscription, password_hash }
    }
}

impl Database {
    /// The account with this id.
    pub(crate) async fn account(&self, id: i64) -> Result<Option<Account>, DatabaseError> {
        let row = query_as("select * from people where id = ?1").bind(id);
        Ok(row.fetch_optional(&self.pool).await?.map(|row: Row| row.into()))
    }

    /// The account that has this subject at this issuer.
    pub(crate) async fn account_at(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<Account>, DatabaseError> {
        let row = query_as(
            "select people.* from people join identities on account = id where issuer = ?1 and subject = ?2",
        );
        let row = row.bind(issuer).bind(subject).fetch_optional(&self.pool).await?;
        Ok(row.map(|row: Row| row.into()))
    }

    /// Deactivates an account, and returns who it is at each issuer. `None`: there is no such account.
    pub(crate) async fn deactivate(&self, id: i64) -> Result<Option<Vec<(String, String)>>, DatabaseError> {
        let update = query("update accounts set is_active = 0 where id = ?1").bind(id);
        if update.execute(&self.pool).await?.rows_affected() == 0 {
            return Ok(None);
        }
        let identities = query_as("select issuer, subject from identities where account = ?1").bind(id);
        Ok(Some(identities.fetch_all(&self.pool).await?))
    }

    /// Says who the account of this name is at an issuer.
    pub(crate) async fn identify(
        &self,
        name: &str,
        issuer: &str,
        subject: &str,
    ) -> Result<(), DatabaseError> {
        let account = query_scalar("select id from accounts where name = ?1").bind(name);
        let account: i64 = account.fetch_one(&self.pool).await?;
        let row = query("insert or replace into identities (issuer, subject, account) values (?1, ?2, ?3)");
        row.bind(issuer).bind(subject).bind(account).execute(&self.pool).await?;
        Ok(())
    }
}
