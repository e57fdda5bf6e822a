//! The server.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;

/// Sends the log to stderr, so that it is not among the lines that a port prints.
pub fn log_to_stderr() {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
}

/// Listens at this port of this machine.
///
/// # Errors
/// If the port cannot be used.
pub async fn listen(port: u16) -> Result<TcpListener, String> {
    TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| {
        format!("port {port} cannot be used ({error}). Choose another one with `-- --port NUMBER`; 0 is any free port")
    })
}

/// Serves until Ctrl-C. Logins are limited by address too, so a handler learns where a connection is from.
///
/// # Errors
/// If the listener fails.
pub async fn serve(listener: TcpListener, app: Router) -> std::io::Result<()> {
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await
}
