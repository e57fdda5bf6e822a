//! The list of what a router serves, and the check of it against an engine.

use std::sync::Arc;

use super::guarded_router::Router;
use super::path::join;
use super::resolve::{Entry, Kind, Surroundings};
use super::routes::{RouteInfo, Routes};
use crate::engine::Auth;
use crate::error::{ConfigErrors, RoutesError};
use crate::policy::Rule;

/// What is run once a router is finished, with its routes and the engine that serves them.
pub(super) type Hook = Box<dyn FnOnce(&Routes, &Auth) + Send + Sync>;

impl<S> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// All routes, with what they ask for.
    #[must_use]
    pub fn routes(&self) -> Routes {
        let routes = self.entries.iter().flat_map(|entry| self.infos(entry)).collect();
        Routes { routes, declared: self.declared_rules() }
    }

    /// Checks every route against the engine and makes an `axum::Router` of them, connected to the engine: [`Auth::layer`] is not needed.
    ///
    /// # Errors
    /// [`RoutesError`], which lists every route that the engine can't serve: one that names a source the engine
    /// lacks, compares a claim with a parameter its path lacks, takes a token from the URL for a method that
    /// changes state, or is the login page that browsers are redirected to and needs a login. And every rule that is declared and
    /// can't be decided outside of a request, and whatever keeps the routes from being the [protected
    /// resource](Self::protected_resource) that they are declared to be.
    pub fn finish(self, auth: &Auth) -> Result<axum::Router<S>, RoutesError> {
        let mut finished = self.with_requirements();
        let mut errors = ConfigErrors::default();
        let mounted_at = finished.mounted_at.clone();
        let around = Surroundings {
            engine: auth.engine(),
            prefix: &mounted_at,
            metadata_url: finished.metadata_url(),
            is_layered: finished.needs_layer,
        };
        for entry in &finished.entries {
            entry.resolve(&around, &mut errors);
        }
        finished.resolve_declared(auth.engine(), &mut errors);
        let index = Arc::new(finished.index());
        if errors.is_empty() {
            finished.resolve_other_methods(&around, &mut errors);
        }
        finished.check_protected_resource(auth.engine(), &mut errors);
        if let Some(page) = &auth.engine().responses.login_page {
            finished.check_login_page(page, &mut errors);
        }
        errors.check::<RoutesError>()?;
        let hooks = std::mem::take(&mut finished.hooks);
        if !hooks.is_empty() {
            let routes = finished.routes();
            hooks.into_iter().for_each(|hook| hook(&routes, auth));
        }
        // Otherwise each route does by itself what the layer does, and nothing is between the two.
        Ok(if finished.needs_layer {
            finished.inner.layer(auth.layer().around(index))
        } else {
            finished.inner
        })
    }

    /// Runs this once the router, or the one around it, was checked against an engine.
    pub(crate) fn on_finish(mut self, hook: impl FnOnce(&Routes, &Auth) + Send + Sync + 'static) -> Self {
        self.hooks.push(Box::new(hook));
        self
    }

    /// The same, with what this router requires put in front of what is required of each route already.
    pub(super) fn with_requirements(mut self) -> Self {
        for entry in &mut self.entries {
            entry.required.splice(0..0, self.required.iter().copied());
        }
        self.required.clear();
        self
    }

    /// The lines of the list for one entry.
    fn infos(&self, entry: &Entry) -> Vec<RouteInfo> {
        #[cfg(feature = "openapi")]
        let (opens_web_socket, takes_session_data) = match &entry.kind {
            Kind::Guarded(route) => (route.opens_web_socket(), route.takes_session_data()),
            Kind::Unguarded(_) | Kind::Empty => (None, None),
        };
        let (handler, check, unguarded) = match &entry.kind {
            Kind::Guarded(route) => (route.handler.name, route.check, false),
            Kind::Unguarded(_) => ("[dangerously_merge_unguarded]", None, true),
            Kind::Empty => return Vec::new(),
        };
        let rules: Vec<Rule> = self.required.iter().copied().chain(entry.rules()).collect();
        #[cfg(feature = "openapi")]
        let docs = entry.docs.as_ref().map(|docs| docs.under(&rules));
        let infos = entry.methods.labels().iter().map(|method| RouteInfo {
            method,
            path: join(&self.mounted_at, &entry.path),
            handler,
            rules: rules.clone(),
            check,
            unguarded,
            hides_scopes: entry.hides_scopes,
            #[cfg(feature = "openapi")]
            opens_web_socket,
            #[cfg(feature = "openapi")]
            takes_session_data,
            #[cfg(feature = "openapi")]
            docs: docs.clone(),
        });
        infos.collect()
    }
}
