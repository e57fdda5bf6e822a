//! By hand, and without a rule: what a route does that passes its decision on, in the extensions of the request, and to the answer. No gate that
//! does so can take less.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use axum::extract::{FromRequestParts, Request};
use axum::handler::Handler;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::VARY;
use axum::http::request::Parts;
use axum::response::Response;
use bench_by_hand::{ByBearer, FlatClaims};

use super::variants::Verifier;

/// What was decided on a request, for the handler and for the answer.
#[derive(Clone, Default)]
struct Decision(Arc<Mutex<Decided>>);

#[derive(Default)]
struct Decided {
    is_decided: bool,
    caller: Option<Arc<FlatClaims>>,
}

/// A handler whose requests have a place for the decision.
#[derive(Clone)]
pub struct Mounted<H>(pub H);

impl<H, T, S> Handler<T, S> for Mounted<H>
where
    H: Handler<T, S>,
    H::Future: Unpin,
{
    type Future = MountedFuture<H::Future>;

    fn call(self, mut request: Request, state: S) -> Self::Future {
        let decision = Decision::default();
        request.extensions_mut().insert(decision.clone());
        MountedFuture { inner: self.0.call(request, state), decision }
    }
}

pub struct MountedFuture<F> {
    inner: F,
    decision: Decision,
}

impl<F: Future<Output = Response> + Unpin> Future for MountedFuture<F> {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        let mut answer = ready!(Pin::new(&mut self.inner).poll(context));
        let decided = self.decision.0.lock().expect("nothing panics");
        assert!(decided.is_decided);
        if decided.caller.is_some() {
            answer.headers_mut().insert(VARY, HeaderValue::from_static("authorization"));
        }
        Poll::Ready(answer)
    }
}

/// The proof that the route is public.
pub struct Public;

impl<S: Sync> FromRequestParts<S> for Public {
    type Rejection = Infallible;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let decision = head.extensions.get::<Decision>().expect("it is mounted");
        decision.0.lock().expect("nothing panics").is_decided = true;
        Ok(Self)
    }
}

/// The caller, by `Authorization: Bearer`.
pub struct Caller(Arc<FlatClaims>);

impl FromRequestParts<Arc<Verifier>> for Caller {
    type Rejection = StatusCode;

    async fn from_request_parts(head: &mut Parts, verifier: &Arc<Verifier>) -> Result<Self, StatusCode> {
        let ByBearer(claims) = ByBearer::<FlatClaims>::from_request_parts(head, verifier).await?;
        let decision = head.extensions.get::<Decision>().expect("it is mounted");
        *decision.0.lock().expect("nothing panics") =
            Decided { is_decided: true, caller: Some(Arc::clone(&claims)) };
        Ok(Self(claims))
    }
}

pub async fn public(_: Public) -> &'static str {
    "ok"
}

pub async fn known(Caller(claims): Caller) -> &'static str {
    black_box(&claims.sub);
    "ok"
}
