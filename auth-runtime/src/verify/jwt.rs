//! The engine's own verifier: JWTs (RFC 7519) in compact form, of issuers that are named.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

use super::claims::TokenClaims;
use super::issuer::{Audience, ClaimMapping, ClaimName, ClaimRule, KeySetText, TrustedIssuer};
use super::jws::{Compact, Header, MAX_SIGNATURE_BYTES};
use super::{VerifiedToken, Verifier, VerifyError};
use crate::error::ConfigErrors;
use crate::jose::{Key, PreparedKey};

#[derive(Debug)]
pub(crate) struct JwtVerifier {
    issuers: Vec<PreparedIssuer>,
    max_token_bytes: usize,
    /// Grows when keys change.
    generation: AtomicU64,
}

#[derive(Debug)]
struct PreparedIssuer {
    name: Option<Box<str>>,
    audience: Audience,
    single_audience: bool,
    claim_rules: Vec<(ClaimName, ClaimRule)>,
    keys: ArcSwap<Vec<PreparedKey>>,
    token_types: Vec<String>,
    mapping: Arc<ClaimMapping>,
    /// The top-level names of the claims that the mapping and the rules look at.
    wanted: Arc<[Arc<str>]>,
    /// A predicate of the user's own is asked every time.
    may_be_remembered: bool,
}

impl JwtVerifier {
    /// Parses every key; all mistakes go to `errors`.
    pub(crate) fn new(issuers: &[TrustedIssuer], max_token_bytes: usize, errors: &mut ConfigErrors) -> Self {
        for (index, issuer) in issuers.iter().enumerate() {
            let earlier = issuers.iter().take(index);
            match &issuer.name {
                Some(name) if earlier.clone().any(|other| other.name.as_ref() == Some(name)) => {
                    errors.push(format!("issuer `{name}` is named twice: give all of its keys to one `TrustedIssuer`"));
                }
                None if issuers.len() > 1 => errors.push(
                    "`TrustedIssuer::any_issuer()` stands beside another issuer: it would accept that one's tokens \
                     without its checks, so name every issuer",
                ),
                _ => {}
            }
        }
        let issuers = issuers.iter().map(|issuer| PreparedIssuer::new(issuer, errors)).collect();
        Self { issuers, max_token_bytes, generation: AtomicU64::new(1) }
    }

