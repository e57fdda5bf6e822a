//! What the handlers share, and who is staff.

use auth_runtime::policy::Rule;
use auth_runtime::rule;
use auth_runtime::session::routes::TokenEndpoints;

use crate::accounts::Accounts;
use crate::links::Links;

/// Who sees the sessions of all users, and ends them: staff that has logged in a short time ago.
pub(crate) const STAFF: Rule = rule!(roles = ["staff"], max_age = "10m");

#[derive(Clone)]
pub(crate) struct App {
    pub(crate) accounts: Accounts,
    pub(crate) links: Links,
    pub(crate) sessions: TokenEndpoints<Accounts>,
}
