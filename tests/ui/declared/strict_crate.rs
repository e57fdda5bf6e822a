//! A crate with an `auth.toml` that denies every warning and forbids unsafe code.
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    rust_2018_idioms,
    clippy::all
)]
#![forbid(unsafe_code)]

use auth_runtime::policy::Rule;
use auth_runtime::{Principal, auth, rule};

mod vocabulary {
    auth_runtime::vocabulary!();
}

/// As a user's own API.
pub mod public {
    auth_runtime::vocabulary!();
}

use vocabulary::{Permission, Role, Scope, VOCABULARY};

/// Those that write.
#[auth(source = ["partner", "cookie"], any(roles = ["editor"], all(roles = ["billing"], scopes = ["article:write"])))]
pub async fn write(user: Principal) -> bool {
    user.has(Role::Admin) || user.has(Scope::ArticleWrite) || user.has(Permission::InvoiceRead)
}

/// A rule.
pub const READERS: Rule = rule!(roles = ["viewer"], not(permissions = ["report.read"]));

#[test]
fn its_names_are_those_of_the_file() {
    assert_eq!(Role::ALL.len(), VOCABULARY.roles.len());
    assert_eq!(
        Role::ALL.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
        ["admin", "editor", "viewer", "auditor", "billing"]
    );
    assert_eq!(Role::Auditor.to_string(), String::from(public::Role::Auditor));
    for role in Role::ALL {
        assert_eq!(role.as_str().parse(), Ok(*role));
        assert_eq!(Role::try_from(String::from(*role)), Ok(*role));
        let written = serde_json::to_string(role).unwrap();
        assert_eq!(
            (written.clone(), serde_json::from_str(&written).unwrap()),
            (format!("\"{role}\""), *role)
        );
    }
    let undeclared = Role::try_from("amdin").unwrap_err();
    assert_eq!(
        undeclared.to_string(),
        "\"amdin\" is none of the roles of the enum that `vocabulary!` made of auth.toml"
    );
    assert!(serde_json::from_str::<Scope>("\"Article:write\"").is_err(), "case matters");
    assert!(serde_json::from_str::<Permission>("1").is_err());
    let admin = &VOCABULARY.roles[0];
    assert_eq!(
        (admin.implies, admin.excludes, admin.description),
        (&["editor", "viewer"][..], &[][..], Some("Runs the place"))
    );
    assert_eq!(VOCABULARY.roles[3].excludes, ["admin"]);
    assert_eq!(VOCABULARY.permissions[0].roles, ["admin", "billing"]);
}
