//! A crate that denies every warning and forbids unsafe code.
#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub, rust_2018_idioms)]
#![forbid(unsafe_code)]

use auth_runtime::policy::Rule;
use auth_runtime::routing::get;
use auth_runtime::{Principal, Router, rule};

/// Handlers.
pub mod handlers {
    use auth_runtime::{Principal, auth, check};
    use axum::extract::{Path, State};

    /// A handler.
    #[auth(rule = super::STAFF, any(scopes = ["a"], claims(tenant = path("tenant"))), check = own)]
    pub async fn documented(user: Principal, Path(_): Path<String>) -> String {
        user.subject().to_owned()
    }

    /// A check.
    #[check]
    pub async fn own(
        user: &Principal,
        Path(tenant): Path<String>,
        State(()): State<()>,
    ) -> Result<bool, String> {
        Ok(user.has_role(&tenant))
    }

    #[check]
    async fn private(_: &Principal) -> bool {
        true
    }

    /// Of a private check.
    #[auth(max_age = "5m", acr = ["mfa"], check = private)]
    pub async fn step_up() {}
}

/// A rule.
pub const STAFF: Rule = rule!(roles = ["staff"], not(permissions = ["x"]));

#[test]
fn its_handlers_are_mounted() {
    let _: Router = Router::new()
        .route("/{tenant}", get(handlers::documented))
        .route("/step-up", get(handlers::step_up))
        .route("/closure", (axum::routing::get(|_: Principal| async {}), STAFF));
}
