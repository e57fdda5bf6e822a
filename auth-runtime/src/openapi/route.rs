//! The routes that a document describes.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::METHODS;
use super::path::place;
use crate::engine::Auth;
use crate::policy::PolicyDocument;
use crate::router::{ANY, DeclaredRule, HandlerDocs, RouteInfo, Routes};

/// One handler at one path.
pub(super) struct ServedRoute<'r> {
    /// As the router lists it.
    pub(super) info: &'r RouteInfo,
    /// `GET`, or `ANY`.
    pub(super) method: &'r str,
    /// The methods whose requests it serves, in lower case.
    pub(super) methods: Vec<&'static str>,
    /// With parameters as axum writes them.
    pub(super) path: String,
    pub(super) handler: &'r str,
    /// The rule in words.
    pub(super) who: String,
    pub(super) policy: PolicyDocument,
    /// The rules of its path that are decided outside of requests.
    pub(super) declared: Vec<&'r DeclaredRule>,
    /// The operations as the handler documents them.
    pub(super) documentation: Option<&'r HandlerDocs>,
}

impl<'r> ServedRoute<'r> {
    /// The routes that have an operation in a document, in the order in which they were mounted.
    pub(super) fn all(routes: &'r Routes, auth: &Auth) -> Vec<Self> {
        let operations = || routes.iter().filter(|route| route.is_operation());
        let mut named: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for route in operations().filter(|route| route.method != ANY) {
            let methods = named.entry(place(&route.path)).or_default();
            methods.insert(route.method);
            // The handler of `GET` serves `HEAD`, also where the path has a handler of any method.
            methods.extend((route.method == "GET").then_some("HEAD"));
        }
        let served = operations().map(|route| {
            let others = named.get(&place(&route.path));
            let is_of_another =
                |method: &str| others.is_some_and(|others| others.contains(&*method.to_ascii_uppercase()));
            let methods = METHODS.into_iter().filter(|method| match route.method {
                ANY => !is_of_another(method),
                one => one.eq_ignore_ascii_case(method),
            });
            Self {
                info: route,
                method: route.method,
                methods: methods.collect(),
                path: route.path.clone(),
                handler: route.handler,
                who: route.who(),
                policy: route.policy(auth),
                declared: routes
                    .declared()
                    .filter(|declared| declared.path.as_ref() == Some(&route.path))
                    .collect(),
                documentation: route.docs.as_deref(),
            }
        });
        served.collect()
    }

    pub(super) fn is_of_any_method(&self) -> bool {
        self.method == ANY
    }
}
