//! The way back from the login page.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Deserializer};

use crate::login_page::{LoginPage, is_path_of_this_origin};
use crate::pipeline::RequestAuth;

/// Where a login leads back to: a path of this service, which [`redirect_to_login`](crate::AuthBuilder::redirect_to_login) put into
/// the query of the login page. An attacker may have made the link to the login page, so nothing but a path is accepted: no other origin,
/// in no spelling that a browser understands. In place of anything else, and where there is none, it is `/`.
///
/// The page reads it from its query and puts it into its form. The [ready login](crate::session::routes) with cookies takes it from there,
/// and sends the browser back. So does a login of yours:
///
/// ```
/// use auth_runtime::{ReturnTo, SameOrigin, auth};
/// use axum::Form;
/// use axum::response::{Html, IntoResponse};
///
/// #[auth(public)]
/// async fn login_page(return_to: ReturnTo) -> Html<String> {
///     Html(format!(
///         r#"<form method="post"><input type="hidden" name="return_to" value="{}">..</form>"#,
///         return_to.to_html()
///     ))
/// }
///
/// #[derive(serde::Deserialize)]
/// struct Login {
///     name: String,
///     password: String,
///     #[serde(default)]
///     return_to: ReturnTo,
/// }
///
/// #[auth(public)]
/// async fn log_in(_: SameOrigin, Form(login): Form<Login>) -> impl IntoResponse {
///     // .. the password is right, and the answer sets the cookie
///     login.return_to
/// }
/// ```
///
/// As an argument of a handler, `Option<ReturnTo>` is `None` where there is no path that is accepted: for a start page other than `/`.
/// As a response it is a redirect (303).
///
/// Accepted is what starts with one `/`, has at most 2,048 bytes of visible ASCII, and neither `\`, `"`, `<`, `>` nor a fragment. Of
/// its path, also percent-decoded as often as that changes it, none starts with `//`, or has a backslash, a control character, or `.`
/// or `..` as a segment. Of the query nothing more is asked: a page that redirects by its own query checks that itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReturnTo(Cow<'static, str>);

impl ReturnTo {
    /// The path, if it is one of this service and nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_path_of_this_origin(text).then(|| Self(text.to_owned().into()))
    }

    /// The path, with its query.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same for the quoted value of an HTML attribute: with `&` and `'` as references.
    #[must_use]
    pub fn to_html(&self) -> String {
        // It has no other character with a meaning in HTML.
        self.0.replace('&', "&amp;").replace('\'', "&#39;")
    }

    /// What the query has under the name that the engine's login page gives it.
    pub(crate) fn in_query(head: &Parts) -> Option<Self> {
        Self::among(head.uri.query().unwrap_or_default().as_bytes(), head)?
    }

    /// What these encoded pairs have under the name that the engine's login page gives it; the inner `None` is a text that is not
    /// accepted, or one of several.
    pub(crate) fn among(pairs: &[u8], head: &Parts) -> Option<Option<Self>> {
        let auth = RequestAuth::of(head);
        let page = auth.and_then(|auth| auth.engine().responses.login_page.as_ref());
        let name = page.map_or(LoginPage::RETURN_PARAMETER, LoginPage::parameter);
        let mut values = form_urlencoded::parse(pairs).filter(|(key, _)| key == name);
        let (_, path) = values.next()?;
        Some(if values.next().is_none() { Self::parse(&path) } else { None })
    }
}

/// `/`
impl Default for ReturnTo {
    fn default() -> Self {
        Self(Cow::Borrowed("/"))
    }
}

impl fmt::Display for ReturnTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl IntoResponse for ReturnTo {
    fn into_response(self) -> Response {
        Redirect::to(&self.0).into_response()
    }
}

/// A text that is not accepted is `/`: the login is right, wherever a link wanted it to lead.
impl<'de> Deserialize<'de> for ReturnTo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Self::parse(&text).unwrap_or_default())
    }
}

impl<S: Sync> FromRequestParts<S> for ReturnTo {
    type Rejection = Infallible;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::in_query(head).unwrap_or_default())
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for ReturnTo {
    type Rejection = Infallible;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(Self::in_query(head))
    }
}
