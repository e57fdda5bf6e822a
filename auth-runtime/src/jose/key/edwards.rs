//! Ed25519 public keys. aws-lc accepts every 32 bytes, and does not look at the point before it verifies a signature.

use curve25519_dalek::edwards::CompressedEdwardsY;

/// Checks that the bytes are the one encoding of a point (RFC 8032 §5.1.3) of the prime order (NIST SP 800-186, appendix D.1.3).
///
/// For a point of low order, one signature is valid for every eighth message or for all of them, without a private key.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    let encoded = CompressedEdwardsY::from_slice(bytes)
        .map_err(|_| format!("an Ed25519 key has 32 bytes, and this one has {}", bytes.len()))?;
    let point = encoded
        .decompress()
        .ok_or("the Ed25519 key is not a point on the curve: copy it again from its issuer")?;
    if point.is_small_order() {
        return Err("the Ed25519 key is a point of low order, for which everyone can sign: have the issuer make a new key".into());
    }
    if point.compress() != encoded {
        return Err("the Ed25519 key is not in the canonical encoding (RFC 8032 §5.1.3): have the issuer make a new key".into());
    }
    if !point.is_torsion_free() {
        return Err("the Ed25519 key is not in the group of prime order, so no private key has it: have the issuer make a new key".into());
    }
    Ok(())
}
