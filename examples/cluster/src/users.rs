//! Two users, with their passwords in the source. Only an example does that.

use auth_runtime::session::routes::{LoginVerifier, PasswordCredentials};
use auth_runtime::session::{BoxError, PasswordError, PasswordHasher, Subject, SubjectStore};

/// The names and the passwords.
pub(crate) const USERS: [(&str, &str); 2] = [("alice", "wonderland"), ("bob", "builder")];

/// The users, with the hashes of their passwords. A service has them in a database, which its instances share, too.
pub(crate) struct Users {
    passwords: PasswordHasher,
    known: Vec<(Subject, String)>,
}

impl Users {
    pub(crate) async fn new() -> Result<Self, PasswordError> {
        let passwords = PasswordHasher::new()?;
        let mut known = Vec::new();
        for (name, password) in USERS {
            known.push((Subject::new(name), passwords.hash(password).await?));
        }
        Ok(Self { passwords, known })
    }

    fn find(&self, name: &str) -> Option<&(Subject, String)> {
        self.known.iter().find(|(user, _)| user.id() == name)
    }
}

impl SubjectStore for Users {
    async fn subject(&self, id: &str) -> Result<Option<Subject>, BoxError> {
        Ok(self.find(id).map(|(user, _)| user.clone()))
    }
}

impl LoginVerifier for Users {
    type Credentials = PasswordCredentials;

    async fn authenticate(&self, sent: PasswordCredentials) -> Result<Option<Subject>, BoxError> {
        let found = self.find(&sent.username);
        // An unknown user takes as long as a wrong password.
        let is_valid = self.passwords.verify(sent.password, found.map(|(_, hash)| hash.as_str())).await?;
        Ok(found.filter(|_| is_valid).map(|(user, _)| user.clone()))
    }
}
