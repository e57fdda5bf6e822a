//! The metadata of a protected resource (RFC 9728 §2).

use std::collections::BTreeSet;

use serde::Serialize;

use super::identifier::{ResourceIdentifier, is_of_server};
use super::options::{Page, ProtectedResource};
use crate::engine::{Engine, is_bearer};
use crate::policy::{Access, named_scopes};
use crate::router::routes::{RouteInfo, Routes};

/// The members, in the order of the RFC. One that has no value is left out (RFC 9728 §3.2).
#[derive(Debug, Serialize)]
struct Metadata<'a> {
    resource: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_servers: Vec<&'a str>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    scopes_supported: BTreeSet<String>,
    bearer_methods_supported: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_documentation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_policy_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_tos_uri: Option<&'a str>,
}

impl ProtectedResource {
    /// The document, for a router with these routes.
    pub(super) fn document(&self, routes: &Routes, engine: &Engine) -> Vec<u8> {
        let metadata = Metadata {
            resource: self.identifier.as_ref().map_or("", ResourceIdentifier::as_str),
            authorization_servers: self.authorization_servers(engine),
            scopes_supported: self.scopes_supported(routes, engine),
            bearer_methods_supported: ["header"],
            resource_name: self.name.as_deref(),
            resource_documentation: self.url_of(Page::Documentation),
            resource_policy_uri: self.url_of(Page::Policy),
            resource_tos_uri: self.url_of(Page::TermsOfService),
        };
        serde_json::to_vec(&metadata).unwrap_or_default()
    }

    /// The trusted issuers that clients get tokens for the resource from, and those that were named; each once.
    pub(super) fn authorization_servers<'a>(&'a self, engine: &'a Engine) -> Vec<&'a str> {
        let own = engine.sessions.issuer.as_ref().map(|own| &*own.name);
        let identifier = self.identifier.as_ref().map_or("", ResourceIdentifier::as_str);
        let issuers = engine.authentication.issuers.iter().filter(|issuer| issuer.issues_for(identifier));
        let names = issuers.flat_map(|issuer| issuer.names());
        let mut servers: Vec<&str> = Vec::new();
        let external = names.filter(|name| own != Some(*name) && is_of_server(name));
        for server in external.chain(self.servers.iter().map(String::as_str)) {
            if !servers.contains(&server) {
                servers.push(server);
            }
        }
        servers
    }

    fn scopes_supported(&self, routes: &Routes, engine: &Engine) -> BTreeSet<String> {
        let of_tokens = |route: &&RouteInfo| {
            let sources = credential_sources(engine, route.access(), route.sources().as_deref());
            sources.iter().any(|&index| engine.authentication.sources.get(index).is_some_and(is_bearer))
        };
        let disclosed = routes.iter().filter(|route| !route.hides_scopes).filter(of_tokens);
        let mut scopes: BTreeSet<String> = disclosed.flat_map(|route| named_scopes(&route.rules)).collect();
        let declared = routes.declared().filter(|declared| !declared.hides_scopes());
        scopes.extend(declared.flat_map(|declared| named_scopes(&[declared.rule])));
        scopes.extend(self.scopes.iter().cloned());
        scopes
    }
}

/// The sources that a route takes credentials from, whose rules have this access and name these sources.
pub(super) fn credential_sources(engine: &Engine, access: Access, named: Option<&[&str]>) -> Vec<usize> {
    let sources = &engine.authentication.sources;
    match (access, named) {
        (Access::Public, _) => Vec::new(),
        (_, None) => sources.default_indices().to_vec(),
        (_, Some(names)) => sources.resolve(names).unwrap_or_default(),
    }
}

/// What an OpenAPI document says of the route.
#[cfg(feature = "openapi")]
pub(super) fn operation() -> serde_json::Value {
    let text = || serde_json::json!({ "type": "string" });
    let list = || serde_json::json!({ "type": "array", "items": { "type": "string" } });
    serde_json::json!({
        "operationId": "protectedResourceMetadata",
        "summary": "Protected resource metadata",
        "description": "Names the authorization servers that issue tokens for this service, and the scopes (RFC 9728).",
        "responses": {
            "200": {
                "description": "The metadata",
                "content": { "application/json": { "schema": {
                    "type": "object",
                    "properties": {
                        "resource": text(),
                        "authorization_servers": list(),
                        "scopes_supported": list(),
                        "bearer_methods_supported": list(),
                        "resource_name": text(),
                        "resource_documentation": text(),
                        "resource_policy_uri": text(),
                        "resource_tos_uri": text(),
                    },
                    "required": ["resource", "bearer_methods_supported"],
                } } },
            },
        },
    })
}
