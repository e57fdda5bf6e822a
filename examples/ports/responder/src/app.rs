//! What the handlers share.

use auth_runtime::policy::Rule;
use auth_runtime::rule;
use auth_runtime::session::routes::TokenEndpoints;

use crate::users::Users;

/// Who may see the accounts, as a page and by the API.
pub(crate) const ADMIN: Rule = rule!(roles = ["admin"]);

/// Who may see how much there is: a caller with one of these roles.
pub(crate) const STAFF: Rule = rule!(roles = ["admin", "auditor"]);

#[derive(Clone)]
pub(crate) struct App {
    pub(crate) users: Users,
    /// The login of the pages.
    pub(crate) logins: TokenEndpoints<Users>,
}
