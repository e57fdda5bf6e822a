//! What a middleware outside of the gate learns of its decision.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{Extensions, Request};

use super::head_state::HeadState;
use super::request_auth::RequestAuth;

/// A request of which a middleware wants to know, once it is answered, what the gate decided: for access logs and audit.
///
/// ```
/// use auth_runtime::RequestAuth;
/// use axum::extract::Request;
/// use axum::middleware::Next;
/// use axum::response::Response;
///
/// async fn log(mut request: Request, next: Next) -> Response {
///     let path = request.uri().path().to_owned();
///     let watched = RequestAuth::watch(&mut request);
///     let answer = next.run(request).await;
///     let caller = watched.auth().and_then(|auth| auth.principal());
///     let subject = caller.as_ref().map_or("-", |caller| caller.subject());
///     println!("{path} by {subject}: {}", answer.status());
///     answer
/// }
/// ```
#[derive(Clone, Debug)]
pub struct WatchedRequest(Arc<Mutex<Option<RequestAuth>>>);

impl RequestAuth {
    /// Watches a request: for a middleware outside of the gate, before it passes the request on.
    pub fn watch<B>(request: &mut Request<B>) -> WatchedRequest {
        // Several may watch one request.
        if let Some(watched) = request.extensions().get::<WatchedRequest>() {
            return watched.clone();
        }
        let known = request.extensions().get::<HeadState>().map(|state| state.auth.clone());
        let watched = WatchedRequest(Arc::new(Mutex::new(known)));
        request.extensions_mut().insert(watched.clone());
        watched
    }
}

impl WatchedRequest {
    /// What was decided so far. Of several gates it is that of the innermost. `None`: the request came to no route that a guarded
    /// router or the layer of [`Auth`](crate::Auth) is around.
    #[must_use]
    pub fn auth(&self) -> Option<RequestAuth> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Those who watch the request with these extensions see this from now on.
    pub(super) fn show(extensions: &Extensions, auth: &RequestAuth) {
        if let Some(Self(watched)) = extensions.get() {
            *watched.lock().unwrap_or_else(PoisonError::into_inner) = Some(auth.clone());
        }
    }
}
