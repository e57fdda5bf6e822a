//! Hashing passwords, and comparing with what is stored.

use std::fmt;
use std::sync::Arc;
use std::thread::available_parallelism;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error, try_generate_salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier, Version};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// Nobody remembers a longer one. It bounds what the server hashes for a stranger.
const MAX_PASSWORD_BYTES: usize = 1024;

/// How many wait for each that is hashed now. At 20 ms a hash, the last of them waits for a third of a second.
const WAITING_PER_WORKER: usize = 16;

/// Hashes passwords with argon2id, and compares them with what is stored. Cheap to clone: all clones share one queue.
///
/// [`PasswordHasher::new`] takes the parameters that OWASP recommends at least: 19 MiB of memory, 2 passes, 1 lane. A hash takes
/// some 20 ms of a processor, on purpose. So it runs on Tokio's threads for blocking work, on as many at once as there are
/// processors, with a queue of 16 for each of them. What comes then is refused as [`PasswordError::Busy`].
///
/// An unknown user takes as long as a wrong password: `None` for what is stored says that there is no such user.
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
/// A password counts byte for byte, as it was sent.
#[derive(Clone)]
pub struct PasswordHasher {
    shared: Arc<Shared>,
}

struct Shared {
    hasher: Hasher,
    /// A permit for each hash that is computed or waited for.
    places: Arc<Semaphore>,
    /// A permit for each hash that is computed.
    workers: Arc<Semaphore>,
}

impl PasswordHasher {
    /// With the parameters that OWASP recommends at least: 19 MiB of memory, 2 passes, 1 lane.
    ///
    /// This takes as long as a hash: it computes the one that the passwords of unknown users are compared with.
    ///
    /// # Errors
    /// [`PasswordError::Failed`] if the system has no random numbers, or not enough memory.
    pub fn new() -> Result<Self, PasswordError> {
        Self::with_cost(Params::DEFAULT_M_COST, Params::DEFAULT_T_COST, Params::DEFAULT_P_COST)
    }

    /// With other parameters: memory in KiB, passes over it, and lanes that it is divided into (RFC 9106 §3.1).
    ///
    /// Less than [`PasswordHasher::new`] takes is for tests.
    ///
    /// # Errors
    /// [`PasswordError::Cost`] if argon2 has no such parameters, [`PasswordError::Failed`] as [`PasswordHasher::new`].
    pub fn with_cost(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, PasswordError> {
        let hasher = Hasher::new(memory_kib, passes, lanes)?;
        let workers = available_parallelism().map_or(1, usize::from);
        Ok(Self::with_queue(hasher, workers, workers.saturating_mul(WAITING_PER_WORKER)))
    }

    /// The hash to store for a password, as a PHC string: it names the algorithm, its parameters and the salt, which is
    /// new for each call.
    ///
    /// # Errors
    /// [`PasswordError::TooLong`] for more than 1024 bytes, [`PasswordError::Busy`], [`PasswordError::Failed`].
    pub async fn hash(&self, password: impl Into<String>) -> Result<String, PasswordError> {
        let password = password.into();
        if password.len() > MAX_PASSWORD_BYTES {
            return Err(PasswordError::TooLong);
        }
        self.run(move |hasher| hasher.hash(&password)).await
    }

    /// Whether a password is the one whose hash is stored, where `None` is stored for a user that does not exist.
    ///
    /// Each answer but [`PasswordError::Busy`] takes one hash. It takes as long for every user if all hashes are of today's
    /// parameters, which [`PasswordHasher::needs_rehash`] tells. A password of more than 1024 bytes is a wrong one.
    ///
    /// # Errors
    /// [`PasswordError::Malformed`] if what is stored is no hash of argon2, [`PasswordError::Busy`],
    /// [`PasswordError::Failed`].
    pub async fn verify(
        &self,
        password: impl Into<String>,
        stored: Option<&str>,
    ) -> Result<bool, PasswordError> {
        let comparison = self.shared.hasher.comparison(password.into(), stored);
        self.run(move |hasher| hasher.compare(comparison)).await
    }

    /// Whether a stored hash is of another algorithm or other parameters than [`PasswordHasher::hash`] takes today. It is also,
    /// if it is no hash at all.
    ///
    /// The time to replace it is after a login that succeeded, when the password is at hand.
    #[must_use]
    pub fn needs_rehash(&self, stored: &str) -> bool {
        !parse(stored).is_some_and(|(hash, params)| {
            hash.algorithm == ARGON2ID_IDENT
                && hash.version == Some(Version::default().into())
                && params == *self.shared.hasher.argon2.params()
        })
    }

    fn with_queue(hasher: Hasher, workers: usize, waiting: usize) -> Self {
        let permits = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        let (places, workers) = (permits(workers.saturating_add(waiting)), permits(workers));
        Self { shared: Arc::new(Shared { hasher, places, workers }) }
    }

    /// Runs blocking work in its turn. The permits go with the work, which a request that is dropped does not end.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Hasher) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let shared = Arc::clone(&self.shared);
        let place = Arc::clone(&shared.places).try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        let worker = Arc::clone(&shared.workers).acquire_owned().await.map_err(|_| PasswordError::Failed)?;
        // `tokio::task::spawn_blocking` would panic without a runtime.
        let runtime = Handle::try_current().map_err(|_| PasswordError::Failed)?;
        let done = runtime.spawn_blocking(move || {
            let _permits = (place, worker);
            work(&shared.hasher)
        });
        done.await.unwrap_or(Err(PasswordError::Failed))
    }
}

