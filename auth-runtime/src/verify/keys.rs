//! The keys of an issuer: how they are prepared, and which of them a token is tried with.

use super::VerifyError;
use super::issuer::{KeySetText, TrustedIssuer};
use super::issuer_keys::IssuerKey;
use super::jws::Header;
use crate::error::ConfigErrors;
use crate::jose::{Algorithm, Key, MAX_DOCUMENT_BYTES, PreparedKey};

/// How many keys a token is tried with at most: a set of keys that all fit must not make a token cost as many verifications.
pub(super) const MAX_TRIED: usize = 16;

/// How many keys a set may have that is given.
const MAX_GIVEN: usize = 1000;

/// How many keys a set may have that is fetched: a server that others control must not have more parsed.
const MAX_FETCHED: usize = 100;

/// Parses an issuer's keys. All errors are added to `errors`. `algorithms` are those of the keys of a set.
pub(super) fn prepare(
    label: &str,
    single: &[Key],
    sets: &[KeySetText],
    algorithms: Option<&[Algorithm]>,
    errors: &mut ConfigErrors,
) -> Vec<PreparedKey> {
    let mut keys = Vec::new();
    for (index, key) in single.iter().enumerate() {
        match key.prepare() {
            Ok(key) => keys.push(key),
            Err(reason) => errors.push(format!("{label}: key {}, {key}: {reason}", index + 1)),
        }
    }
    check_single(label, &keys, errors);
    if let Some(algorithms) = algorithms {
        check_algorithms(label, algorithms, !sets.is_empty(), errors);
    }
    for set in sets {
        match Key::prepare_set(&set.0, MAX_GIVEN, algorithms, label) {
            Ok(set) => keys.extend(set),
            Err(reason) => errors.push(format!("{label}: {reason}")),
        }
    }
    keys
}

/// The error of an issuer that has no key. `published_at` is where its provider publishes them, and `can_fetch` whether that can be fetched.
pub(super) fn none(label: &str, published_at: Option<&str>, can_fetch: bool) -> String {
    let what = match (published_at, can_fetch) {
        (Some(url), false) => format!(
            "add the feature `jwks` of auth-runtime, with which they are fetched from `{url}`, or call `.jwks_from(..)`, `.jwks(..)` or \
             `.key(..)`"
        ),
        (_, true) => "begin with `TrustedIssuer::discover(..)`, or call `.jwks_url(..)`, `.jwks_from(..)`, `.jwks(..)` or `.key(..)`".to_owned(),
        (None, false) => "call `.jwks_from(..)`, `.jwks(..)` or `.key(..)`, or with the feature `jwks` of auth-runtime begin with \
                          `TrustedIssuer::discover(..)` or call `.jwks_url(..)`"
            .to_owned(),
    };
    format!("{label}: it has no key, so none of its tokens could be verified: {what}")
}

/// Parses a set that was fetched.
///
/// # Errors
/// If it is too large, can't be read, or has no key that can be used.
pub(super) fn prepare_fetched(
    label: &str,
    jwks: &str,
    algorithms: Option<&[Algorithm]>,
) -> Result<Vec<PreparedKey>, String> {
    if jwks.len() > MAX_DOCUMENT_BYTES {
        return Err(format!(
            "the key set has {} bytes, and {MAX_DOCUMENT_BYTES} at most are read",
            jwks.len()
        ));
    }
    Key::prepare_set(jwks, MAX_FETCHED, algorithms, label)
}

/// Reports what does not fit an issuer whose keys are fetched.
pub(super) fn check_fetched(label: &str, issuer: &TrustedIssuer, errors: &mut ConfigErrors) {
    if !issuer.keys.is_empty() || !issuer.key_sets.is_empty() {
        errors.push(format!(
            "{label}: its keys are fetched, and keys are given too: leave out `.key(..)` and `.jwks(..)`, or `discover`, `jwks_url` and \
             `jwks_from`"
        ));
    }
    if let Some(algorithms) = &issuer.key_set_algorithms {
        check_algorithms(label, algorithms, true, errors);
    }
}

