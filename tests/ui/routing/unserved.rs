//! The guarded router is served without having been finished.
use std::net::SocketAddr;

use auth_runtime::{Router, auth, routing::get};
use tokio::net::TcpListener;

#[auth]
async fn handler() {}

fn app() -> Router {
    Router::new().route("/", get(handler))
}

async fn serve(listener: TcpListener) -> std::io::Result<()> {
    axum::serve(listener, app()).await
}

async fn serve_with_addresses(listener: TcpListener) -> std::io::Result<()> {
    axum::serve(listener, app().into_make_service_with_connect_info::<SocketAddr>()).await
}

fn main() {}
