use auth_runtime::{Router, auth, documented};

#[utoipa::path(get, path = "/unguarded", responses((status = 200)))]
async fn unguarded() {}

#[auth(public)]
async fn undocumented() {}

fn main() {
    let _: Router = documented![unguarded];
    let _: Router = documented![undocumented];
}
