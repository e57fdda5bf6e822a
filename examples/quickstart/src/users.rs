//! Two users, with their passwords in the source. Only a quickstart does that.

use auth_runtime::session::routes::{LoginVerifier, PasswordCredentials};
use auth_runtime::session::{BoxError, PasswordError, PasswordHasher, Subject, SubjectStore};

use crate::vocabulary::Role;

/// The users, with the hashes of their passwords.
#[derive(Debug)]
pub(crate) struct Users {
    passwords: PasswordHasher,
    known: Vec<(Subject, String)>,
}

impl Users {
    pub(crate) async fn new() -> Result<Self, PasswordError> {
        let passwords = PasswordHasher::new()?;
        let alice =
            Subject::new("alice").roles([Role::Admin]).scopes(["reports:read"]).claim("tenant", "acme");
        let bob = Subject::new("bob").claim("tenant", "other");
        let known =
            vec![(alice, passwords.hash("wonderland").await?), (bob, passwords.hash("builder").await?)];
        Ok(Self { passwords, known })
    }

    fn find(&self, name: &str) -> Option<&(Subject, String)> {
        self.known.iter().find(|(user, _)| user.id() == name)
    }
}

/// Looks up a user again at every refresh.
impl SubjectStore for Users {
    async fn subject(&self, id: &str) -> Result<Option<Subject>, BoxError> {
        Ok(self.find(id).map(|(user, _)| user.clone()))
    }
}

/// Verifies the credentials of a login.
impl LoginVerifier for Users {
    type Credentials = PasswordCredentials;

    async fn authenticate(&self, sent: PasswordCredentials) -> Result<Option<Subject>, BoxError> {
        let found = self.find(&sent.username);
        // An unknown user takes as long as a wrong password.
        let is_valid = self.passwords.verify(sent.password, found.map(|(_, hash)| hash.as_str())).await?;
        Ok(found.filter(|_| is_valid).map(|(user, _)| user.clone()))
    }
}
