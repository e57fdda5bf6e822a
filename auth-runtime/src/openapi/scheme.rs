//! Security schemes: where the credential of each source stands, and who gives it out.

use std::collections::BTreeMap;

use serde::Serialize;

use super::OpenApi;
use super::security::{Kind, Kinds};
use super::served::Served;
use crate::engine::{Auth, RENEWAL};
use crate::source::{Carrier, CredentialLocation};

/// The Security Scheme Object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of the specification")]
pub enum SecurityScheme {
    Http {
        description: String,
        scheme: String,
        #[serde(rename = "bearerFormat", skip_serializing_if = "Option::is_none")]
        bearer_format: Option<String>,
    },
    ApiKey {
        description: String,
        #[serde(rename = "in")]
        place: String,
        name: String,
    },
    #[serde(rename = "oauth2")]
    OAuth2 { description: String, flows: OAuthFlows },
    OpenIdConnect {
        description: String,
        #[serde(rename = "openIdConnectUrl")]
        url: String,
    },
}

/// The OAuth Flows Object: which grants give the tokens out, and where.
///
/// ```
/// use auth_runtime::openapi::OAuthFlows;
///
/// let flows = OAuthFlows::authorization_code("https://id.example/authorize", "https://id.example/token");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OAuthFlows {
    /// RFC 6749 §4.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_code: Option<OAuthFlow>,
    /// RFC 6749 §4.4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_credentials: Option<OAuthFlow>,
}

/// The OAuth Flow Object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OAuthFlow {
    /// Where the user is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_url: Option<String>,
    /// Where the tokens come from.
    pub token_url: String,
    /// The scopes that there are, with their descriptions: filled in from the rules and the vocabulary.
    pub scopes: BTreeMap<String, String>,
}

impl OAuthFlows {
    /// The authorization code grant at these URLs.
    #[must_use]
    pub fn authorization_code(authorization_url: impl Into<String>, token_url: impl Into<String>) -> Self {
        let flow = OAuthFlow {
            authorization_url: Some(authorization_url.into()),
            token_url: token_url.into(),
            scopes: BTreeMap::new(),
        };
        Self { authorization_code: Some(flow), client_credentials: None }
    }

    /// The client credentials grant at this URL.
    #[must_use]
    pub fn client_credentials(token_url: impl Into<String>) -> Self {
        let flow = OAuthFlow { token_url: token_url.into(), ..OAuthFlow::default() };
        Self { authorization_code: None, client_credentials: Some(flow) }
    }
}

/// Who gives the tokens of a source out.
#[derive(Clone, Debug)]
pub(super) enum IssuedBy {
    OAuth2(OAuthFlows),
    OpenIdConnect(String),
}

/// The schemes of the sources in use.
pub(super) struct Schemes(Vec<Described>);

struct Described {
    source: String,
    name: String,
    scheme: SecurityScheme,
    is_ambient: bool,
    is_in_url: bool,
}

