use auth_runtime::auth;
use auth_runtime::rejection::Rejection;
use auth_runtime::session::{SessionData, Subject};

struct Cart;

#[auth]
async fn cart(session: SessionData) -> Result<(), Rejection> {
    session.set(&Cart).await?;
    session.update(|_: &mut Option<String>| ()).await?;
    Ok(())
}

fn main() {
    let _ = cart;
    let _ = Subject::new("alice").session_value(&Cart);
}
