//! The limits that all instances of a service share: a store counts the attempts that the limits of this process allow.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use tokio::time::{Instant, timeout};

use super::{LimitSettings, network_of, site_of, whole_seconds};
use crate::session::routes::TokenFailure;
use crate::session::routes::account::AccountKey;
use crate::session::routes::endpoints::RoutesConfig;
use crate::store::{AttemptKey, AttemptLimit, AttemptStore, CountedAttempt};

/// How long the store is waited for. An attempt that it has not counted by then is answered 503.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// How often rows that have expired are dropped.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// How many batches are dropped at a time, so that a store that always has more does not keep a task for ever.
const MAX_BATCHES: usize = 1_000;

/// Counts login attempts in a store.
pub(in crate::session::routes) struct SharedLimits {
    /// What names are hashed with: the same on all instances. The builder does not accept an issuer without a refresh key, so it is there.
    key: Option<hmac::Key>,
    limits: LimitSettings,
    swept_at: Mutex<Instant>,
}

impl SharedLimits {
    pub(in crate::session::routes) fn new<A>(config: &RoutesConfig<A>) -> Self {
        let issuer = config.tokens.engine().sessions.issuer.as_ref();
        Self {
            key: issuer.and_then(|issuer| issuer.refresh_keys.attempt_key()).cloned(),
            limits: config.limits,
            swept_at: Mutex::new(Instant::now()),
        }
    }

    /// Counts an attempt as the limits of this process do: for the address, for its site, and for the account.
    ///
    /// # Errors
    /// [`TokenFailure::TooManyAttempts`] if a limit rejects it. [`TokenFailure::Unavailable`] if the store fails: what can't be counted is
    /// not allowed.
    pub(in crate::session::routes) async fn count(
        &self,
        store: &Arc<dyn AttemptStore>,
        account: &AccountKey,
        address: IpAddr,
    ) -> Result<(), TokenFailure> {
        let attempts = self.attempts(account, address).ok_or(TokenFailure::Misconfigured)?;
        let counted = timeout(MAX_WAIT, store.count(attempts)).await.map_err(|_| {
            let seconds = MAX_WAIT.as_secs();
            tracing::error!(seconds, "auth: the store has not counted a login attempt within this time: 503");
            TokenFailure::Unavailable
        })?;
        let wait = counted.map_err(|error| {
            tracing::error!(%error, "auth: the store can't count a login attempt: 503");
            TokenFailure::Unavailable
        })?;
        self.sweep(store);
        match wait.map(whole_seconds) {
            None => Ok(()),
            Some(wait) => {
                tracing::info!(%address, seconds = wait.as_secs(), "auth: too many login attempts, by the store");
                Err(TokenFailure::TooManyAttempts(wait))
            }
        }
    }

    fn attempts(&self, account: &AccountKey, address: IpAddr) -> Option<Vec<CountedAttempt>> {
        let key = self.key.as_ref()?;
        let attempt =
            |kind, limit, text: &[u8]| Some(CountedAttempt { key: key_of(key, kind, limit, text)?, limit });
        let LimitSettings { per_account, per_address, per_ipv6_site } = self.limits;
        let mut attempts = vec![attempt("network", per_address, &octets(network_of(address)))?];
        if let Some(site) = site_of(address) {
            attempts.push(attempt("site", per_ipv6_site, &octets(site.into()))?);
        }
        attempts.push(match account {
            AccountKey::Name(name) => attempt("name", per_account, name.as_bytes())?,
            AccountKey::Id(id) => attempt("id", per_account, id.as_bytes())?,
        });
        Some(attempts)
    }

    /// Drops what has expired, once a minute and beside the requests.
    fn sweep(&self, store: &Arc<dyn AttemptStore>) {
        let now = Instant::now();
        {
            let mut swept_at = self.swept_at.lock().unwrap_or_else(PoisonError::into_inner);
            if now.saturating_duration_since(*swept_at) < SWEEP_EVERY {
                return;
            }
            *swept_at = now;
        }
        let store = Arc::clone(store);
        tokio::spawn(async move {
            for _ in 0..MAX_BATCHES {
                match store.drop_expired().await {
                    Ok(true) => tokio::task::yield_now().await,
                    Ok(false) => return,
                    Err(error) => {
                        tracing::warn!(%error, "auth: expired login attempts can't be dropped from the store");
                        return;
                    }
                }
            }
        });
    }
}

/// HMAC-SHA-256 of the kind, the limit and the text, truncated to 128 bits (RFC 2104 §5). No kind has a zero byte, and a limit has a length of
/// its own, so no two are one message. Routes with other limits have other keys: an attempt at a strict one would otherwise count as many
/// at a lenient one.
fn key_of(key: &hmac::Key, kind: &str, limit: AttemptLimit, text: &[u8]) -> Option<AttemptKey> {
    let mut context = hmac::Context::with_key(key);
    let period = limit.replenish_one_every().as_nanos().to_be_bytes();
    for part in [kind.as_bytes(), b"\0", &limit.burst().get().to_be_bytes(), &period, text] {
        context.update(part);
    }
    context.sign().as_ref().first_chunk().copied().map(AttemptKey::new)
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_each_limit_and_each_text_has_a_key_of_its_own() {
        let (one, other) =
            (hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]), hmac::Key::new(hmac::HMAC_SHA256, &[2; 32]));
        let mut keys = Vec::new();
        for secret in [&one, &other] {
            for kind in ["network", "site", "name", "id"] {
                for limit in [AttemptLimit::PER_ACCOUNT, AttemptLimit::PER_ADDRESS] {
                    for text in ["", "\0", "alice", "name\0alice", "\u{1}"] {
                        keys.push(key_of(secret, kind, limit, text.as_bytes()).unwrap());
                    }
                }
            }
        }
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }

    /// Instances of different versions have one store.
    #[test]
    fn the_key_of_a_name_stays() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        let expected = 0x8fb7_5b11_1204_d456_b04e_93ee_d93f_9e7f_u128.to_be_bytes();
        assert_eq!(key_of(&key, "name", AttemptLimit::PER_ACCOUNT, b"alice").unwrap().as_bytes(), &expected);
    }
}
