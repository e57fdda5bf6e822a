use auth_runtime::{Principal, Router, routing::{any, get}};
use axum::{Json, extract::Path};

async fn open() {}

async fn with_arguments(_: Principal, Path(_): Path<String>, Json(_): Json<String>) -> String {
    String::new()
}

fn main() {
    let _: Router = Router::new()
        .route("/1", get(open))
        .route("/2", get(with_arguments).post(open))
        .route("/3", any(|| async { "closure" }))
        .fallback(open);
}
