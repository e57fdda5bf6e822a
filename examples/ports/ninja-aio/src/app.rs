//! What the handlers share.

use auth_runtime::Auth;

use crate::database::Database;

#[derive(Clone)]
pub(crate) struct App {
    pub(crate) auth: Auth,
    pub(crate) database: Database,
}
