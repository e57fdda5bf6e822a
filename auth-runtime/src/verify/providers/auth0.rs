//! The preset of Auth0.

use super::{is_issuer_url, without_slash};
use crate::verify::TrustedIssuer;

/// Returns the issuer of a tenant of Auth0. `domain` is the tenant's domain, or the custom domain that its tokens are issued with, and `api`
/// the identifier of this API.
///
/// - `iss` is `https://{domain}/`, with the slash at its end.
/// - `aud` must contain `api`. Never pass the id of an application: ID tokens have it as their `aud`. Tokens with `nonce`, `at_hash` or
///   `c_hash` are rejected, since ID tokens alone have these.
/// - Permissions are `permissions`, which a token has if "Enable RBAC" and "Add Permissions in the Access Token" are on for the API. Without
///   RBAC the scopes are whatever the application asked for, for every user alike: then no rule should rely on them.
/// - Roles are in a claim that an Action adds, under a name of your own: `.roles_at("https://shop.example.com/roles")`.
///
/// Both token profiles are read, Auth0's and that of RFC 9068.
///
/// ```
/// use auth_runtime::verify::providers;
///
/// # let key_set = "";
/// let issuer = providers::auth0("shop.eu.auth0.com", "https://api.example.com")
///     .roles_at("https://shop.example.com/roles")
///     .jwks(key_set);
/// # let _ = issuer;
/// ```
///
/// Source: Auth0's documentation, [Access Token Profiles](https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles), [Enable
/// Role-Based Access Control for APIs](https://auth0.com/docs/get-started/apis/enable-role-based-access-control-for-apis) and [Create Custom
/// Claims](https://auth0.com/docs/secure/tokens/json-web-tokens/create-custom-claims).
pub fn auth0(domain: &str, api: &str) -> TrustedIssuer {
    let domain = without_slash(domain.strip_prefix("https://").unwrap_or(domain));
    TrustedIssuer::new(format!("https://{domain}/"))
        .audience(api)
        .without_claims_of_id_tokens()
        .problem_unless(!domain.contains('/') && is_issuer_url(&format!("https://{domain}")), || {
            format!("`providers::auth0`: `{domain}` is not a domain: pass it as in `shop.eu.auth0.com`")
        })
        .key_set_at(format!("https://{domain}/.well-known/jwks.json"))
}
