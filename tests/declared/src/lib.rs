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

    /// A rule by itself.
    pub const AUDITORS: auth_runtime::policy::Rule = rule!(roles = ["auditor"], scopes = ["article:read"]);
}
