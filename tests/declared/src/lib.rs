//! A user with an `auth.toml`: a vocabulary, and handlers whose rules it checks.

auth_runtime::vocabulary!();

/// Handlers, each for who its name says.
pub mod handlers {
    use auth_runtime::{Principal, auth, rule};

    /// In words, what the caller has.
    fn told(user: &Principal) -> String {
        let list = |names: &mut dyn Iterator<Item = &str>| names.collect::<Vec<_>>().join(" ");
        format!("{}|{}", list(&mut user.roles()), list(&mut user.permissions()))
    }

    /// Those who may view.
    #[auth(roles = ["viewer"])]
    pub async fn viewers(user: Principal) -> String {
        told(&user)
    }

    /// Those who may not.
    #[auth(not(roles = ["viewer"]))]
    pub async fn others(user: Principal) -> String {
        told(&user)
    }

    /// Those who may read invoices.
    #[auth(permissions = ["invoice.read"])]
    pub async fn invoices(user: Principal) -> String {
        told(&user)
    }

    /// Everybody, from the header of a partner.
    #[auth(source = "partner")]
    pub async fn partners(user: Principal) -> String {
        told(&user)
    }

    /// Rules whose meaning hangs on what the vocabulary says of these names.
    pub const NO_VIEWERS: auth_runtime::policy::Rule = rule!(not(roles = ["viewer"]));
    /// The same, of a permission.
    pub const INVOICES: auth_runtime::policy::Rule = rule!(not(permissions = ["invoice.read"]));
    /// The same, of two roles that exclude each other.
    pub const APART: auth_runtime::policy::Rule = rule!(any(roles = ["admin"], all(roles = ["auditor"])));
    /// A rule without names.
    pub const FRESH: auth_runtime::policy::Rule = rule!(max_age = "5m");

    /// A rule by itself.
    pub const AUDITORS: auth_runtime::policy::Rule = rule!(roles = ["auditor"], scopes = ["article:read"]);
}
