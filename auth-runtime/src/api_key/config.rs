//! How an engine has API keys.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::keys::ApiKeyState;
use super::new_key::parse_hash;
use super::options::ApiKeyOptions;
use super::text::KeyFormat;
use crate::clock::Clock;
use crate::error::ConfigErrors;
use crate::source::CredentialPlace;
use crate::store::{ApiKeyRecord, ApiKeyStore, MemoryStore};
use crate::verify::Excerpt;
use crate::vocabulary::VocabularyIndex;

/// The longest time that a key may be remembered.
const LONGEST_CACHE: Duration = Duration::from_secs(60 * 60);

/// Where API keys are in a request, where they are stored, and which are in the configuration.
///
/// ```
/// use auth_runtime::api_key::{ApiKeyOptions, ApiKeys, NewApiKey};
/// use auth_runtime::store::MemoryStore;
/// use auth_runtime::{Auth, auth};
///
/// #[auth(source = "api_key", scopes = ["orders:read"])]
/// async fn orders() {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let auth = Auth::builder()
///     .api_keys(ApiKeys::in_header("X-API-Key").prefix("acme_live").store(MemoryStore::new()))
///     .build()?;
/// let key: NewApiKey = auth.api_keys()?.create("alice", ApiKeyOptions::new().scopes(["orders:read"])).await?;
/// println!("Shown once: {}", key.text());
/// # Ok(())
/// # }
/// ```
///
/// A key is looked up in the store, and remembered for [`cache_for`](Self::cache_for): up to 10,000 keys. At most 64 keys are looked up
/// at a time, and a request with a further one is answered 503. When a key was last used is written to the store once a minute, in
/// one write for all keys; it is known to the minute, or to `cache_for` if that is longer. What was not written when the process
/// ends is lost, unless [`ApiKeyService::record_last_uses`](super::ApiKeyService::record_last_uses) is called.
#[must_use = "pass it to `AuthBuilder::api_keys`"]
pub struct ApiKeys {
    name: String,
    place: CredentialPlace,
    prefix: String,
    store: Option<Arc<dyn ApiKeyStore>>,
    static_keys: Vec<StaticKey>,
    cache_for: Duration,
}

/// A key of the configuration.
struct StaticKey {
    hash: String,
    owner: String,
    options: ApiKeyOptions,
}

/// Keys in the header `X-API-Key`.
impl Default for ApiKeys {
    fn default() -> Self {
        Self::in_header("X-API-Key")
    }
}

impl ApiKeys {
    /// Takes keys from the whole value of this header, such as `X-API-Key`.
    pub fn in_header(name: impl Into<String>) -> Self {
        Self::at(CredentialPlace::header(name))
    }

    /// Takes keys from this place: `CredentialPlace::authorization("ApiKey")`, a cookie, a query parameter.
    ///
    /// A challenge for a route that takes keys names the scheme `ApiKey`, or that of the header `Authorization`. `ApiKey` is not in the
    /// registry of IANA: a 401 must have a challenge (RFC 9110 §15.5.2), and no registered scheme is for API keys.
    pub fn at(place: impl Into<CredentialPlace>) -> Self {
        Self {
            name: "api_key".to_owned(),
            place: place.into(),
            prefix: "key".to_owned(),
            store: None,
            static_keys: Vec::new(),
            cache_for: Duration::from_secs(60),
        }
    }

