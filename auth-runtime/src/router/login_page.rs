//! The check that browsers are not redirected to a login page that redirects them again.

use super::guarded_router::Router;
use super::path::join;
use super::resolve::{Entry, Kind};
use super::served_methods::ServedMethods;
use super::{BELOW, FALLBACK, UNKNOWN, effective};
use crate::error::ConfigErrors;
use crate::login_page::LoginPage;
use crate::policy::Access;

impl<S> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Reports the routes that answer `GET` at the path of the login page and need a login.
    pub(super) fn check_login_page(&self, page: &LoginPage, errors: &mut ConfigErrors) {
        let Some(path) = self.path_at(page.path()) else { return };
        let is_at = |entry: &&Entry| entry.path == path && serves_get(&entry.methods);
        for entry in self.entries.iter().filter(is_at) {
            let Kind::Guarded(route) = &entry.kind else { continue };
            if effective::access(&entry.rules()) == Access::Authenticated {
                let (methods, path) = (entry.methods.labels().join("|"), join(&self.mounted_at, &entry.path));
                errors.push(format!(
                    "{methods} {path} ({}): `redirect_to_login` sends browsers without a login here, and the rule needs a login: \
                     write `#[auth(public)]`, or name another page",
                    route.handler
                ));
            }
        }
    }

    /// The path of the route that a request to `path` matches, as the list has it.
    fn path_at(&self, path: &str) -> Option<&str> {
        let mut routes = matchit::Router::new();
        for entry in &self.entries {
            if entry.path.ends_with(FALLBACK) || entry.path.ends_with(UNKNOWN) {
                continue;
            }
            let pattern = join(&self.mounted_at, &entry.path);
            let below = pattern.strip_suffix(BELOW).map(|prefix| format!("{prefix}/{{*below}}"));
            // A path with several methods is there already.
            let _ = routes.insert(below.unwrap_or(pattern), entry.path.as_str());
        }
        // Without a match it may be a page of another router, so a fallback that needs a login is no error.
        routes.at(path).ok().map(|found| *found.value)
    }
}

/// Whether a browser gets the page from this route.
fn serves_get(methods: &ServedMethods) -> bool {
    match methods {
        ServedMethods::Named(names) => names.contains(&"GET"),
        _ => true,
    }
}
