//! The preset of ZITADEL.

use super::{is_issuer_url, without_slash};
use crate::verify::issuer_pattern::is_segment;
use crate::verify::mapping::Place;
use crate::verify::{ClaimName, ClaimRule, TrustedIssuer};

/// Returns the issuer of an instance of ZITADEL. `instance` is its URL, and `project` the id of this service's project. The application must have
/// "JWT" as the type of its access tokens: opaque ones are for introspection.
///
/// - `aud` must contain `project`. Each client of the instance can ask for that by the scope `urn:zitadel:iam:org:project:id:{project}:aud`,
///   so a valid token alone says little: have rules require a role.
/// - Roles are the keys of `urn:zitadel:iam:org:project:{project}:roles`. The claim without the id, `urn:zitadel:iam:org:project:roles`, has the
///   roles in the project of the *client*: an `admin` of another project would be one here. A token has both if roles are asserted.
/// - The values of a role's object are the organizations that it was granted in: where several use this service, look at them by
///   [`Principal::claim`](crate::Principal::claim).
/// - `jti` must be present, and `amr`, `nonce`, `at_hash` and `c_hash` absent. ID tokens have the same `aud`, so without that they are accepted.
///
/// ```
/// use auth_runtime::verify::providers;
///
/// # let key_set = "";
/// let issuer = providers::zitadel("https://shop-x7k2.zitadel.cloud", "69234237810729019").jwks(key_set);
/// # let _ = issuer;
/// ```
///
/// Access tokens have no `sid`: for logout tokens (`provider_logout`), call `logout_ends_all_sessions()`.
///
/// Source: ZITADEL's documentation, [Claims](https://zitadel.com/docs/apis/openidoauth/claims) and
/// [Scopes](https://zitadel.com/docs/apis/openidoauth/scopes).
pub fn zitadel(instance: &str, project: &str) -> TrustedIssuer {
    let instance = without_slash(instance);
    let roles = format!("urn:zitadel:iam:org:project:{project}:roles");
    let mut issuer = TrustedIssuer::new(instance)
        .audience(project)
        .claim("jti", ClaimRule::Present)
        .claim("amr", ClaimRule::absent())
        .without_claims_of_id_tokens()
        .problem_unless(is_issuer_url(instance), || {
            format!("`providers::zitadel`: `{instance}` is not the URL of an instance: pass it as in `https://shop-x7k2.zitadel.cloud`")
        })
        .problem_unless(is_segment(project), || {
            format!("`providers::zitadel`: `{project}` is not the id of a project: pass it as in `69234237810729019`")
        })
        .key_set_at(format!("{instance}/oauth/v2/keys"));
    issuer.mapping.roles.preset([Place::keys_of(ClaimName::literal(roles))]);
    issuer
}
