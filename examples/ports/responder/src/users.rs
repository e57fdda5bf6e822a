//! The accounts: who may log in, and with which role.

use std::path::Path;

use auth_runtime::session::routes::{LoginVerifier, PasswordCredentials};
use auth_runtime::session::{BoxError, PasswordError, PasswordHasher, Subject, SubjectStore};
use ports_support::{DatabaseError, open, seed};
use serde::Serialize;
use sqlx::query_as;
use sqlx::sqlite::SqlitePool;

const MIGRATIONS: [(&str, &str); 2] = [
    ("accounts", include_str!("../migrations/1_accounts.sql")),
    ("notes", include_str!("../migrations/2_notes.sql")),
];

/// The accounts that are there at the first start. Only an example has their passwords in its source.
const SEED: [(&str, &str); 3] =
    [("admin", "administrator"), ("alice", "wonderland"), ("audrey", "bookkeeping")];

/// The accounts, in the database of the service. A clone has the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Users {
    pub(crate) database: SqlitePool,
    passwords: PasswordHasher,
}

/// An account, without its password.
#[derive(Debug, Serialize)]
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) username: String,
    pub(crate) role: String,
}

/// Why there is no new account.
#[derive(Debug)]
pub(crate) enum SignUpError {
    /// Somebody has this name.
    Taken,
    /// The name or the password is not allowed.
    Invalid,
    /// The database failed, or too many passwords wait to be hashed.
    Unavailable(BoxError),
}

impl Account {
    fn from_row((id, username, role): (i64, String, String)) -> Self {
        Self { id, username, role }
    }

    /// What a token says of its owner. The id never changes; the name is for greetings.
    fn subject(&self) -> Subject {
        Subject::new(self.id.to_string()).roles([self.role.as_str()]).claim("name", &self.username)
    }
}

impl Users {
    /// Opens the database in this folder, with the accounts and notes that the example begins with.
    pub(crate) async fn open(folder: &Path, passwords: PasswordHasher) -> Result<Self, BoxError> {
        let database = open(&folder.join("notes.sqlite"), &MIGRATIONS).await?;
        let set = "update accounts set password_hash = ?2 where username = ?1 and password_hash is null";
        seed(&database, include_str!("../seed.sql"), set, &SEED, &passwords).await?;
        Ok(Self { database, passwords })
    }

    /// All accounts.
    pub(crate) async fn all(&self) -> Result<Vec<Account>, DatabaseError> {
        let rows = query_as("select id, username, role from accounts order by id");
        Ok(rows.fetch_all(&self.database).await?.into_iter().map(Account::from_row).collect())
    }

    /// How many accounts there are, and how many notes.
    pub(crate) async fn figures(&self) -> Result<[i64; 2], DatabaseError> {
        let counted = query_as("select (select count(*) from accounts), (select count(*) from notes)");
        let (accounts, notes) = counted.fetch_one(&self.database).await?;
        Ok([accounts, notes])
    }

    /// Makes an account with the role `user`.
    pub(crate) async fn sign_up(&self, username: &str, password: String) -> Result<Subject, SignUpError> {
        let hash = self.passwords.hash(password).await?;
        let row = query_as(
            "insert into accounts (username, password_hash) values (lower(?1), ?2) on conflict do nothing \
             returning id, username, role",
        );
        let row = row.bind(username).bind(hash).fetch_optional(&self.database).await?;
        Ok(Account::from_row(row.ok_or(SignUpError::Taken)?).subject())
    }
}

/// Verifies the credentials of a login.
impl LoginVerifier for Users {
    type Credentials = PasswordCredentials;

    async fn authenticate(&self, sent: PasswordCredentials) -> Result<Option<Subject>, BoxError> {
        let row =
            query_as("select id, username, role, password_hash from accounts where username = lower(?1)");
        let row: Option<(i64, String, String, Option<String>)> =
            row.bind(&sent.username).fetch_optional(&self.database).await?;
        let account = row.map(|(id, username, role, hash)| (Account { id, username, role }, hash));
        let (account, hash) = account.unzip();
        // An unknown user takes as long as a wrong password.
        let matches = self.passwords.verify(sent.password, hash.flatten().as_deref()).await?;
        Ok(account.filter(|_| matches).map(|account| account.subject()))
    }
}

/// Looks an account up again whenever its tokens are renewed: one that was deleted is logged out, and another role counts.
impl SubjectStore for Users {
    async fn subject(&self, id: &str) -> Result<Option<Subject>, BoxError> {
        let row = query_as("select id, username, role from accounts where id = ?1");
        let row = row.bind(id).fetch_optional(&self.database).await?;
        Ok(row.map(|row| Account::from_row(row).subject()))
    }
}

impl From<PasswordError> for SignUpError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Disallowed | PasswordError::TooLong => Self::Invalid,
            other => Self::Unavailable(other.into()),
        }
    }
}

/// What a name may be is in the table.
impl From<sqlx::Error> for SignUpError {
    fn from(error: sqlx::Error) -> Self {
        let is_check = error.as_database_error().is_some_and(|error| error.is_check_violation());
        if is_check { Self::Invalid } else { Self::Unavailable(error.into()) }
    }
}
