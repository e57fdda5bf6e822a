//! Issuers of identity providers: what their tokens are like, so that a configuration names who is trusted and nothing else.
//!
//! Each function returns a [`TrustedIssuer`]: the `iss`, which claims hold the subject, roles, scopes and permissions, and rules that
//! distinguish the provider's access tokens from its other tokens. It trusts what its arguments name, and no more: the issuer, and the audience or
//! client. All methods of [`TrustedIssuer`] can be called on it. The first [`roles_at`](TrustedIssuer::roles_at) replaces the claims
//! of roles that are set here, and each [`claim`](TrustedIssuer::claim) adds a rule.
//!
//! ```
//! use auth_runtime::verify::providers;
//!
//! let issuer = providers::keycloak("https://id.example.com/realms/shop", "shop-api");
//! # let _ = issuer;
//! ```
//!
//! With the feature `jwks` the keys are fetched from the provider, as `TrustedIssuer::discover` says when, unless they are given by
//! [`jwks`](TrustedIssuer::jwks) or [`key`](TrustedIssuer::key), or come from elsewhere ([`jwks_from`](TrustedIssuer::jwks_from)).
//!
//! | function | `iss` | subject | roles | what is an access token | key set |
//! |---|---|---|---|---|---|
//! | [`keycloak`] | the realm's URL | `sub` | of the realm and of the client | `typ` is `Bearer` | `{realm}/protocol/openid-connect/certs` |
//! | [`auth0`] | `https://{domain}/` | `sub` | `roles` | no `nonce` and no hashes; the audience | `https://{domain}/.well-known/jwks.json` |
//! | [`entra_id`] | `https://login.microsoftonline.com/{tenantid}/v2.0` | `oid` | `roles` | `ver` is `2.0`, and it has `azp` | `https://login.microsoftonline.com/common/discovery/v2.0/keys` |
//! | [`entra_id_v1`] | `https://sts.windows.net/{tenantid}/` | `oid` | `roles` | `ver` is `1.0`, and it has `appid` | `https://login.microsoftonline.com/common/discovery/keys` |
//! | [`cognito`] | `https://cognito-idp.{region}.amazonaws.com/{pool}` | `sub` | `cognito:groups` | `token_use` is `access` | `{iss}/.well-known/jwks.json` |
//! | [`firebase`], [`firebase_tenant`] | `https://securetoken.google.com/{project}` | `sub` | `roles` | it is an ID token, for this project | that of `securetoken@system.gserviceaccount.com` |
//! | [`okta`] | the authorization server's URL | `uid`, or else `sub` | `groups` | it has `cid`, no `nonce` and no hashes | `{iss}/v1/keys` |
//! | [`zitadel`] | the instance's URL | `sub` | of the project | it has `jti`, and no `amr`, `nonce` and `at_hash` | `{iss}/oauth/v2/keys` |
//!
//! Scopes are `scope`, or else `scp`, and permissions `permissions`, with each of them.
//!
//! For logout tokens (`provider_logout`), [`keycloak`] knows that access tokens have the claim `sid`. Of the others none documents it: ZITADEL
//! says that its access tokens have none, Auth0 documents it for ID tokens alone, and the rest document no logout tokens.

mod auth0;
mod cognito;
mod entra_id;
mod firebase;
mod keycloak;
mod okta;
mod zitadel;

pub use self::auth0::auth0;
pub use self::cognito::cognito;
pub use self::entra_id::{entra_id, entra_id_v1};
pub use self::firebase::{firebase, firebase_tenant};
pub use self::keycloak::keycloak;
pub use self::okta::okta;
pub use self::zitadel::zitadel;

use super::claim_rule::ClaimRule;
use super::issuer::TrustedIssuer;
use super::issuer_pattern::is_segment;
use crate::origin::Origin;

/// The claims that ID tokens alone have (OpenID Connect Core 1.0 §2 and §3.3.2.11).
const OF_ID_TOKENS: [&str; 3] = ["nonce", "at_hash", "c_hash"];

impl TrustedIssuer {
    /// Rejects tokens with a claim that ID tokens alone have.
    fn without_claims_of_id_tokens(self) -> Self {
        OF_ID_TOKENS.into_iter().fold(self, |issuer, name| issuer.claim(name, ClaimRule::absent()))
    }

    /// Sets where the provider publishes the keys.
    fn key_set_at(self, url: String) -> Self {
        Self { key_set_url: Some(url.into()), ..self }
    }

    /// Returns where the provider publishes the issuer's keys, if a function of [`providers`](mod@self) made it: for a service that fetches
    /// them with a client of its own, by [`jwks_from`](Self::jwks_from).
    #[must_use]
    pub fn key_set_url(&self) -> Option<&str> {
        self.key_set_url.as_deref()
    }

    /// Reports `problem` as an error of `build`, unless `holds`.
    fn problem_unless(mut self, holds: bool, problem: impl FnOnce() -> String) -> Self {
        if !holds {
            self.problems.push(problem());
        }
        self
    }
}

/// The URL without slashes at its end.
fn without_slash(url: &str) -> &str {
    url.trim_end_matches('/')
}

/// Whether this is a URL that can name an issuer (RFC 8414 §2).
fn is_issuer_url(url: &str) -> bool {
    let Some((_, _, path)) = Origin::of_url(url) else { return false };
    path.is_empty() || path.strip_prefix('/').is_some_and(|path| path.split('/').all(is_segment))
}
