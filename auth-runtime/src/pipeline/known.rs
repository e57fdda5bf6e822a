//! Requests that are let in by what is known already: most of them.
//!
//! It takes those steps of the [pipeline](super) that such a request needs, and can only let in. Whatever else there is to do or to say, the
//! pipeline does, from its beginning. Which routes it is for, [`ResolvedRoute`] says.

use std::any::TypeId;
use std::borrow::Cow;

use axum::http::request::Parts;

#[cfg(feature = "test-util")]
use super::extract::InjectedPrincipal;
use super::head_state::HeadState;
use super::resolved_route::ResolvedRoute;
use crate::catch_panic::catch_panic;
use crate::clock::unix_seconds;
use crate::engine::{Engine, RoutePolicy};
use crate::policy::{Access, Facts};
use crate::principal::Principal;
use crate::source::{Carrier, Extracted};

/// Who is let in.
struct LetIn {
    /// `None` on a public route.
    caller: Option<Principal>,
    /// The answer is for the caller alone.
    is_private: bool,
}

/// Lets a request in to the mounted route that it has come to, if that has this policy, and if all that must be known of the request is
/// known. Returns whether it did; otherwise nothing has changed.
pub(crate) fn let_in(head: &mut Parts, policy_type: Option<TypeId>) -> bool {
    let Some(state) = head.extensions.get::<HeadState>() else { return false };
    let Some(route) = state.route_ahead().filter(|route| route.policy_type == policy_type) else {
        return false;
    };
    if !route.may_let_in || state.auth.was_asked() {
        return false;
    }
    let Some(LetIn { caller, is_private }) = by_what_is_known(route, head) else { return false };
    HeadState::admit_first(head, caller, is_private)
}

fn by_what_is_known(route: &ResolvedRoute, head: &Parts) -> Option<LetIn> {
    if route.policy.access == Access::Public {
        return Some(LetIn { caller: None, is_private: false });
    }
    #[cfg(feature = "test-util")]
    if head.extensions.get::<InjectedPrincipal>().is_some() {
        return None;
    }
    // The clock is the application's. If it panics again, the pipeline reports it.
    catch_panic(|| known_caller(route, head)).ok().flatten()
}

/// The caller of a token that was verified before, with its user, which was loaded before. It satisfies the rules.
fn known_caller(route: &ResolvedRoute, head: &Parts) -> Option<LetIn> {
    let (engine, policy) = (&route.engine, &route.policy);
    let (index, carrier, token) = only_credential(engine, policy, head)?;
    if carrier == Carrier::Ambient && !engine.authentication.origins.admits(head) {
        return None;
    }
    let remembered = engine.remembered(&token)?;
    let now = engine.now();
    let caller = engine.with_known_user(engine.still_counts(remembered, now)?).ok()?.ok()?;
    let leeway = engine.authentication.limits.leeway;
    let facts = Facts { principal: &caller, path: &[], now: unix_seconds(now), leeway, is_negated: false };
    let is_allowed = policy.rules.iter().all(|rule| rule.allows(&facts));
    let is_private = engine.authentication.sources.is_private(index);
    is_allowed.then_some(LetIn { caller: Some(caller), is_private })
}

/// The credential, where one source of the route finds one, and the others find nothing.
fn only_credential<'r>(
    engine: &Engine,
    policy: &RoutePolicy,
    head: &'r Parts,
) -> Option<(usize, Carrier, Cow<'r, str>)> {
    let mut only = None;
    for &index in &policy.sources.indices {
        let source = engine.authentication.sources.get(index)?;
        match source.extract(head) {
            Extracted::Absent => {}
            Extracted::Present(token) if only.is_none() => only = Some((index, source.carrier(), token)),
            _ => return None,
        }
    }
    only
}
