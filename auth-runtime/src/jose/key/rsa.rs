//! The numbers of RSA public keys.

/// The smallest RSA key, in bits (RFC 7518 §3.3).
const MIN_BITS: usize = 2048;

/// The largest RSA key that aws-lc verifies with, in bits.
const MAX_BITS: usize = 8192;

/// The longest exponent that aws-lc verifies with, in bits.
const MAX_EXPONENT_BITS: usize = 33;

/// A modulus has no smaller factor (NIST SP 800-89 §5.3.3).
const MIN_FACTOR: u32 = 752;

/// The modulus and the exponent without leading zeros, which some libraries write though RFC 7518 §6.3.1.1 forbids it. The error
/// says what is wrong with them.
pub(super) fn checked<'a>(n: &'a [u8], e: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), String> {
    let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
    let bits = bits(n);
    if bits < MIN_BITS {
        return Err(format!(
            "the RSA key has {bits} bits, and the minimum is {MIN_BITS} (RFC 7518 §3.3): have the issuer make a longer key"
        ));
    }
    if bits > MAX_BITS {
        return Err(format!(
            "the RSA key has {bits} bits, and the maximum is {MAX_BITS}: have the issuer make a shorter key"
        ));
    }
    if e.last().is_none_or(|last| last % 2 == 0) || e == [1] {
        return Err("the RSA key's exponent is 1 or even, so everyone could sign as its owner: have the issuer make a new key".into());
    }
    let exponent_bits = self::bits(e);
    if exponent_bits > MAX_EXPONENT_BITS {
        return Err(format!(
            "the RSA key's exponent has {exponent_bits} bits, and the maximum is {MAX_EXPONENT_BITS}: have the issuer make a key with \
             the usual exponent 65537"
        ));
    }
    if n.last().is_none_or(|last| last % 2 == 0)
        || (3..MIN_FACTOR).step_by(2).any(|factor| residue(n, factor) == 0)
    {
        return Err("the RSA key's modulus is even or has another small factor, so it is damaged or worthless: copy the key again \
                    from its issuer, or have the issuer make a new key"
            .into());
    }
    if has_roca_fingerprint(n) {
        return Err("the RSA key has the ROCA weakness (CVE-2017-15361), so its private key can be computed from it: have the issuer \
                    make a new key, not on the chip that made this one"
            .into());
    }
    Ok((n, e))
}

/// The odd primes whose product divides the one that the weak library used, for every length of key.
const ROCA_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
    107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

const ROCA_GENERATOR: u32 = 65_537;

/// Whether the modulus is a power of 65537 modulo the product of [`ROCA_PRIMES`] (Nemec et al., "The Return of Coppersmith's
/// Attack", CCS 2017, §3.2). By chance it is for one of 2^154 keys.
///
/// Modulo each prime, the exponent is known modulo the generator's order there. One exponent satisfies all of them exactly if every
/// two of them agree modulo the greatest common divisor of their orders, so that no number larger than a prime is needed.
pub(super) fn has_roca_fingerprint(n: &[u8]) -> bool {
    let mut logarithms: Vec<(u32, u32)> = Vec::with_capacity(ROCA_PRIMES.len());
    for prime in ROCA_PRIMES {
        let Some((exponent, order)) = logarithm(residue(n, prime), prime) else { return false };
        let agree = |(other, other_order): &(u32, u32)| {
            let common = greatest_common_divisor(order, *other_order);
            exponent % common == other % common
        };
        if !logarithms.iter().all(agree) {
            return false;
        }
        logarithms.push((exponent, order));
    }
    true
}

/// The exponent of the generator's power that is `target` modulo the prime, and the generator's order; `None` if no power is.
fn logarithm(target: u32, prime: u32) -> Option<(u32, u32)> {
    let (mut power, mut exponent, mut found) = (1, 0, None);
    loop {
        if power == target {
            found = Some(exponent);
        }
        power = power * (ROCA_GENERATOR % prime) % prime;
        exponent += 1;
        if power == 1 {
            return found.map(|found| (found, exponent));
        }
    }
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// The number modulo one of less than 2^24.
fn residue(number: &[u8], modulus: u32) -> u32 {
    number.iter().fold(0, |residue, byte| ((residue << 8) | u32::from(*byte)) % modulus)
}

fn bits(number: &[u8]) -> usize {
    number.len() * 8 - number.first().map_or(0, |first| first.leading_zeros() as usize)
}

fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    bytes.get(first..).unwrap_or_default()
}
