//! Users of a test's service, who can be changed while it runs, and an issuer of tokens for them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use auth_runtime::session::routes::{LoginVerifier, PasswordCredentials};
use auth_runtime::session::{BoxError, RefreshKey, SigningKey, Subject, SubjectStore, TokenIssuer};
use auth_runtime::verify::Algorithm;

pub const ISSUER: &str = "https://shop.test";
pub const AUDIENCE: &str = "orders";

/// Users by name, with their roles. Everyone's password is `password of ` and the name. At first there is no other than alice,
/// who is admin, and bob.
#[derive(Clone, Debug)]
pub struct People(Arc<Mutex<Directory>>);

#[derive(Debug)]
struct Directory {
    roles: BTreeMap<String, Vec<String>>,
    unreachable: bool,
    /// Whether a login says if its user wants to be remembered.
    asks_to_remember: bool,
    /// How often a password was looked at.
    asked: usize,
}

impl Default for People {
    fn default() -> Self {
        let directory =
            Directory { roles: BTreeMap::new(), unreachable: false, asks_to_remember: false, asked: 0 };
        let people = Self(Arc::new(Mutex::new(directory)));
        people.set("alice", &["admin"]);
        people.set("bob", &[]);
        people
    }
}

impl People {
    pub fn set(&self, name: &str, roles: &[&str]) {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        self.0.lock().unwrap().roles.insert(name.into(), roles);
    }

    pub fn remove(&self, name: &str) {
        self.0.lock().unwrap().roles.remove(name);
    }

    pub fn set_unreachable(&self, unreachable: bool) {
        self.0.lock().unwrap().unreachable = unreachable;
    }

    pub fn ask_to_remember(&self) {
        self.0.lock().unwrap().asks_to_remember = true;
    }

    pub fn asked(&self) -> usize {
        self.0.lock().unwrap().asked
    }

    pub fn find(&self, name: &str) -> Result<Option<Subject>, BoxError> {
        let directory = self.0.lock().unwrap();
        if directory.unreachable {
            return Err("the directory is on fire".into());
        }
        Ok(directory.roles.get(name).map(|roles| Subject::new(name).roles(roles.clone())))
    }
}

impl SubjectStore for People {
    async fn subject(&self, id: &str) -> Result<Option<Subject>, BoxError> {
        self.find(id)
    }
}

impl LoginVerifier for People {
    type Credentials = PasswordCredentials;

    async fn authenticate(&self, sent: PasswordCredentials) -> Result<Option<Subject>, BoxError> {
        let remember = {
            let mut directory = self.0.lock().unwrap();
            directory.asked += 1;
            !directory.asks_to_remember || sent.remember
        };
        let known = self.find(&sent.username)?;
        let known = known.filter(|subject| sent.password == format!("password of {}", subject.id()));
        Ok(known.map(|subject| subject.remember(remember)))
    }
}

/// An issuer with the same keys in every test and after every restart.
pub fn issuer(people: &People) -> TokenIssuer {
    TokenIssuer::new(ISSUER, AUDIENCE, signing_key(1), people.clone())
        .refresh_key(RefreshKey::new("k1", [1; 32]))
}

pub fn signing_key(number: u8) -> SigningKey {
    let id = format!("s{number}");
    SigningKey::secret(Algorithm::HS256, &[number; 32]).unwrap().with_id(id)
}
