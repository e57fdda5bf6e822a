//! Who issues the tokens of a source, as the application configures it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The OAuth 2 grants that issue the tokens of a source, with their URLs. For
/// [`OpenApi::oauth2`](super::OpenApi::oauth2).
///
/// ```
/// use auth_runtime::openapi::OAuthFlows;
///
/// let users = OAuthFlows::authorization_code("https://id.example/authorize", "https://id.example/token");
/// let services = OAuthFlows::client_credentials("https://id.example/token");
/// let both = users.and(services);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "give it to `OpenApi::oauth2`"]
pub struct OAuthFlows {
    authorization_code: Option<AuthorizationCode>,
    client_credentials: Option<ClientCredentials>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct AuthorizationCode {
    authorization_url: String,
    token_url: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct ClientCredentials {
    token_url: String,
}

impl OAuthFlows {
    /// The authorization code grant (RFC 6749 §4.1): the URL where the user logs in, and the URL that issues the tokens.
    pub fn authorization_code(authorization_url: impl Into<String>, token_url: impl Into<String>) -> Self {
        let flow =
            AuthorizationCode { authorization_url: authorization_url.into(), token_url: token_url.into() };
        Self { authorization_code: Some(flow), client_credentials: None }
    }

    /// The client credentials grant (RFC 6749 §4.4): the URL that issues the tokens.
    pub fn client_credentials(token_url: impl Into<String>) -> Self {
        let flow = ClientCredentials { token_url: token_url.into() };
        Self { authorization_code: None, client_credentials: Some(flow) }
    }

    /// These grants and those of `other`. Where both have one, that of `other`.
    pub fn and(self, other: Self) -> Self {
        Self {
            authorization_code: other.authorization_code.or(self.authorization_code),
            client_credentials: other.client_credentials.or(self.client_credentials),
        }
    }

    /// The OAuth Flows Object. Each scope has a description.
    pub(super) fn to_value(&self, scopes: &BTreeMap<String, String>) -> Value {
        let code = self.authorization_code.iter().map(|flow| {
            let fields = json!({ "authorizationUrl": flow.authorization_url, "tokenUrl": flow.token_url, "scopes": scopes });
            ("authorizationCode".to_owned(), fields)
        });
        let credentials = self.client_credentials.iter().map(|flow| {
            ("clientCredentials".to_owned(), json!({ "tokenUrl": flow.token_url, "scopes": scopes }))
        });
        Value::Object(Map::from_iter(code.chain(credentials)))
    }
}

/// Who issues the tokens of a source.
#[derive(Clone, Debug)]
pub(super) enum IssuedBy {
    OAuth2(OAuthFlows),
    /// The URL of the configuration.
    OpenIdConnect(String),
}
