//! The articles. What is of a paper needs a [`Tenant`], which only the gate makes.

use ports_support::DatabaseError;
use serde::{Deserialize, Serialize};
use sqlx::{query, query_as, query_scalar};

use super::{Account, Database, Tenant};

/// An article.
#[derive(Debug, Serialize)]
pub(crate) struct Article {
    pub(crate) id: i64,
    pub(crate) author: i64,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) is_published: bool,
}

/// What an author writes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Draft {
    pub(crate) title: String,
    pub(crate) body: String,
}

type Row = (i64, i64, String, String, bool);

impl From<Row> for Article {
    fn from((id, author, title, body, is_published): Row) -> Self {
        Self { id, author, title, body, is_published }
    }
}

impl Database {
    /// What is published, of all papers.
    pub(crate) async fn published(&self) -> Result<Vec<Article>, DatabaseError> {
        let rows =
            "select id, author, title, body, is_published from articles where is_published order by id";
        let rows: Vec<Row> = query_as(rows).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(Article::from).collect())
    }

    /// How many articles are published.
    pub(crate) async fn count_published(&self) -> Result<i64, DatabaseError> {
        let count = query_scalar("select count(*) from articles where is_published");
        Ok(count.fetch_one(&self.pool).await?)
    }

    /// An article, also a draft.
    pub(crate) async fn article(&self, id: i64) -> Result<Option<Article>, DatabaseError> {
        let row =
            query_as("select id, author, title, body, is_published from articles where id = ?1").bind(id);
        Ok(row.fetch_optional(&self.pool).await?.map(|row: Row| row.into()))
    }

    /// A new draft of this author, in the paper of the author.
    pub(crate) async fn add_article(&self, author: &Account, new: &Draft) -> Result<Article, DatabaseError> {
        let row = "insert into articles (tenant, author, title, body) values (?1, ?2, ?3, ?4) \
             returning id, author, title, body, is_published";
        let row = query_as(row).bind(&author.tenant).bind(author.id).bind(&new.title).bind(&new.body);
        let row: Row = row.fetch_one(&self.pool).await?;
        Ok(row.into())
    }

    /// Another text for an article.
    pub(crate) async fn change_article(
        &self,
        id: i64,
        new: &Draft,
    ) -> Result<Option<Article>, DatabaseError> {
        let row = "update articles set title = ?2, body = ?3 where id = ?1 \
             returning id, author, title, body, is_published";
        let row = query_as(row).bind(id).bind(&new.title).bind(&new.body);
        Ok(row.fetch_optional(&self.pool).await?.map(|row: Row| row.into()))
    }

    /// Deletes an article, and returns whether there was one.
    pub(crate) async fn delete_article(&self, id: i64) -> Result<bool, DatabaseError> {
        let deletion = query("delete from articles where id = ?1").bind(id);
        Ok(deletion.execute(&self.pool).await?.rows_affected() > 0)
    }

    /// All articles of a paper, also drafts.
    pub(crate) async fn articles_of(&self, tenant: &Tenant) -> Result<Vec<Article>, DatabaseError> {
        let rows = "select id, author, title, body, is_published from articles where tenant = ?1 order by id";
        let rows: Vec<Row> = query_as(rows).bind(tenant.id()).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(Article::from).collect())
    }

    /// An article of a paper, also a draft.
    pub(crate) async fn article_of(
        &self,
        tenant: &Tenant,
        id: i64,
    ) -> Result<Option<Article>, DatabaseError> {
        let row = "select id, author, title, body, is_published from articles where tenant = ?1 and id = ?2";
        let row = query_as(row).bind(tenant.id()).bind(id);
        Ok(row.fetch_optional(&self.pool).await?.map(|row: Row| row.into()))
    }

    /// Publishes an article of a paper. `None`: it has no such article.
    pub(crate) async fn publish(&self, tenant: &Tenant, id: i64) -> Result<Option<Article>, DatabaseError> {
        let row = "update articles set is_published = 1 where tenant = ?1 and id = ?2 \
             returning id, author, title, body, is_published";
        let row = query_as(row).bind(tenant.id()).bind(id);
        Ok(row.fetch_optional(&self.pool).await?.map(|row: Row| row.into()))
    }
}
