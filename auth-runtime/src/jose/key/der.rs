//! Keys in DER, read strictly: some readers distinguish two encodings of one thing, and others do not.
//!
//! aws-lc reads more than DER and the profiles of X.509 allow: bytes behind a key, hybrid points and explicit curve parameters.
//! So the structure is read here, and aws-lc is handed the numbers of a public key, never its encoding.

use spki::der::asn1::{AnyRef, BitStringRef, ContextSpecific, ObjectIdentifier, OctetStringRef, UintRef};
use spki::der::{self, Decode, ErrorKind, Reader as _, SliceReader, Tag, TagNumber, Tagged as _};
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use crate::jose::Algorithm;

/// RFC 3279 §2.3.1.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// RFC 4055 §1.2.
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");
/// RFC 5480 §2.1.1.
const ELLIPTIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// RFC 8410 §3.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

const EXPLICIT_PARAMETERS: &str = "it writes out the parameters of its curve, which an attacker can choose: write the curve's name, \
     with `openssl pkey -pubin -ec_param_enc named_curve -pubout -in FILE` for a public key, and without `-pubin -pubout` for a private one";

/// The numbers of a public key.
pub(super) enum PublicNumbers<'a> {
    Rsa {
        n: &'a [u8],
        e: &'a [u8],
    },
    /// Uncompressed or compressed, for the curve of the algorithm.
    Point(&'a [u8]),
    Ed25519(&'a [u8]),
}

/// A public key for this algorithm: SubjectPublicKeyInfo (RFC 5280 §4.1.2.7). The error completes "this is not a public key for
/// RS256: ".
pub(super) fn subject_public_key_info(
    algorithm: Algorithm,
    bytes: &[u8],
) -> Result<PublicNumbers<'_>, String> {
    let info = SubjectPublicKeyInfoRef::from_der(bytes).map_err(reason)?;
    let parameters = info.algorithm.parameters;
    let key = info.subject_public_key.as_bytes().ok_or("its bits are not whole bytes")?;
    match (info.algorithm.oid, curve(algorithm)) {
        (RSA, None) if is_rsa(algorithm) => {
            if parameters.is_none_or(|parameters| parameters.tag() != Tag::Null) {
                return Err("an RSA key has the parameters NULL (RFC 3279 §2.3.1)".into());
            }
            rsa_public_key(key)
        }
        (RSA_PSS, None) if is_rsa(algorithm) => {
            match parameters {
                None if pss_hash(algorithm).is_some() => {}
                Some(parameters) if is_pss_for(algorithm, parameters) => {}
                _ => return Err("it is an RSASSA-PSS key, which is for the one algorithm PS256, PS384 or PS512 that it names".into()),
            }
            rsa_public_key(key)
        }
        (ELLIPTIC, Some(curve)) => {
            check_curve(curve, algorithm, parameters.ok_or("it names no curve")?)?;
            check_point(key)?;
            Ok(PublicNumbers::Point(key))
        }
        (ED25519, None) if algorithm == Algorithm::EdDSA => match parameters {
            None => Ok(PublicNumbers::Ed25519(key)),
            Some(_) => Err("an Ed25519 key has no parameters (RFC 8410 §3)".into()),
        },
        _ => Err("it is of another kind".into()),
    }
}

/// An RSA public key in PKCS #1 (RFC 8017 §A.1.1).
pub(super) fn rsa_public_key(bytes: &[u8]) -> Result<PublicNumbers<'_>, String> {
    let (n, e) = whole(bytes, |reader| {
        reader.sequence(|key| -> der::Result<_> { Ok((UintRef::decode(key)?, UintRef::decode(key)?)) })
    })?;
    Ok(PublicNumbers::Rsa { n: n.as_bytes(), e: e.as_bytes() })
}

