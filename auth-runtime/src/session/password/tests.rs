mod forms;
mod memory;

use std::sync::mpsc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _};

use super::argon2id::Answer;
use super::buffers::{Buffer, Buffers};
use super::*;

/// A fast hash. All else is as in production.
const COST: (u32, u32, u32) = (32, 1, 1);

fn hasher() -> Argon2idHasher {
    Argon2idHasher::new(COST.0, COST.1, COST.2).unwrap()
}

fn passwords() -> PasswordHasher {
    PasswordHasher::with_cost(COST.0, COST.1, COST.2).unwrap()
}

fn hash(hasher: &Argon2idHasher, password: &str) -> String {
    hasher.hash(password, &mut Buffers::default().take()).unwrap()
}

/// Vectors of the reference implementation, of `password`.
const VECTORS: [&str; 4] = [
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    "$argon2i$v=19$m=256,t=2,p=2$c29tZXNhbHQ$T/XOJ2mh1/TIpJHfCdQan76Q5esCFVoT5MAeIM1Oq2E",
    "$argon2i$v=16$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
    "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
];

/// Stored texts that are not hashes.
fn malformed() -> Vec<String> {
    let good = hash(&hasher(), "wonderland");
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
    for password in ["wonderland", " ", "pässwörd 🗝", &"x".repeat(MAX_PASSWORD_BYTES)] {
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
    for stored in VECTORS {
        let passwords = passwords();
        assert!(passwords.verify("password", Some(stored)).await.unwrap(), "{stored}");
        assert!(!passwords.verify("sassword", Some(stored)).await.unwrap(), "{stored}");
        assert!(passwords.needs_rehash(stored), "{stored}");
    }
}

#[tokio::test]
async fn a_stored_text_that_is_no_hash_is_reported() {
    let passwords = passwords();
    for stored in malformed() {
        for password in ["wonderland".to_owned(), "x".repeat(MAX_PASSWORD_BYTES + 1)] {
            let answer = passwords.verify(password, Some(&stored)).await;
            assert_eq!(answer, Err(PasswordError::Malformed), "{stored:?}");
        }
        assert!(passwords.needs_rehash(&stored), "{stored:?}");
    }
}

// Each case passes through `compare`, whose work depends on the parameters of `with`.
#[test]
fn every_answer_is_the_same_work() {
    let hasher = hasher();
    let today = hasher.argon2.params();
    let stored = hash(&hasher, "wonderland");
    let malformed = malformed();
    let costly = stored.replace("m=32", "m=200000");
    let too_costly =
        Answer::Fails(PasswordError::TooCostly { memory_kib: 200_000, max_kib: hasher.max_stored_kib });
    let long = "x".repeat(MAX_PASSWORD_BYTES + 1);
    let mut table = vec![
        ("wonderland", Some(stored.as_str()), Answer::OfComparison),
        ("wrong", Some(&stored), Answer::OfComparison),
        ("wrong", None, Answer::AlwaysFalse),
        (&long, Some(&stored), Answer::AlwaysFalse),
        (&long, None, Answer::AlwaysFalse),
        ("wrong", Some(&costly), too_costly),
        (&long, Some(&costly), too_costly),
    ];
    let is_malformed = Answer::Fails(PasswordError::Malformed);
    table.extend(malformed.iter().map(|stored| ("wrong", Some(stored.as_str()), is_malformed)));
    for (password, stored, answer) in table {
        let comparison = hasher.comparison(password.to_owned(), stored);
        assert_eq!(comparison.answer, answer, "{stored:?}");
        assert_eq!(comparison.forms.len(), 1);
        assert!(comparison.forms[0].len() <= MAX_PASSWORD_BYTES);
        assert_eq!(comparison.with.algorithm, ARGON2ID_IDENT);
        assert_eq!(comparison.with.salt.unwrap().len(), 16);
        assert_eq!(Params::try_from(&comparison.with).unwrap(), *today, "{stored:?}");
    }
}

#[test]
fn an_unknown_user_has_no_password() {
    let mut hasher = hasher();
    let buffers = Buffers::default();
    hasher.of_unknown_user = PasswordHash::new(&hash(&hasher, "guessed")).unwrap();
    let comparison = hasher.comparison("guessed".to_owned(), None);
    assert_eq!(hasher.compare(comparison, &mut buffers.take()), Ok(false));
    let malformed = hasher.comparison("guessed".to_owned(), Some("$"));
    assert_eq!(hasher.compare(malformed, &mut buffers.take()), Err(PasswordError::Malformed));
    let stored = hash(&hasher, "");
    let long = hasher.comparison("x".repeat(MAX_PASSWORD_BYTES + 1), Some(&stored));
    assert_eq!(hasher.compare(long, &mut buffers.take()), Ok(false));
}

#[tokio::test]
async fn a_password_that_is_too_long_is_not_hashed() {
    let long = "x".repeat(MAX_PASSWORD_BYTES + 1);
    assert_eq!(passwords().hash(long).await, Err(PasswordError::TooLong));
}

#[test]
fn a_hash_with_other_parameters_is_reported() {
    let hash = |m, t, p| hash(&Argon2idHasher::new(m, t, p).unwrap(), "a");
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
    assert!(
        passwords.queue.hasher.of_unknown_user.to_string().starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
    );
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
fn blocked() -> (
    mpsc::Sender<()>,
    impl FnOnce(&Argon2idHasher, &mut Buffer<'_>) -> Result<(), PasswordError> + Send + 'static,
) {
    let (sender, receiver) = mpsc::channel::<()>();
    (sender, move |_: &Argon2idHasher, _: &mut Buffer<'_>| {
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
        async move { passwords.queue.run(work).await }
    });
    let [second, third] = [0; 2].map(|_| {
        let passwords = passwords.clone();
        tokio::spawn(async move { passwords.hash("a").await })
    });
    while passwords.queue.places.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(passwords.hash("a").await, Err(PasswordError::Busy));
    assert_eq!(passwords.verify("a", None).await, Err(PasswordError::Busy));

    // a call that is dropped makes room
    third.abort();
    assert!(third.await.unwrap_err().is_cancelled());
    assert_eq!(passwords.queue.places.available_permits(), 1);

    drop(gate);
    assert_eq!(first.await.unwrap(), Ok(()));
    assert!(second.await.unwrap().is_ok());
    assert!(passwords.hash("a").await.is_ok());
    assert_eq!(passwords.queue.places.available_permits(), 3);
    assert_eq!(passwords.queue.workers.available_permits(), 1);
}

#[tokio::test]
async fn the_permits_are_held_until_the_work_ends() {
    let passwords = PasswordHasher::with_queue(hasher(), 1, 0);
    let (gate, work) = blocked();
    let request = tokio::spawn({
        let passwords = passwords.clone();
        async move { passwords.queue.run(work).await }
    });
    while passwords.queue.places.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    assert_eq!(passwords.hash("a").await, Err(PasswordError::Busy));

    drop(gate);
    let _worker = passwords.queue.workers.acquire().await.unwrap();
    let _place = passwords.queue.places.acquire().await.unwrap();
}

#[tokio::test]
async fn work_that_fails_releases_its_permits() {
    let passwords = PasswordHasher::with_queue(hasher(), 1, 0);
    let failed = passwords.queue.run(|_, _| -> Result<(), PasswordError> { panic!("as a test") }).await;
    assert_eq!(failed, Err(PasswordError::Failed));
    assert!(passwords.hash("a").await.is_ok());
}