/// The parameters alone.
impl fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params = self.shared.hasher.argon2.params();
        f.debug_struct("PasswordHasher")
            .field("memory_kib", &params.m_cost())
            .field("passes", &params.t_cost())
            .field("lanes", &params.p_cost())
            .finish_non_exhaustive()
    }
}

/// Why a password was neither hashed nor compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordError {
    /// As many passwords are hashed and waited for as there is room for: to be answered 503, and tried again.
    Busy,
    /// A password to hash has more than 1024 bytes.
    TooLong,
    /// What is stored is no hash of argon2 as a PHC string.
    Malformed,
    /// Argon2 has no such parameters.
    Cost,
    /// The system gave no random numbers, no memory or no thread.
    Failed,
}

impl fmt::Display for PasswordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "too many passwords are being checked: try again in a moment",
            Self::TooLong => "the password is longer than 1024 bytes",
            Self::Malformed => "the stored hash is no hash of argon2 in PHC form (`$argon2id$v=19$..`)",
            Self::Cost => {
                "argon2 has no such parameters: it takes one pass, one lane, and 8 KiB of memory for each lane at least"
            }
            Self::Failed => "the system gave no random numbers, no memory or no thread to hash a password",
        })
    }
}

impl std::error::Error for PasswordError {}

/// Argon2id with its parameters.
struct Hasher {
    argon2: Argon2<'static>,
    /// The hash of a password that nobody knows, with the same parameters.
    of_nobody: PasswordHash,
}

/// What one call compares. Whatever its outcome, it is one hash.
struct Comparison {
    password: String,
    with: PasswordHash,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Compared,
    AlwaysFalse,
    Malformed,
}

