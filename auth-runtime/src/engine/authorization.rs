//! What decides whether a caller may: the vocabulary, and the policies of handlers that no guarded router mounted.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::{RouteSources, Sources};
use crate::policy::{Access, CompiledRule, Decision, Facts, HandlerInfo, Rule, needed_scopes, objections};
use crate::vocabulary::VocabularyIndex;

/// What decides whether a caller may.
#[derive(Debug)]
pub(crate) struct Authorization {
    pub(crate) vocabulary: VocabularyIndex,
    unmounted: RwLock<HashMap<TypeId, Option<Arc<RoutePolicy>>>>,
    /// The rules that routers declare for what is decided outside of requests. There are few, so they are not indexed.
    declared: RwLock<Vec<Arc<DeclaredRule>>>,
}

/// A rule that a router declares, in terms of the engine.
#[derive(Debug)]
struct DeclaredRule {
    written: Rule,
    compiled: CompiledRule,
}

/// What one gate enforces, in terms of an engine: the handler's rule, and those of the routers around it.
#[derive(Debug)]
pub(crate) struct RoutePolicy {
    pub(crate) access: Access,
    /// The rules, which must all be satisfied, from the outermost router's to the handler's own.
    pub(crate) rules: Vec<CompiledRule>,
    /// The engine's sources that the route takes.
    pub(crate) sources: Arc<RouteSources>,
    pub(crate) handler: HandlerInfo,
    /// The path with its parameters' names. `None`: the one that the request matched, of a handler that no guarded router mounted, or
    /// that is the fallback of several paths.
    pub(crate) path: Option<Box<str>>,
}

/// A handler that no guarded router mounted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnmountedHandler {
    pub(crate) policy_type: TypeId,
    pub(crate) rule: Rule,
    pub(crate) handler: HandlerInfo,
}

impl Authorization {
    pub(super) fn new(vocabulary: VocabularyIndex) -> Self {
        Self { vocabulary, unmounted: RwLock::default(), declared: RwLock::default() }
    }

    /// The policy of a handler that no guarded router mounted, made when it is first asked for; `None` if the engine can't
    /// serve its rule, as `finish` would have found: it names a source that the engine lacks, or does not agree with the
    /// engine's vocabulary.
    pub(crate) fn unmounted(
        &self,
        unmounted: &UnmountedHandler,
        sources: &Sources,
    ) -> Option<Arc<RoutePolicy>> {
        let policy = unmounted.policy_type;
        let known = self.unmounted.read().unwrap_or_else(PoisonError::into_inner).get(&policy).cloned();
        known.unwrap_or_else(|| {
            let made = self.compile(unmounted, sources).map(Arc::new);
            self.unmounted.write().unwrap_or_else(PoisonError::into_inner).insert(policy, made.clone());
            made
        })
    }

    /// Compiles a rule that a router declares, once however many declare it.
    pub(crate) fn declare(&self, rule: Rule) {
        let mut declared = self.declared.write().unwrap_or_else(PoisonError::into_inner);
        if !declared.iter().any(|known| known.written.is_identical(&rule)) {
            // By names: the caller may be one of another engine, whose bits mean other names.
            let compiled = CompiledRule::new(rule, &VocabularyIndex::default());
            declared.push(Arc::new(DeclaredRule { written: rule, compiled }));
        }
    }

    /// The decision of a declared rule; `None` if no router declares it.
    pub(super) fn decide_declared(&self, rule: &Rule, facts: &Facts<'_>) -> Option<Decision> {
        let declared = self.declared.read().unwrap_or_else(PoisonError::into_inner);
        let found = declared.iter().find(|known| known.written.is_identical(rule)).cloned();
        // A rule is decided without the lock: a claim can be large.
        drop(declared);
        Some(found?.compiled.evaluate(facts))
    }

    fn compile(&self, unmounted: &UnmountedHandler, sources: &Sources) -> Option<RoutePolicy> {
        let UnmountedHandler { rule, handler, .. } = *unmounted;
        let objections = objections(&[rule], &self.vocabulary);
        if !objections.is_empty() {
            tracing::error!(%handler, objections = objections.join("; "), "auth: a rule can't be enforced");
            return None;
        }
        let indices = match rule.source_names() {
            [] => sources.default_indices().to_vec(),
            names => sources.resolve(names).ok()?,
        };
        Some(RoutePolicy {
            access: rule.access(),
            rules: vec![CompiledRule::new(rule, &self.vocabulary)],
            sources: sources.of_route(indices, needed_scopes(&[rule])),
            handler,
            path: None,
        })
    }
}
