//! The table of users: who may log in, what a token says, and what handlers get.

use auth_runtime::Principal;
use auth_runtime::session::routes::LoginVerifier;
use auth_runtime::session::{BoxError, PasswordHasher, Subject, SubjectStore};
use auth_runtime::users::{Grants, UserStore};
use serde::Serialize;
use sqlx::{SqlitePool, query_as};
use utoipa::ToSchema;

use crate::claims::{Extras, Kind};
use crate::forms::Login;

/// A user.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) is_staff: bool,
    #[serde(skip)]
    language: String,
}

type Row = (String, String, bool, String);

impl From<Row> for Account {
    fn from((id, email, is_staff, language): Row) -> Self {
        Self { id, email, is_staff, language }
    }
}

impl Account {
    /// What a token of a login says of the user.
    fn subject(self) -> Subject {
        Subject::new(self.id).claims(Extras { kind: Kind::Login, language: self.language.try_into().ok() })
    }
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
        const SET: &str = "update accounts set password_hash = ?2 where email = ?1 and password_hash is null";
        let known = [
            ("ana@new.example", "pineapple"),
            ("ben@new.example", "blueberry"),
            ("otto@old.example", "gooseberry"),
            ("ina@new.example", "raspberry"),
        ];
        ports_support::seed(&self.database, include_str!("../seed.sql"), SET, &known, &self.passwords).await
    }

    /// The active account of this id.
    async fn account(&self, id: &str) -> Result<Option<Account>, sqlx::Error> {
        let row = query_as("select id, email, is_staff, language from accounts where id = ?1 and is_active");
        let row: Option<Row> = row.bind(id).fetch_optional(&self.database).await?;
        Ok(row.map(Account::from))
    }
}

/// Verifies the credentials of a login. An unknown or inactive user takes as long as a wrong password.
impl LoginVerifier for Accounts {
    type Credentials = Login;

    async fn authenticate(&self, sent: Login) -> Result<Option<Subject>, BoxError> {
        let row = query_as("select id, password_hash from accounts where email = ?1 and is_active");
        let row: Option<(String, Option<String>)> =
            row.bind(sent.email).fetch_optional(&self.database).await?;
        let (id, hash) = row.unzip();
        let is_valid = self.passwords.verify(sent.password, hash.flatten().as_deref()).await?;
        match id.filter(|_| is_valid) {
            Some(id) => self.subject(&id).await,
            None => Ok(None),
        }
    }
}

/// Looks up a user whenever tokens are renewed.
impl SubjectStore for Accounts {
    async fn subject(&self, id: &str) -> Result<Option<Subject>, BoxError> {
        Ok(self.account(id).await?.map(Account::subject))
    }
}

/// Loads the user of every request, and remembers it for five minutes. One that is not active is rejected on every route.
impl UserStore for Accounts {
    type User = Account;

    async fn load(&self, caller: &Principal) -> Result<Option<Account>, BoxError> {
        Ok(self.account(caller.subject()).await?)
    }

    fn grants(&self, account: &Account) -> Option<Grants> {
        Some(Grants::new().roles(account.is_staff.then_some("staff")))
    }
}
