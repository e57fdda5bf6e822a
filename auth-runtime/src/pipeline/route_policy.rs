//! What one gate enforces: the handler's rule, and those of the routers around it.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::MatchedPath;
use axum::http::request::Parts;

use crate::engine::{Engine, RouteSources, UnmountedPolicy};
use crate::policy::{Access, CompiledRule, HandlerInfo, Policy};

/// What one gate enforces.
#[derive(Debug)]
pub(crate) struct RoutePolicy<'a> {
    pub(crate) access: Access,
    /// The rules, which must all be satisfied, from the outermost router's to the handler's own.
    pub(crate) rules: List<'a, CompiledRule>,
    /// The engine's sources that the route takes.
    pub(crate) sources: Arc<RouteSources>,
    pub(crate) handler: HandlerInfo,
    /// The path with its parameters' names; empty where no route is known.
    pub(crate) route: Arc<str>,
}

impl<'a> RoutePolicy<'a> {
    pub(crate) fn new(
        access: Access,
        rules: &'a [CompiledRule],
        sources: &Arc<RouteSources>,
        handler: HandlerInfo,
        route: Arc<str>,
    ) -> Self {
        let (rules, sources) = (List::Borrowed(rules), Arc::clone(sources));
        Self { access, rules, sources, handler, route }
    }

    /// Of a handler that no guarded router mounted; `None` if the engine can't serve its rule.
    pub(crate) fn unmounted<P: Policy>(engine: &Engine, head: &Parts) -> Option<Self> {
        let sources = &engine.authentication.sources;
        let UnmountedPolicy { rules, sources } = engine.authorization.unmounted::<P>(sources)?;
        Some(Self {
            access: P::RULE.access(),
            rules: List::Counted(rules),
            sources,
            handler: P::HANDLER,
            route: matched_path(head),
        })
    }

    /// Of a route of which nothing is known but that it must not be entered.
    pub(crate) fn unknown(head: &Parts) -> Self {
        Self {
            access: Access::Authenticated,
            rules: List::Borrowed(&[]),
            sources: Arc::default(),
            handler: HandlerInfo::new("[unknown]", "", 0),
            route: matched_path(head),
        }
    }
}

/// A list that belongs to a mounted route, or to the engine.
#[derive(Debug)]
pub(crate) enum List<'a, T> {
    Borrowed(&'a [T]),
    Counted(Arc<[T]>),
}

impl<T> Deref for List<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Borrowed(list) => list,
            Self::Counted(list) => list,
        }
    }
}

fn matched_path(head: &Parts) -> Arc<str> {
    head.extensions.get::<MatchedPath>().map_or_else(Arc::default, |path| path.as_str().into())
}
