//! A route with its policy, shared by the router that lists it and the gate that enforces it.

use std::any::TypeId;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use pin_project_lite::pin_project;

use crate::gate::CarriesPolicy;
use crate::pipeline::{AnswerTo, HeadState, Mounted, RequestAuth, ResolvedRoute, begin};
use crate::policy::{HandlerInfo, KnownArgument, Rule};

/// A route with its policy. What is enforced is fixed once the router is finished; before that the gate rejects every request.
#[derive(Debug)]
pub(crate) struct MountedRoute {
    pub(crate) rule: Rule,
    pub(crate) handler: HandlerInfo,
    pub(crate) check: Option<&'static str>,
    /// What is known of the arguments of the handler and its check; `None`: nothing, of a rule that is beside what it guards.
    pub(crate) arguments: Option<Vec<KnownArgument>>,
    /// The policy's type; `None` for a rule that is beside what it guards.
    pub(crate) policy_type: Option<TypeId>,
    resolved: OnceLock<Arc<ResolvedRoute>>,
}

impl MountedRoute {
    /// Returns the route of a handler that carries its policy.
    pub(crate) fn of<T: CarriesPolicy>() -> Arc<Self> {
        Self::new(T::RULE, T::HANDLER, T::CHECK, Some(T::arguments()), Some(T::policy_type()))
    }

    /// Of a rule that is beside what it guards.
    pub(crate) fn beside(rule: Rule, handler: HandlerInfo) -> Arc<Self> {
        Self::new(rule, handler, None, None, None)
    }

    /// Apart, so that it is not compiled for each handler.
    fn new(
        rule: Rule,
        handler: HandlerInfo,
        check: Option<&'static str>,
        arguments: Option<Vec<KnownArgument>>,
        policy_type: Option<TypeId>,
    ) -> Arc<Self> {
        Arc::new(Self { rule, handler, check, arguments, policy_type, resolved: OnceLock::new() })
    }

    /// Whether the handler accepts a WebSocket; `None`: that is not known.
    #[cfg(feature = "openapi")]
    pub(crate) fn opens_web_socket(&self) -> Option<bool> {
        let arguments = self.arguments.as_ref().filter(|_| cfg!(feature = "ws"));
        arguments.map(|arguments| arguments.contains(&KnownArgument::WebSocket))
    }

    /// Whether the handler or its check takes `SessionData`, and whether a caller without a session is rejected for it.
    pub(crate) fn takes_session_data(&self) -> Option<bool> {
        let found = self.arguments.iter().flatten().filter_map(|argument| match argument {
            KnownArgument::SessionData { is_required } => Some(*is_required),
            _ => None,
        });
        found.max()
    }

    /// A route belongs to one router, which is finished once. The fallback of several paths is resolved for each, to the same.
    pub(crate) fn resolve(&self, resolved: ResolvedRoute) {
        let _ = self.resolved.set(Arc::new(resolved));
    }

    /// What is enforced; `None` if the router was not finished.
    pub(crate) fn resolved(&self) -> Option<&Arc<ResolvedRoute>> {
        self.resolved.get()
    }

    /// Passes the route on to its gate, in the request. Where no layer of `Auth` is around it, it does what that does: then it returns
    /// what finishes the answer.
    pub(crate) fn begin(&self, request: &mut Request) -> Option<AnswerTo> {
        match self.resolved() {
            Some(route) if !route.is_layered => {
                Some(begin(request, RequestAuth::of_route(Arc::clone(route)), Mounted::Own))
            }
            route => {
                let mounted = route.map_or(Mounted::Unresolved, |route| Mounted::Route(Arc::clone(route)));
                HeadState::set_mounted(request.extensions_mut(), mounted);
                None
            }
        }
    }
}

/// The route of a handler, without its type: for each handler, the compiler would prove anew that an engine is `Send` and `Sync`.
trait BeginsRequest: fmt::Debug + Send + Sync {
    /// See [`MountedRoute::begin`].
    fn begin_request(&self, request: &mut Request) -> Option<AnswerTo>;
}

impl BeginsRequest for MountedRoute {
    fn begin_request(&self, request: &mut Request) -> Option<AnswerTo> {
        self.begin(request)
    }
}

/// A handler that passes its route to its gate, in the request.
#[derive(Clone, Debug)]
pub(crate) struct MountedHandler<H> {
    handler: H,
    route: Arc<dyn BeginsRequest>,
}

impl<H> MountedHandler<H> {
    pub(crate) fn new(handler: H, route: &Arc<MountedRoute>) -> Self {
        Self { handler, route: Arc::<MountedRoute>::clone(route) }
    }
}

impl<H, T, S> Handler<T, S> for MountedHandler<H>
where
    H: Handler<T, S>,
{
    type Future = MountedFuture<H::Future>;

    fn call(self, mut request: Request, state: S) -> Self::Future {
        let answer_to = self.route.begin_request(&mut request);
        MountedFuture { inner: self.handler.call(request, state), answer_to }
    }
}

pin_project! {
    /// The response future of a mounted handler.
    pub(crate) struct MountedFuture<F> {
        #[pin]
        inner: F,
        answer_to: Option<AnswerTo>,
    }
}

impl<F: Future<Output = Response>> Future for MountedFuture<F> {
    type Output = Response;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        let this = self.project();
        let answer = ready!(this.inner.poll(context));
        Poll::Ready(match this.answer_to.take() {
            Some(answer_to) => answer_to.finish(answer),
            None => answer,
        })
    }
}
