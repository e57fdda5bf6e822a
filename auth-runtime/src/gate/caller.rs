//! The caller, for a middleware around a route.

use std::convert::Infallible;
use std::sync::{Arc, Once};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::pipeline::{Asker, CallerAnswer, HeadState, Mounted, RequestAuth, ResolvedRoute, Stage};
use crate::principal::Principal;
use crate::rejection::RejectionKind;

/// Who sends a request, for a middleware around a route: to limit the rate of each user, or to put the user into a tracing span. The
/// caller is found as the gate of the route finds it: by the sources of the route, with the origin check, the times and the
/// revocations.
///
/// It proves nothing about the rule: the gate decides after the middleware, and reports its decision as ever. What was found is
/// remembered for the gate of the same request, so no token is verified twice and no session renewed twice. If a middleware changes
/// the credential afterwards, or what the origin check reads, the gate looks again.
///
/// ```
/// use auth_runtime::{Caller, Router, auth, routing::get};
/// use axum::extract::Request;
/// use axum::middleware::{Next, from_fn};
/// use axum::response::Response;
///
/// #[auth]
/// async fn orders() {}
///
/// async fn log(caller: Caller, request: Request, next: Next) -> Response {
///     let user = caller.principal().map_or("-", |principal| principal.subject());
///     println!("{} by {user}", request.uri().path());
///     next.run(request).await
/// }
///
/// let routes: Router = Router::new().route("/orders", get(orders)).layer(from_fn(log));
/// ```
///
/// The layer is one of the guarded router, or of a [`MethodRouter`](crate::routing::MethodRouter) or a handler in it: `.layer(..)` or
/// `.route_layer(..)` before [`finish`](crate::Router::finish). A layer that is added to the finished `axum::Router` runs before the route
/// and its sources are known: there the caller is [`Unknown`](Self::Unknown), and the log says so once.
///
/// It is the caller of the route that the layer is in, also where that is within another route: a finished router that is nested as a
/// service with a rule beside it. Behind a gate, as around a service that has its rule beside it, it is the caller that this gate let in.
/// A handler with `#[auth]` in a plain `axum::Router` behind a gate has one of its own, which no middleware around it knows: between
/// the two, the caller is that of the outer gate, and if the inner one finds another, the log says so once.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Caller {
    /// No credential counts, or the route is public and looks at none.
    Anonymous,
    /// The sender of a valid credential. Whether it satisfies the rule is for the gate to decide.
    Identified(Principal),
    /// The gate will reject the request with this kind, because of its credential or because it could not be judged.
    Invalid(RejectionKind),
    /// A credential of the scheme of this name counts, and its authenticator was not called: a middleware calls it only if it
    /// asks for it by name, with [`Caller::by`].
    NotJudged(String),
    /// No route is known that would answer the request: the path or the method has none, it is merged unguarded, or the middleware
    /// is not around a route of a guarded router. Or it is asked for by what finds it: an authenticator, a source, a `UserStore`.
    Unknown,
}

impl Caller {
    /// Finds who sends the request with this head. For a middleware that is a `tower::Service`; in one of
    /// `axum::middleware::from_fn`, `Caller` is an argument.
    ///
    /// An [`Authenticator`](crate::authenticator::Authenticator) is not called: its answer may cost a query of a database. Where the
    /// credential that counts is one for an authenticator, and no answer to it is remembered, the caller is
    /// [`NotJudged`](Self::NotJudged).
    pub async fn of(head: &Parts) -> Self {
        Self::by(head, &[]).await
    }

    /// Finds who sends the request with this head, and calls the authenticators of these names for it. The gate does not call them
    /// again, unless the middleware changes the request's method, query or headers, which an authenticator may read.
    ///
    /// ```
    /// use auth_runtime::Caller;
    /// use axum::extract::Request;
    /// use axum::middleware::Next;
    /// use axum::response::Response;
    ///
    /// async fn count(request: Request, next: Next) -> Response {
    ///     let (head, body) = request.into_parts();
    ///     if let Caller::Identified(partner) = Caller::by(&head, &["partner"]).await {
    ///         println!("one more of {}", partner.subject());
    ///     }
    ///     next.run(Request::from_parts(head, body)).await
    /// }
    /// ```
    pub async fn by(head: &Parts, schemes: &[&str]) -> Self {
        let Some(auth) = RequestAuth::of(head) else {
            say_once(&NO_ROUTE, WITHOUT_ROUTE);
            return Self::Unknown;
        };
        match auth.stage() {
            Stage::BeforeGate => {}
            Stage::Deciding => {
                say_once(&DECIDING, WHILE_DECIDING);
                return Self::Unknown;
            }
            // Of the check's own head: it is admitted while that decides.
            Stage::Checking => {
                let principal = HeadState::accepted(head).flatten();
                return principal.map_or(Self::Unknown, |principal| Self::Identified(principal.clone()));
            }
            Stage::Decided => {
                auth.set_asked_behind();
                return match (auth.principal(), auth.rejection()) {
                    (Some(principal), _) => Self::Identified(principal),
                    (None, Some(kind)) => Self::Invalid(kind),
                    (None, None) => Self::Anonymous,
                };
            }
        }
        // A layer of the handler alone is called with its route in the request.
        let route = match HeadState::mounted(head) {
            Some(Mounted::Own) => auth.own_route(),
            Some(Mounted::Route(route)) => Some(route),
            Some(Mounted::Unresolved) => None,
            Some(Mounted::Nothing) | None => match auth.routes() {
                Some((routes, nested_at)) => routes.route(head, nested_at),
                None => {
                    say_once(&NO_ROUTE, WITHOUT_ROUTE);
                    None
                }
            },
        };
        let is_of_engine = |route: &&Arc<ResolvedRoute>| Arc::ptr_eq(&route.engine, auth.engine());
        let Some(route) = route.filter(is_of_engine) else { return Self::Unknown };
        match (Asker { auth, policy: &route.policy, schemes }).ask(head).await {
            CallerAnswer::Anonymous => Self::Anonymous,
            CallerAnswer::Identified(principal) => Self::Identified(principal),
            CallerAnswer::Invalid(kind) => Self::Invalid(kind),
            CallerAnswer::NotJudged(scheme) => Self::NotJudged(scheme),
        }
    }

    /// The sender of a valid credential.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        match self {
            Self::Identified(principal) => Some(principal),
            _ => None,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(head).await)
    }
}

/// A line for every request would be too many: each of these is one a process.
static NO_ROUTE: Once = Once::new();
static DECIDING: Once = Once::new();

const WITHOUT_ROUTE: &str = "auth: a middleware asks for the `Caller` where no route is known: add it with `.layer(..)` or `.route_layer(..)` to the \
     `auth_runtime::Router`, before `.finish(&auth)`, and not to the `axum::Router` that this makes";
const WHILE_DECIDING: &str = "auth: an authenticator, a source or a `UserStore` asks for the `Caller`, which it is asked for itself: the answer is \
     `Caller::Unknown`. Take what it needs from the credential and the head";

fn say_once(once: &Once, what: &'static str) {
    once.call_once(|| tracing::error!("{what}"));
}
