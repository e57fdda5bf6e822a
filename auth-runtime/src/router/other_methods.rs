//! What answers the methods that a path has no route for: 405, behind the gate of what the routers around it require.
//!
//! axum adds `Allow` to whatever a fallback for methods answers, to the rejection of a gate too, and only leaves it out after
//! [`any`](axum::routing::any). So each such fallback is made with `any`, and adds `Allow` itself to what is no rejection.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::header::ALLOW;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::Route;
use tower::{Layer, Service};

use super::FALLBACK;
use super::guarded_router::Router;
use super::path::join;
use super::resolve::{Entry, Surroundings, read};
use super::served_methods::ServedMethods;
use crate::engine::RoutePolicy;
use crate::error::ConfigErrors;
use crate::gate::{GateLayer, MountedRoute};
use crate::pipeline::RequestAuth;
use crate::policy::{CompiledRule, HandlerInfo, Rule, needed_scopes};
use crate::rejection::is_marked;

/// The value of `Allow`, which is known when the router is finished.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowed(Arc<OnceLock<HeaderValue>>);

impl Allowed {
    fn set<'m>(&self, methods: impl Iterator<Item = &'m str>) {
        let mut names: Vec<&str> = Vec::new();
        for method in methods {
            // A handler of `GET` answers `HEAD` too.
            for name in std::iter::once(method).chain((method == "GET").then_some("HEAD")) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        if let Ok(value) = HeaderValue::try_from(names.join(",")) {
            let _ = self.0.set(value);
        }
    }

    fn add_to(&self, response: &mut Response) {
        if let Some(value) = self.0.get() {
            response.headers_mut().entry(ALLOW).or_insert_with(|| value.clone());
        }
    }
}

/// Adds `Allow` to the answers of a fallback for methods, unless a gate rejected the request.
#[derive(Clone, Debug)]
pub(super) struct AllowLayer(pub(super) Allowed);

impl<T> Layer<T> for AllowLayer {
    type Service = AllowService<T>;

    fn layer(&self, inner: T) -> AllowService<T> {
        AllowService { inner, allowed: self.0.clone() }
    }
}

#[derive(Clone, Debug)]
pub(super) struct AllowService<T> {
    inner: T,
    allowed: Allowed,
}

impl<T> Service<Request> for AllowService<T>
where
    T: Service<Request, Response = Response, Error = Infallible>,
    T::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        // That of the layer, if there is one around; otherwise the route says in its answer what it decided.
        let of_layer = RequestAuth::of_extensions(request.extensions()).cloned();
        RequestAuth::watch(&mut request);
        let is_connect = request.method() == Method::CONNECT;
        let allowed = self.allowed.clone();
        let response = self.inner.call(request);
        Box::pin(async move {
            let mut response = response.await?;
            let auth = response.extensions().get().or(of_layer.as_ref());
            let is_rejected =
                auth.is_none_or(|auth| auth.rejection().is_some()) || is_marked(response.extensions());
            // As axum: the answer to a `CONNECT` that succeeds has no headers of a resource.
            let is_connected = is_connect && response.status().is_success();
            if !is_rejected && !is_connected {
                allowed.add_to(&mut response);
            }
            Ok(response)
        })
    }
}

/// 405 for the methods that a method router has no handler for.
pub(super) struct NotAllowed<S> {
    pub(super) methods: axum::routing::MethodRouter<S>,
    route: Arc<MountedRoute>,
    allowed: Allowed,
}

impl<S> NotAllowed<S>
where
    S: Clone + Send + Sync + 'static,
{
    pub(super) fn new() -> Self {
        let route = MountedRoute::beside(Rule::public(), HandlerInfo::new("[method not allowed]", "", 0));
        let allowed = Allowed::default();
        let methods = axum::routing::any(async || StatusCode::METHOD_NOT_ALLOWED);
        let methods = methods.layer(GateLayer(Arc::clone(&route))).layer(AllowLayer(allowed.clone()));
        Self { methods, route, allowed }
    }

    pub(super) fn with_state<S2>(self, state: S) -> NotAllowed<S2> {
        let Self { methods, route, allowed } = self;
        NotAllowed { methods: methods.with_state(state), route, allowed }
    }

    pub(super) fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        Self { methods: self.methods.layer(layer), ..self }
    }

    /// As the answer for a path of a router. It is mounted when the router is finished: axum does not merge two method routers that
    /// both have a fallback, as two for one path would.
    pub(super) fn at(self, path: &str) -> OtherMethods<S> {
        let Self { methods, route, allowed } = self;
        OtherMethods { path: path.to_owned(), router: Some(alone(path, methods)), route, allowed }
    }

    /// As the answer of the fallback of a router, to which it belongs already.
    pub(super) fn of_fallback(&self) -> OtherMethods<S> {
        let (route, allowed) = (Arc::clone(&self.route), self.allowed.clone());
        OtherMethods { path: FALLBACK.to_owned(), router: None, route, allowed }
    }
}

/// What answers the methods that a path has no route for.
pub(super) struct OtherMethods<S> {
    pub(super) path: String,
    /// With the layers of the routers around it. It is a router, for its path alone, because that can be nested.
    router: Option<axum::Router<S>>,
    route: Arc<MountedRoute>,
    allowed: Allowed,
}

