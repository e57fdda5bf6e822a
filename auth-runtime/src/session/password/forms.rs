//! The forms of a password: the one that is hashed, and those that are compared with a stored hash.

use super::opaque_string::enforce;
use super::{MAX_PASSWORD_BYTES, PasswordError};

/// The longest text that is normalized, in bytes. The normalized form is less than four times shorter: U+1FBE U+0308 U+0301 has 7 bytes,
/// and in NFC 2.
const MAX_SENT_BYTES: usize = 4 * MAX_PASSWORD_BYTES;

/// The form of a password that is hashed: OpaqueString (RFC 8265 §4.2).
pub(super) fn form_to_hash(password: &str) -> Result<String, PasswordError> {
    if password.len() > MAX_SENT_BYTES {
        return Err(PasswordError::TooLong);
    }
    let form = enforce(password).ok_or(PasswordError::Disallowed)?;
    if form.len() > MAX_PASSWORD_BYTES { Err(PasswordError::TooLong) } else { Ok(form) }
}

/// The forms of a password that are compared: the one that would be hashed, and the one that was sent, if it differs or there is no
/// other. There is none if the password is too long.
pub(super) fn forms_to_compare(password: String) -> Vec<String> {
    let form = form_to_hash(&password).ok().filter(|form| *form != password);
    let sent = Some(password).filter(|sent| sent.len() <= MAX_PASSWORD_BYTES);
    form.into_iter().chain(sent).collect()
}
