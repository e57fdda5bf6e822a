//! A user's crate with every form that the macros expand.

use auth_runtime::authenticator::{BoxError, Subject};
use auth_runtime::policy::Rule;
#[rustfmt::skip]
use auth_runtime::{Principal, auth, authenticator, check, rule};
use axum::extract::{Path, State};
use axum::http::Method;

/// A rule.
pub const STAFF: Rule = rule!(source = "cookie", roles = ["admin"], not(permissions = ["invoice.read"]));

/// A rule in a function.
#[must_use]
pub const fn in_a_function() -> Rule {
    rule!(any(scopes = ["article:write"], claims(tenant = path("tenant"), plan = ["pro", 5, true])))
}

/// Without arguments.
#[auth]
pub async fn authenticated() {}

/// With all of them.
#[auth(crate = ::auth_runtime, rule = STAFF, max_age = "5m", acr = ["mfa"], amr = ["otp"], check = owns)]
pub async fn everything(user: Principal, Path(tenant): Path<String>) -> String {
    format!("{} of {tenant}", user.subject())
}

/// For everybody.
#[auth(public)]
pub async fn open() {}

/// With or without a credential.
#[auth(optional, source = ["bearer", "cookie"])]
pub async fn optional(user: Option<Principal>) -> bool {
    user.is_some()
}

/// Generic.
#[auth(roles = ["admin"])]
pub async fn generic<S: Clone + Send + Sync + 'static>(State(_state): State<S>) {}

#[auth(any(roles = ["editor"], scopes = ["article:write"]), check = checks::private_check)]
async fn private_handler(#[cfg(any())] _: NoSuchType, #[cfg(not(any()))] _method: Method) {}

/// Seven arguments, to which the gate comes.
#[auth]
pub async fn seven(_a: Method, _b: Method, _c: Method, _d: Method, _e: Method, _f: Method, _g: Method) {}

/// A check.
#[check]
pub async fn owns(
    user: &Principal,
    Path(tenant): Path<String>,
    #[cfg(any())] _: NoSuchType,
    State(()): State<()>,
) -> Result<bool, String> {
    if tenant.is_empty() { Err(String::from("no tenant")) } else { Ok(user.subject() == tenant) }
}

/// Checks.
pub mod checks {
    #[rustfmt::skip]
    use auth_runtime::{Principal, check};

    #[check(crate = ::auth_runtime)]
    pub(super) async fn private_check(_user: &Principal) -> bool {
        true
    }
}

/// An authenticator.
#[authenticator]
pub async fn partner(
    credential: &str,
    method: Method,
    #[cfg(any())] _: NoSuchType,
    State(name): State<String>,
) -> Result<Option<Subject>, String> {
    Ok((method == Method::GET && credential == name).then(|| Subject::new(name)))
}

#[authenticator(crate = ::auth_runtime)]
async fn private_authenticator(credential: &str) -> Result<Subject, BoxError> {
    Ok(Subject::new(credential))
}

macro_rules! by_macro {
    ($name:ident, $check:ident, $authenticator:ident, $role:literal) => {
        #[auth(roles = [$role], check = $check)]
        async fn $name() {}

        #[check]
        async fn $check(user: &Principal, Path(name): Path<String>) -> bool {
            user.subject() == name
        }

        #[authenticator]
        async fn $authenticator(credential: &str, _method: Method) -> Result<Subject, BoxError> {
            Ok(Subject::new(credential))
        }
    };
}
by_macro!(handler_of_macro, check_of_macro, authenticator_of_macro, "admin");

/// In a function.
pub fn functions() {
    #[check]
    async fn inner_check(_user: &Principal) -> bool {
        true
    }

    #[authenticator]
    async fn inner_authenticator(credential: &str) -> Result<Subject, BoxError> {
        Ok(Subject::new(credential))
    }

    #[auth(check = inner_check)]
    async fn inner_handler() {}
}

/// The names of the file.
pub mod vocabulary {
    auth_runtime::vocabulary!();
}

mod private_vocabulary {
    auth_runtime::vocabulary!();
}
