//! A public key as a JWK, for the document that others verify this service's tokens with.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::der::{self, PublicNumbers};
use super::{Check, PreparedKey};
use crate::jose::algorithm::Algorithm;

impl PreparedKey {
    /// The key as a JWK (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2); `None` for a secret, which is never published.
    pub(crate) fn to_jwk(&self) -> Option<Map<String, Value>> {
        let mut jwk = self.members()?;
        jwk.insert("alg".into(), self.algorithm.name().into());
        jwk.insert("use".into(), "sig".into());
        if let Some(id) = &self.id {
            jwk.insert("kid".into(), (**id).into());
        }
        Some(jwk)
    }

    /// The SHA-256 of the key's own members, which everyone computes alike (RFC 7638 §3).
    pub(crate) fn thumbprint(&self) -> Option<String> {
        // serde_json sorts the names, unless its feature `preserve_order` is on.
        let sorted: std::collections::BTreeMap<_, _> = self.members()?.into_iter().collect();
        let text = serde_json::to_vec(&sorted).ok()?;
        Some(URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &text)))
    }

    /// The members that the key consists of, and no others.
    fn members(&self) -> Option<Map<String, Value>> {
        let Check::Public(key) = &self.check else { return None };
        let der: PublicKeyX509Der<'_> = key.as_der().ok()?;
        let members = match der::subject_public_key_info(self.algorithm, der.as_ref()).ok()? {
            PublicNumbers::Rsa { n, e } => vec![("kty", "RSA".into()), ("n", encode(n)), ("e", encode(e))],
            PublicNumbers::Ed25519(key) => {
                vec![("kty", "OKP".into()), ("crv", "Ed25519".into()), ("x", encode(key))]
            }
            PublicNumbers::Point(point) => elliptic(self.algorithm, point)?,
        };
        Some(members.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect())
    }
}

/// An uncompressed point: 4, then x and y at full length.
fn elliptic(algorithm: Algorithm, point: &[u8]) -> Option<Vec<(&'static str, String)>> {
    let curve = match algorithm {
        Algorithm::ES256 => "P-256",
        Algorithm::ES384 => "P-384",
        Algorithm::ES512 => "P-521",
        _ => return None,
    };
    let (4, coordinates) = point.split_first().map(|(first, rest)| (*first, rest))? else { return None };
    let (x, y) = coordinates.split_at_checked(coordinates.len() / 2)?;
    Some(vec![("kty", "EC".into()), ("crv", curve.to_owned()), ("x", encode(x)), ("y", encode(y))])
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use crate::jose::SigningKey;
    use crate::jose::{Algorithm, Key};

    #[test]
    fn a_published_key_is_the_key() {
        for algorithm in [
            Algorithm::RS256,
            Algorithm::PS512,
            Algorithm::ES256,
            Algorithm::ES384,
            Algorithm::ES512,
            Algorithm::EdDSA,
        ] {
            let key = SigningKey::generate(algorithm).unwrap().with_id("k");
            let jwk = key.verifying_key().prepare().unwrap().to_jwk().unwrap();
            assert_eq!(jwk["kid"], "k");
            let read = Key::jwk(serde_json::to_string(&jwk).unwrap()).prepare().unwrap();
            let token = key.sign(&serde_json::json!({})).unwrap();
            let (message, signature) = token.rsplit_once('.').unwrap();
            let signature =
                base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, signature).unwrap();
            assert!(read.verifies(message.as_bytes(), &signature), "{algorithm}");
            assert!(!jwk.contains_key("d"));
        }
    }

    #[test]
    fn a_secret_is_never_published() {
        let key = Key::secret(Algorithm::HS256, [7; 32]).prepare().unwrap();
        assert!(key.to_jwk().is_none() && key.thumbprint().is_none());
    }

    /// The example of RFC 7638 §3.1.
    #[test]
    fn the_thumbprint_is_that_of_the_rfc() {
        let jwk = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
        let key = Key::jwk(jwk).prepare().unwrap();
        assert_eq!(key.thumbprint().unwrap(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }
}
