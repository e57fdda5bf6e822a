//! What a middleware outside of the gate learns of its decision.

use axum::http::{Extensions, Request};

use super::request_auth::RequestAuth;

/// In the extensions of a request: its answer is to say what was decided.
#[derive(Clone, Copy, Debug)]
struct Watched;

impl RequestAuth {
    /// Has the answer to this request say, in its extensions, what was decided: for a middleware outside of the gate, before it passes the
    /// request on. Answers that nothing watches don't have it, because it takes time and memory.
    ///
    /// ```
    /// use auth_runtime::RequestAuth;
    /// use axum::extract::Request;
    /// use axum::middleware::Next;
    /// use axum::response::Response;
    ///
    /// async fn log(mut request: Request, next: Next) -> Response {
    ///     let path = request.uri().path().to_owned();
    ///     RequestAuth::watch(&mut request);
    ///     let answer = next.run(request).await;
    ///     let caller = answer.extensions().get().and_then(RequestAuth::principal);
    ///     let subject = caller.as_ref().map_or("-", |caller| caller.subject());
    ///     println!("{path} by {subject}: {}", answer.status());
    ///     answer
    /// }
    /// ```
    ///
    /// Of several gates that the answer came through, it is that of the innermost. Where no gate was reached, as for a path that has no
    /// route, the answer has none, or one that [is not decided](Self::is_decided).
    pub fn watch<B>(request: &mut Request<B>) {
        request.extensions_mut().insert(Watched);
    }

    pub(super) fn is_watched(extensions: &Extensions) -> bool {
        extensions.get::<Watched>().is_some()
    }
}
