//! What one gate enforces: the handler's rule, and those of the routers around it.

use std::any::TypeId;
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::MatchedPath;
use axum::http::request::Parts;

use crate::engine::Engine;
use crate::gate::{HandlerInfo, Policy};
use crate::policy::{Access, CompiledRule, objections};

/// What one gate enforces.
#[derive(Debug)]
pub(crate) struct GatePolicy<'a> {
    pub(crate) access: Access,
    /// The rules, which must all be kept, from the outermost router's to the handler's own.
    pub(crate) rules: Shared<'a, CompiledRule>,
    sources: Shared<'a, usize>,
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
        let (rules, sources) = (Shared::Borrowed(rules), Shared::Borrowed(sources));
        Self { access, rules, sources, handler, route: route.into() }
    }

    /// Of a handler that no guarded router mounted; `None` if the engine can't serve its rule as `finish` would have found:
    /// it names a source that the engine lacks, or does not agree with the engine's vocabulary.
    pub(crate) fn unmounted<P: Policy>(engine: &Engine, head: &Parts) -> Option<Self> {
        let UnmountedPolicy { rules, sources } = engine.unmounted().of::<P>(engine)?;
        Some(Self {
            access: P::RULE.access(),
            rules: Shared::Counted(rules),
            sources: Shared::Counted(sources),
            handler: P::HANDLER,
            route: matched_path(head),
        })
    }

    /// Of a route of which nothing is known but that it must not be entered.
    pub(crate) fn unknown(head: &Parts) -> Self {
        Self {
            access: Access::Authenticated,
            rules: Shared::Borrowed(&[]),
            sources: Shared::Borrowed(&[]),
            handler: HandlerInfo::new("[unknown]", "", 0),
            route: matched_path(head),
        }
    }

    /// The engine's sources that the route takes, explicit ones first.
    pub(crate) fn sources(&self) -> &[usize] {
        &self.sources
    }
}

/// Policies of handlers that no guarded router mounted, in terms of their engine: each is made once, when it is first met.
#[derive(Debug, Default)]
pub(crate) struct UnmountedPolicies(RwLock<HashMap<TypeId, Option<UnmountedPolicy>>>);

#[derive(Clone, Debug)]
struct UnmountedPolicy {
    rules: Arc<[CompiledRule]>,
    sources: Arc<[usize]>,
}

impl UnmountedPolicies {
    fn of<P: Policy>(&self, engine: &Engine) -> Option<UnmountedPolicy> {
        let policy = TypeId::of::<P>();
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&policy).cloned();
        known.unwrap_or_else(|| {
            let made = UnmountedPolicy::of::<P>(engine);
            self.0.write().unwrap_or_else(PoisonError::into_inner).insert(policy, made.clone());
            made
        })
    }
}

impl UnmountedPolicy {
    fn of<P: Policy>(engine: &Engine) -> Option<Self> {
        let objections = objections(&[P::RULE], engine.lexicon());
        if !objections.is_empty() {
            tracing::error!(handler = %P::HANDLER, objections = objections.join("; "), "auth: a rule can't be enforced");
            return None;
        }
        let sources = match P::RULE.source_names() {
            [] => engine.default_sources().to_vec(),
            names => engine.resolve_sources(names).ok()?,
        };
        let rule = CompiledRule::new(P::RULE, engine.lexicon());
        Some(Self { rules: [rule].into(), sources: sources.into() })
    }
}

/// A list that somebody else keeps.
#[derive(Debug)]
pub(crate) enum Shared<'a, T> {
    Borrowed(&'a [T]),
    Counted(Arc<[T]>),
}

impl<T> Deref for Shared<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Borrowed(list) => list,
            Self::Counted(list) => list,
        }
    }
}

fn matched_path(head: &Parts) -> Cow<'static, str> {
    head.extensions.get::<MatchedPath>().map_or(Cow::Borrowed(""), |path| path.as_str().to_owned().into())
}
