//! Policies of Cedar decide in a check, and the handler gets the article that the check has loaded.
//!
//! Run it with `cargo run -p cedar`. It prints who may call what, and `curl` lines to try. `PORT=8080` in front of that uses
//! another port than 3000; `-- FOLDER` behind it takes the policies of that folder, and not those of `examples/cedar/policies`.
#![allow(clippy::print_stdout, reason = "it prints to the terminal of the person who started it")]

mod articles;
mod lines;
mod policies;
mod provider;

use std::path::PathBuf;
use std::sync::Arc;

use auth_runtime::rejection::Rejection;
use auth_runtime::routing::get;
use auth_runtime::session::BoxError;
use auth_runtime::{Auth, Checked, Principal, Router, auth, check};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use crate::articles::{Article, Articles};
use crate::policies::{Action, Policies};
use crate::provider::Provider;

/// An article.
#[auth(check = may_view)]
async fn read(Checked(article): Checked<Article>) -> Json<Article> {
    Json(article)
}

/// Replaces the text of an article.
#[auth(check = may_edit)]
async fn write(
    State(app): State<App>,
    Checked(article): Checked<Article>,
    text: String,
) -> Result<Json<Article>, StatusCode> {
    // An article that has changed since Cedar decided is not written: it may be published by now.
    let written = app.articles.replace_text(article, text).map_err(|error| {
        tracing::error!(error, "the article cannot be written");
        StatusCode::SERVICE_UNAVAILABLE
    })?;
    written.map(Json).ok_or(StatusCode::CONFLICT)
}

/// An article that the caller may not view is answered as one that does not exist.
#[check]
async fn may_view(
    user: &Principal,
    Path(id): Path<u32>,
    State(app): State<App>,
) -> Result<Checked<Article>, BoxError> {
    let article = app.articles.load(id)?.ok_or_else(Rejection::hidden)?;
    app.policies.decide(user, Action::View, &article).map_err(|_| Rejection::hidden())?;
    Ok(Checked(article))
}

/// A caller that may view an article learns with 403 that it may not be edited.
#[check]
async fn may_edit(
    user: &Principal,
    id: Path<u32>,
    State(app): State<App>,
) -> Result<Checked<Article>, BoxError> {
    let Checked(article) = may_view(user, id, State(app.clone())).await?;
    app.policies.decide(user, Action::Edit, &article).map_err(Rejection::forbidden)?;
    Ok(Checked(article))
}

/// What the checks and handlers share.
#[derive(Clone)]
struct App {
    articles: Arc<Articles>,
    policies: Arc<Policies>,
}

fn routes() -> Router<App> {
    Router::new().route("/articles/{id}", get(read).put(write))
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let folder = std::env::args_os().nth(1).map_or_else(policies::folder, PathBuf::from);
    let policies = Policies::load(&folder)?;
    let app = App { articles: Arc::new(Articles::seeded()), policies: Arc::new(policies) };

    let provider = Provider::new()?;
    let auth = Auth::builder().issuer(provider.trusted()).build()?;
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("{}", routes().routes().table(&auth));
    lines::print(&format!("http://{}", listener.local_addr()?), &provider)?;
    Ok(axum::serve(listener, routes().with_state(app).finish(&auth)?).await?)
}

#[cfg(test)]
mod tests;
