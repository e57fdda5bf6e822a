use auth_runtime::{Router, auth, documented, routing::get};

#[auth(public)]
#[utoipa::path(get, path = "/list", responses((status = 200)))]
async fn list() {}

fn main() {
    let _: Router = documented![];
    let _: Router = documented![list, get(list)];
    let _: Router = documented![list; list];
    let _: Router = documented!["/list"];
    let _: Router = documented![list,];
}
