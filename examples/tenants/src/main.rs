//! Each tenant sees its own rows: an extractor that only the gate makes, and queries that need it (`src/lib.rs`).
//!
//! Run it with `cargo run -p tenants`. It prints who may call what, and `curl` lines to try. `PORT=8080` in front of that uses
//! another port than 3000; `-- FILE` behind it another database than `tenants.sqlite` in the current folder.
#![allow(clippy::print_stdout, reason = "it prints to the terminal of the person who started it")]

mod lines;
mod provider;

use std::path::PathBuf;

use auth_runtime::rejection::Rejection;
use auth_runtime::routing::get;
use auth_runtime::session::BoxError;
use auth_runtime::{Auth, Router, auth};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Result;
use serde::Deserialize;
use tenants::{Database, DatabaseError, Operator, Project, Tenant, TenantSize};

use crate::provider::Provider;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
}

/// The projects of the caller's tenant.
#[auth]
async fn list(tenant: Tenant, State(database): State<Database>) -> Result<Json<Vec<Project>>> {
    Ok(Json(database.projects(&tenant).await?))
}

/// A new project of the caller's tenant.
#[auth]
async fn add(
    tenant: Tenant,
    State(database): State<Database>,
    Json(new): Json<Named>,
) -> Result<(StatusCode, Json<Project>)> {
    Ok((StatusCode::CREATED, Json(database.add_project(&tenant, &new.name).await?)))
}

/// A project. One of another tenant is answered as one that does not exist, since for this query it does not.
#[auth]
async fn read(
    tenant: Tenant,
    Path(id): Path<String>,
    State(database): State<Database>,
) -> Result<Json<Project>> {
    Ok(Json(database.project(&tenant, &id).await?.ok_or_else(Rejection::hidden)?))
}

/// Another name for a project.
#[auth]
async fn rename(
    tenant: Tenant,
    Path(id): Path<String>,
    State(database): State<Database>,
    Json(new): Json<Named>,
) -> Result<Json<Project>> {
    let renamed = database.rename_project(&tenant, &id, &new.name).await?;
    Ok(Json(renamed.ok_or_else(Rejection::hidden)?))
}

/// Deletes a project.
#[auth]
async fn delete(
    tenant: Tenant,
    Path(id): Path<String>,
    State(database): State<Database>,
) -> Result<StatusCode> {
    let is_deleted = database.delete_project(&tenant, &id).await?;
    if is_deleted { Ok(StatusCode::NO_CONTENT) } else { Err(Rejection::hidden().into()) }
}

/// All tenants, for the staff: the one way out of a tenant, with a rule and a type of its own.
#[auth(roles = ["operator"])]
async fn sizes(
    operator: Operator,
    State(database): State<Database>,
) -> Result<Json<Vec<TenantSize>>, DatabaseError> {
    Ok(Json(database.tenant_sizes(&operator).await?))
}

fn routes() -> Router<Database> {
    Router::new()
        .route("/projects", get(list).post(add))
        .route("/projects/{id}", get(read).put(rename).delete(delete))
        .route("/tenants", get(sizes))
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let file = std::env::args_os().nth(1).map_or_else(|| "tenants.sqlite".into(), PathBuf::from);
    let database = Database::open(&file).await?;
    database.seed().await?;

    let provider = Provider::new()?;
    let auth = Auth::builder().issuer(provider.trusted()).build()?;
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("{}", routes().routes().table(&auth));
    lines::print(&format!("http://{}", listener.local_addr()?), &provider)?;
    Ok(axum::serve(listener, routes().with_state(database).finish(&auth)?).await?)
}

#[cfg(test)]
mod tests;
