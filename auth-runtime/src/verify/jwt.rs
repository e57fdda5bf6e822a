//! The built-in verifier: JWTs (RFC 7519) in compact form, of trusted issuers. Its keys that are fetched are in `fetched`.

mod audience;
mod fetched;
#[cfg(feature = "introspection")]
mod introspect;

use std::sync::Arc;

#[cfg(feature = "introspection")]
pub(crate) use self::introspect::Inquiry;
use super::claims::{Payload, TokenClaims};
use super::fetched_keys::FetchedKeys;
use super::fetchers::Fetchers;
#[cfg(feature = "introspection")]
use super::introspection::Introspector;
use super::issuer::{Audience, TrustedIssuer};
use super::issuer_keys::{IssuerKeys, KeyStatus};
use super::issuer_name::{IssuerName, check_issuers};
use super::json::Document;
use super::jws::{Compact, Header, MAX_SIGNATURE_BYTES, SHORT_SIGNATURE_BYTES};
use super::key_set::KeySet;
use super::keys;
#[cfg(feature = "provider-logout")]
use super::logout_rules::LogoutRules;
use super::mapping::ClaimMapping;
use super::{ClaimName, ClaimRule, VerifiedToken, VerifyError};
use crate::error::ConfigErrors;
use crate::excerpt::Excerpt;
use crate::jose::Algorithm;
#[cfg(test)]
use crate::jose::Key;

#[derive(Debug)]
pub(crate) struct JwtVerifier {
    pub(super) issuers: Vec<PreparedIssuer>,
    pub(super) max_token_bytes: usize,
}

/// What a signed text is to be, as its `typ` says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TextKind {
    /// An access token.
    Access,
    /// A logout token.
    #[cfg(feature = "provider-logout")]
    Logout,
    /// A security event token.
    #[cfg(feature = "provider-logout")]
    SecurityEvent,
}

#[derive(Debug)]
pub(super) struct PreparedIssuer {
    pub(super) name: IssuerName,
    audience: Audience,
    audience_without_aud: Option<ClaimName>,
    single_audience: bool,
    claim_rules: Vec<(ClaimName, ClaimRule)>,
    pub(super) keys: IssuerKeys,
    /// `None`: the keys are given.
    fetched: Option<Arc<FetchedKeys>>,
    /// Of the keys of a set. `None`: those that they name.
    key_set_algorithms: Option<Vec<Algorithm>>,
    token_types: Vec<String>,
    pub(super) mapping: Arc<ClaimMapping>,
    #[cfg(feature = "provider-logout")]
    pub(super) logout: LogoutRules,
    /// `false` if the issuer has a predicate of the application's own, which must be called every time.
    may_be_remembered: bool,
    /// What asks the issuer about tokens that are not verified with its keys.
    #[cfg(feature = "introspection")]
    introspector: Option<Introspector>,
}

impl JwtVerifier {
    /// Parses every key. All errors are added to `errors`.
    pub(crate) fn new(issuers: &[TrustedIssuer], max_token_bytes: usize, errors: &mut ConfigErrors) -> Self {
        check_issuers(issuers, errors);
        #[cfg(feature = "introspection")]
        introspect::check(issuers, errors);
        let mut fetchers = Fetchers::default();
        let issuers = issuers.iter().enumerate();
        let issuers =
            issuers.map(|(index, issuer)| PreparedIssuer::new(index, issuer, &mut fetchers, errors));
        Self { issuers: issuers.collect(), max_token_bytes }
    }

    /// Replaces all keys of the issuer of this name while requests are served; `None`: of the issuer without a name. Every later
    /// verification uses the new keys. If there is an error, it is added to `errors` and nothing changes.
    pub(crate) fn replace_keys(&self, name: Option<&str>, keys: &KeySet, errors: &mut ConfigErrors) {
        let mut issuers = self.issuers.iter();
        let found = issuers.find(|issuer| match name {
            Some(name) => issuer.name.is(name),
            None => issuer.name.is_unnamed(),
        });
        match found {
            Some(issuer) => issuer.replace_keys(keys, errors),
            None => errors.push(self.unknown_issuer(name)),
        }
    }

    fn unknown_issuer(&self, name: Option<&str>) -> String {
        let asked = name.map_or_else(|| "an issuer without a name".to_owned(), |name| format!("`{name}`"));
        let known: Vec<String> = self.issuers.iter().map(|issuer| issuer.name.label()).collect();
        let known = if known.is_empty() { "no issuer".to_owned() } else { known.join(", ") };
        let has_unnamed = self.issuers.iter().any(|issuer| issuer.name.is_unnamed());
        let hint = if name.is_some() && has_unnamed {
            ", or call `replace_keys_of_unnamed_issuer` for the one without a name"
        } else {
            ""
        };
        format!(
            "{asked} is not an issuer of this engine, which has {known}: add it with `.issuer(..)` on the builder{hint}"
        )
    }

