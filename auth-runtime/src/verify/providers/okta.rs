//! The preset of Okta.

use super::{is_issuer_url, without_slash};
use crate::verify::mapping::Place;
use crate::verify::{ClaimName, ClaimRule, TrustedIssuer};

/// Returns the issuer of a custom authorization server of Okta. `server` is its URL, as in `https://shop.okta.com/oauth2/default`, and
/// `audience` the audience that it is configured with, as in `api://default`.
///
/// - The subject is `uid`, the user's id in Okta. `sub` is the user's login by default: it can be changed, and given to another user, who
///   would find the data of the first one. In a token without a user there is no `uid`, and the subject is `sub`, the client's id.
/// - Roles are `groups`, if the server is configured with this claim for access tokens. Scopes are `scp`.
/// - `cid` must be present, and `nonce`, `at_hash` and `c_hash` absent: an ID token is rejected, also where `audience` is a client's id.
///
/// The org authorization server, whose URL has no `/oauth2/`, is an error: its access tokens are for Okta, and its keys are not published
/// for others.
///
/// ```
/// use auth_runtime::verify::providers;
///
/// # let key_set = "";
/// let issuer = providers::okta("https://shop.okta.com/oauth2/default", "api://default").jwks(key_set);
/// # let _ = issuer;
/// ```
///
/// Source: Okta's documentation, [OpenID Connect & OAuth 2.0 API, access token](https://developer.okta.com/docs/reference/api/oidc/#access-token),
/// [Authorization servers](https://developer.okta.com/docs/concepts/auth-servers/) and [Customize tokens with a groups
/// claim](https://developer.okta.com/docs/guides/customize-tokens-groups-claim/main/).
pub fn okta(server: &str, audience: &str) -> TrustedIssuer {
    let server = without_slash(server);
    let mut issuer = TrustedIssuer::new(server)
        .audience(audience)
        .subject_at("uid")
        .claim("cid", ClaimRule::Present)
        .without_claims_of_id_tokens()
        .problem_unless(is_issuer_url(server) && server.contains("/oauth2/"), || {
            format!(
                "`providers::okta`: `{server}` is not the URL of a custom authorization server: pass it as in \
                 `https://shop.okta.com/oauth2/default`, since the tokens of the org authorization server are for Okta alone"
            )
        })
        .key_set_at(format!("{server}/v1/keys"));
    issuer.mapping.subject_if_absent = Some(ClaimName::literal("sub"));
    issuer.mapping.roles.preset([Place::names("groups")]);
    issuer
}
