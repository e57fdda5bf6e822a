//! A page of another origin, with forms that it should not have.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use tokio::net::TcpListener;

/// Serves the page until the test ends, and returns its port.
pub(crate) async fn serve_page_against(victim: &str) -> u16 {
    let page = format!(
        r#"<!doctype html>
        <title>A prize for you</title>
        <form id="logout" method="post" action="{victim}/auth/logout"><button>Click</button></form>
        <form id="everywhere" method="post" action="{victim}/auth/logout-everywhere"><button>Click</button></form>
        <form id="login" method="post" action="{victim}/auth/login">
          <input type="hidden" name="username" value="bob">
          <input type="hidden" name="password" value="builder">
          <button>Click</button>
        </form>"#
    );
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let app = Router::new().route("/", get(async || Html(page)));
    tokio::spawn(async { axum::serve(listener, app).await });
    port
}
