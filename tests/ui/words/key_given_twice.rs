use auth_runtime::auth;

#[auth(roles = ["admin"], roles = ["editor"])]
async fn roles() {}

#[auth(source = "bearer", scopes = ["a"], source = "cookie", scopes = ["b"])]
async fn source_and_scopes() {}

#[auth(any(roles = ["a"], claims(x = 1), claims(y = 2)))]
async fn nested() {}

#[auth(any(roles = ["a"]), any(roles = ["b"]), all(scopes = ["c"]), roles = ["d"])]
async fn once_a_level_is_fine() {}

fn main() {}