    /// Puts `keys` in the place of an issuer's, while requests run: what is verified from now on is verified with these. All
    /// mistakes go to `errors`, and with one nothing is changed.
    pub(crate) fn replace_keys(&self, issuer: &str, keys: &[Key], errors: &mut ConfigErrors) {
        let label = format!("issuer `{issuer}`");
        let prepared = prepare_keys(&label, keys, &[], errors);
        let Some(issuer) = self.issuers.iter().find(|known| known.name.as_deref() == Some(issuer)) else {
            errors.push(format!("{label} is not one of the engine's"));
            return;
        };
        if errors.is_empty() {
            // The keys first: a token that was verified with the old ones then carries an old number.
            issuer.keys.store(Arc::new(prepared));
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// An issuer's public keys as a JWKS document (RFC 7517 §5).
    pub(crate) fn public_keys(&self, issuer: &str) -> String {
        let issuer = self.issuers.iter().find(|known| known.name.as_deref() == Some(issuer));
        let keys = issuer.map(|issuer| issuer.keys.load_full()).unwrap_or_default();
        let jwks: Vec<_> = keys.iter().filter_map(PreparedKey::to_jwk).collect();
        serde_json::json!({ "keys": jwks }).to_string()
    }

    /// The claims of a token that nobody has verified, if it has the form of one: to decide what to do before it is verified.
    pub(crate) fn unverified_claims(&self, token: &str) -> Option<TokenClaims> {
        let payload = Compact::parse(token, self.max_token_bytes).ok()?.payload().ok()?;
        TokenClaims::from_json(&payload).ok()
    }

    /// The only issuer; of several the one that the unverified `iss` names, whose keys must then have signed it.
    fn issuer_of(&self, payload: &[u8]) -> Result<&PreparedIssuer, VerifyError> {
        match self.issuers.as_slice() {
            [one] => Ok(one),
            several => {
                let name = TokenClaims::issuer_of(payload)?;
                let issuer = several.iter().find(|issuer| issuer.name.as_ref() == Some(&name));
                issuer.ok_or(VerifyError::UntrustedIssuer)
            }
        }
    }
}

impl Verifier for JwtVerifier {
    fn verify(&self, token: &str) -> Result<VerifiedToken, VerifyError> {
        let compact = Compact::parse(token, self.max_token_bytes)?;
        let payload = compact.payload()?;
        let issuer = self.issuer_of(&payload)?;
        issuer.check_signature(&compact)?;
        let claims = TokenClaims::read(payload, &issuer.wanted)?;
        issuer.check_names(&claims)?;
        Ok(VerifiedToken {
            claims,
            mapping: Arc::clone(&issuer.mapping),
            may_be_remembered: issuer.may_be_remembered,
        })
    }

    fn generation(&self) -> Option<u64> {
        Some(self.generation.load(Ordering::Acquire))
    }
}

impl PreparedIssuer {
    fn new(issuer: &TrustedIssuer, errors: &mut ConfigErrors) -> Self {
        let label = issuer.name.as_deref().map_or("any issuer".to_owned(), |name| format!("issuer `{name}`"));
        if issuer.name.as_deref().is_some_and(str::is_empty) {
            errors.push(
                "an issuer's name is empty: give the exact `iss` of its tokens to `TrustedIssuer::new`",
            );
        }
        match &issuer.audience {
            Audience::Any | Audience::None => {}
            Audience::OneOf(names) => {
                if names.iter().any(String::is_empty) {
                    errors.push(format!(
                        "{label}: an audience is empty: give the name of this service in `aud`"
                    ));
                }
            }
            Audience::Unset => errors.push(format!(
                "{label}: no audience, so a token made for another service would be good here: call \
                 `.audience(\"name of this service\")`, or `.any_audience()` if that is what you want"
            )),
        }
        if issuer.single_audience && !matches!(issuer.audience, Audience::OneOf(_)) {
            errors.push(format!(
                "{label}: `single_audience()` is called and no audience is named: call `.audience(..)` too"
            ));
        }
        if issuer.token_types.is_empty() {
            errors.push(format!(
                "{label}: `token_types` is empty, so no token would be accepted: name at least `at+jwt`"
            ));
        }
        if issuer
            .claim_rules
            .iter()
            .any(|(_, rule)| matches!(rule, ClaimRule::OneOf(values) if values.is_empty()))
        {
            errors.push(format!("{label}: a claim must be one of no values, so no token would be accepted"));
        }
        if issuer.mapping.has_blank_name() || issuer.claim_rules.iter().any(|(name, _)| name.is_blank()) {
            errors.push(format!("{label}: a claim name is empty or has an empty part between dots"));
        }
        let keys = prepare_keys(&label, &issuer.keys, &issuer.key_sets, errors);
        Self {
            name: issuer.name.as_deref().map(Box::from),
            audience: issuer.audience.clone(),
            single_audience: issuer.single_audience,
            claim_rules: issuer.claim_rules.clone(),
            keys: ArcSwap::from_pointee(keys),
            token_types: issuer.token_types.iter().map(|typ| normal_type(typ)).collect(),
            mapping: Arc::new(issuer.mapping.clone()),
            wanted: wanted(issuer),
            may_be_remembered: !issuer
                .claim_rules
                .iter()
                .any(|(_, rule)| matches!(rule, ClaimRule::Satisfies(_))),
        }
    }

    /// The header, then the signature by a key that the header fits. A header that is to the letter the one last seen with
    /// a key was read then.
    fn check_signature(&self, compact: &Compact<'_>) -> Result<(), VerifyError> {
        let mut buffer = [0; MAX_SIGNATURE_BYTES];
        let signature = compact.signature(&mut buffer)?;
        let message = compact.signing_input.as_bytes();
        let keys = self.keys.load();
        let last = keys.iter().find(|key| key.remembers(compact.header));
        if last.is_some_and(|key| key.verifies(message, signature)) {
            return Ok(());
        }
        let header = Header::parse(compact.header)?;
        self.check_type(&header)?;
        let tried = |key: &PreparedKey| last.is_some_and(|last| std::ptr::eq(last, key));
        match candidates(&keys, &header)?.find(|key| !tried(key) && key.verifies(message, signature)) {
            Some(key) => {
                key.remember(compact.header);
                Ok(())
            }
            None => Err(VerifyError::BadSignature),
        }
    }

    /// Explicit typing: an ID token or a refresh token is no access token (RFC 8725 §3.11, RFC 9068 §4).
    fn check_type(&self, header: &Header) -> Result<(), VerifyError> {
        let typ = normal_type(header.typ.as_deref().unwrap_or("JWT"));
        if self.token_types.contains(&typ) { Ok(()) } else { Err(VerifyError::TypeNotAllowed) }
    }

    fn check_names(&self, claims: &TokenClaims) -> Result<(), VerifyError> {
        if let Some(name) = &self.name {
            match &claims.issuer {
                None => return Err(VerifyError::MissingClaim("iss")),
                Some(issuer) if issuer != name => return Err(VerifyError::UntrustedIssuer),
                Some(_) => {}
            }
        }
        self.check_audience(claims)?;
        if !self.claim_rules.iter().all(|(name, rule)| rule.accepts(name.find(claims))) {
            return Err(VerifyError::ClaimRefused);
        }
        // Proof of possession is not checked yet, and a bound token without its proof is a stolen one (RFC 7800 §3).
        if claims.sender_constrained { Err(VerifyError::SenderConstrained) } else { Ok(()) }
    }

    fn check_audience(&self, claims: &TokenClaims) -> Result<(), VerifyError> {
        let audience = claims.audience.as_deref();
        let accepted = match &self.audience {
            Audience::Any => return Ok(()),
            Audience::None | Audience::Unset => {
                return if audience.is_none() { Ok(()) } else { Err(VerifyError::WrongAudience) };
            }
            Audience::OneOf(names) => names,
        };
        let audience = audience.ok_or(VerifyError::MissingClaim("aud"))?;
        let named = audience.iter().any(|name| accepted.iter().any(|accepted| **accepted == **name));
        if named && (audience.len() == 1 || !self.single_audience) {
            Ok(())
        } else {
            Err(VerifyError::WrongAudience)
        }
    }
}

/// An issuer's keys, each parsed; all mistakes go to `errors`.
fn prepare_keys(
    label: &str,
    single: &[Key],
    sets: &[KeySetText],
    errors: &mut ConfigErrors,
) -> Vec<PreparedKey> {
    let mut keys = Vec::new();
    for (index, key) in single.iter().enumerate() {
        match key.prepare() {
            Ok(key) => keys.push(key),
            Err(reason) => errors.push(format!("{label}: key {}, {key}: {reason}", index + 1)),
        }
    }
    for set in sets {
        match Key::prepare_set(&set.0) {
            Ok(set) => keys.extend(set),
            Err(reason) => errors.push(format!("{label}: {reason}")),
        }
    }
    if single.is_empty() && sets.is_empty() {
        errors.push(format!(
            "{label}: no key, so no token of it could be verified: call `.key(..)` or `.jwks(..)`"
        ));
    }
    for (index, key) in keys.iter().enumerate() {
        if key.id.is_some() && keys.iter().take(index).any(|other| other.id == key.id) {
            errors.push(format!(
                "{label}: two keys have the id `{}`, so a token could not say which it means: give each its own",
                key.id.as_deref().unwrap_or_default()
            ));
        }
    }
    keys
}

/// The algorithm is the key's. A `kid` picks among the keys that have one; keys without an id are tried for any.
fn candidates<'k>(
    keys: &'k [PreparedKey],
    header: &'k Header,
) -> Result<impl Iterator<Item = &'k PreparedKey>, VerifyError> {
    let mut of_algorithm = keys.iter().filter(|key| key.algorithm == header.algorithm).peekable();
    if of_algorithm.peek().is_none() {
        return Err(VerifyError::AlgorithmNotAllowed);
    }
    let mut candidates = of_algorithm
        .filter(|key| match (&key.id, &header.kid) {
            (Some(id), Some(kid)) => id == kid,
            _ => true,
        })
        .peekable();
    if candidates.peek().is_none() { Err(VerifyError::UnknownKey) } else { Ok(candidates) }
}