impl Schemes {
    /// Of the sources that a route takes; whatever can't be described goes to `mistakes`.
    pub(super) fn new(
        api: &OpenApi,
        served: &[Served<'_>],
        kinds: &Kinds,
        auth: &Auth,
        mistakes: &mut Vec<String>,
    ) -> Self {
        let engine = auth.engine();
        let known: Vec<&str> = engine.authentication.sources.names().collect();
        // It can be called otherwise, and is no bearer token.
        let renews = engine.sessions.cookies.renews();
        let named = api.scheme_names.keys().filter(|source| !renews || *source != RENEWAL);
        for source in named.chain(api.issued_by.keys()).filter(|source| !known.contains(&&***source)) {
            mistakes.push(format!(
                "the document names the source `{source}`, and the engine has {}",
                known.join(", ")
            ));
        }
        let mut schemes: Vec<Described> = Vec::new();
        for source in served.iter().flat_map(|one| &one.policy.sources) {
            if schemes.iter().any(|described| described.source == *source) {
                continue;
            }
            let name = api.scheme_names.get(source).unwrap_or(source).clone();
            if name.is_empty()
                || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
            {
                mistakes.push(format!(
                    "`{name}` can't be the name of a security scheme: letters, digits, `.`, `-` and `_` can; give it another with \
                     `scheme_name({source:?}, ..)`"
                ));
            }
            if let Some(other) = schemes.iter().find(|described| described.name == name) {
                mistakes.push(format!(
                    "the sources `{}` and `{source}` have both the scheme name `{name}`: give one another",
                    other.source
                ));
            }
            match described(api, source, name, kinds, auth) {
                Ok(described) => schemes.extend(described),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        Self(schemes)
    }

    pub(super) fn described(&self) -> BTreeMap<String, SecurityScheme> {
        self.0.iter().map(|described| (described.name.clone(), described.scheme.clone())).collect()
    }

    /// The scheme's name, and whether it may list scopes alone.
    pub(super) fn of(&self, source: &str) -> Option<(&str, bool)> {
        let described = self.0.iter().find(|described| described.source == source)?;
        let scopes_only =
            matches!(described.scheme, SecurityScheme::OAuth2 { .. } | SecurityScheme::OpenIdConnect { .. });
        Some((&described.name, scopes_only))
    }

    /// Of several sources those whose credential is not in the URL.
    pub(super) fn retain_outside_of_url(&self, sources: &mut Vec<String>) {
        let is_in_url =
            |source: &String| self.0.iter().any(|known| known.source == *source && known.is_in_url);
        if !sources.iter().all(is_in_url) {
            sources.retain(|source| !is_in_url(source));
        }
    }

    pub(super) fn is_ambient(&self, source: &str) -> bool {
        self.0.iter().any(|described| described.source == source && described.is_ambient)
    }
}

/// The scheme of a source, under this name; none if the engine lacks the source, of which the route tells.
fn described(
    api: &OpenApi,
    source: &str,
    name: String,
    kinds: &Kinds,
    auth: &Auth,
) -> Result<Option<Described>, String> {
    let engine = auth.engine();
    if source == RENEWAL {
        let scheme = renewing(engine.sessions.cookies.refresh.name());
        let source = source.to_owned();
        return Ok(Some(Described { source, name, scheme, is_ambient: true, is_in_url: false }));
    }
    let found = engine.authentication.sources.resolve(&[source]).ok();
    let Some(found) = found.and_then(|found| engine.authentication.sources.get(*found.first()?)) else {
        return Ok(None);
    };
    let location = found.location().ok_or_else(|| {
        format!(
            "the source `{source}` does not say where its credential stands: implement `CredentialSource::location` for it"
        )
    })?;
    let scheme = match api.issued_by.get(source) {
        Some(_) if !is_bearer(&location) => {
            return Err(format!(
                "the source `{source}` takes no `Authorization: Bearer`, which is what OAuth 2 and OpenID Connect schemes are \
                 about: name another source"
            ));
        }
        Some(IssuedBy::OAuth2(flows)) => oauth2(flows.clone(), kinds, auth),
        Some(IssuedBy::OpenIdConnect(url)) => SecurityScheme::OpenIdConnect {
            description: "A token of OpenID Connect.".into(),
            url: url.clone(),
        },
        None => of_location(&location, !engine.authentication.verifier.is_own()),
    };
    Ok(Some(Described {
        source: source.to_owned(),
        name,
        scheme,
        is_ambient: found.carrier() == Carrier::Ambient,
        is_in_url: found.is_in_url(),
    }))
}

fn is_bearer(location: &CredentialLocation<'_>) -> bool {
    matches!(location, CredentialLocation::Header { name, scheme: Some(scheme) }
        if name.eq_ignore_ascii_case("authorization") && scheme.eq_ignore_ascii_case("bearer"))
}

/// `are_jwts`: a verifier of the application's own may take any text for a token.
fn of_location(location: &CredentialLocation<'_>, are_jwts: bool) -> SecurityScheme {
    let key = |place: &str, name: &str, description: String| SecurityScheme::ApiKey {
        description,
        place: place.into(),
        name: name.into(),
    };
    match location {
        CredentialLocation::Header { name, scheme: Some(scheme) }
            if name.eq_ignore_ascii_case("authorization") =>
        {
            let is_bearer = scheme.eq_ignore_ascii_case("bearer");
            SecurityScheme::Http {
                description: format!("The token in the header `Authorization`, behind the word `{scheme}`."),
                scheme: scheme.to_ascii_lowercase(),
                bearer_format: (is_bearer && are_jwts).then(|| "JWT".into()),
            }
        }
        CredentialLocation::Header { name, scheme: Some(scheme) } => {
            key("header", name, format!("The token in the header `{name}`, behind the word `{scheme}`."))
        }
        CredentialLocation::Header { name, scheme: None } => {
            key("header", name, format!("The token in the header `{name}`."))
        }
        CredentialLocation::Cookie { name } => key(
            "cookie",
            name,
            format!(
                "The token in the cookie `{name}`. A request that changes state must come from a page of this service, or of an \
                 origin that it trusts."
            ),
        ),
        CredentialLocation::Query { name } => key(
            "query",
            name,
            format!("The token in the query parameter `{name}`: for requests that change nothing."),
        ),
    }
}

/// The cookie by which tokens are renewed on the way.
fn renewing(name: &str) -> SecurityScheme {
    SecurityScheme::ApiKey {
        description: format!(
            "The refresh token in the cookie `{name}`: with it the tokens are renewed on the way, and the request is served."
        ),
        place: "cookie".into(),
        name: name.into(),
    }
}

/// The flows with all scopes that a rule names, described as the vocabulary does.
fn oauth2(mut flows: OAuthFlows, kinds: &Kinds, auth: &Auth) -> SecurityScheme {
    let declared =
        auth.engine().authorization.vocabulary.vocabulary().map_or(&[][..], |vocabulary| vocabulary.scopes);
    let scopes: BTreeMap<String, String> = kinds
        .names(Kind::Scope)
        .map(|scope| {
            let description = declared.iter().find(|declared| declared.name == scope);
            (
                scope.to_owned(),
                description.map_or_else(String::new, |declared| declared.description.to_owned()),
            )
        })
        .collect();
    for flow in [&mut flows.authorization_code, &mut flows.client_credentials].into_iter().flatten() {
        flow.scopes.clone_from(&scopes);
    }
    SecurityScheme::OAuth2 { description: "A token of OAuth 2.".into(), flows }
}
