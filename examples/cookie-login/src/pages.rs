//! The pages: plain HTML, with forms that work without a script.

use auth_runtime::{Principal, ReturnTo};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};

/// The form, with what went wrong with the last attempt, and where it leads.
pub(crate) fn log_in(message: Option<&str>, return_to: &ReturnTo) -> Html<String> {
    let message =
        message.map_or_else(String::new, |text| format!(r#"<p role="alert">{}</p>"#, escaped(text)));
    let return_to = return_to.to_html();
    let form = format!(
        r#"
        <form method="post" action="/auth/login">
          <input type="hidden" name="return_to" value="{return_to}">
          <label for="username">Name</label>
          <input id="username" name="username" autocomplete="username" autocapitalize="none" required autofocus>
          <label for="password">Password</label>
          <input id="password" name="password" type="password" autocomplete="current-password" required>
          <label class="choice"><input id="remember" name="remember" type="checkbox"> Keep me logged in</label>
          <button>Log in</button>
        </form>"#
    );
    page("Log in", &format!("{message}{form}"))
}

/// The start page of a user.
pub(crate) fn home(name: &str) -> Html<String> {
    let body = r#"
        <nav><a href="/account">Your account</a> <a href="/admin">Administration</a></nav>
        <form method="post" action="/auth/logout"><button>Log out</button></form>
        <form method="post" action="/auth/logout-everywhere"><button class="quiet">Log out everywhere</button></form>"#;
    page(&format!("Hello, {name}"), body)
}

/// The name and the roles in the token.
pub(crate) fn account(user: &Principal) -> Html<String> {
    let roles: Vec<_> = user.roles().collect();
    let roles = if roles.is_empty() { "none".to_owned() } else { roles.join(", ") };
    let (name, roles) = (escaped(user.subject()), escaped(&roles));
    page(
        "Your account",
        &format!("<dl><dt>Name</dt><dd>{name}</dd><dt>Roles</dt><dd>{roles}</dd></dl>{BACK}"),
    )
}

/// For admins.
pub(crate) fn admin(name: &str) -> Html<String> {
    page("Administration", &format!("<p>{} is an admin.</p>{BACK}", escaped(name)))
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
    (status, page(title, &format!("<p>{text}</p>{BACK}"))).into_response()
}

const BACK: &str = r#"<nav><a href="/">Back to the start</a></nav>"#;

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

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_shown_is_text() {
        let name = r#"<b onclick="x('&')">bob</b>"#;
        let shown = "&lt;b onclick=&quot;x(&#39;&amp;&#39;)&quot;&gt;bob&lt;/b&gt;";
        for page in
            [super::home(name), super::admin(name), super::log_in(Some(name), &super::ReturnTo::default())]
        {
            assert!(page.0.contains(shown) && !page.0.contains("<b "), "{}", page.0);
        }
    }
}
