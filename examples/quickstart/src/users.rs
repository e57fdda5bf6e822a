//! Two users with their passwords in the source, which is for a quickstart alone.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error, PasswordHasher, PasswordVerifier};

/// A user of the service.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) name: &'static str,
    password: &'static str,
    pub(crate) roles: &'static [&'static str],
    pub(crate) scope: &'static str,
    pub(crate) tenant: &'static str,
}

pub(crate) const ALICE: &User =
    &User { name: "alice", password: "wonderland", roles: &["admin"], scope: "reports:read", tenant: "acme" };
const BOB: &User = &User { name: "bob", password: "builder", roles: &["viewer"], scope: "", tenant: "other" };

/// The users with the hashes of their passwords.
#[derive(Debug)]
pub(crate) struct Users {
    known: Vec<(&'static User, String)>,
    /// What the password of an unknown user is compared with, so that the answer takes as long.
    of_nobody: String,
}

impl Users {
    pub(crate) fn new() -> Result<Self, Error> {
        let hash = |password: &str| {
            Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())
        };
        let known = [ALICE, BOB].map(|user| hash(user.password).map(|hash| (user, hash)));
        Ok(Self { known: known.into_iter().collect::<Result<_, _>>()?, of_nobody: hash("nobody")? })
    }

    /// The user of this name and password. Hashing takes a while on purpose, so it does not run on the server's threads.
    pub(crate) async fn verify(&self, name: String, password: String) -> Option<&'static User> {
        let found = self.known.iter().find(|(user, _)| user.name == name);
        let hash = found.map_or(&self.of_nobody, |(_, hash)| hash).clone();
        let matches = tokio::task::spawn_blocking(move || {
            let parsed = PasswordHash::new(&hash);
            parsed.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        });
        let matches = matches.await.unwrap_or(false);
        found.filter(|_| matches).map(|(user, _)| *user)
    }
}