    /// Sets the name that rules use: `source = "api_key"`, which is the default. It must not change while callers have keys: audit
    /// events and other records of the callers have it.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the beginning of each key, which says what it is for: 1 to 32 letters, digits and `_`, such as `acme_live`. Default `key`.
    ///
    /// Keys with another prefix are invalid, also if they are in the same store: engines that share a store and have different prefixes
    /// see nothing of each other's keys. A change of the prefix makes all keys invalid.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets where keys are stored: usually a clone of what is passed to [`AuthBuilder::store`](crate::AuthBuilder::store). Without one,
    /// they are in the memory of this process, as sessions are; if the engine has a store and this has none,
    /// [`build`](crate::AuthBuilder::build) fails.
    pub fn store(mut self, store: impl ApiKeyStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Adds a key that is in the configuration and not in the store. `hash` is what [`NewApiKey::hash`](super::NewApiKey::hash) returns:
    /// its documentation has a program that makes a key and prints it.
    ///
    /// Such a key can't be rotated or revoked, its last use is not recorded, and lists don't have it: it is valid until it expires or is
    /// removed from the configuration. [`build`](crate::AuthBuilder::build) fails if the hash is malformed, or if a key is given twice.
    pub fn static_key(
        mut self,
        hash: impl Into<String>,
        owner: impl Into<String>,
        options: ApiKeyOptions,
    ) -> Self {
        self.static_keys.push(StaticKey { hash: hash.into(), owner: owner.into(), options });
        self
    }

    /// Sets for how long a key that was looked up is remembered, at most an hour. Default 60 seconds; 0 asks the store for each request.
    /// Whether a key has expired is looked at for each request all the same.
    ///
    /// A revocation or a rotation counts at once in the process that made it, and in every other one that shares its
    /// [store](crate::AuthBuilder::store) as soon as that has read the log: within a second. This is the time after which processes that
    /// share the keys and no log see it.
    pub fn cache_for(mut self, time: Duration) -> Self {
        self.cache_for = time;
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn place(&self) -> &CredentialPlace {
        &self.place
    }

    /// The keys of an engine, which is not built if there are errors.
    pub(crate) fn assemble(
        self,
        engine_has_store: bool,
        vocabulary: &VocabularyIndex,
        clock: &Arc<dyn Clock>,
        errors: &mut ConfigErrors,
    ) -> ApiKeyState {
        if engine_has_store && self.store.is_none() {
            errors.push(
                "the engine has a store, and its API keys have none, so they would be lost when the process ends: write \
                 `ApiKeys::store(store.clone())` with the same store, or `ApiKeys::store(MemoryStore::new())` if all keys are in the \
                 configuration",
            );
        }
        if self.cache_for > LONGEST_CACHE {
            errors.push(format!(
                "`ApiKeys::cache_for` is {} s, and must be {} s at most",
                self.cache_for.as_secs(),
                LONGEST_CACHE.as_secs()
            ));
        }
        let static_keys = static_keys(self.static_keys, vocabulary, clock, errors);
        if let Err(error) = KeyFormat::check(&self.prefix) {
            errors.push(error);
        }
        ApiKeyState::new(
            &self.name,
            &self.place,
            KeyFormat::unchecked(self.prefix),
            self.store.unwrap_or_else(|| Arc::new(MemoryStore::new())),
            static_keys,
            self.cache_for,
            Arc::clone(clock),
        )
    }
}

fn static_keys(
    keys: Vec<StaticKey>,
    vocabulary: &VocabularyIndex,
    clock: &Arc<dyn Clock>,
    errors: &mut ConfigErrors,
) -> HashMap<String, Arc<ApiKeyRecord>> {
    let mut records = HashMap::new();
    for StaticKey { hash, owner, options } in keys {
        let owner_excerpt = Excerpt::new(&owner);
        let (id, hash) = match parse_hash(&hash) {
            Ok(parsed) => parsed,
            Err(why) => {
                errors.push(format!(
                    "the static API key of {owner_excerpt} has an invalid hash, because {why}: write what `NewApiKey::hash` returns"
                ));
                continue;
            }
        };
        if options.expires_in_some_time() {
            errors.push(format!(
                "the static API key of {owner_excerpt} can't expire some time after each start: use `expires_at`"
            ));
        }
        match (options.into_record(&owner, clock.now(), vocabulary), records.entry(id.to_owned())) {
            (Err(why), _) => {
                errors.push(format!("the static API key of {owner_excerpt} can't be one: {why}"));
            }
            (Ok(_), Entry::Occupied(_)) => {
                errors.push(format!("the static API key `{id}` is given twice: remove one"));
            }
            (Ok(record), Entry::Vacant(entry)) => {
                entry.insert(Arc::new(ApiKeyRecord { id: id.to_owned(), hash, ..record }));
            }
        }
    }
    records
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys")
            .field("name", &self.name)
            .field("place", &self.place)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
