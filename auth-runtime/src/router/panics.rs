//! Panics for invalid paths. Without them axum would panic later, with the name of another method or a line in axum.
#![allow(clippy::panic, reason = "axum's router panics while it is built, and so does this one")]

/// A router is not a service of one path: its routes would be matched with the whole path.
#[track_caller]
pub(super) fn route_service_of_a_router(path: &str) -> ! {
    panic!(
        "Invalid route {path:?}: `route_service` takes no `axum::Router`. Use `nest_service({path:?}, (router, rule!(..)))` to put \
         a rule beside it, or build it with `auth_runtime::Router` and use `nest`"
    );
}

/// Below which paths axum nests.
#[track_caller]
pub(super) fn unless_nestable(method: &str, path: &str, has_v07_checks: bool) {
    let is_service = method == "nest_service";
    if path.is_empty() || path == "/" {
        let instead = if is_service {
            "Use `fallback_service((service, rule!(..)))`, or `route_service` at \"/\" and at \"/{*path}\""
        } else {
            "Use `merge`"
        };
        panic!("Invalid path {path:?}: `{method}` can't be used at the root. {instead}");
    }
    if !path.starts_with('/') {
        panic!("Invalid path {path:?}: a path that is given to `{method}` must start with `/`");
    }
    let is_wildcard =
        |segment: &str| segment.starts_with("{*") && segment.ends_with('}') && !segment.ends_with("}}");
    if path.split('/').any(is_wildcard) {
        let instead = if is_service {
            "It takes all that is below its path anyway; `route_service` takes a wildcard"
        } else {
            "It takes all that is below its path anyway"
        };
        panic!("Invalid path {path:?}: a path that is given to `{method}` can't have a wildcard. {instead}");
    }
    if has_v07_checks && let Some(old) = path.split('/').find(|segment| segment.starts_with([':', '*'])) {
        panic!(
            "Invalid path {path:?}: the segment `{old}` starts with `:` or `*`. For a parameter write `{{name}}`; to match the \
             segment literally, call `without_v07_checks` on the router"
        );
    }
}
