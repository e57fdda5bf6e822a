//! The keys of an engine, and who they are of.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::BoxError;
use axum::http::request::Parts;
use quick_cache::sync::Cache;
use serde_json::{Value, json};

use super::last_uses::LastUses;
use super::text::{KeyFormat, hash};
use crate::authenticator::{Authenticated, Authentication, Authenticator, Subject};
use crate::clock::{Clock, from_unix_seconds, unix_seconds};
use crate::load_cache::{Bounds, LoadCache, LoadError, Loaded};
use crate::principal::Principal;
use crate::source::{CredentialLocation, CredentialPlace};
use crate::store::{ApiKeyRecord, ApiKeyStore, StoreError};
use crate::verify::scheme_issuer;

/// What is remembered of keys that are refused: there is no such key, or it has ended. Valid keys are remembered by the pipeline.
const REFUSED: Bounds = Bounds { entries: 10_000, longest: Duration::from_secs(60) };

/// The number of revoked keys of which this process knows that the log has them. Of a further one it logs the end again, if it is asked to.
const LOGGED_ENDS: usize = 10_000;

/// How long the row of a key that has ended is kept, for lists.
const KEEP_ENDED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The keys of an engine.
pub(crate) struct ApiKeyState {
    /// The issuer of their callers.
    pub(super) issuer: String,
    pub(super) format: KeyFormat,
    pub(super) store: Arc<dyn ApiKeyStore>,
    /// Those of the configuration, by their ids.
    pub(super) static_keys: HashMap<String, Arc<ApiKeyRecord>>,
    /// The rows of keys that have ended, and the ids that no key has.
    refused: LoadCache<String, Arc<ApiKeyRecord>>,
    /// Keys that were revoked, and of which the log says so, or an entry after it. They need no other.
    logged_ends: Cache<String, ()>,
    pub(super) clock: Arc<dyn Clock>,
    last_uses: LastUses,
    /// Last uses are being written.
    is_writing: AtomicBool,
    cache_for: Duration,
    challenge: Option<String>,
    security_scheme: Option<Value>,
}

impl ApiKeyState {
    pub(super) fn new(
        name: &str,
        place: &CredentialPlace,
        format: KeyFormat,
        store: Arc<dyn ApiKeyStore>,
        static_keys: HashMap<String, Arc<ApiKeyRecord>>,
        cache_for: Duration,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let refused = Bounds { longest: cache_for.min(REFUSED.longest), ..REFUSED };
        // What is wrong with the place is reported where the source is made.
        let source = place.clone().into_source(name).ok();
        let location = source.as_ref().and_then(|source| source.location());
        let is_after_scheme = matches!(location, Some(CredentialLocation::Header { scheme: Some(_), .. }));
        Self {
            issuer: scheme_issuer(name),
            format,
            store,
            static_keys,
            last_uses: LastUses::new(clock.monotonic()),
            is_writing: AtomicBool::new(false),
            refused: LoadCache::new("API keys", refused, refused),
            logged_ends: Cache::new(LOGGED_ENDS),
            cache_for,
            challenge: (!is_after_scheme).then(|| "ApiKey".to_owned()),
            security_scheme: location.and_then(security_scheme),
            clock,
        }
    }

    /// The row of the store with this id, if it is one of this engine.
    pub(super) async fn find(&self, id: &str) -> Result<Option<ApiKeyRecord>, StoreError> {
        Ok(self.store.find(id).await?.filter(|key| key.prefix == self.format.prefix() && key.id == id))
    }

    /// Whether a key has neither expired nor was revoked. A key that was revoked stays so, whatever the clock shows.
    ///
    /// # Errors
    /// Why it is not valid.
    pub(super) fn check_valid(&self, key: &ApiKeyRecord) -> Result<(), String> {
        if key.revoked_at.is_some() {
            return Err(format!("the API key {} was revoked", key.id));
        }
        if key.valid_until().is_some_and(|expires_at| unix_seconds(self.clock.now()) >= expires_at) {
            return Err(format!("the API key {} has expired", key.id));
        }
        Ok(())
    }

    /// Whether a key was revoked, and this process knows that the log has that. There is nothing left to do then.
    pub(super) fn has_logged_end_of(&self, key: &ApiKeyRecord) -> bool {
        key.revoked_at.is_some() && self.logged_ends.get(&key.id).is_some()
    }

    /// A key was revoked, and the log has that.
    pub(super) fn note_logged_end(&self, id: &str) {
        self.logged_ends.insert(id.to_owned(), ());
    }

    /// Whether this is a caller with one of these keys.
    pub(crate) fn has_issued_to(&self, principal: &Principal) -> bool {
        principal.issuer() == Some(&*self.issuer)
    }

    /// When the key with this id expires, in seconds since the epoch, where that is set; `None` if it is not valid now.
    ///
    /// # Errors
    /// If the store can't be read.
    pub(crate) async fn end_of(&self, id: &str) -> Result<Option<Option<i64>>, StoreError> {
        let valid = |key: &ApiKeyRecord| self.check_valid(key).is_ok().then_some(key.valid_until());
        if let Some(key) = self.static_keys.get(id) {
            return Ok(valid(key));
        }
        Ok(self.find(id).await?.as_ref().and_then(valid))
    }

