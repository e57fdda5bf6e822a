//! The preset of Firebase Authentication.

use crate::verify::issuer_pattern::is_segment;
use crate::verify::{ClaimRule, TrustedIssuer};

/// The keys that sign the ID tokens of all projects.
const KEY_SET: &str =
    "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com";

/// The tenant of Identity Platform that a user belongs to.
const TENANT: &str = "firebase.tenant";

/// Returns the issuer of a project of Firebase Authentication. `project` is its id. The tokens are ID tokens by design: Firebase has no
/// others for a service of yours.
///
/// - `iss` is `https://securetoken.google.com/{project}`, and `aud` is `project`. All projects of the world are signed with the same keys, so
///   these two alone say that a token is of yours.
/// - `auth_time` must be present, and `sub`, which is the user's `uid`.
/// - A token of a tenant of Identity Platform is rejected: a `uid` is one user within its tenant. [`firebase_tenant`] is for these.
/// - Roles are `roles`, which your own code sets as a custom claim.
///
/// A valid token says that somebody has signed in, and that can be anybody: accounts can be opened with what is in the app, also
/// anonymous ones if the project allows them. Require a role, load the user from your tables
/// ([`AuthBuilder::users`](crate::AuthBuilder::users)), or name the ways to sign in:
///
/// ```
/// use auth_runtime::verify::{ClaimRule, providers};
///
/// # let key_set = "";
/// let issuer = providers::firebase("shop-4711")
///     .claim("firebase.sign_in_provider", ClaimRule::one_of(["password", "google.com"]))
///     .jwks(key_set);
/// # let _ = issuer;
/// ```
///
/// Source: Firebase's documentation, [Verify ID Tokens](https://firebase.google.com/docs/auth/admin/verify-id-tokens), and
/// [`DecodedIdToken`](https://firebase.google.com/docs/reference/admin/node/firebase-admin.auth.decodedidtoken).
pub fn firebase(project: &str) -> TrustedIssuer {
    of_project(project).claim(TENANT, ClaimRule::absent())
}

/// Returns the issuer of one tenant of Identity Platform in a project of Firebase Authentication. It is as [`firebase`], but `firebase.tenant`
/// must be `tenant`. An engine has one issuer for a project: its other tenants, and its users without one, are rejected.
///
/// ```
/// use auth_runtime::verify::providers;
///
/// # let key_set = "";
/// let issuer = providers::firebase_tenant("shop-4711", "acme-7sd3k").jwks(key_set);
/// # let _ = issuer;
/// ```
///
/// Source: Google's documentation, [Identity Platform multi-tenancy](https://cloud.google.com/identity-platform/docs/multi-tenancy).
pub fn firebase_tenant(project: &str, tenant: &str) -> TrustedIssuer {
    of_project(project).claim(TENANT, ClaimRule::equals(tenant)).problem_unless(!tenant.is_empty(), || {
        "`providers::firebase_tenant`: the tenant is empty: pass its id, or call `providers::firebase`".into()
    })
}

fn of_project(project: &str) -> TrustedIssuer {
    TrustedIssuer::new(format!("https://securetoken.google.com/{project}"))
        .audience(project)
        .claim("auth_time", ClaimRule::Present)
        .problem_unless(is_segment(project), || {
            format!(
                "`providers::firebase`: `{project}` is not the id of a project: pass it as in `shop-4711`"
            )
        })
        .key_set_at(KEY_SET.to_owned())
}