impl<S> OtherMethods<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// With what is done to the router that it is part of.
    pub(super) fn map<S2>(
        self,
        change: impl FnOnce(axum::Router<S>) -> axum::Router<S2>,
    ) -> OtherMethods<S2> {
        let Self { path, router, route, allowed } = self;
        OtherMethods { path, router: router.map(change), route, allowed }
    }

    pub(super) fn route(&self) -> (&str, &Arc<MountedRoute>) {
        (&self.path, &self.route)
    }

    pub(super) fn nest(self, prefix: &str) -> Self {
        let path = join(prefix, &self.path);
        Self { path, ..self.map(|router| unchecked().nest(prefix, router)) }
    }
}

/// A router that has these methods at this path, and nothing else.
pub(super) fn alone<S>(path: &str, methods: axum::routing::MethodRouter<S>) -> axum::Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    unchecked().route(path, methods)
}

/// For paths that were checked when they were mounted.
pub(super) fn unchecked<S: Clone + Send + Sync + 'static>() -> axum::Router<S> {
    axum::Router::new().without_v07_checks()
}

impl<S> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Puts the answers of another router to the methods that it has no route for beside those of this one. For a path that both
    /// have, that of the other counts, as in axum.
    pub(super) fn add_other_methods(&mut self, others: Vec<OtherMethods<S>>) {
        self.other_methods.retain(|own| others.iter().all(|other| other.path != own.path));
        self.other_methods.extend(others);
    }

    /// Whether the path has handlers of this library alone, and no fallback for methods.
    pub(super) fn has_default_fallback(&self, path: &str) -> bool {
        self.at(path).all(|entry| matches!(entry.methods, ServedMethods::Named(_)))
    }

    fn at(&self, path: &str) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.path == path)
    }

    /// Adds these to the routes. They come first: of two default fallbacks axum takes that of the router which is merged.
    pub(super) fn merge_fallbacks(&mut self, fallbacks: axum::Router<S>) {
        let is_old = |entry: &Entry| entry.path.split('/').any(|segment| segment.starts_with([':', '*']));
        let mut inner = std::mem::take(&mut self.inner);
        if self.entries.iter().any(is_old) {
            inner = inner.without_v07_checks();
        }
        self.inner = fallbacks.merge(inner);
    }

    /// Binds the answers for methods without a route to the engine, where a router requires something of all routes of their path.
    /// Elsewhere axum answers. Fills in the methods that answers name.
    pub(super) fn resolve_other_methods(&mut self, around: &Surroundings<'_>, errors: &mut ConfigErrors) {
        let engine = around.engine;
        let mut gated = unchecked();
        for OtherMethods { path, router, route, allowed } in std::mem::take(&mut self.other_methods) {
            let required = self.required_at(&path);
            if !self.has_default_fallback(&path) || (router.is_some() && required.is_empty()) {
                continue;
            }
            let full_path = join(&self.mounted_at, &path);
            let before = errors.len();
            let mut wrong = |what: String| errors.push(format!("{full_path} ({}): {what}", route.handler));
            let rules = if required.is_empty() { vec![Rule::public()] } else { required };
            let (access, sources) = read(engine, &rules, None, true, &full_path, &mut wrong);
            if errors.len() > before {
                continue;
            }
            let hides_scopes = self.at(&path).any(|entry| entry.hides_scopes);
            let scopes = if hides_scopes { Vec::new() } else { needed_scopes(&rules) };
            let sources = engine.authentication.sources.of_route(sources, scopes);
            let compiled = |rule: &Rule| CompiledRule::new(*rule, &engine.authorization.vocabulary);
            let rules = rules.iter().map(compiled).collect();
            let (handler, path_of_route) = (route.handler, Some(full_path.into()));
            let policy = RoutePolicy { access, rules, sources, handler, path: path_of_route };
            route.resolve(around.route(&route, policy));
            allowed.set(self.methods_at(&path));
            if let Some(router) = router {
                gated = gated.merge(router);
            }
        }
        for entry in &self.entries {
            if let Some(allowed) = &entry.allowed {
                allowed.set(self.methods_at(&entry.path));
            }
        }
        if gated.has_routes() {
            self.merge_fallbacks(gated);
        }
    }

    /// The methods of the handlers of a path, in the order in which they were mounted.
    fn methods_at(&self, path: &str) -> impl Iterator<Item = &'static str> {
        self.at(path).flat_map(|entry| match &entry.methods {
            ServedMethods::Named(names) => names.clone(),
            _ => Vec::new(),
        })
    }

    /// What the routers around it require of every route of a path, the outermost first.
    pub(super) fn required_at(&self, path: &str) -> Vec<Rule> {
        let mut lists = self.at(path).map(|entry| &entry.required);
        let first = lists.next().cloned().unwrap_or_default();
        lists.fold(first, |common, list| {
            let same = common.iter().zip(list).take_while(|(one, other)| one == other);
            same.map(|(rule, _)| *rule).collect()
        })
    }
}

impl<S> fmt::Debug for OtherMethods<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtherMethods").field("path", &self.path).finish_non_exhaustive()
    }
}
