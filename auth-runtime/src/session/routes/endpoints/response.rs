//! The responses of the token routes, with their cookies.

use std::borrow::Cow;

use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;

use super::{TokenEndpoints, caught, failure};
use crate::catch_panic::catch_panic;
use crate::original_uri::original_uri;
use crate::session::IssuedTokens;
use crate::session::routes::answers::{StandardAnswers, no_store};
use crate::session::routes::{TokenAnswers, TokenFailure, TokenRequest, TokenRoute};
use crate::source::{CookieTooLarge, is_cookie_path};

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

impl<A> TokenEndpoints<A> {
    /// Returns the response with tokens that the application has issued itself, for a login of its own. Where it has a user and no
    /// tokens yet, [`log_in_as`](Self::log_in_as) does more: it checks the size of the tokens before it records a session, and counts
    /// no former session among the user's that are too many.
    ///
    /// With cookies, it ends the sessions that the browser had before, also another user's. If that fails, or if browsers would drop a
    /// cookie of these tokens, the session of `tokens` ends, and the response is 503 or 500, without the tokens, and clears both
    /// cookies. Do not send `tokens` in another way too.
    pub async fn respond_with(&self, head: &Parts, tokens: &IssuedTokens) -> Response {
        match caught(self.replace_session(head, tokens)).await {
            Ok(()) => self.hand_over(head, TokenRoute::Login, tokens),
            Err(failure) => self.not_logged_in(failure, head),
        }
    }

    /// Checks that the tokens fit into the cookies, and ends the sessions that the browser had before.
    async fn replace_session(&self, head: &Parts, tokens: &IssuedTokens) -> Result<(), TokenFailure> {
        let service = self.tokens_for(head);
        if let Err(error) = self.cookies().map_or(Ok(()), |cookies| cookies.check_size(tokens)) {
            service.discard(&tokens.session_id).await;
            tracing::error!(%error, "auth: no tokens are sent");
            return Err(failure(&error.into()));
        }
        let ended = service.end_former(self.former_sessions(head), &tokens.session_id).await;
        ended.map_err(|error| failure(&error))
    }

    /// Returns the response with the tokens.
    pub(super) fn hand_over(&self, head: &Parts, route: TokenRoute, tokens: &IssuedTokens) -> Response {
        let cookies = match self.set_cookies(head, route, tokens) {
            Ok(cookies) => cookies,
            Err(error) => return self.failed(failure(&error.into()), head, route),
        };
        let mut is_rendered = false;
        let mut response = self.rendered(head, route, |answers, request| {
            let mut response = answers.tokens(tokens, request);
            cookies.into_iter().for_each(|cookie| set_cookie(&mut response, cookie));
            is_rendered = true;
            no_store(response)
        });
        if !is_rendered && route == TokenRoute::Login {
            self.clear_cookies(head, route, &mut response);
        }
        response
    }

    /// The `Set-Cookie` values that give the tokens to a browser, after those that clear what would be sent besides them.
    fn set_cookies(
        &self,
        head: &Parts,
        route: TokenRoute,
        tokens: &IssuedTokens,
    ) -> Result<Vec<String>, CookieTooLarge> {
        let Some(cookies) = self.cookies() else { return Ok(Vec::new()) };
        let path = self.common_path(head, route);
        let mut all = if route == TokenRoute::Login { cookies.clear_others(&path) } else { Vec::new() };
        if cookies.refresh.find_all(head).next().is_some() {
            // It may be one of another path, which the new one does not replace: at the next refresh, both would be sent.
            all.extend(cookies.refresh.clear_other_paths(head, &path));
        }
        all.extend(cookies.set(tokens, &path)?);
        Ok(all)
    }

    /// Returns the response to a login whose credentials are right, and that has no tokens. It clears both cookies: the browser
    /// may hold those of another user, who would still be logged in.
    pub(super) fn not_logged_in(&self, failure: TokenFailure, head: &Parts) -> Response {
        let mut response = self.failed(failure, head, TokenRoute::Login);
        self.clear_cookies(head, TokenRoute::Login, &mut response);
        response
    }

    pub(super) fn logged_out(&self, head: &Parts, route: TokenRoute) -> Response {
        self.rendered(head, route, |answers, request| {
            let mut response = answers.logged_out(request);
            self.clear_cookies(head, route, &mut response);
            if let Some(directives) = &self.config().clear_site_data {
                response.headers_mut().insert(CLEAR_SITE_DATA, directives.clone());
            }
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
        let scheme = if self.cookies().is_some() { "Cookie" } else { "Bearer" };
        self.engine().responses.challenge(scheme)
    }

    pub(super) fn clear_cookies(&self, head: &Parts, route: TokenRoute, response: &mut Response) {
        let Some(cookies) = self.cookies() else { return };
        let path = self.common_path(head, route);
        cookies.clear(&path).into_iter().for_each(|cookie| set_cookie(response, cookie));
        // One that was refused may have another path, from before the routes or their cookie moved, and of several all but one have.
        let accounted_for = usize::from(route != TokenRoute::Refresh);
        if cookies.refresh.find_all(head).count() > accounted_for {
            let others = cookies.refresh.clear_other_paths(head, &path);
            others.into_iter().for_each(|cookie| set_cookie(response, cookie));
        }
    }

    /// Returns the common path of these routes: the path of this request without what is this route's own.
    fn common_path<'r>(&'r self, head: &'r Parts, route: TokenRoute) -> Cow<'r, str> {
        let original = original_uri(head).path();
        let above = |path: &'r str| path.rsplit_once('/').map_or("", |(above, _)| above);
        let common = match &self.config().cookie_path {
            Some(path) => path,
            // `/sessions/{session_id}`
            None if route == TokenRoute::EndSession => above(above(original)),
            None => above(original),
        };
        if is_cookie_path(common) { common.into() } else { "/".into() }
    }
}

fn set_cookie(response: &mut Response, cookie: String) {
    if let Ok(value) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}
