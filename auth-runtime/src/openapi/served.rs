//! What is served: what a document is made of.

use std::collections::{BTreeMap, BTreeSet};

use super::WrittenOperations;
use super::operation::METHODS;
use super::path::place;
use crate::engine::Auth;
use crate::policy::PolicyDocument;
use crate::router::Routes;

/// One handler at one path.
pub(super) struct Served<'r> {
    /// `GET`, or `ANY`.
    pub(super) method: &'r str,
    /// The methods whose requests it gets, in lower case.
    pub(super) methods: Vec<&'static str>,
    /// As axum writes it.
    pub(super) path: String,
    pub(super) handler: &'r str,
    /// Who is let in, in words.
    pub(super) who: String,
    pub(super) policy: PolicyDocument,
    pub(super) written: Option<&'r WrittenOperations>,
}

impl<'r> Served<'r> {
    /// The routes that a document can tell of, in the order in which they were mounted.
    pub(super) fn routes(routes: &'r Routes, auth: &Auth) -> Vec<Self> {
        let operations = || routes.iter().filter(|route| route.is_operation());
        let mut named: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for route in operations().filter(|route| route.method != ANY) {
            let methods = named.entry(place(&route.path)).or_default();
            methods.insert(route.method);
            // `HEAD` goes to the handler of `GET`, also where another is there for any method.
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
                method: route.method,
                methods: methods.collect(),
                path: route.path.clone(),
                handler: route.handler,
                who: route.who(),
                policy: route.policy(auth),
                written: route.written.as_deref(),
            }
        });
        served.collect()
    }

    pub(super) fn is_of_any_method(&self) -> bool {
        self.method == ANY
    }
}

const ANY: &str = "ANY";
