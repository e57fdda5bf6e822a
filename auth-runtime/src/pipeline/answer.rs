//! What is done around a route: before it the request gets its [`RequestAuth`], and after it the answer gets what the engine adds.

use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Request};
use axum::response::Response;

use super::answer_after_gate;
use super::head_state::{HeadState, Mounted};
use super::request_auth::RequestAuth;
use crate::rejection::{KeptHead, take_marked};

/// What is left of a request once its handler has taken it.
#[derive(Debug)]
pub(crate) struct AnswerTo {
    auth: RequestAuth,
    head: KeptHead,
    is_watched: bool,
}

/// Gives a request what its gate needs. `mounted` is the route that is called next, if the caller knows it.
pub(crate) fn begin<B>(request: &mut Request<B>, auth: RequestAuth, mounted: Mounted) -> AnswerTo {
    let head = KeptHead::of(request, auth.engine().responses.read_head());
    let is_watched = RequestAuth::is_watched(request.extensions());
    HeadState::put(request.extensions_mut(), auth.clone(), mounted);
    AnswerTo { auth, head, is_watched }
}

impl AnswerTo {
    /// The answer with what the engine adds. A rejection that the application answered with is rendered.
    pub(crate) fn finish(self, mut answer: Response) -> Response {
        let Self { mut auth, head, is_watched } = self;
        if let Some(rejection) = take_marked(answer.extensions_mut()) {
            answer = answer_after_gate(&auth, rejection, answer, head);
        }
        add(answer.headers_mut(), &mut auth);
        // The innermost has inserted its own, and it is the one that decided.
        if is_watched && answer.extensions().get::<RequestAuth>().is_none() {
            answer.extensions_mut().insert(auth);
        }
        answer
    }
}

/// Adds headers. `Cache-Control` replaces the handler's, because it protects the response. A cookie that the handler set is
/// kept: the gate clears an expired cookie, and must not clear the new cookie of a login.
///
/// `Vary` names the headers that decided, in addition to those that the handler named. `Cache-Control: private` is only for an answer
/// of which the handler says nothing.
fn add(headers: &mut HeaderMap, auth: &mut RequestAuth) {
    let more = auth.take_answer_headers();
    if let Some(more) = more.headers() {
        add_each(headers, more);
    }
    auth.for_each_source(&more, |sources| sources.vary.add_to(headers));
    if more.is_private && !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
    }
}

fn add_each(headers: &mut HeaderMap, more: &HeaderMap) {
    // Compared by name with those of the handler alone: the gate's own may have one name, and different domains.
    let has_cookies = more.contains_key(SET_COOKIE);
    let of_handler: Vec<_> = headers.get_all(SET_COOKIE).iter().filter(|_| has_cookies).cloned().collect();
    for (name, value) in more {
        if name == CACHE_CONTROL {
            headers.insert(name, value.clone());
            continue;
        }
        let is_superfluous = name == SET_COOKIE
            && (of_handler.iter().any(|set| same_cookie(set, value))
                || headers.get_all(SET_COOKIE).iter().any(|set| set == value));
        if !is_superfluous {
            headers.append(name, value.clone());
        }
    }
}

fn same_cookie(one: &HeaderValue, other: &HeaderValue) -> bool {
    fn name(value: &HeaderValue) -> Option<&[u8]> {
        value.as_bytes().split(|byte| *byte == b'=').next()
    }
    name(one) == name(other)
}
