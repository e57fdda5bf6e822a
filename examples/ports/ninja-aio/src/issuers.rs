//! Which tokens are accepted: whose, signed with which keys, and with which claims. A token chooses none of these.

use std::fs;

use auth_runtime::session::BoxError;
use auth_runtime::verify::{Algorithm, ClaimRule, Key, TrustedIssuer, providers};

/// The issuer of the tokens that this service makes.
pub(crate) const OWN: &str = "https://magazine.example";
/// The name of this service in tokens.
pub(crate) const AUDIENCE: &str = "magazine";
/// The issuer of the agency.
pub(crate) const AGENCY: &str = "https://agency.example";

/// A provider with metadata (OpenID Connect Discovery), where its keys are found.
pub(crate) fn provider(issuer: &str, audience: &str) -> TrustedIssuer {
    TrustedIssuer::discover(issuer).audience(audience)
}

/// Auth0: the domain of the tenant, and the identifier of this API.
pub(crate) fn auth0(domain: &str, api: &str) -> TrustedIssuer {
    providers::auth0(domain, api)
}

/// Keycloak: the realm, the client that stands for this service, and the one whose tokens may call it.
pub(crate) fn keycloak(realm: &str, client: &str, front_end: &str) -> TrustedIssuer {
    providers::keycloak(realm, client).claim("azp", ClaimRule::equals(front_end))
}

/// Firebase: the project. Who has signed in is an account of the magazine, or is rejected.
pub(crate) fn firebase(project: &str) -> TrustedIssuer {
    providers::firebase(project)
}

/// The press agency, which signs its own tokens: its public key, and a rule for each claim.
pub(crate) fn agency(key: Key) -> TrustedIssuer {
    TrustedIssuer::new(AGENCY)
        .key(key)
        .audience(AUDIENCE)
        .audience("magazine-staging")
        .claim("jti", ClaimRule::Present)
        .claim("typ", ClaimRule::equals("access"))
        .claim("desk", ClaimRule::one_of(["news", "sports"]))
        .claim("scope", ClaimRule::absent_or(ClaimRule::equals("read")))
}

/// The issuers that the environment names.
pub(crate) fn from_environment() -> Result<Vec<TrustedIssuer>, BoxError> {
    let mut named = Vec::new();
    if let Some([issuer, audience]) = variables(["ISSUER", "AUDIENCE"])? {
        named.push(provider(&issuer, &audience));
    }
    if let Some([domain, api]) = variables(["AUTH0_DOMAIN", "AUTH0_API"])? {
        named.push(auth0(&domain, &api));
    }
    if let Some([realm, client, front_end]) =
        variables(["KEYCLOAK_REALM", "KEYCLOAK_CLIENT", "KEYCLOAK_FRONT_END"])?
    {
        named.push(keycloak(&realm, &client, &front_end));
    }
    if let Some([project]) = variables(["FIREBASE_PROJECT"])? {
        named.push(firebase(&project));
    }
    if let Some([file]) = variables(["AGENCY_KEY"])? {
        named.push(agency(Key::pem(Algorithm::RS256, fs::read(file)?)));
    }
    Ok(named)
}

/// The values of these variables. `None`: the first is not set.
fn variables<const N: usize>(names: [&str; N]) -> Result<Option<[String; N]>, String> {
    let Some(first) = names.first().filter(|name| std::env::var_os(name).is_some()) else { return Ok(None) };
    let mut values = names.map(|_| String::new());
    for (value, name) in values.iter_mut().zip(names) {
        *value = std::env::var(name).map_err(|_| format!("{first} is set, so set {name} too"))?;
    }
    Ok(Some(values))
}
