//! Who a caller is: the account of a token or of an API key, and what it may do by now.

use auth_runtime::rejection::Rejection;
use auth_runtime::session::routes::{LoginVerifier, PasswordCredentials};
use auth_runtime::session::{BoxError, PasswordHasher, Subject, SubjectStore};
use auth_runtime::users::{Grants, UserStore};
use auth_runtime::{Principal, auth};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Result;

use crate::app::App;
use crate::database::{Account, Database};
use crate::issuers;

/// The issuer of callers that have an API key.
const API_KEYS: &str = "urn:auth-runtime:scheme:api_key";

#[derive(Clone)]
pub(crate) struct Accounts {
    pub(crate) database: Database,
    pub(crate) passwords: PasswordHasher,
}

impl UserStore for Accounts {
    type User = Account;

    /// The owner of a key is an account; the subject of a token is one at its issuer. Without an active account, a caller is rejected.
    async fn load(&self, caller: &Principal) -> Result<Option<Account>, BoxError> {
        let account = match caller.issuer() {
            Some(API_KEYS) => self.database.account(caller.subject().parse()?).await?,
            Some(issuer) => self.database.account_at(issuer, caller.subject()).await?,
            None => None,
        };
        Ok(account.filter(|account| account.is_active))
    }

    /// In place of the roles and permissions of the token, so that a change here counts without another token.
    fn grants(&self, account: &Account) -> Option<Grants> {
        let staff = account.is_staff.then(|| "staff".to_owned());
        Some(
            Grants::new()
                .roles(account.role.clone().into_iter().chain(staff))
                .permissions(account.permissions.clone()),
        )
    }
}

/// Deactivates an account. Its tokens and keys are rejected when this returns.
#[auth(roles = ["staff"])]
pub(crate) async fn deactivate(State(app): State<App>, Path(id): Path<i64>) -> Result<StatusCode> {
    let identities = app.database.deactivate(id).await?.ok_or_else(Rejection::hidden)?;
    let key = (API_KEYS.to_owned(), id.to_string());
    for (issuer, subject) in identities.into_iter().chain([key]) {
        let forgotten = app.auth.revocations().forget(&issuer, &subject).await;
        forgotten.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What goes into a token that this service makes.
fn subject(name: &str, account: &Account) -> Subject {
    Subject::new(name).scopes(["read", "write"]).claim("tenant_id", &account.tenant)
}

impl SubjectStore for Accounts {
    async fn subject(&self, name: &str) -> Result<Option<Subject>, BoxError> {
        let account = self.database.account_at(issuers::OWN, name).await?;
        Ok(account.filter(|account| account.is_active).map(|account| subject(name, &account)))
    }
}

impl LoginVerifier for Accounts {
    type Credentials = PasswordCredentials;

    async fn authenticate(&self, sent: PasswordCredentials) -> Result<Option<Subject>, BoxError> {
        let account = self.database.account_at(issuers::OWN, &sent.username).await?;
        let account = account.filter(|account| account.is_active);
        let stored = account.as_ref().and_then(|account| account.password_hash.as_deref());
        // An unknown user takes as long as a wrong password.
        let is_valid = self.passwords.verify(sent.password, stored).await?;
        Ok(account.filter(|_| is_valid).map(|account| subject(&sent.username, &account)))
    }
}