    /// Whether tokens of an issuer of this name are accepted; empty for those without one. A predicate of the application's is asked, and
    /// accepts nothing if it panics.
    pub(crate) fn accepts_issuer(&self, issuer: &str) -> bool {
        let is_accepted = |iss| self.issuers.iter().any(|known| known.name.accepts(iss));
        is_accepted(Some(issuer)) || (issuer.is_empty() && is_accepted(None))
    }

    /// Returns an issuer's public keys as a JWKS document (RFC 7517 §5).
    pub(crate) fn public_keys(&self, issuer: &str) -> String {
        let issuer = self.issuers.iter().find(|known| known.name.is(issuer));
        let jwks: Vec<_> = issuer.map_or_else(Vec::new, |issuer| {
            issuer.keys.load().iter().filter_map(|known| known.key.to_jwk()).collect()
        });
        serde_json::json!({ "keys": jwks }).to_string()
    }

    /// Parses the claims of a token without verifying it, for decisions before verification.
    pub(crate) fn unverified_claims(&self, token: &str) -> Option<TokenClaims> {
        let payload = Compact::parse(token, self.max_token_bytes).ok()?.payload().ok()?;
        TokenClaims::from_json(&payload).ok()
    }

    /// Returns the only issuer. If there are several, reads the payload, and returns the issuer that the unverified `iss` names, or the one
    /// whose tokens have none; its keys must verify the token.
    pub(super) fn issuer_of(&self, payload: Vec<u8>) -> Result<(&PreparedIssuer, Payload), VerifyError> {
        if let [one] = self.issuers.as_slice() {
            return Ok((one, Payload::Bytes(payload)));
        }
        let document = Payload::Bytes(payload).into_document()?;
        Ok((self.issuer_named_in(&document)?, Payload::Read(document)))
    }

    /// Returns the only issuer, or the one of several that a payload names.
    fn issuer_named_in(&self, document: &Document) -> Result<&PreparedIssuer, VerifyError> {
        if let [one] = self.issuers.as_slice() {
            return Ok(one);
        }
        let iss = TokenClaims::issuer_of(document)?;
        let chosen = self.issuers.iter().find(|issuer| issuer.name.is_chosen_by(iss));
        chosen.ok_or_else(|| match iss {
            Some(iss) => VerifyError::UntrustedIssuer(Excerpt::new(iss)),
            None => VerifyError::MissingClaim("iss"),
        })
    }

    /// Verifies that a token is authentic and issued for this service. Its times are checked for each request.
    pub(crate) fn verify(&self, token: &str) -> Result<VerifiedToken, VerifyError> {
        self.verify_with(token, PreparedIssuer::check_names)
    }

    /// Verifies that a token is authentic, and what `check` asks of the claims.
    fn verify_with(
        &self,
        token: &str,
        check: impl Fn(&PreparedIssuer, &TokenClaims) -> Result<(), VerifyError>,
    ) -> Result<VerifiedToken, VerifyError> {
        let compact = Compact::parse(token, self.max_token_bytes)?;
        let (issuer, payload) = self.issuer_of(compact.payload()?)?;
        #[cfg(feature = "introspection")]
        if issuer.introspects_jwts() {
            // Its keys are for logout tokens.
            return Err(VerifyError::Malformed(
                "tokens of its issuer are introspected, and this one can't be",
            ));
        }
        let key = issuer.check_signature(&compact)?;
        let claims = TokenClaims::read(payload, issuer.mapping.forms)?;
        check(issuer, &claims)?;
        issuer.name.check_key(key.issuer(), &claims)?;
        Ok(VerifiedToken {
            claims,
            mapping: Arc::clone(&issuer.mapping),
            may_be_remembered: issuer.may_be_remembered,
            key: Some(key),
            restricts_grants: false,
        })
    }
}

