//! A proxy in front of the server that lets pages whose tokens are to be renewed through in pairs.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, COOKIE};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::Barrier;

#[derive(Clone)]
struct Gate {
    server: String,
    client: reqwest::Client,
    both: Arc<Barrier>,
}

/// Serves until the test ends, and returns where.
pub(crate) async fn serve_in_front_of(server: &str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let gate = Gate { server: server.to_owned(), client: crate::by_hand(), both: Arc::new(Barrier::new(2)) };
    let app = Router::new().fallback(forward).with_state(gate);
    tokio::spawn(async { axum::serve(listener, app).await });
    origin
}

async fn forward(State(gate): State<Gate>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let has = |name, text| head.headers.get(name).is_some_and(|value| value.to_str().unwrap().contains(text));
    if has(ACCEPT, "text/html") && has(COOKIE, "refresh_token=") && !has(COOKIE, "access_token=") {
        gate.both.wait().await;
    }
    let url = format!("{}{}", gate.server, head.uri);
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let sent = gate.client.request(head.method, url).headers(head.headers).body(body).send();
    let answer = sent.await.unwrap();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    *response.body_mut() = answer.bytes().await.unwrap().into();
    response
}