/// Whether this can be PKCS #1 alone: its first part is a number, and that of SubjectPublicKeyInfo is a sequence.
pub(super) fn is_pkcs1(bytes: &[u8]) -> bool {
    const INTEGER: u8 = 2;
    AnyRef::from_der_partial(bytes).is_ok_and(|(whole, _)| whole.value().first() == Some(&INTEGER))
}

/// Whether the bytes are the public key of any algorithm, or a certificate, which has one.
pub(super) fn is_public_key(bytes: &[u8]) -> bool {
    SubjectPublicKeyInfoRef::from_der(bytes).is_ok() || rsa_public_key(bytes).is_ok() || is_certificate(bytes)
}

/// Whether the bytes have the form of a certificate (RFC 5280 §4.1): what is signed, the algorithm, the signature.
fn is_certificate(bytes: &[u8]) -> bool {
    let read = whole(bytes, |reader| {
        reader.sequence(|certificate| -> der::Result<_> {
            let signed = AnyRef::decode(certificate)?;
            AlgorithmIdentifierRef::decode(certificate)?;
            BitStringRef::decode(certificate)?;
            Ok(signed.tag() == Tag::Sequence)
        })
    });
    read == Ok(true)
}

/// Checks the encoding of a private key: PKCS #8 (RFC 5958). aws-lc reads the numbers, and compares those of the public key in it.
pub(super) fn check_pkcs8(algorithm: Algorithm, bytes: &[u8]) -> Result<(), String> {
    let (identifier, key) = whole(bytes, |reader| {
        reader.sequence(|info| -> der::Result<_> {
            u8::decode(info)?;
            let identifier = AlgorithmIdentifierRef::decode(info)?;
            let key = <&OctetStringRef>::decode(info)?;
            // Attributes and the public key.
            while !info.is_finished() {
                AnyRef::decode(info)?;
            }
            Ok((identifier, key.as_bytes()))
        })
    })?;
    match curve(algorithm) {
        Some(curve) => {
            check_curve(curve, algorithm, identifier.parameters.ok_or("it names no curve")?)?;
            check_sec1(algorithm, key)
        }
        None => one_element(key),
    }
}

