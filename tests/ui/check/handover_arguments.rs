//! The same mistakes, where the attribute alone sees them.
use auth_runtime::rejection::Rejection;
use auth_runtime::{Checked, Principal, auth, check};

struct Article;

#[check]
async fn gives_an_article(_: &Principal) -> Result<Checked<Article>, Rejection> {
    Ok(Checked(Article))
}

#[auth]
async fn no_check(_: Checked<Article>) {}

#[auth(public)]
async fn public(_: Checked<Article>) {}

#[auth(check = gives_an_article)]
async fn twice(_: Checked<Article>, _: Checked<Article>) {}

#[auth(check = gives_an_article)]
async fn wrapped(_: Option<Checked<Article>>, _: Result<Checked<Article>, Rejection>) {}

fn main() {}
