//! The table of users: who may log in, what a token says, and what handlers get.

use auth_runtime::Principal;
use auth_runtime::session::routes::{LoginVerifier, PasswordCredentials};
use auth_runtime::session::{BoxError, PasswordHasher, Subject, SubjectStore};
use auth_runtime::users::{Grants, UserStore};
use serde::Serialize;
use sqlx::{SqlitePool, query_as, query_scalar};

/// The row of a user: what handlers get as `User<Account>`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Account {
    #[serde(skip)]
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) is_agent: bool,
}

/// The table.
pub(crate) struct Accounts {
    database: SqlitePool,
    passwords: PasswordHasher,
}

impl Accounts {
    pub(crate) fn new(database: SqlitePool, passwords: PasswordHasher) -> Self {
        Self { database, passwords }
    }

    /// Adds the accounts that the port begins with. Only an example has passwords in its source.
    pub(crate) async fn seed(&self) -> Result<(), BoxError> {
        const SET: &str = "update accounts set password_hash = ?2 where name = ?1 and password_hash is null";
        let known = [("alice", "wonderland"), ("bob", "builder"), ("carol", "christmas")];
        ports_support::seed(&self.database, include_str!("../seed.sql"), SET, &known, &self.passwords).await
    }
}

/// Verifies the credentials of a login. An unknown or inactive user takes as long as a wrong password.
impl LoginVerifier for Accounts {
    type Credentials = PasswordCredentials;

    async fn authenticate(&self, sent: PasswordCredentials) -> Result<Option<Subject>, BoxError> {
        let row = query_as("select id, password_hash from accounts where name = ?1 and is_active");
        let row: Option<(String, Option<String>)> =
            row.bind(sent.username).fetch_optional(&self.database).await?;
        let (id, hash) = row.unzip();
        let is_valid = self.passwords.verify(sent.password, hash.flatten().as_deref()).await?;
        Ok(id.filter(|_| is_valid).map(Subject::new))
    }
}

/// Looks up a user whenever tokens are renewed.
impl SubjectStore for Accounts {
    async fn subject(&self, id: &str) -> Result<Option<Subject>, BoxError> {
        let row = query_scalar("select id from accounts where id = ?1 and is_active").bind(id);
        Ok(row.fetch_optional(&self.database).await?.map(|id: String| Subject::new(id)))
    }
}

/// Loads the user of every request, whatever its credential is, and remembers it for five minutes. One that is not active is rejected on
/// every route.
impl UserStore for Accounts {
    type User = Account;

    async fn load(&self, caller: &Principal) -> Result<Option<Account>, BoxError> {
        let row = query_as("select id, name, is_agent from accounts where id = ?1 and is_active");
        let row: Option<(String, String, bool)> =
            row.bind(caller.subject()).fetch_optional(&self.database).await?;
        Ok(row.map(|(id, name, is_agent)| Account { id, name, is_agent }))
    }

    fn grants(&self, account: &Account) -> Option<Grants> {
        Some(Grants::new().roles(account.is_agent.then_some("agent")))
    }
}