impl PreparedIssuer {
    fn new(index: usize, issuer: &TrustedIssuer, fetchers: &mut Fetchers, errors: &mut ConfigErrors) -> Self {
        let label = issuer.name.label();
        issuer.problems.iter().for_each(|problem| errors.push(problem.clone()));
        check(issuer, &label, errors);
        let algorithms = issuer.key_set_algorithms.as_deref();
        if !issuer.has_keys() && !issuer.is_introspected() {
            errors.push(keys::none(&label, issuer.key_set_url.as_deref(), cfg!(feature = "jwks")));
        }
        let fetched = fetchers.fetched_keys(index, issuer, errors);
        let keys = if issuer.source_of_keys().is_given() {
            IssuerKeys::new(keys::prepare(&label, &issuer.keys, &issuer.key_sets, algorithms, errors))
        } else {
            keys::check_fetched(&label, issuer, errors);
            IssuerKeys::not_fetched()
        };
        Self {
            name: issuer.name.clone(),
            audience: issuer.audience.clone(),
            audience_without_aud: issuer.audience_without_aud.clone(),
            single_audience: issuer.single_audience,
            claim_rules: issuer.claim_rules.clone(),
            keys,
            fetched,
            key_set_algorithms: issuer.key_set_algorithms.clone(),
            token_types: issuer.token_types.iter().map(|typ| normal_type(typ)).collect(),
            mapping: Arc::new(issuer.mapping.clone()),
            #[cfg(feature = "provider-logout")]
            logout: issuer.logout.clone(),
            may_be_remembered: !issuer.name.has_predicate()
                && !issuer.claim_rules.iter().any(|(_, rule)| rule.has_predicate()),
            #[cfg(feature = "introspection")]
            introspector: introspect::prepare(issuer, &label, errors),
        }
    }

    /// Checks the header, then verifies the signature with each key that fits it. A header that is equal to the last one that a key
    /// verified is not parsed again. Returns the status of the key that verified it.
    fn check_signature(&self, compact: &Compact<'_>) -> Result<KeyStatus, VerifyError> {
        let (mut short, mut long);
        // A long buffer is not filled with zeros for a short signature.
        let buffer: &mut [u8] = if compact.has_short_signature() {
            short = [0; SHORT_SIGNATURE_BYTES];
            &mut short
        } else {
            long = [0; MAX_SIGNATURE_BYTES];
            &mut long
        };
        let signature = compact.signature(buffer)?;
        let message = compact.signing_input.as_bytes();
        let keys = self.keys.load();
        let last = keys.iter().find(|known| known.key.remembers(compact.header));
        if let Some(last) = last.filter(|last| last.key.verifies(message, signature)) {
            return Ok(last.status.clone());
        }
        let header = Header::parse(compact.header)?;
        self.check_type(&header, TextKind::Access)?;
        let known = keys::verifying(&keys, &header, message, signature, last)?;
        known.key.remember(compact.header);
        Ok(known.status.clone())
    }

    fn replace_keys(&self, keys: &KeySet, errors: &mut ConfigErrors) {
        let label = self.name.label();
        if self.fetched.is_some() {
            errors.push(format!(
                "{label}: its keys are fetched, so the next fetch would undo this: configure it without `discover`, `jwks_url` and \
                 `jwks_from`, or leave its keys to the fetches"
            ));
            return;
        }
        let KeySet { keys, sets } = keys;
        if keys.is_empty() && sets.is_empty() {
            errors.push(format!(
                "{label}: the new key set is empty, so none of its tokens could be verified: pass its JWKS document, or at least one key"
            ));
            return;
        }
        let algorithms = self.key_set_algorithms.as_deref().filter(|_| !sets.is_empty());
        let before = errors.len();
        let prepared = keys::prepare(&label, keys, sets, algorithms, errors);
        if errors.len() == before {
            let count = prepared.len();
            let withdrawn = self.keys.replace(prepared).withdrawn;
            tracing::info!(
                issuer = label,
                keys = count,
                %withdrawn,
                "auth: the keys of an issuer were replaced"
            );
        }
    }

    /// Checks `typ`: an ID token or a refresh token is not an access token (RFC 8725 §3.11, RFC 9068 §4).
    pub(super) fn check_type(&self, header: &Header, kind: TextKind) -> Result<(), VerifyError> {
        let typ = normal_type(header.typ.as_deref().unwrap_or("JWT"));
        match kind {
            TextKind::Access if self.token_types.contains(&typ) => Ok(()),
            TextKind::Access => Err(VerifyError::TypeNotAllowed),
            // `jwt` is that of providers that predate its own (OpenID Connect Back-Channel Logout 1.0 §2.4).
            #[cfg(feature = "provider-logout")]
            TextKind::Logout if ["logout+jwt", "jwt"].contains(&&*typ) => Ok(()),
            #[cfg(feature = "provider-logout")]
            TextKind::Logout => Err(VerifyError::OtherKind(
                "it is no logout token: its `typ` is neither `logout+jwt` nor `JWT`",
            )),
            // RFC 8417 §2.3.
            #[cfg(feature = "provider-logout")]
            TextKind::SecurityEvent if typ == "secevent+jwt" => Ok(()),
            #[cfg(feature = "provider-logout")]
            TextKind::SecurityEvent => {
                Err(VerifyError::OtherKind("it is no security event token: its `typ` is not `secevent+jwt`"))
            }
        }
    }

