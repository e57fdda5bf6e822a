//! The pages: plain HTML, with forms that work without a script.

use auth_runtime::Principal;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::notes::Note;
use crate::users::Account;
use crate::visit::{Theme, Visit};

/// A whole page.
#[derive(Debug)]
pub(crate) struct Page(String);

/// Only this service's own styles, no scripts, no frames, and no page from a cache after the logout.
const HEADERS: [(HeaderName, &str); 5] = [
    (CONTENT_TYPE, "text/html; charset=utf-8"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
    (CACHE_CONTROL, "no-store"),
];

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        (HEADERS, self.0).into_response()
    }
}

/// The login form, with what went wrong with the last attempt, and where it leads.
pub(crate) fn log_in(error: Option<&str>, return_to: &str) -> Page {
    let alert = alert(error.map(|error| match error {
        "invalid_grant" | "invalid_request" => "Wrong name or password.",
        "temporarily_unavailable" => "That is too much just now. Wait a minute, then try again.",
        _ => "That did not work just now. Please try again.",
    }));
    let return_to = format!(r#"<input type="hidden" name="return_to" value="{}">"#, escaped(return_to));
    let form = credentials_form("/auth/login", "current-password", "Log in", &return_to);
    page("Log in", Theme::Light, &format!(r#"{alert}{form}<nav><a href="/signup">Make an account</a></nav>"#))
}

/// The form for a new account.
pub(crate) fn sign_up(error: Option<&str>) -> Page {
    let alert = alert(error.map(|error| match error {
        "taken" => "Somebody has this name. Choose another one.",
        _ => "A name has up to 32 of a to z, 0 to 9 and -. A password has no control characters.",
    }));
    let form = credentials_form("/signup", "new-password", "Make the account", "");
    page("Make an account", Theme::Light, &format!(r#"{alert}{form}<nav><a href="/login">Log in</a></nav>"#))
}

/// The notes of a user. Those after the last one that the session has shown are new.
pub(crate) fn dashboard(user: &Principal, Visit { theme, seen }: Visit, notes: &[Note]) -> Page {
    let item = |note: &Note| {
        let mark = if note.id > seen { r#"<strong class="new">new</strong> "# } else { "" };
        format!("<li>{mark}<span>{}</span></li>", escaped(&note.text))
    };
    let notes: String = notes.iter().map(item).collect();
    let (other, label) = match theme {
        Theme::Light => ("dark", "Dark theme"),
        Theme::Dark => ("light", "Light theme"),
    };
    let staff = if user.has_role("admin") { r#"<nav><a href="/admin/users">Accounts</a></nav>"# } else { "" };
    let body = format!(
        r#"{staff}<ul>{notes}</ul>
        <form method="post" action="/dashboard/theme"><button class="quiet" name="theme" value="{other}">{label}</button></form>
        <form method="post" action="/auth/logout"><button>Log out</button></form>"#
    );
    let name = user.claim("name").and_then(|name| name.as_str()).unwrap_or_default();
    page(&format!("Welcome, {name}"), theme, &body)
}

/// All accounts, for admins.
pub(crate) fn accounts(accounts: &[Account]) -> Page {
    let row = |account: &Account| {
        let (name, role) = (escaped(&account.username), escaped(&account.role));
        format!("<tr><td>{name}</td><td>{role}</td></tr>")
    };
    let rows: String = accounts.iter().map(row).collect();
    let table = format!("<table><tr><th>Name</th><th>Role</th></tr>{rows}</table>");
    page("Accounts", Theme::Light, &format!("{table}{BACK}"))
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
    (status, page(title, Theme::Light, &format!("<p>{text}</p>{BACK}"))).into_response()
}

const BACK: &str = r#"<nav><a href="/dashboard">Back to the dashboard</a></nav>"#;

fn credentials_form(action: &str, password: &str, button: &str, hidden: &str) -> String {
    format!(
        r#"
        <form method="post" action="{action}">
          {hidden}
          <label for="username">Name</label>
          <input id="username" name="username" autocomplete="username" autocapitalize="none" required autofocus>
          <label for="password">Password</label>
          <input id="password" name="password" type="password" autocomplete="{password}" required>
          <button>{button}</button>
        </form>"#
    )
}

fn alert(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!(r#"<p role="alert">{text}</p>"#))
}

/// A page of this title, which is text, and this body, which is HTML.
fn page(title: &str, theme: Theme, body: &str) -> Page {
    let title = escaped(title);
    let theme = match theme {
        Theme::Light => "light",
        Theme::Dark => "dark",
    };
    Page(format!(
        r#"<!doctype html>
<html lang="en" data-theme="{theme}">
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
