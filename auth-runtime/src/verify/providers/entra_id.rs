//! The preset of Microsoft Entra ID.

use crate::verify::{ClaimRule, Tenants, TrustedIssuer};

/// Where the endpoints of all tenants are.
const LOGIN: &str = "https://login.microsoftonline.com";

/// Returns the issuer of tenants of Microsoft Entra ID whose tokens are of version 2.0 (`requestedAccessTokenVersion` is 2 in the manifest
/// of this API). `tenants` are the ids of the tenants, and `api` is the application (client) id of this API.
///
/// - `iss` is `https://login.microsoftonline.com/{tenantid}/v2.0`, of one of `tenants`, and `tid` must be the same tenant. A key that
///   Microsoft publishes for one issuer (its member `issuer`) verifies the tokens of that one alone.
/// - The subject is `oid`: Microsoft names `tid` and `oid` as the key for application data. It is the same in all applications of a tenant, while
///   `sub` is another one for each, so that two services that exchange data would not mean the same user. Of an application
///   without a user it is its service principal. A token without `oid` is rejected: the client asks for the scope `profile`.
///   `.subject_at("sub")` is for a service that was built on `sub`.
/// - Roles are `roles`: those of a user, and the permissions of an application without a user. Scopes are `scp`. `groups` is not read, because it is
///   left out of a token if a user has more than 200.
/// - `ver` must be `2.0`, and `azp` present. Without that, an ID token is accepted where one registration is both client and API.
///
/// The user of another tenant is another caller, with the same `oid` too: (issuer, subject) is the key of what you store. Roles are
/// given by the administrator of the caller's tenant: let them decide what concerns that tenant alone.
///
/// ```
/// use auth_runtime::verify::{Tenants, providers};
///
/// # let key_set = "";
/// let own = providers::entra_id("8eaef023-2b34-4da1-9baa-8bc8c9d6a490", "6e74172b-be56-4843-9ff4-e66a39bb12e3").jwks(key_set);
/// # let customers = std::collections::HashSet::<String>::new();
/// let of_customers = Tenants::accepted_by(move |tenant| customers.contains(tenant));
/// let saas = providers::entra_id(of_customers, "6e74172b-be56-4843-9ff4-e66a39bb12e3").jwks(key_set);
/// # let _ = (own, saas);
/// ```
///
/// Source: Microsoft's documentation, [Access tokens](https://learn.microsoft.com/en-us/entra/identity-platform/access-tokens), [Access token claims
/// reference](https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference) and [Secure applications and APIs by
/// validating claims](https://learn.microsoft.com/en-us/entra/identity-platform/claims-validation).
pub fn entra_id(tenants: impl Into<Tenants>, api: &str) -> TrustedIssuer {
    let version = Version {
        pattern: "https://login.microsoftonline.com/{tenantid}/v2.0",
        ver: "2.0",
        client: "azp",
        keys: "discovery/v2.0/keys",
    };
    version.issuer(tenants.into(), api)
}

/// Returns the issuer of tenants of Microsoft Entra ID whose tokens are of version 1.0, the default of an API that is registered for one
/// organization. `api` is the Application ID URI of this API, as in `api://{client id}`; add its client id by
/// [`audience`](TrustedIssuer::audience) if clients ask for that.
///
/// It is as [`entra_id`] with other names: `iss` is `https://sts.windows.net/{tenantid}/`, `ver` must be `1.0`, and `appid` present. Give it the
/// keys of the endpoint of this version, which have no issuer of version 2.0. The issuer of the same user is another one in each version.
///
/// ```
/// use auth_runtime::verify::providers;
///
/// # let key_set = "";
/// let issuer = providers::entra_id_v1("fa15d692-e9c7-4460-a743-29f2956fd429", "api://ef1da9d4-ff77-4c3e-a005-840c3f830745").jwks(key_set);
/// # let _ = issuer;
/// ```
pub fn entra_id_v1(tenants: impl Into<Tenants>, api: &str) -> TrustedIssuer {
    let version = Version {
        pattern: "https://sts.windows.net/{tenantid}/",
        ver: "1.0",
        client: "appid",
        keys: "discovery/keys",
    };
    version.issuer(tenants.into(), api)
}

/// What the tokens of a version are like.
struct Version {
    pattern: &'static str,
    ver: &'static str,
    /// The claim that access tokens alone have.
    client: &'static str,
    keys: &'static str,
}

impl Version {
    fn issuer(&self, tenants: Tenants, api: &str) -> TrustedIssuer {
        let no_ids: Vec<String> = tenants
            .listed()
            .unwrap_or_default()
            .iter()
            .filter(|id| !is_tenant_id(id))
            .map(|id| format!("`{id}`"))
            .collect();
        let endpoint = match tenants.listed() {
            Some([one]) => one.to_string(),
            _ => "common".to_owned(),
        };
        TrustedIssuer::of_tenants(self.pattern, tenants)
            .tenant_at("tid")
            .audience(api)
            .subject_at("oid")
            .claim("ver", ClaimRule::equals(self.ver))
            .claim(self.client, ClaimRule::Present)
            .problem_unless(no_ids.is_empty(), || {
                format!(
                    "`providers::entra_id`: {} is not the id of a tenant: `iss` has no domain and no `common`, but an id in lower case, as in \
                     `8eaef023-2b34-4da1-9baa-8bc8c9d6a490`; several are named one by one, or accepted by `Tenants::accepted_by`",
                    no_ids.join(", ")
                )
            })
            .key_set_at(format!("{LOGIN}/{endpoint}/{}", self.keys))
    }
}

/// Whether this is a GUID in lower case.
fn is_tenant_id(text: &str) -> bool {
    let is_hex = |part: &str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && text.split('-').all(is_hex)
}
