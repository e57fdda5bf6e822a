//! Hashing passwords, and comparing passwords with stored hashes.

mod argon2id;
mod buffers;
mod forms;
mod opaque_string;
mod queue;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::thread::available_parallelism;

use argon2::{ARGON2ID_IDENT, Params, Version};

use self::argon2id::{Argon2idHasher, parse};
use self::forms::form_to_hash;
use self::queue::HashQueue;
use crate::rejection::{Rejection, RejectionKind};

/// The longest password, in bytes. It bounds what the server hashes for an anonymous caller.
const MAX_PASSWORD_BYTES: usize = 1024;

/// How many passwords are hashed at once at most, unless the application says so. It bounds the memory of hashes.
const MAX_WORKERS: usize = 4;

/// How many passwords wait for each one that is being hashed. At 20 ms a hash, the last waits for a third of a second, and for twice as
/// long if all have two forms.
const WAITING_PER_WORKER: usize = 16;

/// Hashes passwords with argon2id, and compares passwords with stored hashes. All clones share one queue.
///
/// [`PasswordHasher::new`] uses the minimum that OWASP recommends: 19 MiB of memory, 2 passes, 1 lane. A hash takes some 20 ms of
/// a processor, on purpose, and half a second or more in a debug build: write `[profile.dev.package.argon2]` and
/// `[profile.dev.package.blake2]` with `opt-level = 3` into the `Cargo.toml` of your workspace. Hashes are computed on Tokio's threads for blocking work, as many at once as there are
/// [workers](PasswordHasher::workers), and 16 more wait for each of them. Further calls fail with [`PasswordError::Busy`].
///
/// Memory is bounded. There is one buffer a worker at most, of 19 MiB: it is allocated when it is first needed, used again for every
/// hash, and filled with zeros after each. A stored hash with larger parameters makes the buffer larger, and it stays so. All
/// buffers together have at most the number of workers × the [most that a stored hash may ask for](PasswordHasher::max_stored_memory_kib).
///
/// An unknown user takes as long as a wrong password: pass `None` as the stored hash if there is no such user.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use auth_runtime::session::PasswordHasher;
///
/// let passwords = PasswordHasher::new()?;
/// let stored = passwords.hash("wonderland").await?;
/// assert!(passwords.verify("wonderland", Some(&stored)).await?);
/// assert!(!passwords.verify("looking-glass", Some(&stored)).await?);
/// assert!(!passwords.verify("wonderland", None).await?);
/// # Ok(())
/// # }
/// ```
///
/// # Unicode
///
/// One keyboard sends `é` as one character, another as `e` and an accent. So a password is hashed in the form of RFC 8265 §4.2
/// (`OpaqueString`): each space becomes U+0020, and the text is normalized to NFC. NIST SP 800-63B asks for a normalization too. Case,
/// width and spaces at the ends are preserved. [`PasswordHasher::hash`] fails with [`PasswordError::Disallowed`] for what the profile does not
/// allow.
///
/// **Hashes of passwords that were not normalized**, of an earlier system such as Django, still match. Nothing in a stored hash says which
/// form it was made of. So [`PasswordHasher::verify`] compares two forms if they differ: the normalized one, and the password as it was
/// sent. What the profile does not allow is compared as it was sent. How many hashes a call computes, one or two, depends on the password
/// that was sent alone: not on the user, the stored hash or the answer. A hash of a form that is not normalized matches that form alone;
/// the next [`PasswordHasher::hash`] of the password ends this.
#[derive(Clone)]
pub struct PasswordHasher {
    queue: Arc<HashQueue>,
}

impl PasswordHasher {
    /// With the minimum that OWASP recommends: 19 MiB of memory, 2 passes, 1 lane.
    ///
    /// This takes as long as a hash: it computes the hash that passwords of unknown users are compared with.
    ///
    /// # Errors
    /// [`PasswordError::Failed`] if the system has no random numbers, or not enough memory.
    pub fn new() -> Result<Self, PasswordError> {
        Self::with_cost(Params::DEFAULT_M_COST, Params::DEFAULT_T_COST, Params::DEFAULT_P_COST)
    }

