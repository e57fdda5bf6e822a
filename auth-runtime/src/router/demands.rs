//! What a route of this library demands of where it is mounted. `finish` reports what is not so: otherwise each request would be answered
//! with an error, or change state where a page of any site can send it.

use std::sync::Arc;

use super::path::parameters;
use super::served_methods::ServedMethods;
use crate::engine::Engine;
use crate::method::is_safe_name;
use crate::policy::Access;

/// What a route demands. A handler of the application's demands nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Demands {
    /// The engine that its router is finished with.
    pub(crate) engine: Option<Arc<Engine>>,
    /// The parameters that its path must have.
    pub(crate) parameters: &'static [&'static str],
    /// No safe method may reach it: a browser sends such a request, with its cookies, for a page of any site.
    pub(crate) changes_state: bool,
    /// Its rules must require a caller.
    pub(crate) knows_caller: bool,
    /// Why it can't be mounted as it is.
    pub(crate) objection: Option<&'static str>,
    /// The path of the cookie that it reads, where the application chooses both.
    pub(crate) cookie_path: Option<String>,
}

/// Where a route is mounted.
pub(super) struct Place<'p> {
    pub(super) engine: &'p Arc<Engine>,
    pub(super) methods: &'p ServedMethods,
    pub(super) path: &'p str,
    /// What all of its rules make of its callers.
    pub(super) access: Access,
}

impl Demands {
    /// Whatever the place lacks goes to `wrong`.
    pub(super) fn check(&self, place: &Place<'_>, wrong: &mut impl FnMut(String)) {
        if let Some(objection) = self.objection {
            return wrong(objection.to_owned());
        }
        if self.engine.as_ref().is_some_and(|engine| !Arc::ptr_eq(engine, place.engine)) {
            wrong(
                "it belongs to another engine, whose revocations nothing here would enforce: pass the same `Auth` to `finish` that its \
                 `TokenService` is of"
                    .into(),
            );
        }
        let safe: Vec<&str> = match place.methods {
            ServedMethods::Named(names) => names.iter().copied().filter(|name| is_safe_name(name)).collect(),
            _ => Vec::new(),
        };
        if self.changes_state && !safe.is_empty() {
            wrong(format!(
                "it changes state, and a page of any site can make a browser send {}: mount it with POST, PUT, PATCH or DELETE",
                safe.join(" and ")
            ));
        }
        let present = parameters(place.path);
        for name in self.parameters.iter().filter(|name| !present.contains(name)) {
            wrong(format!(
                "it reads `{{{name}}}` from its path, which has {}: put `{{{name}}}` into the path",
                if present.is_empty() {
                    "no parameter".to_owned()
                } else {
                    format!("only {}", present.join(", "))
                }
            ));
        }
        if self.knows_caller && place.access != Access::Authenticated {
            wrong(
                "its rule lets in anonymous callers, and it must know its caller: write a rule that names who may call it, such as \
                 `rule!(roles = [\"admin\"])`"
                    .into(),
            );
        }
        self.check_cookie_path(place);
    }

    /// No error, because a proxy may change the path that browsers see.
    fn check_cookie_path(&self, place: &Place<'_>) {
        let Some(cookie_path) = &self.cookie_path else { return };
        if !is_sent(cookie_path, place.path) {
            let path = place.path;
            tracing::warn!(
                path,
                cookie_path,
                "auth: browsers do not send the refresh cookie to this token route, because its path is outside of that of the cookie: mount it \
                 below, or set `TokenRoutes::cookie_path` to a path that contains login, refresh and logout. If a proxy changes paths, and \
                 browsers see this route below the path of the cookie, all is well"
            );
        }
    }
}

/// Whether a browser sends a cookie of this path to a route (RFC 6265bis §5.1.4). A parameter of the route may be anything.
fn is_sent(cookie_path: &str, route: &str) -> bool {
    let mut segments = route.split('/');
    cookie_path
        .trim_end_matches('/')
        .split('/')
        .all(|of_cookie| segments.next().is_some_and(|segment| segment == of_cookie || segment.contains('{')))
}

#[cfg(test)]
mod tests {
    use super::is_sent;

    #[test]
    fn a_cookie_is_sent_to_what_is_below_its_path() {
        for (cookie_path, route, expected) in [
            ("/", "/", true),
            ("/", "/login", true),
            ("/auth", "/auth", true),
            ("/auth", "/auth/refresh", true),
            ("/auth", "/author/refresh", false),
            ("/auth", "/login", false),
            ("/auth", "/", false),
            ("/auth/web", "/auth/refresh", false),
            ("/org/acme/auth", "/org/{tenant}/auth/refresh", true),
            ("/org/acme/auth", "/org/{tenant}/refresh", false),
        ] {
            assert_eq!(is_sent(cookie_path, route), expected, "{cookie_path} {route}");
        }
    }
}
