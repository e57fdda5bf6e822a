//! The articles. Each handler says in its attribute who may call it.

use auth_runtime::rejection::Rejection;
use auth_runtime::routing::get;
use auth_runtime::session::BoxError;
use auth_runtime::{Checked, Principal, Router, User, auth, check, rule};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Result;
use ports_support::DatabaseError;
use serde_json::{Value, json};

use crate::app::App;
use crate::database::Tenant;
use crate::database::{Account, Article, Draft};

/// The published articles.
#[auth(public)]
pub(crate) async fn list(State(app): State<App>) -> Result<Json<Vec<Article>>, DatabaseError> {
    Ok(Json(app.database.published().await?))
}

/// A published article.
#[auth(public)]
pub(crate) async fn read(State(app): State<App>, Path(id): Path<i64>) -> Result<Json<Article>> {
    let article = app.database.article(id).await?.filter(|article| article.is_published);
    Ok(Json(article.ok_or_else(Rejection::hidden)?))
}

/// How much there is to read.
#[auth(public)]
pub(crate) async fn stats(State(app): State<App>) -> Result<Json<Value>, DatabaseError> {
    Ok(Json(json!({ "total": app.database.count_published().await? })))
}

/// A new draft. The permission is what the account may do, and the scope what its token or key may be used for.
#[auth(source = ["bearer", "api_key"], permissions = ["article.create"], scopes = ["write"])]
pub(crate) async fn create(
    User(author): User<Account>,
    State(app): State<App>,
    Json(new): Json<Draft>,
) -> Result<(StatusCode, Json<Article>), DatabaseError> {
    Ok((StatusCode::CREATED, Json(app.database.add_article(&author, &new).await?)))
}

/// Another text, by the author.
#[auth(source = ["bearer", "api_key"], scopes = ["write"], check = owns)]
pub(crate) async fn edit(
    Checked(article): Checked<Article>,
    State(app): State<App>,
    Json(new): Json<Draft>,
) -> Result<Json<Article>> {
    Ok(Json(app.database.change_article(article.id, &new).await?.ok_or_else(Rejection::hidden)?))
}

/// A draft of somebody else is answered as one that does not exist.
#[check]
async fn owns(
    _: &Principal,
    User(caller): User<Account>,
    Path(id): Path<i64>,
    State(app): State<App>,
) -> Result<Checked<Article>, BoxError> {
    match app.database.article(id).await? {
        Some(article) if article.author == caller.id => Ok(Checked(article)),
        Some(article) if article.is_published => Err(Rejection::forbidden("another author's").into()),
        _ => Err(Rejection::hidden().into()),
    }
}

/// Deletes an article, of any paper.
#[auth(roles = ["staff"])]
pub(crate) async fn delete(State(app): State<App>, Path(id): Path<i64>) -> Result<StatusCode> {
    let is_deleted = app.database.delete_article(id).await?;
    if is_deleted { Ok(StatusCode::NO_CONTENT) } else { Err(Rejection::hidden().into()) }
}

/// Publishes an article of the editor's paper.
#[auth(roles = ["editor"], permissions = ["article.create", "article.update"])]
pub(crate) async fn publish(
    tenant: Tenant,
    State(app): State<App>,
    Path(id): Path<i64>,
) -> Result<Json<Article>> {
    Ok(Json(app.database.publish(&tenant, id).await?.ok_or_else(Rejection::hidden)?))
}

/// An article to be printed, for subscribers.
#[auth(check = has_subscribed)]
pub(crate) async fn print(State(app): State<App>, Path(id): Path<i64>) -> Result<String> {
    let article = app.database.article(id).await?.filter(|article| article.is_published);
    let article = article.ok_or_else(Rejection::hidden)?;
    Ok(format!("{}\n\n{}\n", article.title, article.body))
}

#[check]
async fn has_subscribed(_: &Principal, User(caller): User<Account>) -> bool {
    caller.has_subscription
}

/// What the people of a paper see: its drafts too. Every route here needs a token with the scope `read`, also one that is added later.
pub(crate) fn desk() -> Router<App> {
    Router::new()
        .route("/article", get(drafts))
        .route("/article/{id}", get(draft))
        .route("/count", get(count))
        .require(rule!(scopes = ["read"]))
}

/// The articles of the caller's paper.
#[auth]
async fn drafts(tenant: Tenant, State(app): State<App>) -> Result<Json<Vec<Article>>, DatabaseError> {
    Ok(Json(app.database.articles_of(&tenant).await?))
}

/// An article of the caller's paper. One of another paper is answered as one that does not exist, since for this query it does not.
#[auth]
async fn draft(tenant: Tenant, State(app): State<App>, Path(id): Path<i64>) -> Result<Json<Article>> {
    Ok(Json(app.database.article_of(&tenant, id).await?.ok_or_else(Rejection::hidden)?))
}

/// How many articles the caller's paper has, for those who plan it: an editor, or somebody of the staff.
#[auth(roles = ["editor", "staff"])]
async fn count(tenant: Tenant, State(app): State<App>) -> Result<Json<Value>, DatabaseError> {
    Ok(Json(json!({ "tenant": tenant.id(), "total": app.database.articles_of(&tenant).await?.len() })))
}