/// The claims that an issuer's mapping and rules look at, each once, by the name of the top level.
fn wanted(issuer: &TrustedIssuer) -> Arc<[Arc<str>]> {
    let rules = issuer.claim_rules.iter().map(|(name, _)| name);
    let names = issuer.mapping.names().chain(rules).filter_map(ClaimName::top_level);
    names.collect::<BTreeSet<_>>().into_iter().map(Arc::from).collect()
}

/// Lower case, without `application/` (RFC 7515 §4.1.9).
fn normal_type(typ: &str) -> String {
    let lower = typ.to_ascii_lowercase();
    lower.strip_prefix("application/").map_or(lower.clone(), str::to_owned)
}

/// The strict first step and the signature alone: for test vectors whose payloads are no claims.
#[cfg(test)]
pub(super) fn signature_verifies(key: &Key, jws: &str) -> bool {
    let issuer = TrustedIssuer::any_issuer().any_audience().key(key.clone());
    let mut errors = ConfigErrors::default();
    let issuer = PreparedIssuer::new(&issuer, &mut errors);
    let verifies =
        |compact: Compact<'_>| issuer.check_signature(&compact).is_ok() && compact.payload().is_ok();
    errors.into_vec().is_empty() && Compact::parse(jws, 16 * 1024).is_ok_and(verifies)
}
