//! The pages: plain HTML, with forms that work without a script.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use auth_runtime::ReturnTo;
use auth_runtime::rejection::Rejection;
use auth_runtime::revocation::RevocationStatus;
use auth_runtime::session::{Session, SessionList};
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};

use crate::settings::Instance;

/// The form, with what the last attempt has failed with, and where it leads.
pub(crate) fn log_in(instance: &Instance, failed: Option<&str>, return_to: &ReturnTo) -> Html<String> {
    let message = failed
        .map_or_else(String::new, |error| format!(r#"<p role="alert">{}</p>"#, escaped(message(error))));
    let return_to = return_to.to_html();
    let form = format!(
        r#"
        <form class="login" method="post" action="/auth/login">
          <input type="hidden" name="return_to" value="{return_to}">
          <label for="username">Name</label>
          <input id="username" name="username" autocomplete="username" autocapitalize="none" required autofocus>
          <label for="password">Password</label>
          <input id="password" name="password" type="password" autocomplete="current-password" required>
          <button>Log in</button>
        </form>"#
    );
    page("Log in", &format!("{}{message}{form}", answered_by(instance)))
}

/// The sessions of a user, if the store could list them, and the state of this instance.
pub(crate) fn sessions(
    instance: &Instance,
    user: &str,
    listed: Option<&SessionList>,
    status: &RevocationStatus,
) -> Html<String> {
    let sessions = listed.map_or_else(
        || r#"<p role="alert">The store does not answer, so the sessions can't be listed.</p>"#.to_owned(),
        |listed| table(listed, SystemTime::now()),
    );
    let body = format!(
        r#"{answered_by}
      <div class="forms">
        <form method="post" action="/auth/logout"><button>Log out here</button></form>
        <form method="post" action="/auth/logout-everywhere"><button class="quiet">Log out everywhere</button></form>
      </div>
      <h2>Your sessions</h2>
      {sessions}
      <h2>What this instance knows</h2>
      {state}"#,
        answered_by = answered_by(instance),
        state = state(status),
    );
    page(&format!("Hello, {user}"), &body)
}

fn answered_by(instance: &Instance) -> String {
    let (name, other) = (escaped(&instance.name), escaped(&instance.other));
    format!(
        r#"<p>Instance <strong id="instance">{name}</strong> answers, at port {}. <a id="other" href="{other}">Ask the other instance</a></p>"#,
        instance.port
    )
}

fn table(listed: &SessionList, now: SystemTime) -> String {
    let mut html = String::from(
        r#"<table>
        <thead><tr><th scope="col">Session</th><th scope="col">Began</th><th scope="col">Last renewed</th><th scope="col">End it</th></tr></thead>
        <tbody>"#,
    );
    for session in &listed.sessions {
        row(&mut html, session, now);
    }
    html.push_str("</tbody></table>");
    if listed.not_listed > 0 {
        let _ = write!(html, "<p>{} more are not listed.</p>", listed.not_listed);
    }
    html
}

fn row(html: &mut String, session: &Session, now: SystemTime) {
    // The browser has sent the label, so it can be any text.
    let label = escaped(session.label.as_deref().unwrap_or("not known"));
    let (began, renewed) = (ago(session.started_at, now), ago(session.last_refreshed_at, now));
    let end = if session.is_current {
        "this session".to_owned()
    } else {
        let id = escaped(&session.id);
        format!(
            r#"<form method="post" action="/sessions/{id}/end"><button class="quiet">End</button></form>"#
        )
    };
    let _ = write!(
        html,
        r#"<tr><td>{label}</td><td data-label="Began">{began}</td><td data-label="Last renewed">{renewed}</td><td>{end}</td></tr>"#
    );
}

/// The view of revocations, which every request asks. The requests do not wait for the store.
fn state(status: &RevocationStatus) -> String {
    let mut html = String::from("<dl>");
    let mut line = |name: &str, value: &str| {
        let _ = write!(html, "<dt>{name}</dt><dd>{}</dd>", escaped(value));
    };
    line("Ready", if status.ready { "yes" } else { "no" });
    let age =
        status.age.map_or_else(|| "never read".to_owned(), |age| format!("read {} ms ago", age.as_millis()));
    line("Log of revocations", &age);
    line("Position in the log", &status.cursor.to_string());
    line("Revocations in memory", &format!("{}, in {} bytes", status.entries, status.bytes));
    line("Other histories of the store", &status.other_histories.to_string());
    if let Some(ms) = status.store_ahead_ms {
        let direction = if ms < 0 { "behind" } else { "ahead of" };
        line("Clock of the store", &format!("{} ms {direction} this one", ms.unsigned_abs()));
    }
    if let Some(failure) = &status.failure {
        line("Failure", failure);
    }
    html.push_str("</dl>");
    html
}

/// How long ago that was. The clocks of the instances can differ a little.
fn ago(time: SystemTime, now: SystemTime) -> String {
    match now.duration_since(time).unwrap_or(Duration::ZERO).as_secs() {
        seconds @ 0..60 => format!("{seconds} s ago"),
        seconds @ 60..3600 => format!("{} min ago", seconds / 60),
        seconds => format!("{} h ago", seconds / 3600),
    }
}

/// What the library says in the query of the login page when a login has failed.
fn message(error: &str) -> &'static str {
    match error {
        "invalid_grant" | "invalid_request" => "Wrong name or password.",
        "temporarily_unavailable" => "That is too much just now. Wait a minute, then try again.",
        _ => "That did not work just now. Please try again.",
    }
}

/// The answer to a rejected request that is not sent to the form: a page for a browser, and for other programs the standard answer.
pub(crate) fn rejected(rejection: &Rejection, head: &Parts) -> Response {
    let accept = head.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let is_browser = accept.is_some_and(|accept| accept.to_ascii_lowercase().contains("text/html"));
    if is_browser { problem(rejection.status()) } else { rejection.problem() }
}

/// A rejection, in words.
pub(crate) fn problem(status: StatusCode) -> Response {
    let (title, text) = match status {
        StatusCode::FORBIDDEN => ("Not allowed", "You may not do this here."),
        StatusCode::SERVICE_UNAVAILABLE => {
            ("Just a moment", "This does not work right now. Please try again.")
        }
        _ => ("That did not work", "Please go back and try again."),
    };
    let body = format!(r#"<p>{text}</p><nav><a href="/">Back to the start</a></nav>"#);
    (status, page(title, &body)).into_response()
}

/// For every answer: only this service's own styles, no scripts, no frames, and no page from a cache after the logout.
pub(crate) async fn with_security_headers(mut response: Response) -> Response {
    const POLICY: &str =
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
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

/// A page of this title, which is text, and this body, which is HTML.
fn page(title: &str, body: &str) -> Html<String> {
    let title = escaped(title);
    Html(format!(
        r#"<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>{title}</title>
    <link rel="stylesheet" href="/style.css">
  </head>
  <body>
    <main>
      <h1>{title}</h1>
      {body}
    </main>
  </body>
</html>
"#
    ))
}

/// Text as HTML that shows it, in an element or in a quoted attribute.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(character),
        }
    }
    html
}
