//! The articles, in memory. A database takes the place of this.

use std::collections::BTreeMap;
use std::sync::RwLock;

use auth_runtime::session::BoxError;
use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Article {
    pub(crate) id: u32,
    pub(crate) owner: String,
    pub(crate) team: String,
    pub(crate) state: State,
    pub(crate) text: String,
    /// Grows with each change.
    pub(crate) version: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Draft,
    Published,
}

impl State {
    /// Its name in the policies.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
        }
    }
}

pub(crate) struct Articles(pub(crate) RwLock<BTreeMap<u32, Article>>);

impl Articles {
    /// Two articles of Alice's, who is in the team physics: one that is published, and a draft.
    pub(crate) fn seeded() -> Self {
        let article = |id, state, text: &str| {
            let (owner, team, text) = ("alice".to_owned(), "physics".to_owned(), text.to_owned());
            (id, Article { id, owner, team, state, text, version: 1 })
        };
        let published = article(1, State::Published, "The sky is blue.");
        let draft = article(2, State::Draft, "Why the sky is blue.");
        Self(RwLock::new(BTreeMap::from([published, draft])))
    }

    /// `select .. from articles where id = $1`
    pub(crate) fn load(&self, id: u32) -> Result<Option<Article>, BoxError> {
        let articles = self.0.read().map_err(|_| "a writer of the articles has panicked")?;
        Ok(articles.get(&id).cloned())
    }

    /// `update articles set text = $1, version = version + 1 where id = $2 and version = $3 returning ..`: nothing, if the
    /// article has changed since it was loaded.
    pub(crate) fn replace_text(&self, loaded: Article, text: String) -> Result<Option<Article>, BoxError> {
        let mut articles = self.0.write().map_err(|_| "a writer of the articles has panicked")?;
        let Some(article) = articles.get_mut(&loaded.id).filter(|row| row.version == loaded.version) else {
            return Ok(None);
        };
        article.text = text;
        article.version += 1;
        Ok(Some(article.clone()))
    }
}
