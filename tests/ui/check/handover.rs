//! A handler takes what its check gives: of that type, once, and under the name `Checked`.
use auth_runtime::rejection::Rejection;
use auth_runtime::{Checked, Principal, Router, auth, check, routing::get};

struct Article;
struct Comment;

#[check]
async fn gives_an_article(_: &Principal) -> Result<Checked<Article>, Rejection> {
    Ok(Checked(Article))
}

#[check]
async fn gives_nothing(_: &Principal) -> bool {
    true
}

#[auth(check = gives_an_article)]
async fn another_type(_: Checked<Comment>) {}

#[auth(check = gives_nothing)]
async fn a_check_that_gives_nothing(_: Checked<Article>) {}

#[auth(check = gives_an_article)]
async fn of_any_type<T: Send + 'static>(_: Checked<T>) {}

type Found = Result<Checked<Article>, Rejection>;

#[check]
async fn gives_by_alias(_: &Principal) -> Found {
    Ok(Checked(Article))
}

struct NotSend(std::rc::Rc<u8>);

#[check]
async fn gives_what_cannot_be_sent(_: &Principal) -> Option<Checked<NotSend>> {
    None
}

fn main() {
    let _: Router = Router::new().route("/", get(of_any_type::<Comment>));
}