impl Hasher {
    fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, PasswordError> {
        let params = Params::new(memory_kib, passes, lanes, Some(Params::DEFAULT_OUTPUT_LEN))
            .map_err(|_| PasswordError::Cost)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::default(), params);
        // 128 random bits, which are as good for a password as for a salt.
        let password = try_generate_salt().map_err(|_| PasswordError::Failed)?;
        let of_nobody = argon2.hash_password(&password).map_err(|_| PasswordError::Failed)?;
        Ok(Self { argon2, of_nobody })
    }

    fn hash(&self, password: &str) -> Result<String, PasswordError> {
        let hash = self.argon2.hash_password(password.as_bytes()).map_err(|_| PasswordError::Failed)?;
        Ok(hash.to_string())
    }

    fn comparison(&self, password: String, stored: Option<&str>) -> Comparison {
        let (with, outcome) = match stored.map(parse) {
            Some(Some((hash, _))) => (hash, Outcome::Compared),
            Some(None) => (self.of_nobody.clone(), Outcome::Malformed),
            None => (self.of_nobody.clone(), Outcome::AlwaysFalse),
        };
        if password.len() <= MAX_PASSWORD_BYTES {
            return Comparison { password, with, outcome };
        }
        let outcome = if outcome == Outcome::Compared { Outcome::AlwaysFalse } else { outcome };
        Comparison { password: String::new(), with, outcome }
    }

    fn compare(&self, comparison: Comparison) -> Result<bool, PasswordError> {
        let Comparison { password, with, outcome } = comparison;
        let equal = match self.argon2.verify_password(password.as_bytes(), &with) {
            Ok(()) => true,
            Err(Error::PasswordInvalid) => false,
            Err(_) => return Err(PasswordError::Failed),
        };
        match outcome {
            Outcome::Compared => Ok(equal),
            Outcome::AlwaysFalse => Ok(false),
            Outcome::Malformed => Err(PasswordError::Malformed),
        }
    }
}

