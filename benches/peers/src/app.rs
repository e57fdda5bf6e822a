//! A router that is asked with credentials: of axum 0.8, and of axum 0.7 for a peer that is still there.

use std::future::Future;
use std::pin::Pin;

use axum::http::{HeaderValue, StatusCode};
use tokio::runtime::Runtime;
use tower::Service as _;

pub trait App {
    /// Makes requests with these credentials. It is not measured.
    fn prepare(&mut self, credentials: &[HeaderValue]);

    /// Answers them.
    ///
    /// # Panics
    ///
    /// Where one is not answered 200.
    fn answer(&mut self, runtime: &Runtime);

    /// # Errors
    ///
    /// What it is answered, with the challenge, if that is not 200.
    fn ask(&mut self, runtime: &Runtime, credential: &HeaderValue) -> Result<(), String>;

    /// Serves until the process ends.
    fn serve(self: Box<Self>, listener: tokio::net::TcpListener) -> Pin<Box<dyn Future<Output = ()>>>;
}

macro_rules! app {
    ($name:ident, $axum:ident) => {
        pub struct $name {
            router: $axum::Router,
            requests: Vec<$axum::extract::Request>,
        }

        impl $name {
            pub fn of(router: $axum::Router) -> Box<dyn App> {
                // As `serve` does.
                Box::new(Self { router: router.with_state(()), requests: Vec::new() })
            }

            fn request(credential: &HeaderValue) -> $axum::extract::Request {
                let request = $axum::extract::Request::get("/").header("authorization", credential);
                request.body($axum::body::Body::empty()).expect("a request")
            }
        }

        impl App for $name {
            fn prepare(&mut self, credentials: &[HeaderValue]) {
                self.requests = credentials.iter().rev().map(Self::request).collect();
            }

            fn answer(&mut self, runtime: &Runtime) {
                runtime.block_on(async {
                    while let Some(request) = self.requests.pop() {
                        let Ok(answer) = self.router.call(request).await;
                        assert_eq!(answer.status(), StatusCode::OK);
                    }
                });
            }

            fn ask(&mut self, runtime: &Runtime, credential: &HeaderValue) -> Result<(), String> {
                let Ok(answer) = runtime.block_on(self.router.call(Self::request(credential)));
                let challenge =
                    answer.headers().get("www-authenticate").and_then(|value| value.to_str().ok());
                match answer.status() {
                    StatusCode::OK => Ok(()),
                    status => Err(format!("{status} {}", challenge.unwrap_or_default())),
                }
            }

            fn serve(
                self: Box<Self>,
                listener: tokio::net::TcpListener,
            ) -> Pin<Box<dyn Future<Output = ()>>> {
                Box::pin(async move { $axum::serve(listener, self.router).await.expect("a server") })
            }
        }
    };
}

app!(Axum, axum);
app!(Axum07, axum_07);
