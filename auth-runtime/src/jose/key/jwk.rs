//! JSON Web Keys (RFC 7517) and sets of them.
//!
//! `jsonwebtoken::jwk::Jwk` is not used: it drops private members without a word and reads `alg: ES512` or `Ed25519` as unknown.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use super::PreparedKey;
use crate::excerpt::Excerpt;
use crate::jose::algorithm::Algorithm;

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    issuer: Option<Value>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    k: Option<String>,
    /// The private parts of RSA, EC and OKP keys.
    d: Option<IgnoredAny>,
    p: Option<IgnoredAny>,
    q: Option<IgnoredAny>,
    dp: Option<IgnoredAny>,
    dq: Option<IgnoredAny>,
    qi: Option<IgnoredAny>,
    oth: Option<IgnoredAny>,
}

/// One key. The error says what is wrong with it.
pub(super) fn prepare(json: &str, private_parts_allowed: bool) -> Result<PreparedKey, String> {
    let jwk: Jwk = serde_json::from_str(json).map_err(|_| {
        "this is not a JWK: it must be a JSON object with `kty` and string members (RFC 7517 §4)".to_owned()
    })?;
    jwk.prepare(private_parts_allowed)
}

/// Of how many keys that can't be used it is said why.
const MAX_REASONS: usize = 10;

/// The usable keys of a set: `{"keys": [..]}`. Keys of an unknown kind are left out, as RFC 7517 §5 asks, and so are keys that
/// are not for signatures. A set without a usable key is an error. Of `algorithms`, if there are any, is each key: one without `alg` is for
/// each that its type allows, and one with another `alg` is left out.
pub(super) fn prepare_set(
    json: &str,
    max_keys: usize,
    algorithms: Option<&[Algorithm]>,
    issuer: &str,
) -> Result<Vec<PreparedKey>, String> {
    #[derive(Deserialize)]
    struct Set<'a> {
        #[serde(borrow)]
        keys: Vec<&'a RawValue>,
    }
    let set: Set<'_> = serde_json::from_str(json).map_err(|_| {
        "this is not a JWKS: it must be a JSON object with a list `keys` (RFC 7517 §5)".to_owned()
    })?;
    if set.keys.len() > max_keys {
        return Err(format!("the JWKS has {} keys, and {max_keys} at most are read", set.keys.len()));
    }
    let mut keys = Vec::new();
    let mut reasons = Vec::new();
    for (index, raw) in set.keys.into_iter().enumerate() {
        let prepared = serde_json::from_str::<Jwk>(raw.get())
            .map_err(|_| "it is not a JWK".to_owned())
            .and_then(|jwk| {
                match jwk.kty.as_str() {
                // Sets are published, and everyone who reads a secret there could sign with it.
                "oct" => Err(
                    "a set of public keys must not contain a secret: give it with `Key::secret` or `Key::jwk`"
                        .into(),
                ),
                _ => jwk.prepare_for(algorithms),
            }
            });
        match prepared {
            Ok(prepared) => keys.extend(prepared),
            Err(reason) => {
                if reasons.len() < MAX_REASONS {
                    tracing::warn!(issuer, index, reason, "auth: a key of the JWKS is not used");
                }
                reasons.push(format!("key {index}: {reason}"));
            }
        }
    }
    let further = reasons.len().saturating_sub(MAX_REASONS);
    if further > 0 {
        tracing::warn!(issuer, further, "auth: further keys of the JWKS are not used");
        reasons.truncate(MAX_REASONS);
        reasons.push(format!("and {further} more"));
    }
    if keys.is_empty() {
        let why = if reasons.is_empty() { "it is empty".to_owned() } else { reasons.join("; ") };
        return Err(format!("the JWKS has no usable key: {why}"));
    }
    Ok(keys)
}

impl Jwk {
    /// A key of a set: once, or without `alg` for each of `algorithms` that its type allows.
    fn prepare_for(self, algorithms: Option<&[Algorithm]>) -> Result<Vec<PreparedKey>, String> {
        let (Some(algorithms), None) = (algorithms, &self.alg) else {
            let key = self.prepare(false)?;
            if algorithms.is_some_and(|algorithms| !algorithms.contains(&key.algorithm)) {
                return Err(format!("its `alg` is {}, which `jwks_algorithms` does not name", key.algorithm));
            }
            return Ok(vec![key]);
        };
        let mut jwk = self;
        let mut keys = Vec::new();
        let mut reason = "it has no `alg`, and `jwks_algorithms` names none that its type allows".to_owned();
        for algorithm in algorithms.iter().filter(|algorithm| algorithm.key_type() == jwk.kty).copied() {
            jwk.alg = Some(algorithm.name().to_owned());
            match jwk.prepare(false) {
                Ok(key) => keys.push(key),
                Err(why) => reason = why,
            }
        }
        if keys.is_empty() { Err(reason) } else { Ok(keys) }
    }

