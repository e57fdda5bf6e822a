//! The builder → the engine, or every error of the configuration.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

#[cfg(feature = "api-keys")]
use super::api_keys;
#[cfg(feature = "provider-logout")]
use super::provider_logout;
use super::{AuthBuilder, cookies, rejections, sources, users, verification};
use crate::client_address::TrustedProxies;
use crate::clock::{AgeClock, JumpGuard};
#[cfg(feature = "introspection")]
use crate::engine::IntrospectedTokens;
use crate::engine::background;
use crate::engine::{Auth, Authentication, Authorization, Engine, Scheme, Sessions, TokenCache};
use crate::error::{BuildError, ConfigErrors};
use crate::issue::IssuerState;
use crate::revocation::{OwnIssuer, RevocationState, Revoker, SubjectCaches};
use crate::store::{MemoryStore, RefreshTokenStore};
use crate::users::Users;
use crate::verify::{Limits, TrustedIssuer};
use crate::vocabulary::{Vocabulary, VocabularyIndex};

impl AuthBuilder {
    /// Builds the engine. It does no I/O.
    ///
    /// # Errors
    /// [`BuildError`], which lists every error of the configuration.
    pub fn build(self) -> Result<Auth, BuildError> {
        let engine = Arc::new(self.assemble(Handle::try_current().is_ok())?);
        engine.ensure_background();
        Ok(Auth { engine })
    }

    /// An engine that accepts a principal which a request brings along.
    #[cfg(feature = "test-util")]
    pub(crate) fn build_for_test(self) -> Result<Auth, BuildError> {
        let mut engine = self.assemble(Handle::try_current().is_ok())?;
        engine.authentication.accepts_injected_principals = true;
        let engine = Arc::new(engine);
        engine.ensure_background();
        Ok(Auth { engine })
    }

    fn assemble(mut self, has_runtime: bool) -> Result<Engine, BuildError> {
        let mut errors = ConfigErrors::default();
        let vocabulary = self.one_vocabulary(&mut errors);
        // First, since it adds an authenticator.
        #[cfg(feature = "api-keys")]
        let api_keys = api_keys::assemble(&mut self, vocabulary, &mut errors);
        let (jwt, issuer) = verification::assemble(&mut self, &mut errors);
        #[cfg(feature = "provider-logout")]
        let transmitters = provider_logout::assemble(&mut self, &jwt, &mut errors);
        let origins = sources::origins(&self, &mut errors);
        let cookies = cookies::assemble(&mut self, &origins, &mut errors);
        let sources = sources::assemble(&mut self, &cookies.access, vocabulary, &mut errors);
        let users = users::assemble(&mut self, &mut errors);
        #[cfg(feature = "introspection")]
        let introspected = verification::introspected(&jwt, &mut errors);
        let responses = rejections::assemble(&mut self, &mut errors);
        self.check_store(has_runtime, &mut errors);
        let proxies = self.proxies.take();
        let proxies = proxies.and_then(|(header, of)| TrustedProxies::parse(header, &of, &mut errors));

        errors.check::<BuildError>()?;
        let mut caches = SubjectCaches::default();
        sources.schemes().for_each(|scheme| caches.add(Arc::<Scheme>::clone(scheme)));
        users.iter().for_each(|users| caches.add(Arc::<Users>::clone(users)));
        #[cfg(feature = "introspection")]
        introspected.iter().for_each(|tokens| caches.add(Arc::<IntrospectedTokens>::clone(tokens)));
        let limits = Limits::new(self.leeway, self.max_token_lifetime);
        Ok(Engine {
            revocations: Arc::new(self.revoker(&limits, issuer.as_ref(), caches)),
            authentication: Authentication {
                sources,
                origins,
                jwt,
                issuers: self.issuers.iter().map(TrustedIssuer::profile).collect(),
                limits,
                token_cache: TokenCache::new(self.cache_entries, self.cache_bytes),
                #[cfg(feature = "introspection")]
                introspected,
                #[cfg(feature = "test-util")]
                accepts_injected_principals: false,
            },
            authorization: Authorization::new(VocabularyIndex::new(vocabulary)),
            sessions: Sessions::new(issuer, cookies),
            responses,
            users,
            #[cfg(feature = "api-keys")]
            api_keys,
            #[cfg(feature = "provider-logout")]
            transmitters,
            proxies,
            age_clock: AgeClock::new(&*self.clock),
            jump_guard: JumpGuard::new(self.clock.now(), self.clock.monotonic()),
            clock: self.clock,
        })
    }

    fn one_vocabulary(&self, errors: &mut ConfigErrors) -> Option<&'static Vocabulary> {
        if self.vocabularies.len() > 1 {
            errors.push(
                "`.vocabulary(..)` is called twice, but an engine has one vocabulary: pass the one that declares all names that rules use, \
                 and let the auth.toml of other crates declare the same of their names",
            );
        }
        self.vocabularies.first().copied()
    }

    fn check_store(&self, has_runtime: bool, errors: &mut ConfigErrors) {
        if self.store.is_some() && !has_runtime {
            errors.push(
                "a store's log is followed in the background, and there is no tokio runtime: call `build` in an async \
                 function, such as `#[tokio::main] async fn main()`",
            );
        }
        let least = 5 * background::INTERVAL;
        if self.max_staleness < least {
            errors.push(format!(
                "`max_staleness` is {} s, and must be {} s at least: the store's log is read every {} s",
                self.max_staleness.as_secs(),
                least.as_secs(),
                background::INTERVAL.as_secs()
            ));
        }
    }

    fn revoker(&mut self, limits: &Limits, issuer: Option<&IssuerState>, caches: SubjectCaches) -> Revoker {
        let retention = limits.longest_acceptance();
        let (log, families) = match self.store.take() {
            Some((log, families)) => (Some(log), families),
            None => (None, Arc::new(MemoryStore::new()) as Arc<dyn RefreshTokenStore>),
        };
        let own_issuer = issuer.map(|issuer| OwnIssuer {
            name: issuer.name.clone(),
            longest_session: Duration::from_secs(issuer.session_lifetime.unsigned_abs()),
        });
        let own_name = own_issuer.as_ref().map(|own| own.name.clone());
        let state = RevocationState::new(retention, own_name, log, self.max_staleness, &self.clock)
            .with_caches(caches);
        Revoker::new(state, families, own_issuer, Arc::clone(&self.clock), retention, self.leeway)
    }
}
