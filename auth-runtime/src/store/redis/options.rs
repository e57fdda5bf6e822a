//! How a store in Redis is connected to.

use std::fmt;
use std::time::Duration;

use super::RedisStore;
use crate::store::StoreError;

/// How a [`RedisStore`] is connected to. [`RedisStore::options`] returns the defaults.
///
/// ```no_run
/// # async fn connect() -> Result<(), auth_runtime::store::StoreError> {
/// use auth_runtime::store::RedisStore;
///
/// let sentinels = ["redis://sentinel-1:26379", "redis://sentinel-2:26379", "redis://sentinel-3:26379"];
/// let store = RedisStore::options()
///     .sentinels("primary", sentinels)
///     .wait_for_replicas(1)
///     .connect("redis://shop:a-password@primary")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "call `connect`"]
pub struct RedisStoreOptions {
    pub(super) key_prefix: String,
    pub(super) other_nodes: Vec<String>,
    pub(super) sentinels: Option<(String, Vec<String>)>,
    pub(super) wait_for_replicas: u32,
    pub(super) time_limit: Duration,
    pub(super) root_certificates: Option<Vec<u8>>,
    pub(super) client_certificate: Option<(Vec<u8>, Vec<u8>)>,
    pub(super) allow_eviction: bool,
}

impl Default for RedisStoreOptions {
    fn default() -> Self {
        Self {
            key_prefix: "auth".to_owned(),
            other_nodes: Vec::new(),
            sentinels: None,
            wait_for_replicas: 0,
            time_limit: Duration::from_secs(3),
            root_certificates: None,
            client_certificate: None,
            allow_eviction: false,
        }
    }
}

impl RedisStoreOptions {
    /// Sets what the names of the keys begin with, in braces. Default `auth`: the keys are `{auth}:log` and others. The instances of one
    /// service have the same prefix, and services that share a server have different ones. In a Cluster the prefix decides which node has
    /// all keys of the store.
    pub fn key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.key_prefix = prefix.into();
        self
    }

    /// Sets the URLs of other nodes of a Cluster, which are asked where the keys are while the node of
    /// [`connect`](Self::connect) does not answer.
    pub fn other_nodes<U: Into<String>>(mut self, urls: impl IntoIterator<Item = U>) -> Self {
        self.other_nodes = urls.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the Sentinels that say where the primary of this name is, as URLs with the user and password of the Sentinels. They are asked
    /// again after each failure. The URL of [`connect`](Self::connect) then says how to connect to the primary (`redis` or `rediss`, user,
    /// password, database), and its host and port are not used.
    pub fn sentinels<U: Into<String>>(
        mut self,
        name: impl Into<String>,
        urls: impl IntoIterator<Item = U>,
    ) -> Self {
        self.sentinels = Some((name.into(), urls.into_iter().map(Into::into).collect()));
        self
    }

    /// Sets how many replicas must have acknowledged a revocation, a session or an API key that is written (`WAIT`). Default 0. If fewer have after half the
    /// [`time_limit`](Self::time_limit), the write fails, and whether it is done is unknown.
    ///
    /// Redis replicates asynchronously: what the primary has acknowledged can be missing on the replica that takes over. The instances find
    /// that out and record again what they know, but a session that was ended could be renewed until then. With as many replicas as can
    /// take over, a failover loses nothing that was acknowledged.
    pub fn wait_for_replicas(mut self, replicas: u32) -> Self {
        self.wait_for_replicas = replicas;
        self
    }

    /// Sets how long a call may take, with connecting. Default 3 seconds. One that takes longer fails, and whether it was written is
    /// unknown.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Sets the root certificates that a server's certificate is verified with, as PEM. Default: those of the system. It needs `rediss`
    /// URLs.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = Some(pem.into());
        self
    }

    /// Sets the certificate that this client authenticates itself with, and its private key, as PEM. It needs `rediss` URLs.
    pub fn client_certificate(mut self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.client_certificate = Some((certificate.into(), key.into()));
        self
    }

    /// Connects also to a server whose `maxmemory-policy` is not `noeviction`.
    ///
    /// What is lost: when its memory is full, the server deletes keys, and does not say so. A deleted log accepts revoked tokens again
    /// until the instances have found it out, and what they did not record themselves is lost; a deleted set of sessions ends all of them.
    /// It is right for a server of which you know that its memory never fills up, and whose policy others decide.
    pub fn dangerously_allow_eviction(mut self) -> Self {
        self.allow_eviction = true;
        self
    }

    /// Connects to the primary, as [`RedisStore::connect`] does.
    ///
    /// # Errors
    /// [`StoreError`] if it can't be reached, is not a primary, is older than Redis 7.0, evicts keys, or has the data of a newer version of
    /// this library; or if an option is invalid.
    pub async fn connect(&self, url: &str) -> Result<RedisStore, StoreError> {
        RedisStore::with(url, self).await
    }
}

/// Without the URLs, which have passwords.
impl fmt::Debug for RedisStoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreOptions")
            .field("key_prefix", &self.key_prefix)
            .field("sentinels", &self.sentinels.as_ref().map(|(name, _)| name))
            .field("wait_for_replicas", &self.wait_for_replicas)
            .field("time_limit", &self.time_limit)
            .field("allow_eviction", &self.allow_eviction)
            .finish_non_exhaustive()
    }
}
