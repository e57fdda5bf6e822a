//! What is served: what a document is made of.

use super::WrittenOperations;
use crate::engine::Auth;
use crate::policy::PolicyDocument;
use crate::routing::Routes;

/// One handler at one path.
pub(super) struct Served<'r> {
    /// `GET`, or `ANY`.
    pub(super) method: &'r str,
    /// As axum writes it.
    pub(super) path: String,
    pub(super) handler: &'r str,
    /// Who is let in, in words.
    pub(super) who: String,
    pub(super) policy: PolicyDocument,
    pub(super) written: Option<&'r WrittenOperations>,
}

impl<'r> Served<'r> {
    /// The routes that a document can tell of.
    pub(super) fn routes(routes: &'r Routes, auth: &Auth) -> Vec<Self> {
        let operations = routes.iter().filter(|route| route.is_operation());
        let served = operations.map(|route| Self {
            method: route.method,
            path: route.path.clone(),
            handler: route.handler,
            who: route.who(),
            policy: route.policy(auth),
            written: route.written.as_deref(),
        });
        served.collect()
    }

    /// Whether it answers requests of this method, which is in lower case.
    pub(super) fn answers(&self, method: &str) -> bool {
        self.method == "ANY" || self.method.eq_ignore_ascii_case(method)
    }
}
