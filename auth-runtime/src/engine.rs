//! The engine: what a service is configured with, and what every gate asks.

mod builder;
mod revoke;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use self::builder::AuthBuilder;
pub use self::revoke::Revocations;
use crate::audit::AuditHook;
use crate::clock::Clock;
use crate::layer::AuthLayer;
use crate::origin::OriginPolicy;
use crate::principal::RoleImplications;
use crate::rejection::RenderHook;
use crate::revocation::RevocationView;
use crate::source::{AccessCookie, CredentialSource};
use crate::verify::{Limits, Verifier};

/// The engine of a service. Cheap to clone: all clones are one.
#[derive(Clone, Debug)]
pub struct Auth {
    engine: Arc<Engine>,
}

impl Auth {
    /// Starts the configuration of an engine.
    pub fn builder() -> AuthBuilder {
        AuthBuilder::new()
    }

    /// The layer that gives every request what its gate needs. `finish` of the guarded router puts it in place.
    #[must_use]
    pub fn layer(&self) -> AuthLayer {
        AuthLayer::new(Arc::clone(&self.engine))
    }

    /// Takes tokens back.
    #[must_use]
    pub fn revocations(&self) -> Revocations<'_> {
        Revocations::new(&self.engine)
    }

    /// The access cookie, for log-in and log-out: [`AccessCookie::set`] and [`AccessCookie::clear`].
    #[must_use]
    pub fn access_cookie(&self) -> &AccessCookie {
        &self.engine.access_cookie
    }

    /// The time of the engine's clock.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.engine.now()
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }
}

/// All of an engine. Nothing in it changes once it is built but the revocations.
pub(crate) struct Engine {
    verifier: Box<dyn Verifier>,
    limits: Limits,
    sources: Vec<Arc<dyn CredentialSource>>,
    default_sources: Vec<usize>,
    access_cookie: AccessCookie,
    origins: OriginPolicy,
    revocations: Box<dyn RevocationView>,
    role_implications: RoleImplications,
    clock: Box<dyn Clock>,
    realm: String,
    render_hook: Option<Box<RenderHook>>,
    audit_hook: Option<Box<AuditHook>>,
    /// Whether a request may bring its principal along: only for an engine that `TestAuth` made.
    #[cfg(feature = "test-util")]
    pub(crate) honours_injected_principals: bool,
}

impl Engine {
    pub(crate) fn verifier(&self) -> &dyn Verifier {
        &*self.verifier
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn source(&self, index: usize) -> Option<&dyn CredentialSource> {
        self.sources.get(index).map(|source| &**source)
    }

    pub(crate) fn default_sources(&self) -> &[usize] {
        &self.default_sources
    }

    /// The sources of these names, explicit ones first and else in order; the unknown name, if one is.
    pub(crate) fn resolve_sources<'n>(&self, names: &[&'n str]) -> Result<Vec<usize>, &'n str> {
        resolve(&self.sources, names)
    }

    pub(crate) fn source_names(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(|source| source.name())
    }

    pub(crate) fn origins(&self) -> &OriginPolicy {
        &self.origins
    }

    pub(crate) fn revocations(&self) -> &dyn RevocationView {
        &*self.revocations
    }

    pub(crate) fn role_implications(&self) -> &RoleImplications {
        &self.role_implications
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    pub(crate) fn realm(&self) -> &str {
        &self.realm
    }

    pub(crate) fn render_hook(&self) -> Option<&RenderHook> {
        self.render_hook.as_deref()
    }

    pub(crate) fn audit_hook(&self) -> Option<&AuditHook> {
        self.audit_hook.as_deref()
    }

    /// The schemes that a refusal on a route with these sources challenges with, each once.
    pub(crate) fn challenge_schemes(&self, sources: &[usize]) -> Vec<&str> {
        let mut schemes: Vec<&str> = Vec::new();
        for scheme in
            sources.iter().filter_map(|&index| self.source(index)).map(CredentialSource::challenge_scheme)
        {
            if !schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
                schemes.push(scheme);
            }
        }
        if schemes.is_empty() {
            schemes.push("Bearer");
        }
        schemes
    }

    /// How long the last token that a revocation made now could concern may still be accepted.
    pub(crate) fn revocation_term(&self) -> Duration {
        self.limits.longest_acceptance()
    }
}

fn resolve<'n>(sources: &[Arc<dyn CredentialSource>], names: &[&'n str]) -> Result<Vec<usize>, &'n str> {
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let index = sources.iter().position(|source| source.name() == *name).ok_or(*name)?;
        if !found.contains(&index) {
            found.push(index);
        }
    }
    found.sort_by_key(|&index| {
        sources.get(index).is_some_and(|source| source.carrier() == crate::source::Carrier::Ambient)
    });
    Ok(found)
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("verifier", &self.verifier)
            .field("sources", &self.sources)
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}
