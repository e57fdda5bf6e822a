//! The responses of the token routes, with their cookies.

use std::borrow::Cow;

use axum::extract::OriginalUri;
use axum::http::HeaderValue;
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::response::Response;

use super::{TokenEndpoints, caught};
use crate::catch_panic::catch_panic;
use crate::session::IssuedTokens;
use crate::session::routes::answers::{StandardAnswers, no_store};
use crate::session::routes::{TokenAnswers, TokenFailure, TokenRequest, TokenRoute};

impl<A> TokenEndpoints<A> {
    /// Returns the response with the tokens, as [`log_in`](Self::log_in) does, for a login of the application's own, such
    /// as one with a second factor. Such a handler begins with [`attempt`](Self::attempt), which checks the origin and limits
    /// the attempts: nothing else does.
    ///
    /// With cookies, it ends the sessions that the browser had before, also another user's. If that fails, the session of `tokens` ends,
    /// and the response is 503 without the tokens. Do not send `tokens` in another way too.
    pub async fn respond_with(&self, head: &Parts, tokens: &IssuedTokens) -> Response {
        let former = self.former_sessions(head);
        match caught(self.end_former_sessions(head, former, tokens)).await {
            Ok(()) => self.hand_over(head, TokenRoute::Login, tokens),
            Err(failure) => self.failed(failure, head, TokenRoute::Login),
        }
    }

    pub(super) fn hand_over(&self, head: &Parts, route: TokenRoute, tokens: &IssuedTokens) -> Response {
        self.rendered(head, route, |answers, request| {
            let mut response = answers.tokens(tokens, request);
            if self.sets_cookies() {
                let cookies = self.engine().sessions.cookies.set(tokens, &self.common_path(head));
                cookies.into_iter().for_each(|cookie| set_cookie(&mut response, cookie));
            }
            no_store(response)
        })
    }

    pub(super) fn logged_out(&self, head: &Parts, route: TokenRoute) -> Response {
        self.rendered(head, route, |answers, request| {
            let mut response = answers.logged_out(request);
            self.clear_cookies(head, &mut response);
            no_store(response)
        })
    }

    pub(super) fn failed(&self, failure: TokenFailure, head: &Parts, route: TokenRoute) -> Response {
        self.rendered(head, route, |answers, request| failure.render(answers, request, self.challenge()))
    }

    /// Renders a response. If the application's answers panic, it is 500 in the RFC's form.
    fn rendered(
        &self,
        head: &Parts,
        route: TokenRoute,
        render: impl FnOnce(&dyn TokenAnswers, &TokenRequest<'_>) -> Response,
    ) -> Response {
        let request = TokenRequest { route, delivery: self.config().delivery, head };
        catch_panic(|| render(&*self.config().answers, &request)).unwrap_or_else(|panic| {
            tracing::error!(?route, %panic, "auth: the answer of a token route is 500, because its `TokenAnswers` panicked");
            TokenFailure::Misconfigured.render(&StandardAnswers, &request, None)
        })
    }

    /// The challenge of a 401 (RFC 9110 §15.5.2): the scheme by which the tokens of these routes are sent. Neither opens a dialog of a
    /// browser. `Cookie` is not registered.
    fn challenge(&self) -> Option<HeaderValue> {
        let scheme = if self.sets_cookies() { "Cookie" } else { "Bearer" };
        self.engine().responses.challenge(scheme)
    }

    pub(super) fn clear_cookies(&self, head: &Parts, response: &mut Response) {
        if self.sets_cookies() {
            let path = self.common_path(head);
            self.engine()
                .sessions
                .cookies
                .clear(&path)
                .into_iter()
                .for_each(|cookie| set_cookie(response, cookie));
            let refresh = &self.engine().sessions.cookies.refresh;
            if refresh.find_all(head).count() > 1 && path != "/" {
                // Another cookie may have the path `/`, from before the routes moved to this path.
                set_cookie(response, refresh.clear("/"));
            }
        }
    }

    /// Returns the common path of these routes: the path of this request up to its last `/`.
    pub(super) fn common_path<'r>(&'r self, head: &'r Parts) -> Cow<'r, str> {
        let original =
            head.extensions.get::<OriginalUri>().map_or(head.uri.path(), |original| original.0.path());
        let common = match &self.config().cookie_path {
            Some(path) => path,
            None => original.rsplit_once('/').map_or("", |(common, _)| common),
        };
        // A path parameter holds what the client sent; a character such as `;` would end the attribute of the cookie.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte);
        if common.starts_with('/') && common.bytes().all(plain) { common.into() } else { "/".into() }
    }
}

fn set_cookie(response: &mut Response, cookie: String) {
    if let Ok(value) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}
