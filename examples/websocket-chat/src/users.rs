//! Two users, with their passwords in the source. Only an example does that.

use auth_runtime::session::routes::{LoginVerifier, PasswordCredentials};
use auth_runtime::session::{BoxError, PasswordError, PasswordHasher, Subject, SubjectStore};

/// The users, with the hashes of their passwords. A service has them in a database.
pub(crate) struct Users {
    passwords: PasswordHasher,
    known: Vec<(Subject, String)>,
}

impl Users {
    pub(crate) async fn new() -> Result<Self, PasswordError> {
        let passwords = PasswordHasher::new()?;
        let mut known = Vec::new();
        for (name, password, roles) in [("alice", "wonderland", &["admin"][..]), ("bob", "builder", &[])] {
            let user = Subject::new(name).roles(roles.iter().copied());
            known.push((user, passwords.hash(password).await?));
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