    fn prepare(&self, private_parts_allowed: bool) -> Result<PreparedKey, String> {
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Err("its `use` is not `sig`: it is not for signatures".into());
        }
        if self.key_ops.as_ref().is_some_and(|operations| !operations.iter().any(|name| name == "verify")) {
            return Err("its `key_ops` don't list `verify`".into());
        }
        let private = [&self.d, &self.p, &self.q, &self.dp, &self.dq, &self.qi, &self.oth];
        if private.into_iter().any(Option::is_some) && !private_parts_allowed {
            return Err("it contains private parts, such as `d`: give the public key alone, since a service that verifies must not be able to \
                        sign; `Key::dangerously_allow_private_parts` accepts it"
                .into());
        }
        if self.kty != "oct" && self.k.is_some() {
            return Err(format!(
                "a key of type {} has no `k`, which is a secret (RFC 7518 §6.4.1): remove it, and replace that secret wherever it is used",
                Excerpt::new(&self.kty)
            ));
        }
        let mut key = match self.kty.as_str() {
            "RSA" => PreparedKey::from_rsa(
                self.algorithm(Algorithm::RS256)?,
                &bytes(&self.n, "n")?,
                &bytes(&self.e, "e")?,
            )?,
            "EC" => self.elliptic()?,
            "OKP" if self.crv.as_deref() == Some("Ed25519") => {
                let algorithm = self.algorithm(Algorithm::EdDSA)?;
                let x = bytes(&self.x, "x")?;
                if algorithm != Algorithm::EdDSA || x.len() != 32 {
                    return Err("an Ed25519 key is for EdDSA and has an `x` of 32 bytes".into());
                }
                PreparedKey::from_ed25519(algorithm, &x)?
            }
            "oct" => PreparedKey::from_secret(self.algorithm(Algorithm::HS256)?, &bytes(&self.k, "k")?)?,
            other => {
                return Err(format!(
                    "a key of type {} with curve {} is not supported",
                    Excerpt::new(other),
                    Excerpt::new(self.crv.as_deref().unwrap_or("none"))
                ));
            }
        };
        key.id = self.kid.as_deref().map(Box::from);
        // What is no text is no name of an issuer, and must not count as absent.
        key.issuer =
            self.issuer.as_ref().map(|name| name.as_str().map_or_else(|| name.to_string().into(), Box::from));
        Ok(key)
    }

    /// The uncompressed point of x and y, for the one algorithm of the curve.
    fn elliptic(&self) -> Result<PreparedKey, String> {
        let (of_curve, size) = match self.crv.as_deref() {
            Some("P-256") => (Algorithm::ES256, 32),
            Some("P-384") => (Algorithm::ES384, 48),
            Some("P-521") => (Algorithm::ES512, 66),
            other => {
                return Err(format!("the curve {} is not supported", Excerpt::new(other.unwrap_or("none"))));
            }
        };
        let algorithm = self.algorithm(of_curve)?;
        let (x, y) = (bytes(&self.x, "x")?, bytes(&self.y, "y")?);
        if algorithm != of_curve || x.len() != size || y.len() != size {
            return Err(format!(
                "a key on this curve is for {of_curve}, and `x` and `y` have {size} bytes each (RFC 7518 §6.2.1)"
            ));
        }
        let point = [&[4], x.as_slice(), y.as_slice()].concat();
        PreparedKey::from_point(algorithm, &point)
            .map_err(|_| "`x` and `y` are not a point on the curve".into())
    }

    fn algorithm(&self, default: Algorithm) -> Result<Algorithm, String> {
        match &self.alg {
            None => Ok(default),
            Some(name) => {
                let unknown = || format!("its `alg` {} is not supported", Excerpt::new(name));
                Algorithm::from_name(name).ok_or_else(unknown)
            }
        }
    }
}

fn bytes(member: &Option<String>, name: &str) -> Result<Vec<u8>, String> {
    let text = member.as_deref().ok_or_else(|| format!("its member `{name}` is missing"))?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| format!("its member `{name}` is not base64url without padding"))
}
