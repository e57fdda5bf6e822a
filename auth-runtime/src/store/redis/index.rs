//! What rows are found by, as text.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// 16 bytes as text, all of the same length.
pub(super) fn text_of(bytes: [u8; 16]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The same for two strings of any content: 128 bits of SHA-256. What reads the rows compares the strings, too.
pub(super) fn hash_of(first: &str, second: &str) -> String {
    let mut bytes = u64::try_from(first.len()).unwrap_or(u64::MAX).to_be_bytes().to_vec();
    bytes.extend_from_slice(first.as_bytes());
    bytes.extend_from_slice(second.as_bytes());
    let hash = digest(&SHA256, &bytes);
    text_of(hash.as_ref().first_chunk().copied().unwrap_or_default())
}

/// What the scripts read of a row, and what follows it.
pub(super) fn parts_of(row: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = row.iter().position(|byte| *byte == b'\n')?;
    Some((row.get(..end)?, row.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::hash_of;

    #[test]
    fn strings_that_join_to_the_same_have_another_hash() {
        let pairs = [("", "ab"), ("a", "b"), ("ab", ""), ("a\0", "b"), ("a", "\0b"), ("b", "a")];
        let hashes: HashSet<_> = pairs.iter().map(|(first, second)| hash_of(first, second)).collect();
        assert_eq!(hashes.len(), pairs.len());
        assert!(hashes.iter().all(|hash| hash.len() == 22), "{hashes:?}");
    }
}
