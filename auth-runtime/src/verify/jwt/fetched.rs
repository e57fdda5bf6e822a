//! The keys of a verifier that are fetched.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{Compact, Header, JwtVerifier, Payload, PreparedIssuer, TextKind, TokenClaims, keys};
use crate::excerpt::Excerpt;
use crate::jose::Algorithm;
use crate::verify::error::VerifyError;
use crate::verify::fetched_keys::{FetchedKeys, LONGEST_TRUST, Run, TextHash};
use crate::verify::issuer_keys::{IssuerKey, KeyChange};
use crate::verify::key_set_status::{FetchFailure, KeySetKind, KeySetStatus, Outage};
use crate::verify::key_source::FetchedKeySet;

/// What a fetch has brought.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) is_key_withdrawn: bool,
    /// How many fetches have failed before it.
    pub(crate) failures: u64,
}

impl JwtVerifier {
    /// The keys that are fetched, of each issuer that has such.
    pub(crate) fn fetched_keys(&self) -> impl Iterator<Item = &Arc<FetchedKeys>> {
        self.issuers.iter().filter_map(|issuer| issuer.fetched.as_ref())
    }

    /// The issuer that a text names, before it is verified.
    fn named_by(&self, compact: &Compact<'_>) -> Option<&PreparedIssuer> {
        let document = Payload::Bytes(compact.payload().ok()?).into_document().ok()?;
        let issuer = self.issuer_named_in(&document).ok()?;
        let iss = TokenClaims::issuer_of(&document).ok()?;
        // An engine with one issuer has that of every token looked at after the signature.
        issuer.name.is_chosen_by(iss).then_some(issuer)
    }

    /// The fetched keys of the issuer that a text names.
    pub(crate) fn fetched_keys_of(&self, token: &str) -> Option<&Arc<FetchedKeys>> {
        let compact = Compact::parse(token, self.max_token_bytes).ok()?;
        self.named_by(&compact)?.fetched.as_ref()
    }

    /// The fetched keys among which the key of a text may be, once they are fetched anew; `None` where that would not help.
    pub(crate) fn fetched_keys_for(&self, token: &str, kind: TextKind) -> Option<&Arc<FetchedKeys>> {
        let compact = Compact::parse(token, self.max_token_bytes).ok()?;
        let issuer = self.named_by(&compact)?;
        let fetched = issuer.fetched.as_ref()?;
        let header = Header::parse(compact.header).ok()?;
        // No key set that is fetched has a secret (RFC 8725 §3.1).
        let is_of_set = !header.algorithm.takes_secret() && issuer.check_type(&header, kind).is_ok();
        // `jwks_algorithms` leaves out a key of another algorithm, whatever is fetched.
        let is_used = |named: &Vec<Algorithm>| named.contains(&header.algorithm);
        let is_of_set = is_of_set && issuer.key_set_algorithms.as_ref().is_none_or(is_used);
        let keys = issuer.keys.load();
        // Whichever its algorithm is: a set that has the id has the key.
        let is_known = |known: &IssuerKey| known.key.id == header.kid;
        let has_known_id = header.kid.is_some() && keys.iter().any(is_known);
        (is_of_set && !has_known_id).then_some(fetched)
    }