/// Reports keys that were added one by one and that no token could choose between. Those of a set are the issuer's to choose, and
/// may have one id (RFC 7517 §4.5).
fn check_single(label: &str, keys: &[PreparedKey], errors: &mut ConfigErrors) {
    for (index, key) in keys.iter().enumerate() {
        let mut earlier = keys.iter().take(index).filter(|other| other.id == key.id);
        match &key.id {
            Some(id) if earlier.next().is_some() => errors.push(format!(
                "{label}: two keys have the id `{id}`, so `kid` would be ambiguous: give each key its own id"
            )),
            None if earlier.filter(|other| other.algorithm == key.algorithm).count() == MAX_TRIED => {
                errors.push(format!(
                    "{label}: more than {MAX_TRIED} keys for {} have no id, and a token is tried with the first {MAX_TRIED}: give each \
                     key its own id, which the issuer writes into `kid`",
                    key.algorithm
                ));
            }
            _ => {}
        }
    }
}

fn check_algorithms(label: &str, algorithms: &[Algorithm], has_set: bool, errors: &mut ConfigErrors) {
    if algorithms.is_empty() {
        errors.push(format!(
            "{label}: `jwks_algorithms` is empty, so no key of a set would be used: name at least one algorithm, or leave out \
             the call"
        ));
    }
    for algorithm in algorithms.iter().filter(|algorithm| algorithm.takes_secret()) {
        errors.push(format!(
            "{label}: `jwks_algorithms` names {algorithm}, which verifies with a secret, and a set of public keys has none: name \
             algorithms for public keys"
        ));
    }
    if !has_set {
        errors.push(format!(
            "{label}: `jwks_algorithms` is called, but the issuer has no key set: call `.jwks(..)` too, or leave it out: a key that is added by itself has its own algorithm"
        ));
    }
}

/// Returns the key that verifies a signature, among those that fit the header. `tried` did not verify it.
pub(super) fn verifying<'k>(
    keys: &'k [IssuerKey],
    header: &'k Header,
    message: &[u8],
    signature: &[u8],
    tried: Option<&IssuerKey>,
) -> Result<&'k IssuerKey, VerifyError> {
    let mut candidates = candidates(keys, header)?;
    let was_tried = |known: &IssuerKey| tried.is_some_and(|tried| std::ptr::eq(tried, known));
    let mut first = candidates.by_ref().take(MAX_TRIED);
    match first.find(|known| !was_tried(known) && known.key.verifies(message, signature)) {
        Some(known) => Ok(known),
        None if candidates.next().is_some() => Err(VerifyError::TooManyKeys),
        None => Err(VerifyError::BadSignature),
    }
}

/// Returns the keys of the header's algorithm in the order in which they are tried. A `kid` selects among the keys with an id; keys
/// without an id come after these.
fn candidates<'k>(
    keys: &'k [IssuerKey],
    header: &'k Header,
) -> Result<impl Iterator<Item = &'k IssuerKey>, VerifyError> {
    let of_algorithm = || keys.iter().filter(|known| known.key.algorithm == header.algorithm);
    if of_algorithm().next().is_none() {
        return Err(VerifyError::AlgorithmNotAllowed);
    }
    let selected = of_algorithm().filter(|known| header.kid.is_none() || known.key.id == header.kid);
    let without_id = of_algorithm().filter(|known| header.kid.is_some() && known.key.id.is_none());
    let mut candidates = selected.chain(without_id).peekable();
    if candidates.peek().is_none() { Err(VerifyError::UnknownKey) } else { Ok(candidates) }
}

#[cfg(test)]
mod tests {
    use super::none;

    /// `cfg!(feature = "jwks")` is one of these in each build: the other is what a user reads.
    #[test]
    fn an_issuer_without_keys_is_led_to_what_this_build_can_fetch() {
        let url = Some("https://id.test/certs");
        for (published_at, can_fetch, first, others) in [
            (
                url,
                false,
                "add the feature `jwks` of auth-runtime, with which they are fetched from `https://id.test/certs`",
                ".jwks_from(..)",
            ),
            (url, true, "begin with `TrustedIssuer::discover(..)`", ".jwks_url(..)"),
            (None, true, "begin with `TrustedIssuer::discover(..)`", ".jwks_url(..)"),
            (
                None,
                false,
                "call `.jwks_from(..)`",
                "with the feature `jwks` of auth-runtime begin with `TrustedIssuer::discover(..)`",
            ),
        ] {
            let error = none("issuer `i`", published_at, can_fetch);
            let (_, what) = error.split_once("could be verified: ").unwrap();
            assert!(what.starts_with(first) && what.contains(others), "{error}");
            assert!(error.contains("`.key(..)`") && error.contains("`.jwks(..)`"), "{error}");
        }
    }
}
