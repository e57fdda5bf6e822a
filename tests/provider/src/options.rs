//! What a provider is started with.

use serde_json::{Map, Value, json};

/// The secret of every client.
pub const SECRET: &str = "the secret of a client of the tests";

/// The audience of the access tokens of each resource that is there from the start.
pub const AUDIENCE: &str = "orders";

/// Scopes of these resources, separated by spaces.
pub const SCOPE: &str = "orders:read orders:write";

/// A resource with access tokens that are JWTs with RS256.
pub const RS256: &str = "https://rs256.test";
/// A resource with access tokens that are JWTs with PS256.
pub const PS256: &str = "https://ps256.test";
/// A resource with access tokens that are JWTs with ES256.
pub const ES256: &str = "https://es256.test";
/// A resource with access tokens that are JWTs with EdDSA.
pub const EDDSA: &str = "https://eddsa.test";
/// A resource with access tokens that are opaque.
pub const OPAQUE: &str = "https://opaque.test";

/// Where the browser of a user of `web` is sent back to. Nothing listens there.
pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1/callback";

/// What the access tokens of a resource are.
#[derive(Clone, Copy, Debug)]
pub enum TokenFormat {
    /// JWTs (RFC 9068), signed with this algorithm: RS256, PS256, ES256 or EdDSA.
    Jwt(&'static str),
    /// Texts without a meaning.
    Opaque,
}

/// What a provider is started with.
#[derive(Debug)]
#[must_use = "pass it to `Provider::start`"]
pub struct ProviderOptions {
    clients: Vec<Value>,
    resources: Map<String, Value>,
    accounts: Map<String, Value>,
    features: Map<String, Value>,
    lifetime_seconds: u64,
    realm: Option<String>,
}

impl Default for ProviderOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl ProviderOptions {
    /// Returns options with the clients and the resources that the [crate](crate) describes.
    pub fn new() -> Self {
        let api = |method: &str| {
            json!({
                "client_id": format!("api-{method}"),
                "client_secret": SECRET,
                "token_endpoint_auth_method": format!("client_secret_{method}"),
                "grant_types": [],
                "redirect_uris": [],
                "response_types": [],
            })
        };
        let machine = json!({
            "client_id": "machine",
            "client_secret": SECRET,
            "grant_types": ["client_credentials"],
            "redirect_uris": [],
            "response_types": [],
        });
        let web = json!({
            "client_id": "web",
            "client_secret": SECRET,
            "grant_types": ["authorization_code", "refresh_token"],
            "redirect_uris": [REDIRECT_URI],
        });
        let options = Self {
            clients: vec![machine, web, api("basic"), api("post")],
            resources: Map::new(),
            accounts: Map::new(),
            features: Map::new(),
            lifetime_seconds: 3600,
            realm: None,
        };
        [(RS256, "RS256"), (PS256, "PS256"), (ES256, "ES256"), (EDDSA, "EdDSA")]
            .into_iter()
            .fold(options, |options, (resource, algorithm)| {
                options.resource(resource, AUDIENCE, SCOPE, TokenFormat::Jwt(algorithm))
            })
            .resource(OPAQUE, AUDIENCE, SCOPE, TokenFormat::Opaque)
    }

    /// Adds a client, by its metadata (RFC 7591 §2).
    pub fn client(mut self, metadata: Value) -> Self {
        self.clients.push(metadata);
        self
    }

    /// Adds the client `api-jwt`, which has this public key (a JWK) for `private_key_jwt`.
    pub fn introspection_key(self, public_jwk: &Value) -> Self {
        self.client(json!({
            "client_id": "api-jwt",
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": { "keys": [public_jwk] },
            "grant_types": [],
            "redirect_uris": [],
            "response_types": [],
        }))
    }

    /// Adds a resource (RFC 8707): a URL, with the audience of its access tokens, the scopes that it has, separated by spaces, and what its
    /// tokens are.
    pub fn resource(mut self, url: &str, audience: &str, scopes: &str, format: TokenFormat) -> Self {
        let algorithm = match format {
            TokenFormat::Jwt(algorithm) => Some(algorithm),
            TokenFormat::Opaque => None,
        };
        let scopes: Vec<&str> = scopes.split(' ').collect();
        let resource = json!({ "audience": audience, "scopes": scopes, "algorithm": algorithm });
        self.resources.insert(url.to_owned(), resource);
        self
    }

    /// Sets further claims of this user, or of the client `machine`, in access tokens and in answers to introspection: an object. A user need
    /// not be added to log in.
    pub fn claims(mut self, subject: &str, claims: Value) -> Self {
        self.accounts.insert(subject.to_owned(), claims);
        self
    }

    /// Sets where logout tokens for the client `web` are sent. Its access tokens then have a `sid`.
    pub fn backchannel_logout_uri(mut self, url: &str) -> Self {
        for web in self.clients.iter_mut().filter(|client| client["client_id"] == "web") {
            web["backchannel_logout_uri"] = url.into();
            web["backchannel_logout_session_required"] = true.into();
        }
        self
    }

    /// Sets the lifetime of access tokens. Default 3600 seconds.
    pub fn lifetime_seconds(mut self, seconds: u64) -> Self {
        self.lifetime_seconds = seconds;
        self
    }

    /// Sets one of `features` of the configuration of `oidc-provider`, such as `registration` to `{"enabled": true}`.
    pub fn feature(mut self, name: &str, value: Value) -> Self {
        self.features.insert(name.to_owned(), value);
        self
    }

    /// Makes it as a realm of Keycloak is: its issuer is below `/realms/{name}`, its key set is at Keycloak's path, and its access tokens have the
    /// `typ` `JWT`, and the claims `azp`, which is the client, and `typ`, which is `Bearer`.
    pub fn realm_of_keycloak(mut self, name: &str) -> Self {
        self.realm = Some(name.to_owned());
        self
    }

    pub(crate) fn into_json(self) -> Value {
        let scopes: Vec<&Value> =
            self.resources.values().filter_map(|resource| resource["scopes"].as_array()).flatten().collect();
        json!({
            "port": 0,
            "scopes": scopes,
            "clients": self.clients,
            "resources": self.resources,
            "accounts": self.accounts,
            "features": self.features,
            "lifetime": self.lifetime_seconds,
            "realm": self.realm,
        })
    }
}
