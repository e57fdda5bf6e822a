//! Two users, with their passwords in the source. Only an example does that.

use auth_runtime::session::routes::{LoginVerifier, PasswordCredentials};
use auth_runtime::session::{BoxError, PasswordError, PasswordHasher, Subject, SubjectStore};

/// The users, with the hashes of their passwords. A service has them in a database.
pub(crate) struct Users {
    passwords: PasswordHasher,
    known: Vec<User>,
}

struct User {
    name: &'static str,
    roles: &'static [&'static str],
    hash: String,
}

impl Users {
    pub(crate) async fn new() -> Result<Self, PasswordError> {
        let passwords = PasswordHasher::new()?;
        let mut known = Vec::new();
        for (name, password, roles) in [("alice", "wonderland", &["admin"][..]), ("bob", "builder", &[])] {
            known.push(User { name, roles, hash: passwords.hash(password).await? });
        }
        Ok(Self { passwords, known })
    }

    fn find(&self, name: &str) -> Option<&User> {
        self.known.iter().find(|user| user.name == name)
    }
}

impl User {
    fn subject(&self) -> Subject {
        Subject::new(self.name).roles(self.roles.iter().copied())
    }
}

/// Verifies the credentials of a login.
impl LoginVerifier for Users {
    type Credentials = PasswordCredentials;

    async fn authenticate(&self, sent: PasswordCredentials) -> Result<Option<Subject>, BoxError> {
        let found = self.find(&sent.username);
        // An unknown user takes as long as a wrong password.
        let matches = self.passwords.verify(sent.password, found.map(|user| user.hash.as_str())).await?;
        // Where the box is not ticked, the cookies end with the browser.
        Ok(found.filter(|_| matches).map(|user| user.subject().remember(sent.remember)))
    }
}

/// Looks up a user whenever tokens are renewed: one that was deleted is logged out, and removed roles are removed.
impl SubjectStore for Users {
    async fn subject(&self, id: &str) -> Result<Option<Subject>, BoxError> {
        Ok(self.find(id).map(User::subject))
    }
}
