//! The paths that a login may lead back to: those that every browser resolves to this origin.
//!
//! A browser reads `Location` by the URL standard of WHATWG: it removes tabs and line breaks, trims spaces and control characters,
//! takes `\` for `/`, and removes `.` and `..`. So a text that looks like a path can name another host. What is accepted here has one
//! reading. Of the path also what it decodes to: a proxy or an application may decode once more than is right.

/// The greatest length of a return path, in bytes. A longer one is left out of the redirect.
const MAX_BYTES: usize = 2048;

/// How often a path is decoded. One that is still encoded after that is refused.
const MAX_ROUNDS: usize = 4;

/// Whether this is the path, with or without a query, of a page of this origin.
pub(crate) fn is_path_of_this_origin(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !br##"\#"<>"##.contains(&byte);
    if text.len() > MAX_BYTES || !text.bytes().all(is_plain) {
        return false;
    }
    let mut path = text.split('?').next().unwrap_or_default().as_bytes().to_vec();
    for _ in 0..MAX_ROUNDS {
        if !has_one_reading(&path) {
            return false;
        }
        let decoded: Vec<u8> = percent_encoding::percent_decode(&path).collect();
        if decoded == path {
            return true;
        }
        path = decoded;
    }
    false
}

/// Whether it starts with one slash, and has neither a backslash, a control character, nor a segment that a browser removes.
fn has_one_reading(path: &[u8]) -> bool {
    path.starts_with(b"/")
        && !path.starts_with(b"//")
        && !path.iter().any(|byte| byte.is_ascii_control() || *byte == b'\\')
        && !path.split(|byte| *byte == b'/').any(|segment| segment == b"." || segment == b"..")
}
