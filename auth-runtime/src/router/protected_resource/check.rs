//! The check that a router is the protected resource that it declares.

use super::DeclaredResource;
use super::document::credential_sources;
use crate::engine::{Engine, is_bearer};
use crate::error::ConfigErrors;
use crate::policy::{Access, Rule};
use crate::router::effective;
use crate::router::guarded_router::Router;
use crate::router::path::join;
use crate::router::resolve::{Entry, Kind};

impl<S> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Reports what would make the metadata useless or false, and what the standards forbid a protected resource.
    pub(in crate::router) fn check_protected_resource(&self, engine: &Engine, errors: &mut ConfigErrors) {
        let mut declared = self.resources.iter();
        let Some(resource) = declared.next() else { return };
        let mut wrong = |what: String| errors.push(resource.error(&what));
        for other in declared {
            wrong(format!(
                "`{}` is declared too (at {}), and a token for one would be accepted for the other: finish a router for each, with an engine \
                 of its own, and merge what `finish` returns",
                other.resource.label(),
                other.place
            ));
        }
        resource.resource.objections().into_iter().for_each(&mut wrong);
        self.check_place(resource, &mut wrong);
        check_issuers(resource, engine, &mut wrong);
        self.check_sources(engine, &mut wrong);
    }

    /// The document must be where clients look for it, and everyone must be able to read it.
    fn check_place(&self, resource: &DeclaredResource, wrong: &mut impl FnMut(String)) {
        let Ok(identifier) = &resource.resource.identifier else { return };
        let (served, expected) = (join(&self.mounted_at, &resource.path), identifier.metadata_path());
        if served != expected {
            wrong(format!(
                "its metadata would be served at `{served}`, and clients look for it at `{expected}` (RFC 9728 §3.1): call \
                 `protected_resource` on the outermost router"
            ));
        }
        for entry in self.entries.iter().filter(|entry| entry.path == resource.path) {
            let rules = entry.rules();
            if effective::access(&rules) != Access::Public {
                let required: Vec<String> = entry.required.iter().map(Rule::to_string).collect();
                wrong(format!(
                    "its metadata must be public, and a router around it requires {}: require that of a router which is nested or merged, \
                     and call `protected_resource` outside of it",
                    required.join(", and ")
                ));
            }
        }
    }

    /// A token is in the header, where no log and no link has it.
    fn check_sources(&self, engine: &Engine, wrong: &mut impl FnMut(String)) {
        let sources = &engine.authentication.sources;
        let mut takes_credentials = false;
        let mut takes_bearer_tokens = false;
        for entry in &self.entries {
            let Some(handler) = handler(entry) else { continue };
            let rules = entry.rules();
            let indices =
                credential_sources(engine, effective::access(&rules), effective::sources(&rules).as_deref());
            for source in indices.iter().filter_map(|&index| sources.get(index)) {
                takes_credentials = true;
                takes_bearer_tokens |= is_bearer(source);
                if source.is_in_url() {
                    let methods = entry.methods.labels().join("|");
                    wrong(format!(
                        "{methods} {} ({handler}) takes a credential from the URL by the source `{}`, and clients send tokens in the header \
                         `Authorization` alone (RFC 9700 §4.3.2): name other sources in its rule, or finish another router with that route",
                        join(&self.mounted_at, &entry.path),
                        source.name()
                    ));
                }
            }
        }
        if takes_credentials && !takes_bearer_tokens {
            wrong(
                "none of its routes takes a bearer token from the header `Authorization` (RFC 6750 §2.1), which clients get from an authorization \
                 server: let rules name the source `bearer`, or set it by `default_sources` of the builder"
                    .to_owned(),
            );
        }
    }
}

impl DeclaredResource {
    fn error(&self, what: &str) -> String {
        format!("the protected resource `{}` (declared at {}): {what}", self.resource.label(), self.place)
    }
}

fn handler(entry: &Entry) -> Option<&'static str> {
    match &entry.kind {
        Kind::Guarded(route) => Some(route.handler.name),
        Kind::Unguarded(_) | Kind::Empty => None,
    }
}

/// A token must have been issued for the resource, and a client must learn where.
fn check_issuers(resource: &DeclaredResource, engine: &Engine, wrong: &mut impl FnMut(String)) {
    let Ok(identifier) = &resource.resource.identifier else { return };
    let identifier = identifier.as_str();
    for issuer in engine.authentication.issuers.iter().filter(|issuer| !issuer.requires_audience()) {
        wrong(format!(
            "{} needs no `aud`, so a token for another service would be accepted (RFC 8707 §2): call `.audience({identifier:?})` on its \
             `TrustedIssuer`, or finish the routes for its callers with an engine of their own. A preset that takes the client for the audience \
             needs `.claim(\"aud\", ClaimRule::Present)` besides",
            issuer.label()
        ));
    }
    if resource.resource.authorization_servers(engine).is_empty() {
        wrong(format!(
            "no client could get a token for it, because no trusted issuer has a URL for its name and the audience `{identifier}` (RFC 8707 \
             §2): call `.audience({identifier:?})` on its `TrustedIssuer`; if another server issues the tokens, name it by \
             `ProtectedResource::authorization_server`"
        ));
    }
}
