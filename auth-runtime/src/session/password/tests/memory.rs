//! The buffers that hashes are computed in, and how much memory a stored hash gets.

use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Block, PasswordVerifier as _};

use super::*;

/// How many blocks each idle buffer has, smallest first. Each is zero throughout.
fn idle(passwords: &PasswordHasher) -> Vec<usize> {
    let buffers = passwords.queue.buffers.lock();
    let is_zero = |block: &Block| block.as_ref().iter().all(|word| *word == 0);
    assert!(buffers.iter().flatten().all(is_zero));
    let mut sizes: Vec<_> = buffers.iter().map(Vec::len).collect();
    sizes.sort_unstable();
    sizes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn there_are_no_more_buffers_than_workers() {
    let passwords = PasswordHasher::with_queue(hasher(), 3, 200);
    assert!(idle(&passwords).is_empty(), "each is made when it is first needed");
    let stored = passwords.hash("wonderland").await.unwrap();
    assert_eq!(idle(&passwords), [32]);
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let calls: Vec<_> = (0..200)
        .map(|number| {
            let (passwords, stored) = (passwords.clone(), stored.clone());
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            tokio::spawn(async move {
                match number % 3 {
                    0 => assert!(passwords.verify("wonderland", Some(&stored)).await.unwrap()),
                    1 => assert!(!passwords.verify("looking-glass", None).await.unwrap()),
                    _ => {
                        let work = move |hasher: &Argon2idHasher, buffer: &mut Buffer<'_>| {
                            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                            let hash = hasher.hash("a", buffer);
                            running.fetch_sub(1, Ordering::SeqCst);
                            hash
                        };
                        passwords.queue.run(work).await.unwrap();
                    }
                }
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    // A worker's permit is returned last.
    let _all = passwords.queue.workers.acquire_many(3).await.unwrap();
    assert!(most.load(Ordering::SeqCst) <= 3);
    // No buffer is ever dropped, so these are all that there were.
    let sizes = idle(&passwords);
    assert!(!sizes.is_empty() && sizes.len() <= 3 && sizes.iter().all(|size| *size == 32), "{sizes:?}");
}

#[tokio::test]
async fn a_buffer_is_zero_after_use_also_if_the_work_panics() {
    let passwords = PasswordHasher::with_queue(hasher(), 1, 0);
    let fill = |buffer: &mut Buffer<'_>| {
        for block in buffer.blocks(40).unwrap() {
            block.as_mut().fill(u64::MAX);
        }
    };
    passwords
        .queue
        .run(move |_, buffer| {
            fill(buffer);
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(idle(&passwords), [40]);
    let panicked = passwords
        .queue
        .run(move |_, buffer| -> Result<(), PasswordError> {
            fill(buffer);
            panic!("as a test")
        })
        .await;
    assert_eq!(panicked, Err(PasswordError::Failed));
    assert_eq!(idle(&passwords), [40]);
    passwords.hash("a").await.unwrap();
    assert_eq!(idle(&passwords), [40]);
}

#[tokio::test]
async fn hashes_of_different_costs_take_turns_in_one_buffer() {
    let passwords = PasswordHasher::with_queue(hasher(), 1, 0);
    let own = passwords.hash("password").await.unwrap();
    let vectors = VECTORS.iter().copied().chain([own.as_str()]);
    for round in 0..3 {
        for stored in vectors.clone() {
            assert!(passwords.verify("password", Some(stored)).await.unwrap(), "{stored} in round {round}");
            assert!(!passwords.verify("sassword", Some(stored)).await.unwrap(), "{stored} in round {round}");
        }
    }
    assert_eq!(idle(&passwords), [65_536], "it stays as large as the largest");
}

#[test]
fn the_crate_argon2_computes_the_same() {
    let buffers = Buffers::default();
    for (memory, passes, lanes) in [(64, 1, 1), (8, 1, 1), (100, 3, 2), (35, 2, 4), (9, 1, 1)] {
        let hasher = Argon2idHasher::new(memory, passes, lanes).unwrap();
        let stored = hasher.hash("wonderland", &mut buffers.take()).unwrap();
        let read = PasswordHash::new(&stored).unwrap();
        assert_eq!(Argon2::default().verify_password(b"wonderland", &read), Ok(()), "{stored}");
        let of_the_crate = hasher.argon2.hash_password(b"wonderland").unwrap().to_string();
        let comparison = hasher.comparison("wonderland".into(), Some(&of_the_crate));
        assert_eq!(hasher.compare(comparison, &mut buffers.take()), Ok(true), "{of_the_crate}");
        assert_eq!(stored.rsplit_once('$').unwrap().0.len(), of_the_crate.rsplit_once('$').unwrap().0.len());
    }
    assert_eq!(buffers.lock().len(), 1);
}

/// The hash of `stored`, with other memory.
fn with_memory(stored: &str, kib: u32) -> String {
    stored.replace("m=32", &format!("m={kib}"))
}

#[tokio::test]
async fn a_stored_hash_that_asks_for_too_much_memory_is_rejected() {
    let passwords = passwords();
    let stored = passwords.hash("wonderland").await.unwrap();
    for memory_kib in [131_073, u32::MAX] {
        let costly = with_memory(&stored, memory_kib);
        let expected = PasswordError::TooCostly { memory_kib, max_kib: 131_072 };
        for password in ["wonderland".to_owned(), "x".repeat(MAX_PASSWORD_BYTES + 1)] {
            assert_eq!(passwords.verify(password, Some(&costly)).await, Err(expected));
        }
        assert!(passwords.needs_rehash(&costly));
    }
    assert_eq!(idle(&passwords), [32], "it was not given the memory");

    let strict = passwords.max_stored_memory_kib(100);
    assert_eq!(strict.verify("wonderland", Some(&with_memory(&stored, 100))).await, Ok(false));
    let error = strict.verify("wonderland", Some(&with_memory(&stored, 101))).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the stored hash asks for 101 KiB of memory (`m=101`), and 100 are allowed: set \
         `PasswordHasher::max_stored_memory_kib`"
    );
    assert_eq!(strict.verify("wonderland", Some(&stored)).await, Ok(true));
    assert_eq!(idle(&strict), [100]);
}

/// A hasher reads what it writes.
#[test]
fn the_bound_is_never_below_the_hashers_own_cost() {
    let max = |passwords: PasswordHasher| passwords.queue.hasher.max_stored_kib;
    assert_eq!(max(passwords()), 131_072);
    assert_eq!(max(passwords().max_stored_memory_kib(0)), 32);
    assert_eq!(max(PasswordHasher::with_cost(131_073, 1, 1).unwrap()), 131_073);
}

#[test]
fn workers_are_at_most_four_unless_the_application_says_so() {
    let permits = |passwords: &PasswordHasher| {
        (passwords.queue.workers.available_permits(), passwords.queue.places.available_permits())
    };
    let processors = available_parallelism().unwrap().get();
    let default = processors.min(4);
    assert_eq!(permits(&passwords()), (default, default * 17));
    for (workers, expected) in [(0, 1), (1, 1), (7, 7)] {
        let passwords = passwords().max_stored_memory_kib(100).workers(workers);
        assert_eq!(permits(&passwords), (expected, expected * 17));
        assert_eq!(passwords.queue.hasher.max_stored_kib, 100);
        assert_eq!(permits(&passwords.max_stored_memory_kib(200)), (expected, expected * 17));
    }
}
