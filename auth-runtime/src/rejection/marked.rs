//! The mark on an answer that is a rejection and was not rendered. The route, or the layer of `Auth` around it, finds it, and renders the rejection.

use axum::body::{Body, HttpBody as _};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Extensions, Method};
use axum::response::Response;

use super::{Cause, Rejection};

/// The mark, in the extensions of the answer. No other crate can name this type.
#[derive(Clone)]
struct Marked(Cause);

/// What describes the content of an answer, and goes with it.
const OF_CONTENT: [HeaderName; 10] = [
    header::ACCEPT_RANGES,
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_LOCATION,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LAST_MODIFIED,
];

impl Rejection {
    /// The answer with the mark.
    pub(super) fn mark(self, mut answer: Response) -> Response {
        answer.extensions_mut().insert(Marked(self.cause));
        answer
    }
}

/// The rejection that an answer is marked with. The mark is removed.
pub(crate) fn take_marked(extensions: &mut Extensions) -> Option<Rejection> {
    extensions.remove::<Marked>().map(|Marked(cause)| Rejection { cause, response: None })
}

/// Whether an answer is a rejection that was not rendered.
pub(crate) fn is_marked(extensions: &Extensions) -> bool {
    extensions.get::<Marked>().is_some()
}

/// The rendered rejection in place of the marked answer. Headers that a middleware added to the marked one stay, and its extensions do;
/// the status and the content are those of the rendered one, with the headers that describe it.
pub(crate) fn merge(marked: Response, rendered: Response, method: &Method) -> Response {
    let (mut marked, _) = marked.into_parts();
    let (rendered, mut body) = rendered.into_parts();
    OF_CONTENT.iter().for_each(|name| drop(marked.headers.remove(name)));
    put(&mut marked.headers, rendered.headers);
    marked.status = rendered.status;
    marked.extensions.extend(rendered.extensions);
    // axum does it for its routes; this one may be around them.
    if *method == Method::HEAD {
        if let Some(length) = body.size_hint().exact() {
            marked.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        body = Body::empty();
    }
    Response::from_parts(marked, body)
}

/// Replaces headers of the same name, except for those that are lists of what several have said.
fn put(headers: &mut HeaderMap, more: HeaderMap) {
    let mut last = None;
    for (name, value) in more {
        // A further value of one name comes without the name.
        let is_first = name.is_some();
        let Some(name) = name.or(last.take()) else { continue };
        if is_first && name != header::VARY && name != header::SET_COOKIE {
            headers.insert(&name, value);
        } else {
            headers.append(&name, value);
        }
        last = Some(name);
    }
}

#[cfg(test)]
mod tests {
    use super::{HeaderMap, put};

    fn map(rows: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in rows {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn headers_are_replaced_by_name_and_lists_are_extended() {
        let mut headers = map(&[
            ("x-kept", "1"),
            ("x-own", "old"),
            ("x-own", "old too"),
            ("vary", "origin"),
            ("set-cookie", "a=1"),
        ]);
        put(
            &mut headers,
            map(&[("x-own", "new"), ("x-own", "new too"), ("vary", "accept"), ("set-cookie", "b=2")]),
        );
        let expected = map(&[
            ("x-kept", "1"),
            ("x-own", "new"),
            ("x-own", "new too"),
            ("vary", "origin"),
            ("vary", "accept"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
        ]);
        assert_eq!(headers, expected);
    }
}
