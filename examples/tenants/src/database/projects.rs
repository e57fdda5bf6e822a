//! The projects of a tenant. Each statement has `tenant = ?1`.

use serde::Serialize;
use sqlx::{query, query_as};

use super::{Database, DatabaseError};
use crate::tenant::Tenant;

/// A project.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Project {
    /// Its id within the tenant.
    pub id: String,
    /// Its name.
    pub name: String,
}

impl Project {
    fn from_row((id, name): (String, String)) -> Self {
        Self { id, name }
    }
}

impl Database {
    /// All projects of the tenant.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn projects(&self, tenant: &Tenant) -> Result<Vec<Project>, DatabaseError> {
        let rows =
            query_as("select id, name from projects where tenant = ?1 order by name").bind(tenant.id());
        Ok(rows.fetch_all(&self.pool).await?.into_iter().map(Project::from_row).collect())
    }

    /// The project of the tenant with this id.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn project(&self, tenant: &Tenant, id: &str) -> Result<Option<Project>, DatabaseError> {
        let row = query_as("select id, name from projects where tenant = ?1 and id = ?2").bind(tenant.id());
        Ok(row.bind(id).fetch_optional(&self.pool).await?.map(Project::from_row))
    }

    /// Adds a project to the tenant.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn add_project(&self, tenant: &Tenant, name: &str) -> Result<Project, DatabaseError> {
        let row = query_as("insert into projects (tenant, name) values (?1, ?2) returning id, name");
        Ok(Project::from_row(row.bind(tenant.id()).bind(name).fetch_one(&self.pool).await?))
    }

    /// Renames a project of the tenant. `None`: it has no such project.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn rename_project(
        &self,
        tenant: &Tenant,
        id: &str,
        name: &str,
    ) -> Result<Option<Project>, DatabaseError> {
        let row = query_as("update projects set name = ?3 where tenant = ?1 and id = ?2 returning id, name");
        let row = row.bind(tenant.id()).bind(id).bind(name).fetch_optional(&self.pool).await?;
        Ok(row.map(Project::from_row))
    }

    /// Deletes a project of the tenant, and returns whether it had one of this id.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn delete_project(&self, tenant: &Tenant, id: &str) -> Result<bool, DatabaseError> {
        let deletion = query("delete from projects where tenant = ?1 and id = ?2").bind(tenant.id()).bind(id);
        Ok(deletion.execute(&self.pool).await?.rows_affected() > 0)
    }
}
