//! Security schemes: where the credential of each source is, and who issues it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::api::OpenApi;
use super::names::{NameKind, NameKinds};
use super::oauth::IssuedBy;
use super::route::ServedRoute;
use crate::authenticator::DynAuthenticator;
use crate::engine::{Auth, RENEWAL};
use crate::source::{Carrier, CredentialLocation, CredentialSource};

/// The schemes of the sources that routes take credentials from.
pub(super) struct Schemes(Vec<Scheme>);

/// The scheme of a source.
pub(super) struct Scheme {
    source: String,
    pub(super) name: String,
    /// The Security Scheme Object.
    pub(super) object: Value,
    /// Requirements of OAuth 2 and OpenID Connect list scopes, and no roles or permissions.
    pub(super) lists_scopes_only: bool,
    is_ambient: bool,
    is_in_url: bool,
    is_for_web_sockets: bool,
}

impl Schemes {
    /// What can't be described goes to `errors`.
    pub(super) fn new(
        api: &OpenApi,
        routes: &[ServedRoute<'_>],
        kinds: &NameKinds,
        auth: &Auth,
        errors: &mut Vec<String>,
    ) -> Self {
        errors.extend(unknown_sources(api, auth));
        let mut schemes: Vec<Scheme> = Vec::new();
        for source in routes.iter().flat_map(|route| &route.policy.sources) {
            if schemes.iter().any(|scheme| scheme.source == *source) {
                continue;
            }
            let name = api.scheme_names.get(source).unwrap_or(source).clone();
            if !is_component_name(&name) {
                errors.push(format!(
                    "`{name}` can't be the name of a security scheme, which has only letters, digits, `.`, `-` and `_`: choose another \
                     one with `scheme_name({source:?}, ..)`"
                ));
            }
            if let Some(other) = schemes.iter().find(|scheme| scheme.name == name) {
                errors.push(format!(
                    "the sources `{}` and `{source}` both have the scheme name `{name}`: give one of them another with `scheme_name({source:?}, ..)`",
                    other.source
                ));
            }
            match scheme_of(api, source, name, kinds, auth) {
                Ok(scheme) => schemes.extend(scheme),
                Err(error) => errors.push(error),
            }
        }
        Self(schemes)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Scheme> {
        self.0.iter()
    }

    pub(super) fn of(&self, source: &str) -> Option<&Scheme> {
        self.0.iter().find(|scheme| scheme.source == source)
    }

    /// Removes the sources whose credential is in the URL, unless there are no others.
    pub(super) fn retain_outside_of_url(&self, sources: &mut Vec<String>) {
        let is_in_url = |source: &String| self.of(source).is_some_and(|scheme| scheme.is_in_url);
        if !sources.iter().all(is_in_url) {
            sources.retain(|source| !is_in_url(source));
        }
    }

    /// Removes the sources for the opening handshake of a WebSocket by which this operation opens none, unless there are no others.
    pub(super) fn retain_without_web_socket(
        &self,
        sources: &mut Vec<String>,
        may_open: impl Fn(&str) -> bool,
    ) {
        let counts = |source: &String| {
            !self.of(source).is_some_and(|scheme| scheme.is_for_web_sockets) || may_open(source)
        };
        if sources.iter().any(counts) {
            sources.retain(counts);
        }
    }

    /// Whether a browser sends the credential of this source by itself.
    pub(super) fn is_ambient(&self, source: &str) -> bool {
        self.of(source).is_some_and(|scheme| scheme.is_ambient)
    }
}

/// An error for each source that the API configures and the engine does not have.
fn unknown_sources(api: &OpenApi, auth: &Auth) -> Vec<String> {
    let engine = auth.engine();
    let known: Vec<&str> = engine.authentication.sources.names().collect();
    // Its scheme can be renamed. It is not a bearer token, so nothing else of it can be configured.
    let renews = engine.sessions.cookies.renews();
    let renamed = api.scheme_names.keys().filter(|source| !renews || *source != RENEWAL);
    let unknown = renamed.chain(api.issued_by.keys()).filter(|source| !known.contains(&&***source));
    unknown
        .map(|source| {
            let known = known.join(", ");
            format!("the description of the API configures the source `{source}`, and the engine has {known}: use one of these names")
        })
        .collect()
}

/// Whether a component may have this name (OpenAPI 3.1.1 §4.8.7).
fn is_component_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// The scheme of a source, under this name. None if the engine does not have the source, which is an error of the route.
fn scheme_of(
    api: &OpenApi,
    source: &str,
    name: String,
    kinds: &NameKinds,
    auth: &Auth,
) -> Result<Option<Scheme>, String> {
    let engine = auth.engine();
    if source == RENEWAL {
        let object = renewing(engine.sessions.cookies.refresh.name());
        let source = source.to_owned();
        let lists_scopes_only = false;
        return Ok(Some(Scheme {
            source,
            name,
            object,
            lists_scopes_only,
            is_ambient: true,
            is_in_url: false,
            is_for_web_sockets: false,
        }));
    }
    let found = engine.authentication.sources.resolve(&[source]).ok();
    let sources = &engine.authentication.sources;
    let Some((index, found)) = found.and_then(|found| Some((*found.first()?, sources.get(*found.first()?)?)))
    else {
        return Ok(None);
    };
    let authenticator = sources.scheme(index).map(|scheme| scheme.authenticator());
    let issued_by = api.issued_by.get(source);
    let object = match authenticator.and_then(DynAuthenticator::security_scheme) {
        Some(object) => object,
        None => {
            let are_jwts = authenticator.is_none() && !engine.introspects();
            object_of(found, are_jwts, issued_by, kinds, auth)?
        }
    };
    Ok(Some(Scheme {
        source: source.to_owned(),
        name,
        object,
        lists_scopes_only: issued_by.is_some(),
        is_ambient: found.carrier() == Carrier::Ambient,
        is_in_url: found.is_in_url(),
        is_for_web_sockets: found.is_for_web_sockets(),
    }))
}

/// The Security Scheme Object of a source, whose credentials are JWTs or any text.
fn object_of(
    found: &dyn CredentialSource,
    are_jwts: bool,
    issued_by: Option<&IssuedBy>,
    kinds: &NameKinds,
    auth: &Auth,
) -> Result<Value, String> {
    let source = found.name();
    let location = found.location().ok_or_else(|| {
        format!(
            "the source `{source}` does not say where its credential is: implement `CredentialSource::location` for it"
        )
    })?;
    if issued_by.is_some() && !is_bearer(&location) {
        return Err(format!(
            "the source `{source}` takes no `Authorization: Bearer`, which the schemes of OAuth 2 and OpenID Connect are for: configure \
             `oauth2` or `open_id_connect` for another source"
        ));
    }
    Ok(match issued_by {
        Some(IssuedBy::OAuth2(flows)) => {
            json!({ "type": "oauth2", "description": "A token of OAuth 2.", "flows": flows.to_value(&scopes(kinds, auth)) })
        }
        Some(IssuedBy::OpenIdConnect(url)) => {
            json!({ "type": "openIdConnect", "description": "A token of OpenID Connect.", "openIdConnectUrl": url })
        }
        None => of_location(found, &location, are_jwts),
    })
}

fn is_bearer(location: &CredentialLocation<'_>) -> bool {
    matches!(location, CredentialLocation::Header { name, scheme: Some(scheme) }
        if name.eq_ignore_ascii_case("authorization") && scheme.eq_ignore_ascii_case("bearer"))
}

/// `are_jwts`: an authenticator may take any text.
fn of_location(source: &dyn CredentialSource, location: &CredentialLocation<'_>, are_jwts: bool) -> Value {
    let requests = match (source.is_for_web_sockets(), source.carrier()) {
        (true, _) => " Only for the opening handshake of a WebSocket.",
        (false, Carrier::Ambient) => {
            " A request that changes state must come from a page of this service, or of an origin that it trusts."
        }
        (false, Carrier::Explicit) if source.is_in_url() => " Only for requests that change no state.",
        (false, Carrier::Explicit) => "",
    };
    match location {
        CredentialLocation::Header { name, scheme: Some(scheme) }
            if name.eq_ignore_ascii_case("authorization") =>
        {
            let description =
                format!("The token in the header `Authorization`, after the scheme `{scheme}`.{requests}");
            let mut object =
                json!({ "type": "http", "description": description, "scheme": scheme.to_ascii_lowercase() });
            if let (true, true, Some(object)) =
                (scheme.eq_ignore_ascii_case("bearer"), are_jwts, object.as_object_mut())
            {
                object.insert("bearerFormat".into(), "JWT".into());
            }
            object
        }
        CredentialLocation::Header { name, scheme: Some(scheme) } => api_key(
            "header",
            name,
            &format!("The token in the header `{name}`, after the scheme `{scheme}`.{requests}"),
        ),
        CredentialLocation::Header { name, scheme: None } => {
            api_key("header", name, &format!("The token in the header `{name}`.{requests}"))
        }
        CredentialLocation::Cookie { name } => {
            api_key("cookie", name, &format!("The token in the cookie `{name}`.{requests}"))
        }
        CredentialLocation::Query { name } => {
            api_key("query", name, &format!("The token in the query parameter `{name}`.{requests}"))
        }
    }
}

fn api_key(place: &str, name: &str, description: &str) -> Value {
    json!({ "type": "apiKey", "description": description, "in": place, "name": name })
}

/// The cookie that the gate renews tokens with.
fn renewing(name: &str) -> Value {
    let description = format!(
        "The refresh token in the cookie `{name}`. The server renews the tokens with it, and then serves the request."
    );
    api_key("cookie", name, &description)
}

/// The scopes that a rule names or the vocabulary declares, each with the description that the vocabulary has.
fn scopes(kinds: &NameKinds, auth: &Auth) -> BTreeMap<String, String> {
    let declared =
        auth.engine().authorization.vocabulary.vocabulary().map_or(&[][..], |vocabulary| vocabulary.scopes);
    let described = kinds.of_kind(NameKind::Scope).map(|scope| {
        let declared = declared.iter().find(|declared| declared.name == scope);
        (scope.to_owned(), declared.map_or_else(String::new, |declared| declared.description.to_owned()))
    });
    described.collect()
}
