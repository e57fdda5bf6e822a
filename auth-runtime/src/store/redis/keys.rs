//! The names of the keys. All have one hash tag: in a Cluster they are on one node, and a script may use them together.

/// The names of the keys.
#[derive(Debug)]
pub(super) struct Keys {
    /// A stream of the entries. The id of one is its sequence; its fields are tag, `keep_until` and bytes.
    pub(super) log: String,
    /// A sorted set of sequences by `keep_until`.
    pub(super) log_expiry: String,
    /// A hash: the format, the last sequence, sequence and tag of the highest entry that was dropped, and the confirmed time.
    pub(super) state: String,
    pub(super) families: [String; 3],
    #[cfg(feature = "api-keys")]
    pub(super) api_keys: [String; 3],
    #[cfg(feature = "token-routes")]
    attempts: String,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        let key = |name: &str| format!("{{{prefix}}}:{name}");
        Self {
            log: key("log"),
            log_expiry: key("log-expiry"),
            state: key("state"),
            families: ["families", "family-expiry", "families-by-subject"].map(key),
            #[cfg(feature = "api-keys")]
            api_keys: ["api-keys", "api-key-ends", "api-keys-by-owner"].map(key),
            #[cfg(feature = "token-routes")]
            attempts: key("attempts:"),
        }
    }

    /// The key of an attempt.
    #[cfg(feature = "token-routes")]
    pub(super) fn attempt(&self, text: &str) -> String {
        format!("{}{text}", self.attempts)
    }
}