    fn check_names(&self, claims: &TokenClaims) -> Result<(), VerifyError> {
        self.name.check(claims)?;
        self.check_audience(claims)?;
        self.check_further(claims)
    }

    /// Checks what the claims must be besides the issuer and the audience.
    fn check_further(&self, claims: &TokenClaims) -> Result<(), VerifyError> {
        self.check_rules(claims)?;
        if claims.is_logout_token {
            return Err(VerifyError::LogoutToken);
        }
        // Proof of possession is not implemented, and without its proof a bound token may be stolen (RFC 7800 §3).
        if claims.sender_constrained { Err(VerifyError::SenderConstrained) } else { Ok(()) }
    }

    pub(super) fn check_rules(&self, claims: &TokenClaims) -> Result<(), VerifyError> {
        let null_is_absent = self.mapping.forms.null_is_absent;
        let is_accepted = |(name, rule): &(ClaimName, ClaimRule)| rule.accepts(name, claims, null_is_absent);
        if self.claim_rules.iter().all(is_accepted) { Ok(()) } else { Err(VerifyError::ClaimRejected) }
    }
}

/// Reports everything that is misconfigured about an issuer, apart from its name and its keys.
fn check(issuer: &TrustedIssuer, label: &str, errors: &mut ConfigErrors) {
    match &issuer.audience {
        Audience::Any | Audience::None => {}
        Audience::OneOf(names) => {
            if names.iter().any(String::is_empty) {
                errors.push(format!(
                    "{label}: an audience is empty: pass the name that this service has in `aud`"
                ));
            }
        }
        Audience::Unset => errors.push(format!(
            "{label}: no audience is set, so a token for another service would be accepted: call \
             `.audience(\"name of this service\")`, or `.dangerously_accept_any_audience()` to accept all"
        )),
    }
    if issuer.single_audience && !matches!(issuer.audience, Audience::OneOf(_)) {
        errors.push(format!(
            "{label}: `single_audience()` is called but no audience is set: call `.audience(..)` too"
        ));
    }
    #[cfg(feature = "provider-logout")]
    issuer.logout.check(issuer, label, errors);
    if issuer.token_types.is_empty() {
        errors.push(format!(
            "{label}: `token_types` is empty, so no token would be accepted: name at least `at+jwt`"
        ));
    }
    if issuer.claim_rules.iter().any(|(_, rule)| rule.has_no_values()) {
        errors.push(format!(
            "{label}: `ClaimRule::one_of` has no values, so it accepts no value: name at least one"
        ));
    }
    if read_claims(issuer).any(ClaimName::is_blank) {
        errors.push(format!(
            "{label}: the name of a claim is empty, or has an empty part: write it as in `a.b`, or as `ClaimName::path([\"a\", \"b.c\"])`"
        ));
    }
}

/// Returns the names of the claims that are read of each token of an issuer.
fn read_claims(issuer: &TrustedIssuer) -> impl Iterator<Item = &ClaimName> {
    let rules = issuer.claim_rules.iter().map(|(name, _)| name);
    let tenant = issuer.name.tenant_claim().into_iter();
    issuer.mapping.names().chain(rules).chain(tenant).chain(&issuer.audience_without_aud)
}

/// Returns the type in lower case and without `application/` (RFC 7515 §4.1.9).
fn normal_type(typ: &str) -> String {
    let lower = typ.to_ascii_lowercase();
    lower.strip_prefix("application/").map_or(lower.clone(), str::to_owned)
}

/// Runs the first step and verifies the signature alone, for test vectors whose payloads are not claims.
#[cfg(test)]
pub(super) fn signature_verifies(key: &Key, jws: &str) -> bool {
    let issuer =
        TrustedIssuer::dangerously_accept_any_issuer().dangerously_accept_any_audience().key(key.clone());
    let mut errors = ConfigErrors::default();
    let issuer = PreparedIssuer::new(0, &issuer, &mut Fetchers::default(), &mut errors);
    let verifies =
        |compact: Compact<'_>| issuer.check_signature(&compact).is_ok() && compact.payload().is_ok();
    errors.into_vec().is_empty() && Compact::parse(jws, 16 * 1024).is_ok_and(verifies)
}