    /// What the engine does each second: writes last uses, if it is time for that. It waits for nothing.
    pub(crate) fn write_due_uses(self: &Arc<Self>) {
        /// The end of a write, also of one that panics.
        struct End(Arc<ApiKeyState>);

        impl Drop for End {
            fn drop(&mut self) {
                self.0.is_writing.store(false, Ordering::Release);
            }
        }

        if self.is_writing.load(Ordering::Acquire) {
            return;
        }
        let Some(uses) = self.last_uses.take_due(self.clock.monotonic()) else { return };
        self.is_writing.store(true, Ordering::Release);
        let end = End(Arc::clone(self));
        tokio::spawn(async move { end.0.last_uses.write(&*end.0.store, uses).await });
    }

    /// Writes last uses now.
    pub(super) async fn write_uses(&self) {
        let uses = self.last_uses.take();
        if !uses.is_empty() {
            self.last_uses.write(&*self.store, uses).await;
        }
    }

    /// Deletes some rows of keys that ended long before this time. Returns whether more can be deleted.
    pub(crate) async fn drop_ended(&self, confirmed: SystemTime) -> Result<bool, StoreError> {
        match confirmed.checked_sub(KEEP_ENDED) {
            Some(time) => self.store.drop_ended(time).await,
            None => Ok(false),
        }
    }

    /// # Errors
    /// If the store can't be read, or too many keys are being read.
    async fn judge(&self, text: &str) -> Result<Authentication, LoadError> {
        let id = match self.format.id(text) {
            Ok(id) => id,
            Err(why) => return Ok(Authentication::Invalid(Cow::Borrowed(why))),
        };
        let static_key = self.static_keys.get(id);
        let key = match static_key {
            Some(key) => Some(Arc::clone(key)),
            None => self.look_up(id).await?,
        };
        let Some(key) = key else {
            return Ok(invalid(format!("there is no API key {id}")));
        };
        if verify_slices_are_equal(&key.hash, &hash(text)).is_err() {
            return Ok(invalid(format!("the secret of the API key {id} is wrong")));
        }
        if let Err(why) = self.check_valid(&key) {
            return Ok(invalid(why));
        }
        if static_key.is_none() {
            self.note_use(id);
        }
        Ok(self.caller(&key))
    }

    /// The row with this id. One of a key that has ended is remembered, and so is that there is none.
    async fn look_up(&self, id: &str) -> Result<Option<Arc<ApiKeyRecord>>, LoadError> {
        let now = self.clock.monotonic();
        // A row that is no longer refused was so by a clock that was ahead: it is read again.
        match self.refused.get(id, now) {
            Some(Some(key)) if self.check_valid(&key).is_ok() => {
                let id = id.to_owned();
                self.refused.forget(move |known, _| *known == id);
            }
            Some(known) => return Ok(known),
            None => {}
        }
        let load = async {
            let key = self.find(id).await?;
            let is_valid = key.as_ref().is_some_and(|key| self.check_valid(key).is_ok());
            let remember_for = if is_valid { Duration::ZERO } else { Duration::MAX };
            Ok(Loaded::new(key.map(Arc::new), remember_for))
        };
        self.refused.load(id.to_owned(), now, load).await
    }

    fn note_use(&self, id: &str) {
        let now = unix_seconds(self.clock.now());
        // A clock before the epoch is wrong.
        if now != i64::MAX {
            self.last_uses.note(id, now);
        }
    }

    fn caller(&self, key: &ApiKeyRecord) -> Authentication {
        let subject =
            Subject::new(&*key.owner).roles(&key.roles).scopes(&key.scopes).permissions(&key.permissions);
        // A key that was made for a part of what its owner may do must not do the rest.
        let caller = Authenticated::new(subject).restrict_grants();
        let caller = caller.credential_id(&*key.id).remember_for(self.cache_for);
        match key.valid_until() {
            Some(expires_at) => caller.expires_at(from_unix_seconds(expires_at)).into(),
            None => caller.into(),
        }
    }
}

fn invalid(why: String) -> Authentication {
    Authentication::Invalid(Cow::Owned(why))
}

/// The Security Scheme Object of keys at this place; `None` for one that describes itself.
fn security_scheme(location: CredentialLocation<'_>) -> Option<Value> {
    let (place, name, text) = match location {
        CredentialLocation::Header { scheme: Some(_), .. } => return None,
        CredentialLocation::Header { name, scheme: None } => {
            ("header", name, format!("An API key in the header `{name}`."))
        }
        CredentialLocation::Cookie { name } => (
            "cookie",
            name,
            format!(
                "An API key in the cookie `{name}`. A request that changes state must come from a page of this service, or of an \
                 origin that it trusts."
            ),
        ),
        CredentialLocation::Query { name } => (
            "query",
            name,
            format!("An API key in the query parameter `{name}`, only for requests that change no state."),
        ),
    };
    Some(json!({ "type": "apiKey", "description": text, "in": place, "name": name }))
}

impl Authenticator for ApiKeyState {
    async fn authenticate(&self, credential: &str, _head: &Parts) -> Result<Authentication, BoxError> {
        self.judge(credential).await.map_err(Into::into)
    }

    fn challenge_scheme(&self) -> Option<String> {
        self.challenge.clone()
    }

    fn security_scheme(&self) -> Option<Value> {
        self.security_scheme.clone()
    }
}

impl fmt::Debug for ApiKeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeyState").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
