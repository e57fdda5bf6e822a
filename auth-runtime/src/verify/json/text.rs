//! Strings of JSON: where they end, and what their escapes mean (RFC 8259 §7).

/// Returns where the first quote, backslash or control character is, from `at` on; the length of the text if there is none.
pub(super) fn special(bytes: &[u8], mut at: usize) -> usize {
    // Eight bytes at once: most of a token is the inside of strings.
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let found = specials(u64::from_le_bytes(*chunk));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| is_special(*byte)).unwrap_or(rest.len())
}

fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | ..b' ')
}

/// Marks the special bytes among eight: the lowest mark is at the first of them. Above it, there may be marks that are none.
fn specials(bytes: u64) -> u64 {
    const fn all(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }
    // A subtraction sets the highest bit of the first byte that is too small for it, and of those that had it already: these are no ASCII.
    let control = bytes.wrapping_sub(all(b' '));
    let quote = (bytes ^ all(b'"')).wrapping_sub(all(1));
    let backslash = (bytes ^ all(b'\\')).wrapping_sub(all(1));
    (control | quote | backslash) & !bytes & all(0x80)
}

/// Reads an escape, of which `rest` begins behind the backslash, and adds its character to `text`. Returns its length without the
/// backslash. `None` if it is no escape, or a surrogate without its other half.
pub(super) fn unescape(rest: &[u8], text: &mut String) -> Option<usize> {
    let character = match rest.first()? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unescape_unit(rest, text),
        _ => return None,
    };
    text.push(character);
    Some(1)
}

fn unescape_unit(rest: &[u8], text: &mut String) -> Option<usize> {
    let first = unit(rest.get(1..5)?)?;
    if let Some(character) = char::from_u32(first) {
        text.push(character);
        return Some(5);
    }
    let second = unit(rest.get(5..11)?.strip_prefix(b"\\u")?)?;
    let mut pair = char::decode_utf16([u16::try_from(first).ok()?, u16::try_from(second).ok()?]);
    text.push(pair.next()?.ok()?);
    Some(11)
}

/// Four hexadecimal digits.
fn unit(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}
