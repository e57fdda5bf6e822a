//! The preset of Amazon Cognito.

use crate::verify::issuer_pattern::is_segment;
use crate::verify::mapping::Place;
use crate::verify::{ClaimName, ClaimRule, TrustedIssuer};

/// Returns the issuer of a user pool of Amazon Cognito. `user_pool` is its id, as in `us-west-2_example`, and `client` the id of an app client
/// that may call this service; add each further one by [`audience`](TrustedIssuer::audience).
///
/// - `token_use` must be `access`. An ID token has the client's id in `aud`, so without that it is accepted as an access token.
/// - An access token has no `aud`: then `client_id` must be `client`. It has one if the client asked for a resource binding, and then `aud`
///   must be a name of this service, which is added by [`audience`](TrustedIssuer::audience).
/// - Roles are the groups, `cognito:groups`.
///
/// `client_id` does not say for which service a token is: every service that `client` calls can use the token here. Where they do not trust
/// each other, have the clients ask for a resource binding, and call `.claim("aud", ClaimRule::Present)`: a protected resource needs that.
///
/// ```
/// use auth_runtime::verify::providers;
///
/// # let key_set = "";
/// let issuer = providers::cognito("us-west-2_example", "57cbishk4j24pabc1234567890").jwks(key_set);
/// # let _ = issuer;
/// ```
///
/// Source: the Amazon Cognito Developer Guide, [Understanding the access
/// token](https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html) and [Verifying JSON web
/// tokens](https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html).
pub fn cognito(user_pool: &str, client: &str) -> TrustedIssuer {
    let (region, id) = user_pool.split_once('_').unwrap_or_default();
    let iss = format!("https://cognito-idp.{region}.amazonaws.com/{user_pool}");
    let key_set = format!("{iss}/.well-known/jwks.json");
    let mut issuer = TrustedIssuer::new(iss)
        .audience(client)
        .claim("token_use", ClaimRule::equals("access"))
        .problem_unless(!region.contains('.') && is_segment(region) && is_segment(id), || {
            format!("`providers::cognito`: `{user_pool}` is not the id of a user pool: pass it as in `us-west-2_example`")
        })
        .key_set_at(key_set);
    issuer.audience_without_aud = Some(ClaimName::literal("client_id"));
    issuer.mapping.roles.preset([Place::names(ClaimName::literal("cognito:groups"))]);
    issuer
}
