//! The body of a request: one signed text, as a form or as it is.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use futures_util::future::{Either, poll_immediate, select};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::security_event::MAX_BYTES;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many bodies a route waits for at a time: 16 MiB.
pub(super) const MAX_READ: usize = 256;

/// Reads the bodies of a route, which strangers send. A body that is there at once takes no place. Of more than [`MAX_READ`] that are waited for,
/// the oldest is given up: those of a stranger that don't come keep nobody out.
#[derive(Debug, Default)]
pub(super) struct BodyReader(Mutex<Waiting>);

/// What gives up each body that is waited for, the oldest first.
type Waiting = VecDeque<Arc<Notify>>;

/// Why a body was not read.
#[derive(Debug)]
pub(super) enum BodyError {
    /// It has more than [`MAX_BYTES`], or the connection broke.
    TooLong,
    /// It took longer than [`PATIENCE`].
    TooSlow,
    /// [`MAX_READ`] that came after it are waited for.
    GivenUp,
}

impl BodyReader {
    pub(super) async fn read(&self, body: Body) -> Result<Bytes, BodyError> {
        let mut read = pin!(timeout(PATIENCE, to_bytes(body, MAX_BYTES)));
        let read = match poll_immediate(&mut read).await {
            Some(read) => read,
            None => {
                let place = Place::new(self);
                match select(read, pin!(place.given_up.notified())).await {
                    Either::Left((read, _)) => read,
                    Either::Right(_) => return Err(BodyError::GivenUp),
                }
            }
        };
        read.map_err(|_| BodyError::TooSlow)?.map_err(|_| BodyError::TooLong)
    }
}

/// One that waits for its body.
struct Place<'r> {
    reader: &'r BodyReader,
    given_up: Arc<Notify>,
}

impl<'r> Place<'r> {
    /// The newest. If there are too many with it, the oldest is given up.
    fn new(reader: &'r BodyReader) -> Self {
        let given_up = Arc::new(Notify::new());
        let mut waiting = reader.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push_back(Arc::clone(&given_up));
        if waiting.len() > MAX_READ
            && let Some(oldest) = waiting.pop_front()
        {
            oldest.notify_one();
        }
        drop(waiting);
        Self { reader, given_up }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.reader.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|one| !Arc::ptr_eq(one, &self.given_up));
    }
}

impl BodyError {
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::TooLong => "the body is longer than 64 KiB",
            Self::TooSlow => "the body took longer than 10 s",
            Self::GivenUp => "the body had not come when 256 others were waited for",
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
