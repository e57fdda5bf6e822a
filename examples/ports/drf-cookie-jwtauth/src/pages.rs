//! The pages: the reading list with its login form, and the staff's.

use auth_runtime::routing::get;
use auth_runtime::{Router, auth};
use axum::http::HeaderValue;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Response};

use crate::app::{App, STAFF};

#[auth(public)]
async fn list() -> Html<&'static str> {
    Html(include_str!("pages/list.html"))
}

/// The sessions of all users, and what was revoked. A browser whose login is too old is sent to the form.
#[auth(rule = STAFF)]
async fn staff() -> Html<&'static str> {
    Html(include_str!("pages/staff.html"))
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

#[auth(public)]
async fn page_script() -> impl IntoResponse {
    ([(CONTENT_TYPE, SCRIPT)], include_str!("pages/page.js"))
}

#[auth(public)]
async fn list_script() -> impl IntoResponse {
    ([(CONTENT_TYPE, SCRIPT)], include_str!("pages/list.js"))
}

#[auth(public)]
async fn staff_script() -> impl IntoResponse {
    ([(CONTENT_TYPE, SCRIPT)], include_str!("pages/staff.js"))
}

#[auth(public)]
async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("pages/style.css"))
}

/// Only this service's own scripts, styles and connections, and no page from a cache. Links lead elsewhere without saying from where.
async fn with_security_headers(mut response: Response) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(list))
        .route("/staff", get(staff))
        .route("/page.js", get(page_script))
        .route("/list.js", get(list_script))
        .route("/staff.js", get(staff_script))
        .route("/style.css", get(style))
        .layer(map_response(with_security_headers))
}
