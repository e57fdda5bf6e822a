//! What a login does with the sessions that the browser had before it (OWASP ASVS 5, 7.2.4).

use axum::http::request::Parts;

use super::TokenEndpoints;
use crate::engine::ClientSessions;
use crate::session::Subject;

impl<A> TokenEndpoints<A> {
    /// Returns the sessions of all cookies of the browser, also another user's: the cookies of a login replace them, so no user could
    /// log out of them. There is none for a client without cookies, which has the tokens of its other sessions elsewhere.
    pub(super) fn former_sessions(&self, head: &Parts) -> ClientSessions {
        if self.cookies().is_some() {
            self.tokens().sessions_of(&self.refresh_cookies(head), &self.access_tokens(head))
        } else {
            ClientSessions::default()
        }
    }

    /// Returns the subject with the label of the session, where the application derives one from the request.
    pub(super) fn labeled(&self, subject: Subject, head: &Parts) -> Subject {
        let derived = self.config().session_label.as_ref().filter(|_| subject.session_label.is_none());
        match derived.and_then(|derive| derive(head)) {
            Some(label) => subject.session_label(label),
            None => subject,
        }
    }
}