    /// Where a text is from that this error refuses, as it says itself, for the log: its issuer, if that is trusted, and the id of its key. It ends
    /// a sentence.
    ///
    /// A key that is known by this id did not verify it. Nothing is fetched then: everyone can send such a text, and where a provider gives
    /// an id to another key, which RFC 7517 §4.5 leaves to it, the next refresh brings that.
    pub(crate) fn origin_of(&self, token: &str, refused_by: &VerifyError) -> String {
        let Ok(compact) = Compact::parse(token, self.max_token_bytes) else { return String::new() };
        let issuer = compact.payload().and_then(|payload| self.issuer_of(payload));
        let issuer = issuer.map(|(issuer, _)| issuer).ok();
        let label = issuer.map_or_else(|| "no issuer".to_owned(), |issuer| issuer.name.label());
        let Some(kid) = Header::parse(compact.header).ok().and_then(|header| header.kid) else {
            return format!(" ({label}, without `kid`)");
        };
        let is_known = |known: &IssuerKey| known.key.id.as_deref() == Some(&*kid);
        let is_of_another_key = *refused_by == VerifyError::BadSignature;
        let fetched = issuer.filter(|issuer| is_of_another_key && issuer.fetched.is_some());
        let hint = match fetched.is_some_and(|issuer| issuer.keys.load().iter().any(is_known)) {
            true => "; if its issuer has given this id to another key, that is used from the next refresh on",
            false => "",
        };
        format!(" ({label}, `kid` {}{hint})", Excerpt::new(&kid))
    }

    /// Takes the answer of a fetch, at this time of the engine's clock and of the monotonic one.
    ///
    /// # Errors
    /// Why the fetch failed, or its answer has no key that can be used, and what that means for tokens. The keys from before stay.
    pub(crate) fn take_fetched(
        &self,
        keys: &FetchedKeys,
        run: Run,
        answer: Result<FetchedKeySet, FetchFailure>,
        (at, now): (SystemTime, Duration),
    ) -> Result<Taken, (FetchFailure, Outage)> {
        let Some(issuer) = self.issuers.get(keys.issuer).filter(|_| keys.counts(run)) else {
            return Ok(Taken::default());
        };
        let taken = answer.and_then(|set| {
            let text = TextHash::of(&set.jwks);
            let withdrawn = if keys.are_of(text) {
                0
            } else {
                issuer.take_set(&set.jwks).map_err(FetchFailure::lasting)?
            };
            Ok((withdrawn, text, set.fresh_for))
        });
        let taken = match taken {
            Ok((withdrawn, text, fresh_for)) => {
                issuer.keys.trust_until(run.began().saturating_add(LONGEST_TRUST));
                let failures = keys.succeeded(run, text, fresh_for, at);
                Ok(Taken { is_key_withdrawn: withdrawn > 0, failures })
            }
            Err(failure) => {
                let outage = keys.failed(run, failure.clone(), now);
                Err((failure, outage))
            }
        };
        issuer.keys.overdue_at(keys.overdue_at());
        taken
    }

    /// Whether the keys of every issuer serve, but for those that a service may start without.
    pub(crate) fn has_keys(&self, now: Duration) -> bool {
        let may_lack =
            |issuer: &PreparedIssuer| issuer.fetched.as_ref().is_some_and(|keys| keys.may_start_unreachable);
        self.issuers.iter().all(|issuer| issuer.keys.are_trusted(now) || may_lack(issuer))
    }

    /// The state of the keys that are fetched.
    pub(crate) fn key_set_status(&self, kind: KeySetKind, now: Duration) -> Vec<KeySetStatus> {
        let fetched = self.issuers.iter().filter_map(|issuer| Some((issuer, issuer.fetched.as_ref()?)));
        let status = |(issuer, fetched): (&PreparedIssuer, &Arc<FetchedKeys>)| {
            fetched.status(kind, issuer.keys.load().len(), issuer.keys.are_trusted(now))
        };
        fetched.map(status).collect()
    }
}

impl PreparedIssuer {
    /// Uses the keys of a set that was fetched. Returns how many were withdrawn.
    fn take_set(&self, jwks: &str) -> Result<usize, String> {
        let label = self.name.label();
        let prepared = keys::prepare_fetched(&label, jwks, self.key_set_algorithms.as_deref())?;
        let count = prepared.len();
        let KeyChange { new, withdrawn } = self.keys.replace(prepared);
        if new.count > 0 || withdrawn.count > 0 {
            tracing::info!(
                issuer = label,
                keys = count,
                %new,
                %withdrawn,
                "auth: the keys of an issuer were fetched and have changed"
            );
        }
        Ok(withdrawn.count)
    }
}
