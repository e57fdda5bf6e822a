//! What the handlers share.

use auth_runtime::policy::Rule;
use auth_runtime::session::TokenService;
use auth_runtime::{Auth, rule};

use crate::database::Contacts;

/// The `iss` of the tokens.
pub(crate) const ISSUER: &str = "https://address-book.example";

/// Tokens of a login. One of an export is for the export alone.
pub(crate) const LOGIN: Rule = rule!(claims(kind = "login"));

pub(crate) const STAFF: Rule = rule!(roles = ["staff"]);

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) auth: Auth,
    pub(crate) tokens: TokenService,
    pub(crate) contacts: Contacts,
}
