//! What one gate enforces: the handler's rule, and those of the routers around it.

use std::borrow::Cow;

use axum::extract::MatchedPath;
use axum::http::request::Parts;

use crate::engine::Engine;
use crate::gate::HandlerInfo;
use crate::policy::{Access, CompiledRule, Rule};

/// What one gate enforces.
#[derive(Debug)]
pub(crate) struct GatePolicy<'a> {
    pub(crate) access: Access,
    /// The rules, which must all be kept, from the outermost router's to the handler's own.
    pub(crate) rules: Cow<'a, [CompiledRule]>,
    sources: Cow<'a, [usize]>,
    pub(crate) handler: HandlerInfo,
    pub(crate) route: Cow<'a, str>,
}

impl<'a> GatePolicy<'a> {
    pub(crate) fn new(
        access: Access,
        rules: &'a [CompiledRule],
        sources: &'a [usize],
        handler: HandlerInfo,
        route: &'a str,
    ) -> Self {
        Self { access, rules: rules.into(), sources: sources.into(), handler, route: route.into() }
    }

    /// Of a handler that no guarded router mounted; `None` if the engine lacks a source that its rule names, or the vocabulary
    /// that it was checked by.
    pub(crate) fn unmounted(rule: Rule, handler: HandlerInfo, engine: &Engine, head: &Parts) -> Option<Self> {
        if rule.relies_on_vocabulary() && engine.lexicon().vocabulary().is_none() {
            return None;
        }
        let sources = match rule.sources {
            [] => engine.default_sources().to_vec(),
            names => engine.resolve_sources(names).ok()?,
        };
        Some(Self {
            access: rule.access,
            rules: vec![CompiledRule::by_names(rule)].into(),
            sources: sources.into(),
            handler,
            route: matched_path(head),
        })
    }

    /// Of a route of which nothing is known but that it must not be entered.
    pub(crate) fn unknown(head: &Parts) -> Self {
        Self {
            access: Access::Authenticated,
            rules: Cow::default(),
            sources: Cow::default(),
            handler: HandlerInfo::new("[unknown]", "", 0),
            route: matched_path(head),
        }
    }

    /// The engine's sources that the route takes, explicit ones first.
    pub(crate) fn sources(&self) -> &[usize] {
        &self.sources
    }
}

fn matched_path(head: &Parts) -> Cow<'static, str> {
    head.extensions.get::<MatchedPath>().map_or(Cow::Borrowed(""), |path| path.as_str().to_owned().into())
}