/// Checks the encoding of a private key: SEC 1 (RFC 5915 §3).
pub(super) fn check_sec1(algorithm: Algorithm, bytes: &[u8]) -> Result<(), String> {
    let Some(curve) = curve(algorithm) else { return Err("it is of another kind".into()) };
    let (parameters, public) = whole(bytes, |reader| {
        reader.sequence(|key| -> der::Result<_> {
            u8::decode(key)?;
            <&OctetStringRef>::decode(key)?;
            let parameters = ContextSpecific::<AnyRef<'_>>::decode_explicit(key, TagNumber(0))?;
            Ok((parameters, ContextSpecific::<BitStringRef<'_>>::decode_explicit(key, TagNumber(1))?))
        })
    })?;
    if let Some(parameters) = parameters {
        check_curve(curve, algorithm, parameters.value)?;
    }
    public.map_or(Ok(()), |public| check_point(public.value.raw_bytes()))
}

/// Checks that this is one element of DER, with nothing behind.
pub(super) fn one_element(bytes: &[u8]) -> Result<(), String> {
    AnyRef::from_der(bytes).map(drop).map_err(reason)
}

/// Checks the content of a PEM of the kind `EC PARAMETERS`, which `openssl ecparam -genkey` writes in front of a private key.
pub(super) fn check_ec_parameters(algorithm: Algorithm, bytes: &[u8]) -> Result<(), String> {
    let Some(curve) = curve(algorithm) else { return Err("it is of another kind".into()) };
    check_curve(curve, algorithm, AnyRef::from_der(bytes).map_err(reason)?)
}

fn check_curve(curve: ObjectIdentifier, algorithm: Algorithm, parameters: AnyRef<'_>) -> Result<(), String> {
    if parameters.tag() == Tag::Sequence {
        return Err(EXPLICIT_PARAMETERS.into());
    }
    if parameters.decode_as::<ObjectIdentifier>() != Ok(curve) {
        return Err(format!("it is on another curve than that of {algorithm}"));
    }
    Ok(())
}

/// Hybrid points and the point at infinity are no public keys (RFC 5480 §2.2). Whether a point is on its curve, aws-lc checks.
fn check_point(point: &[u8]) -> Result<(), String> {
    match point.first() {
        Some(2..=4) => Ok(()),
        Some(6 | 7) => Err("its point is in the hybrid form, which RFC 5480 §2.2 forbids: write it with \
             `openssl pkey -pubin -ec_conv_form uncompressed -pubout -in FILE`"
            .into()),
        _ => Err("its point is in no known form".into()),
    }
}

/// Whether the parameters of an RSASSA-PSS key (RFC 4055 §3.1) allow this algorithm (RFC 7518 §3.5): its hash, for MGF1 too, and
/// at most its length of salt.
fn is_pss_for(algorithm: Algorithm, parameters: AnyRef<'_>) -> bool {
    let Some((hash, salt)) = pss_hash(algorithm) else { return false };
    let identifier = |identifier: AlgorithmIdentifierRef<'_>| {
        identifier.oid == hash && identifier.parameters.is_none_or(|parameters| parameters.tag() == Tag::Null)
    };
    let read = parameters.sequence(|fields| -> der::Result<_> {
        let hash = ContextSpecific::<AlgorithmIdentifierRef<'_>>::decode_explicit(fields, TagNumber(0))?;
        let mask = ContextSpecific::<AlgorithmIdentifierRef<'_>>::decode_explicit(fields, TagNumber(1))?;
        let salt = ContextSpecific::<u16>::decode_explicit(fields, TagNumber(2))?;
        Ok((hash, mask, salt))
    });
    // The defaults are SHA-1 and 20 bytes.
    let Ok((Some(hash), Some(mask), salt_of_key)) = read else { return false };
    let mask_hash =
        mask.value.parameters.and_then(|hash| hash.decode_as::<AlgorithmIdentifierRef<'_>>().ok());
    identifier(hash.value)
        && mask.value.oid == MGF1
        && mask_hash.is_some_and(identifier)
        && salt_of_key.map_or(20, |salt| salt.value) <= salt
}

/// The hash and the length of the salt, in bytes.
fn pss_hash(algorithm: Algorithm) -> Option<(ObjectIdentifier, u16)> {
    match algorithm {
        Algorithm::PS256 => Some((ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1"), 32)),
        Algorithm::PS384 => Some((ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2"), 48)),
        Algorithm::PS512 => Some((ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3"), 64)),
        _ => None,
    }
}

fn is_rsa(algorithm: Algorithm) -> bool {
    matches!(algorithm.scheme(), crate::jose::algorithm::Scheme::Rsa(_))
}

/// The curve of an ECDSA algorithm (RFC 5480 §2.1.1.1).
fn curve(algorithm: Algorithm) -> Option<ObjectIdentifier> {
    match algorithm {
        Algorithm::ES256 => Some(ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7")),
        Algorithm::ES384 => Some(ObjectIdentifier::new_unwrap("1.3.132.0.34")),
        Algorithm::ES512 => Some(ObjectIdentifier::new_unwrap("1.3.132.0.35")),
        _ => None,
    }
}

/// What `read` reads, if nothing follows it.
fn whole<'a, T>(
    bytes: &'a [u8],
    read: impl FnOnce(&mut SliceReader<'a>) -> der::Result<T>,
) -> Result<T, String> {
    let mut reader = SliceReader::new(bytes).map_err(reason)?;
    let value = read(&mut reader).map_err(reason)?;
    reader.finish().map_err(reason)?;
    Ok(value)
}

fn reason(error: der::Error) -> String {
    match error.kind() {
        ErrorKind::TrailingData { .. } => "there are bytes behind its end: copy the key again, alone".into(),
        _ => "it is of another kind, private, or damaged".into(),
    }
}
