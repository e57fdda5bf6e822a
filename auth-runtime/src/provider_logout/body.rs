//! The body of a request: one signed text, as a form or as it is.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::security_event::MAX_BYTES;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many bodies a route reads at a time: 16 MiB.
pub(super) const MAX_READ: usize = 256;

/// Reads the bodies of a route, which strangers send.
#[derive(Debug)]
pub(super) struct BodyReader(Semaphore);

/// Why a body was not read.
#[derive(Debug)]
pub(super) enum BodyError {
    /// It has more than [`MAX_BYTES`], or the connection broke.
    TooLong,
    /// It took longer than [`PATIENCE`].
    TooSlow,
    /// [`MAX_READ`] are read already.
    Full,
}

impl BodyReader {
    pub(super) fn new() -> Self {
        Self(Semaphore::new(MAX_READ))
    }

    pub(super) async fn read(&self, body: Body) -> Result<Bytes, BodyError> {
        let _place = self.0.try_acquire().map_err(|_| BodyError::Full)?;
        let read = timeout(PATIENCE, to_bytes(body, MAX_BYTES)).await.map_err(|_| BodyError::TooSlow)?;
        read.map_err(|_| BodyError::TooLong)
    }
}

impl BodyError {
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::TooLong => "the body is longer than 64 KiB",
            Self::TooSlow => "the body took longer than 10 s",
            Self::Full => "256 bodies are read already",
        }
    }
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