/// A hash that argon2 can compute again: with parameters that it has, a salt, and an output to compare with.
fn parse(stored: &str) -> Option<(PasswordHash, Params)> {
    let mut hash = PasswordHash::new(stored).ok()?;
    Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    // Hashes of before there were versions name none. The crate argon2 takes them for the newest, and none would fit.
    let version = hash.version.map_or(Ok(Version::V0x10), Version::try_from).ok()?;
    hash.version = Some(version.into());
    let params = Params::try_from(&hash).ok()?;
    (hash.salt.is_some() && hash.hash.is_some()).then_some((hash, params))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Cheap, and everything else as in earnest.
    const COST: (u32, u32, u32) = (32, 1, 1);

    fn hasher() -> Hasher {
        Hasher::new(COST.0, COST.1, COST.2).unwrap()
    }

    fn passwords() -> PasswordHasher {
        PasswordHasher::with_cost(COST.0, COST.1, COST.2).unwrap()
    }

    /// What is stored and can't be compared with.
    fn malformed() -> Vec<String> {
        let good = hasher().hash("wonderland").unwrap();
        let (head, hash) = good.rsplit_once('$').unwrap();
        let (params, salt) = head.rsplit_once('$').unwrap();
        let mut texts: Vec<String> =
            ["", "wonderland", "$", "$argon2id", "$argon2id$v=19", "$2b$12$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p"]
                .map(str::to_owned)
                .into();
        texts.extend([
            params.to_owned(),
            head.to_owned(),
            format!("{good}$"),
            format!("{good} "),
            format!(" {good}"),
            good.replace("argon2id", "scrypt"),
            good.replace("v=19", "v=18"),
            good.replace("t=1", "t=0"),
            good.replace("m=32", "m=7"),
            good.replace("m=32", "m=-1"),
            good.replace("m=32", "x=1,m=32"),
            format!("{params}$c2hvcnQ${hash}"),
            format!("{params}${salt}$c2hvcnQ"),
            format!("{params}${salt}$!!!!!!!!!!!!!!!!"),
        ]);
        texts
    }

    #[tokio::test]
    async fn a_password_is_the_one_that_was_hashed() {
        let passwords = passwords();
        for password in ["wonderland", "", "pässwörd 🗝", &"x".repeat(MAX_PASSWORD_BYTES)] {
            let stored = passwords.hash(password).await.unwrap();
            assert!(passwords.verify(password, Some(&stored)).await.unwrap());
            for wrong in [format!("{password} "), "Wonderland".to_owned(), "x".repeat(1023)] {
                assert!(!passwords.verify(wrong, Some(&stored)).await.unwrap());
            }
            assert!(!passwords.verify(password, None).await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_hash_is_a_phc_string_with_a_salt_of_its_own() {
        let passwords = passwords();
        let (one, other) = (passwords.hash("a").await.unwrap(), passwords.hash("a").await.unwrap());
        assert!(one.starts_with("$argon2id$v=19$m=32,t=1,p=1$"), "{one}");
        assert_ne!(one, other);
    }

    #[tokio::test]
    async fn a_hash_made_elsewhere_is_compared_with_its_own_parameters() {
        // vectors of the reference implementation
        for stored in [
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2i$v=19$m=256,t=2,p=2$c29tZXNhbHQ$T/XOJ2mh1/TIpJHfCdQan76Q5esCFVoT5MAeIM1Oq2E",
            "$argon2i$v=16$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
            "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
        ] {
            let passwords = passwords();
            assert!(passwords.verify("password", Some(stored)).await.unwrap(), "{stored}");
            assert!(!passwords.verify("sassword", Some(stored)).await.unwrap(), "{stored}");
            assert!(passwords.needs_rehash(stored), "{stored}");
        }
    }

    #[tokio::test]
    async fn what_is_stored_and_no_hash_is_told() {
        let passwords = passwords();
        for stored in malformed() {
            for password in ["wonderland".to_owned(), "x".repeat(MAX_PASSWORD_BYTES + 1)] {
                let answer = passwords.verify(password, Some(&stored)).await;
                assert_eq!(answer, Err(PasswordError::Malformed), "{stored:?}");
            }
            assert!(passwords.needs_rehash(&stored), "{stored:?}");
        }
    }

    // Each case goes the one way through `compare`, whose work is given by the parameters of `with`.
    #[test]
    fn every_answer_is_the_same_work() {
        let hasher = hasher();
        let today = hasher.argon2.params();
        let stored = hasher.hash("wonderland").unwrap();
        let malformed = malformed();
        let long = "x".repeat(MAX_PASSWORD_BYTES + 1);
        let mut table = vec![
            ("wonderland", Some(stored.as_str()), Outcome::Compared),
            ("wrong", Some(&stored), Outcome::Compared),
            ("wrong", None, Outcome::AlwaysFalse),
            (&long, Some(&stored), Outcome::AlwaysFalse),
            (&long, None, Outcome::AlwaysFalse),
        ];
        table.extend(malformed.iter().map(|stored| ("wrong", Some(stored.as_str()), Outcome::Malformed)));
        for (password, stored, outcome) in table {
            let comparison = hasher.comparison(password.to_owned(), stored);
            assert_eq!(comparison.outcome, outcome, "{stored:?}");
            assert!(comparison.password.len() <= MAX_PASSWORD_BYTES);
            assert_eq!(comparison.with.algorithm, ARGON2ID_IDENT);
            assert_eq!(comparison.with.salt.unwrap().len(), 16);
            assert_eq!(Params::try_from(&comparison.with).unwrap(), *today, "{stored:?}");
        }
    }

    #[test]
    fn an_unknown_user_has_no_password() {
        let mut hasher = hasher();
        hasher.of_nobody = PasswordHash::new(&hasher.hash("guessed").unwrap()).unwrap();
        let comparison = hasher.comparison("guessed".to_owned(), None);
        assert_eq!(hasher.compare(comparison), Ok(false));
        let malformed = hasher.comparison("guessed".to_owned(), Some("$"));
        assert_eq!(hasher.compare(malformed), Err(PasswordError::Malformed));
        let stored = hasher.hash("").unwrap();
        let long = hasher.comparison("x".repeat(MAX_PASSWORD_BYTES + 1), Some(&stored));
        assert_eq!(hasher.compare(long), Ok(false));
    }

    #[tokio::test]
    async fn a_password_that_is_too_long_is_not_hashed() {
        let long = "x".repeat(MAX_PASSWORD_BYTES + 1);
        assert_eq!(passwords().hash(long).await, Err(PasswordError::TooLong));
    }

    #[test]
    fn a_hash_of_yesterday_is_told() {
        let hash = |m, t, p| Hasher::new(m, t, p).unwrap().hash("a").unwrap();
        let today = hash(COST.0, COST.1, COST.2);
        let short = Params::new(COST.0, COST.1, COST.2, Some(16)).unwrap();
        let short = Argon2::from(short).hash_password(b"a").unwrap().to_string();
        for (stored, expected) in [
            (today.clone(), false),
            (hash(64, 1, 1), true),
            (hash(32, 2, 1), true),
            (hash(32, 1, 2), true),
            (today.replace("argon2id", "argon2i"), true),
            (today.replace("v=19", "v=16"), true),
            (today.replace("$v=19", ""), true),
            (short, true),
        ] {
            assert_eq!(passwords().needs_rehash(&stored), expected, "{stored}");
        }
    }

    #[test]
    fn the_default_is_what_owasp_recommends() {
        let passwords = PasswordHasher::new().unwrap();
        assert_eq!(format!("{passwords:?}"), "PasswordHasher { memory_kib: 19456, passes: 2, lanes: 1, .. }");
        assert!(passwords.shared.hasher.of_nobody.to_string().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }

    #[test]
    fn costs_that_argon2_does_not_have() {
        for (memory, passes, lanes) in
            [(7, 1, 1), (32, 0, 1), (32, 1, 0), (32, 1, 5), (0, 0, 0), (u32::MAX, 1, u32::MAX)]
        {
            let error = PasswordHasher::with_cost(memory, passes, lanes).unwrap_err();
            assert_eq!(error, PasswordError::Cost, "{memory} {passes} {lanes}");
        }
    }

    /// Work that ends when the sender is dropped, and says when it began.
    fn blocked() -> (mpsc::Sender<()>, impl FnOnce(&Hasher) -> Result<(), PasswordError> + Send + 'static) {
        let (sender, receiver) = mpsc::channel::<()>();
        (sender, move |_: &Hasher| {
            let _ = receiver.recv();
            Ok(())
        })
    }

    #[tokio::test]
    async fn more_than_the_queue_holds_is_refused_at_once() {
        let passwords = PasswordHasher::with_queue(hasher(), 1, 2);
        let (gate, work) = blocked();
        let first = tokio::spawn({
            let passwords = passwords.clone();
            async move { passwords.run(work).await }
        });
        let [second, third] = [0; 2].map(|_| {
            let passwords = passwords.clone();
            tokio::spawn(async move { passwords.hash("a").await })
        });
        while passwords.shared.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(passwords.hash("a").await, Err(PasswordError::Busy));
        assert_eq!(passwords.verify("a", None).await, Err(PasswordError::Busy));

        // who waits no longer makes room
        third.abort();
        assert!(third.await.unwrap_err().is_cancelled());
        assert_eq!(passwords.shared.places.available_permits(), 1);

        drop(gate);
        assert_eq!(first.await.unwrap(), Ok(()));
        assert!(second.await.unwrap().is_ok());
        assert!(passwords.hash("a").await.is_ok());
        assert_eq!(passwords.shared.places.available_permits(), 3);
        assert_eq!(passwords.shared.workers.available_permits(), 1);
    }

    #[tokio::test]
    async fn the_permits_are_held_until_the_work_ends() {
        let passwords = PasswordHasher::with_queue(hasher(), 1, 0);
        let (gate, work) = blocked();
        let request = tokio::spawn({
            let passwords = passwords.clone();
            async move { passwords.run(work).await }
        });
        while passwords.shared.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        request.abort();
        assert!(request.await.unwrap_err().is_cancelled());
        assert_eq!(passwords.hash("a").await, Err(PasswordError::Busy));

        drop(gate);
        let _worker = passwords.shared.workers.acquire().await.unwrap();
        let _place = passwords.shared.places.acquire().await.unwrap();
    }

    #[tokio::test]
    async fn work_that_fails_gives_its_permits_back() {
        let passwords = PasswordHasher::with_queue(hasher(), 1, 0);
        let failed = passwords.run(|_| -> Result<(), PasswordError> { panic!("as a test") }).await;
        assert_eq!(failed, Err(PasswordError::Failed));
        assert!(passwords.hash("a").await.is_ok());
    }
}