    /// With other parameters: memory in KiB, passes over it, and lanes that it is divided into (RFC 9106 §3.1).
    ///
    /// Values below those of [`PasswordHasher::new`] are for tests.
    ///
    /// # Errors
    /// [`PasswordError::Cost`] if argon2 does not support the parameters, [`PasswordError::Failed`] as
    /// [`PasswordHasher::new`].
    pub fn with_cost(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, PasswordError> {
        let hasher = Argon2idHasher::new(memory_kib, passes, lanes)?;
        let workers = available_parallelism().map_or(1, usize::from).min(MAX_WORKERS);
        Ok(Self::with_workers(hasher, workers))
    }

    /// Sets how many passwords are hashed at once. Default: the number of processors, and at most 4. Zero counts as 1.
    ///
    /// More workers take more memory, and less of the time of logins that come together. Clones that were made before keep a queue
    /// of their own.
    #[must_use]
    pub fn workers(self, workers: usize) -> Self {
        Self::with_workers(self.queue.hasher.clone(), workers)
    }

    /// Sets how much memory a stored hash may ask for, in KiB. [`PasswordHasher::verify`] rejects a hash that asks for more with
    /// [`PasswordError::TooCostly`]. Default: 131,072 (128 MiB): the second recommended option of RFC 9106 §4 has
    /// 64 MiB, and Django's default 100 MiB. It is never less than the hasher's own parameter.
    ///
    /// The passes that a stored hash asks for are not bounded: they take time and no memory, and stored hashes are the
    /// application's own. An application that imports hashes of others should check their `t=`. Clones that were made before
    /// keep a queue of their own.
    #[must_use]
    pub fn max_stored_memory_kib(self, kib: u32) -> Self {
        let mut hasher = self.queue.hasher.clone();
        hasher.max_stored_kib = kib.max(hasher.argon2.params().m_cost());
        Self::with_workers(hasher, self.queue.max_workers)
    }

    /// The hash to store for a password, as a PHC string: the algorithm, its parameters, a new salt, and the hash. The password is
    /// normalized before.
    ///
    /// # Errors
    /// [`PasswordError::Disallowed`] for an empty password and for characters that passwords may not have: answer 400, or show the form
    /// again. [`PasswordError::TooLong`] for more than 1024 bytes when normalized, [`PasswordError::Busy`], [`PasswordError::Failed`].
    pub async fn hash(&self, password: impl Into<String>) -> Result<String, PasswordError> {
        let password = form_to_hash(&password.into())?;
        self.queue.run(move |hasher, buffer| hasher.hash(&password, buffer)).await
    }

    /// Whether a password matches the stored hash. For a user that does not exist, `stored` is `None`.
    ///
    /// Each call computes one hash, or two if the password is not sent as it would be hashed ([why](Self#unicode)), except where it fails
    /// with [`PasswordError::Busy`]. It takes equally long for every user if all hashes have the current parameters, which
    /// [`PasswordHasher::needs_rehash`] reports. A password of more than 1024 bytes is wrong.
    ///
    /// # Errors
    /// [`PasswordError::Malformed`] if `stored` is not a hash of argon2, [`PasswordError::TooCostly`] if it asks for too much
    /// memory, [`PasswordError::Busy`], [`PasswordError::Failed`].
    pub async fn verify(
        &self,
        password: impl Into<String>,
        stored: Option<&str>,
    ) -> Result<bool, PasswordError> {
        let comparison = self.queue.hasher.comparison(password.into(), stored);
        self.queue.run(move |hasher, buffer| hasher.compare(comparison, buffer)).await
    }

    /// Whether a stored hash has another algorithm or other parameters than [`PasswordHasher::hash`] uses, or is not a hash.
    ///
    /// Replace it after a successful login, when the password is known. [`PasswordHasher::hash`] fails with [`PasswordError::Disallowed`] for
    /// an old password that RFC 8265 does not allow: keep its stored hash then.
    #[must_use]
    pub fn needs_rehash(&self, stored: &str) -> bool {
        !parse(stored).is_some_and(|(hash, params)| {
            hash.algorithm == ARGON2ID_IDENT
                && hash.version == Some(Version::default().into())
                && params == *self.queue.hasher.argon2.params()
        })
    }

    fn with_workers(hasher: Argon2idHasher, workers: usize) -> Self {
        let workers = workers.max(1);
        Self::with_queue(hasher, workers, workers.saturating_mul(WAITING_PER_WORKER))
    }

    fn with_queue(hasher: Argon2idHasher, workers: usize, waiting: usize) -> Self {
        Self { queue: Arc::new(HashQueue::new(hasher, workers, waiting)) }
    }
}

/// The parameters alone.
impl fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params = self.queue.hasher.argon2.params();
        f.debug_struct("PasswordHasher")
            .field("memory_kib", &params.m_cost())
            .field("passes", &params.t_cost())
            .field("lanes", &params.p_cost())
            .finish_non_exhaustive()
    }
}

/// Why a password was not hashed or not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordError {
    /// The queue is full: answer 503, and let the client try again.
    Busy,
    /// The password to hash has more than 1024 bytes.
    TooLong,
    /// The password to hash is empty, or has a character that RFC 8265 §4.2.1 does not allow: a control character, an unassigned or
    /// invisible one (some emoji have these), or one that needs another next to it, such as a joiner.
    Disallowed,
    /// The stored hash is not a PHC string of argon2.
    Malformed,
    /// The stored hash asks for more memory than [`PasswordHasher::max_stored_memory_kib`] allows.
    TooCostly {
        /// What it asks for, in KiB.
        memory_kib: u32,
        /// What is allowed, in KiB.
        max_kib: u32,
    },
    /// Argon2 does not support the parameters.
    Cost,
    /// The system has no random numbers, no memory or no thread.
    Failed,
}

impl fmt::Display for PasswordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "too many passwords are being hashed: try again in a second",
            Self::TooLong => "the password is longer than 1024 bytes",
            Self::Disallowed => {
                "the password is empty, or has a character that passwords may not have (RFC 8265), such as a control character"
            }
            Self::Malformed => "the stored hash is not a hash of argon2 in PHC form (`$argon2id$v=19$..`)",
            Self::TooCostly { memory_kib, max_kib } => {
                return write!(
                    f,
                    "the stored hash asks for {memory_kib} KiB of memory (`m={memory_kib}`), and {max_kib} are allowed: set \
                     `PasswordHasher::max_stored_memory_kib`"
                );
            }
            Self::Cost => {
                "argon2 does not support these parameters: it needs at least one pass, one lane, and 8 KiB of memory for each lane"
            }
            Self::Failed => "the password was not hashed: the system has no random numbers, no memory or no thread",
        })
    }
}

impl std::error::Error for PasswordError {}

/// For handlers that return `Result<_, Rejection>`. The reason goes to tracing and to the audit hook, once the rejection is answered.
impl From<PasswordError> for Rejection {
    fn from(error: PasswordError) -> Self {
        let kind = match error {
            PasswordError::Busy => RejectionKind::Unavailable,
            PasswordError::TooLong | PasswordError::Disallowed => RejectionKind::InvalidRequest,
            _ => RejectionKind::Misconfigured,
        };
        Self::because(kind, error.to_string())
    }
}
