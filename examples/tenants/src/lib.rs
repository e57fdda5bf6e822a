//! What the handlers may use: a [`Database`], whose every query needs a [`Tenant`] or an [`Operator`], and these two, which only the
//! gate makes.
//!
//! A query of a tenant:
//!
//! ```
//! use tenants::{Database, DatabaseError, Tenant};
//!
//! async fn count(database: &Database, tenant: &Tenant) -> Result<usize, DatabaseError> {
//!     Ok(database.projects(tenant).await?.len())
//! }
//! ```
//!
//! The same for a tenant that the request names does not compile. Its field is private:
//!
//! ```compile_fail,E0451
//! use tenants::{Database, DatabaseError, Tenant};
//!
//! async fn count(database: &Database, tenant: String) -> Result<usize, DatabaseError> {
//!     Ok(database.projects(&Tenant { id: tenant }).await?.len())
//! }
//! ```
//!
//! Nor does a query without a tenant:
//!
//! ```compile_fail,E0061
//! use tenants::{Database, DatabaseError, Tenant};
//!
//! async fn count(database: &Database, tenant: &Tenant) -> Result<usize, DatabaseError> {
//!     Ok(database.projects().await?.len())
//! }
//! ```
//!
//! Nor one for an operator:
//!
//! ```compile_fail,E0308
//! use tenants::{Database, DatabaseError, Operator};
//!
//! async fn count(database: &Database, tenant: &Operator) -> Result<usize, DatabaseError> {
//!     Ok(database.projects(tenant).await?.len())
//! }
//! ```
//!
//! Nor a statement of the handler's own, since the pool is private:
//!
//! ```compile_fail,E0616
//! use tenants::{Database, DatabaseError, Tenant};
//!
//! async fn count(database: &Database, tenant: &Tenant) -> Result<usize, DatabaseError> {
//!     Ok(sqlx::query("select * from projects").fetch_all(&database.pool).await?.len())
//! }
//! ```

mod database;
mod operator;
mod tenant;

pub use self::database::{Database, DatabaseError, Project, TenantSize};
pub use self::operator::Operator;
pub use self::tenant::Tenant;
