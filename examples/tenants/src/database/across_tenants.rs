//! What operators may ask. These statements are not about one tenant: each needs an [`Operator`].

use serde::Serialize;
use sqlx::query_as;

use super::{Database, DatabaseError};
use crate::operator::Operator;

/// How much a tenant has.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct TenantSize {
    /// The tenant.
    pub tenant: String,
    /// How many projects it has.
    pub projects: i64,
}

impl Database {
    /// How many projects each tenant has.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn tenant_sizes(&self, _: &Operator) -> Result<Vec<TenantSize>, DatabaseError> {
        let rows = query_as("select tenant, count(*) from projects group by tenant order by tenant");
        let rows: Vec<(String, i64)> = rows.fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|(tenant, projects)| TenantSize { tenant, projects }).collect())
    }
}
