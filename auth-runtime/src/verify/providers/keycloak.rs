//! The preset of Keycloak.

use super::{is_issuer_url, without_slash};
use crate::verify::mapping::Place;
use crate::verify::{ClaimName, ClaimRule, TrustedIssuer};

/// Returns the issuer of a realm of Keycloak. `realm` is the realm's URL, and `client` the id of the client that stands for this service
/// in Keycloak.
///
/// - `aud` must contain `client`. Keycloak adds it to the tokens of users that have a role of the client; for all others add a
///   mapper "Audience" to a client scope of the clients that call this service. `azp`, the client that a token was issued to, is no
///   substitute: it does not say for which service the token is.
/// - Roles are those of the realm (`realm_access.roles`) and of `client` (`resource_access.{client}.roles`). Those of other clients do not
///   count, such as `manage-users` of `realm-management`. A role of the realm and one of the client with the same name are one.
/// - The claim `typ` must be `Bearer`. Without that, an ID token is accepted where one client is both the front end and the service.
/// - Access tokens of users have `sid`, so a logout token (`provider_logout`) ends the session that it names, unless `logout_ends_all_sessions()`
///   says otherwise.
///
/// Let only some clients call this service by `.claim("azp", ClaimRule::one_of(["shop-web"]))`.
///
/// ```
/// use auth_runtime::verify::providers;
///
/// # let key_set = "";
/// let issuer = providers::keycloak("https://id.example.com/realms/shop", "shop-api").jwks(key_set);
/// # let _ = issuer;
/// ```
///
/// Source: Keycloak's Server Administration Guide, [Audience support](https://www.keycloak.org/docs/latest/server_admin/#audience-support) and
/// [OIDC token and SAML assertion role mappings](https://www.keycloak.org/docs/latest/server_admin/#_oidc_token_role_mappings); its Upgrading
/// Guide, [Removed `session_state` claim](https://www.keycloak.org/docs/latest/upgrading/#removed-session_state-claim): all tokens have `sid`.
pub fn keycloak(realm: &str, client: &str) -> TrustedIssuer {
    let realm = without_slash(realm);
    let mut issuer = TrustedIssuer::new(realm)
        .audience(client)
        .claim("typ", ClaimRule::equals("Bearer"))
        .problem_unless(is_issuer_url(realm) && realm.contains("/realms/"), || {
            format!(
                "`providers::keycloak`: `{realm}` is not the URL of a realm: pass it as in `https://id.example.com/realms/shop`"
            )
        })
        .key_set_at(format!("{realm}/protocol/openid-connect/certs"));
    #[cfg(feature = "provider-logout")]
    issuer.logout.set_sid_documented();
    issuer.mapping.roles.preset([
        Place::names("realm_access.roles"),
        Place::names(ClaimName::path(["resource_access", client, "roles"])),
    ]);
    issuer
}
