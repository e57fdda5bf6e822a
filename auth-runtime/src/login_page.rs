//! The login page that browsers without a login are sent to, with the path that they came for.

mod navigation;
mod return_path;

use axum::http::header::{ACCEPT, LOCATION, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};

pub(crate) use self::return_path::is_path_of_this_origin;
use crate::original_uri::original_uri;

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const X_REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

/// The login page for [`AuthBuilder::redirect_to_login`](crate::AuthBuilder::redirect_to_login): its path, and the parameter that
/// carries the way back. A path as text is a `LoginPage` with the default parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginPage {
    path: String,
    return_parameter: String,
}

impl LoginPage {
    /// The name of the parameter, unless another is set.
    pub(crate) const RETURN_PARAMETER: &str = "return_to";

    /// The login page at this path of the service, as browsers see it. It may have a query.
    pub fn at(path: impl Into<String>) -> Self {
        Self { path: path.into(), return_parameter: Self::RETURN_PARAMETER.into() }
    }

    /// Sets the name of the query parameter that carries the return path. Default `return_to`.
    #[must_use]
    pub fn return_parameter(self, name: impl Into<String>) -> Self {
        Self { return_parameter: name.into(), ..self }
    }

    pub(crate) fn parameter(&self) -> &str {
        &self.return_parameter
    }

    /// The path without its query.
    pub(crate) fn path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// Why it can't be the login page.
    pub(crate) fn objection(&self) -> Option<String> {
        if !is_path_of_this_origin(&self.path) {
            return Some(format!(
                "`redirect_to_login({:?})`: the login page is a path of this service, such as \"/login\": it starts with one `/`, \
                 and has visible ASCII characters, no fragment, and no `.` or `..` as a segment",
                self.path
            ));
        }
        if self.return_parameter.is_empty() {
            return Some(
                "`LoginPage::return_parameter(\"\")`: the parameter that carries the return path needs a name, such as \
                 \"return_to\""
                    .into(),
            );
        }
        None
    }

    /// The redirect of a request that was rejected with 401, if a browser sent it to show a page.
    ///
    /// It is 303 (RFC 9110 §15.4.4): the browser gets the login page by `GET`, also after a form was sent. If the URL has a credential,
    /// it is not the way back: it would be written to further places, and be rejected again.
    pub(crate) fn redirect(&self, head: &Parts, has_credential: bool) -> Option<Response> {
        let asked = original_uri(head);
        // Where the login page itself is rejected, a redirect would never end.
        if !loads_page(head) || asked.path() == self.path() {
            return None;
        }
        let location = HeaderValue::try_from(self.location(&head.method, asked, has_credential)).ok()?;
        let mut response = StatusCode::SEE_OTHER.into_response();
        response.headers_mut().insert(LOCATION, location);
        Some(response)
    }

    /// The login page, with the way back to what a safe request asked for. A form can't be sent again by a link.
    fn location(&self, method: &Method, asked: &Uri, has_credential: bool) -> String {
        let path_and_query = asked.path_and_query().map_or("/", |path| path.as_str());
        let is_no_way_back =
            has_credential || *method == Method::POST || !is_path_of_this_origin(path_and_query);
        self.with(None, (!is_no_way_back).then_some(path_and_query))
    }

    /// The login page, with the reason why a login failed, and the way back.
    pub(crate) fn with(&self, error: Option<&str>, return_to: Option<&str>) -> String {
        let parameters = [("error", error), (&self.return_parameter, return_to)];
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters.into_iter().filter_map(|(name, value)| Some((name, value?))));
        let query = query.finish();
        if query.is_empty() {
            return self.path.clone();
        }
        let separator = if self.path.contains('?') { '&' } else { '?' };
        format!("{}{separator}{query}", self.path)
    }
}

impl From<&str> for LoginPage {
    fn from(path: &str) -> Self {
        Self::at(path)
    }
}

impl From<String> for LoginPage {
    fn from(path: String) -> Self {
        Self::at(path)
    }
}

/// Whether a browser sent the request to show what is answered.
pub(crate) fn loads_page(head: &Parts) -> bool {
    navigation::is_page_load(head)
}

/// Adds what decided whether the answer is a redirect.
pub(crate) fn add_vary(response: &mut Response) {
    for name in [ACCEPT, SEC_FETCH_MODE, SEC_FETCH_DEST, X_REQUESTED_WITH] {
        response.headers_mut().append(VARY, name.into());
    }
}
