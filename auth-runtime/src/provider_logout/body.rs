//! The body of a request: one signed text, as a form or as it is.

use axum::body::{Body, Bytes, to_bytes};

use crate::security_event::MAX_BYTES;

/// Reads a body of at most [`MAX_BYTES`]; `None` if it is longer, or the connection breaks.
pub(super) async fn read(body: Body) -> Option<Bytes> {
    to_bytes(body, MAX_BYTES).await.ok()
}

/// Returns `logout_token` of a form. Other fields are ignored (Back-Channel Logout 1.0 §2.5), and a second one of this name is an error.
pub(super) fn logout_token(form: &[u8]) -> Result<String, &'static str> {
    let fields = form_urlencoded::parse(form);
    let mut tokens = fields.filter(|(name, _)| name == "logout_token").map(|(_, token)| token.into_owned());
    match (tokens.next(), tokens.next()) {
        (Some(token), None) => Ok(token),
        (None, _) => Err("the form has no `logout_token`"),
        (Some(_), Some(_)) => Err("the form has several `logout_token`"),
    }
}

/// Returns the text of a body, without white space around it.
pub(super) fn text(body: &[u8]) -> Option<&str> {
    Some(std::str::from_utf8(body).ok()?.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::{logout_token, text};

    #[test]
    fn a_form_has_one_logout_token() {
        for (form, expected) in [
            ("logout_token=a.b.c", Some("a.b.c")),
            ("state=x&logout_token=a%2Eb.c&scope=y", Some("a.b.c")),
            ("logout_token=", Some("")),
            ("", None),
            ("logout%5Ftoken", Some("")),
            ("Logout_Token=a.b.c", None),
            ("logout_token=a&logout_token=a", None),
        ] {
            assert_eq!(logout_token(form.as_bytes()).ok().as_deref(), expected, "{form}");
        }
    }

    #[test]
    fn a_text_is_trimmed_and_is_utf_8() {
        assert_eq!(text(b" a.b.c\r\n"), Some("a.b.c"));
        assert_eq!(text(b"a b"), Some("a b"));
        assert_eq!(text(b"a\xff"), None);
    }
}
