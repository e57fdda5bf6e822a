//! What holds for every shared secret, whatever it is for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::der;

/// What is wrong with a secret that needs this many bytes; it completes "the secret ". `needed_by` says who needs them.
///
/// A key in a format of public keys is refused: it is public, or was meant to be used as a key pair. A library that takes it as the
/// bytes of a secret lets everyone sign who has the public key (RFC 8725 §2.1).
pub(crate) fn check_secret(secret: &[u8], needed: usize, needed_by: &str) -> Result<(), String> {
    if let Some(format) = key_format(secret) {
        return Err(format!(
            "is {format}, not a secret: a key pair is for an RS, PS, ES or EdDSA algorithm; make a secret with \
             `openssl rand -base64 {needed}`"
        ));
    }
    if secret.len() < needed {
        return Err(format!(
            "has {} bytes, and {needed_by} needs at least {needed}: make one with `openssl rand -base64 {needed}`",
            secret.len()
        ));
    }
    Ok(())
}

/// The format of a key that these bytes are. Random bytes are none of them.
fn key_format(secret: &[u8]) -> Option<&'static str> {
    // A file can begin with a byte order mark, and every second byte of UTF-16 is 0.
    let text =
        secret.iter().copied().filter(|byte| *byte != 0).skip_while(|byte| {
            byte.is_ascii_whitespace() || matches!(byte, 0xef | 0xbb | 0xbf | 0xfe | 0xff)
        });
    let text = Zeroizing::new(text.collect::<Vec<u8>>());
    let begins =
        |beginnings: &[&str]| beginnings.iter().any(|beginning| text.starts_with(beginning.as_bytes()));
    if begins(&["-----BEGIN ", "---- BEGIN "]) {
        return Some("a PEM");
    }
    if begins(&["ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2-nistp", "sk-ssh-ed25519@", "sk-ecdsa-sha2-nistp"]) {
        return Some("a key of SSH");
    }
    if serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&text)
        .is_ok_and(|members| members.contains_key("kty") || members.contains_key("keys"))
    {
        return Some("a JWK or a set of them, which `Key::jwk` and `TrustedIssuer::jwks` read");
    }
    if der::is_public_key(secret) {
        return Some("a public key or a certificate in DER");
    }
    let compact = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace());
    let compact = Zeroizing::new(compact.collect::<Vec<u8>>());
    match STANDARD.decode(compact.as_slice()).map(Zeroizing::new) {
        Ok(decoded) if decoded.starts_with(b"-----BEGIN ") => Some("a PEM in base64"),
        Ok(decoded) if der::is_public_key(&decoded) => Some("a public key or a certificate in base64"),
        _ => None,
    }
}
