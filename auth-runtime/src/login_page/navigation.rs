//! Whether a browser asks for a page that it will show, or a program for data.

use axum::http::header::{ACCEPT, UPGRADE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method};

use super::{SEC_FETCH_DEST, SEC_FETCH_MODE, X_REQUESTED_WITH};

/// Whether the request loads a page: a link, an address that was typed, a form that was sent. Scripts that fetch say so by Fetch
/// Metadata or `X-Requested-With`, and programs do not name HTML in `Accept`.
pub(super) fn is_page_load(head: &Parts) -> bool {
    let headers = &head.headers;
    [Method::GET, Method::HEAD, Method::POST].contains(&head.method)
        && !headers.contains_key(UPGRADE)
        && !headers.contains_key(X_REQUESTED_WITH)
        && is_absent_or(headers, &SEC_FETCH_MODE, &["navigate"])
        && is_absent_or(headers, &SEC_FETCH_DEST, &["document", "iframe", "frame"])
        && prefers_html(headers)
}

/// Whether the browser sends none of this name, as an old one does, or one of these values.
fn is_absent_or(headers: &HeaderMap, name: &HeaderName, values: &[&str]) -> bool {
    headers.get_all(name).iter().all(|sent| values.iter().any(|value| sent == value))
}

/// Whether `Accept` names HTML, and JSON neither before it nor beside it (RFC 9110 §12.5.1). A range such as `*/*` names nothing.
fn prefers_html(headers: &HeaderMap) -> bool {
    let (mut html, mut json) = (0, 0);
    for value in headers.get_all(ACCEPT) {
        let Ok(value) = value.to_str() else { return false };
        for entry in value.split(',') {
            let mut parts = entry.split(';').map(str::trim);
            let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts.find_map(weight).unwrap_or(1000);
            match media_type.as_str() {
                "text/html" | "application/xhtml+xml" => html = html.max(weight),
                "application/json" | "text/json" => json = json.max(weight),
                other if other.ends_with("+json") => json = json.max(weight),
                _ => {}
            }
        }
    }
    html > json
}

/// The weight of a parameter `q`, in thousandths (RFC 9110 §12.4.2); one that is malformed is 0. `None` for other parameters.
fn weight(parameter: &str) -> Option<u32> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let (whole, decimals) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    let digits = format!("{decimals:0<3}");
    let is_number = digits.len() == 3 && digits.bytes().all(|digit| digit.is_ascii_digit());
    let thousandths = digits.parse().ok().filter(|_| is_number);
    Some(match (whole, thousandths) {
        ("0", Some(thousandths)) => thousandths,
        ("1", Some(0)) => 1000,
        _ => 0,
    })
}

#[cfg(test)]
mod tests {
    use super::is_page_load;
    use axum::http::Request;

    const CHROME: &str =
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

    fn loads(method: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().method(method).uri("/x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        is_page_load(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn accept_must_prefer_html() {
        for (accept, expected) in [
            (CHROME, true),
            ("text/html", true),
            ("TEXT/HTML", true),
            ("text/html;charset=utf-8", true),
            ("text/html, */*", true),
            ("text/html;q=0.1", true),
            ("application/xhtml+xml", true),
            ("application/json;q=0.8, text/html;q=0.9", true),
            ("text/html; Q=1.000, application/json; q=0.999", true),
            ("", false),
            ("*/*", false),
            ("text/*", false),
            ("application/json", false),
            ("application/json, */*", false),
            ("application/json, text/html", false),
            ("text/html, application/json", false),
            ("text/html;q=0.5, application/json", false),
            ("text/html;q=0.5, application/problem+json", false),
            ("text/html;q=0.5, text/json", false),
            ("text/html;q=0", false),
            ("text/html;q=0.000", false),
            ("text/html;q=x", false),
            ("text/html;q=-1", false),
            ("text/html;q=1.5", false),
            ("text/html;q=0.1234", false),
            ("text/htmlx", false),
            ("x-text/html", false),
            ("image/avif,image/webp,*/*;q=0.8", false),
            ("text/event-stream", false),
        ] {
            assert_eq!(loads("GET", &[("accept", accept)]), expected, "{accept:?}");
        }
        assert!(!loads("GET", &[]));
        // A list may be in more than one line (RFC 9110 §5.3).
        assert!(loads("GET", &[("accept", "*/*;q=0.8"), ("accept", "text/html")]));
        assert!(!loads("GET", &[("accept", "text/html"), ("accept", "application/json")]));
    }

    #[test]
    fn only_what_shows_a_page() {
        type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], bool);
        let table: &[Row<'_>] = &[
            ("GET", &[], true),
            ("HEAD", &[], true),
            ("POST", &[], true),
            ("PUT", &[], false),
            ("PATCH", &[], false),
            ("DELETE", &[], false),
            ("OPTIONS", &[], false),
            ("CONNECT", &[], false),
            ("QUERY", &[], false),
            ("get", &[], false),
            ("GET", &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")], true),
            ("GET", &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")], true),
            ("GET", &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "embed")], false),
            ("GET", &[("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")], false),
            ("GET", &[("sec-fetch-mode", "same-origin")], false),
            ("GET", &[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")], false),
            ("GET", &[("sec-fetch-mode", "websocket")], false),
            ("GET", &[("sec-fetch-mode", "")], false),
            ("GET", &[("sec-fetch-mode", "navigate"), ("sec-fetch-mode", "cors")], false),
            ("GET", &[("x-requested-with", "XMLHttpRequest")], false),
            ("GET", &[("upgrade", "websocket"), ("connection", "upgrade")], false),
        ];
        for (method, headers, expected) in table {
            let headers: Vec<_> = headers.iter().copied().chain([("accept", CHROME)]).collect();
            assert_eq!(loads(method, &headers), *expected, "{method} {headers:?}");
        }
    }
}
