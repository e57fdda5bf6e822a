//! The guide: one page a topic. Each begins with the answer, and its examples are compiled.
//!
//! | page | topic |
//! |---|---|
//! | [`strategies`] | which credential for whom: cookies, tokens, API keys |
//! | [`attribute`] | the arguments of `#[auth]`, checks in code, rules for routers and services |
//! | [`errors`] | what a rejected caller gets, and how to change it |
//! | [`vocabulary`] | `auth.toml`: declared names, and what the compiler finds with them |
//! | [`access`] | the access table of all routes, and its lock |
//! | [`openapi`] | the OpenAPI document, alone, with `utoipa`, with `aide` |
//! | [`providers`] | identity providers: Keycloak, Auth0, Entra ID, Cognito, Firebase, Okta, ZITADEL; several tenants |
//! | [`sessions`] | issue, refresh and revoke tokens; login, logout, cookies, stores, keys |
//! | [`sessions_of_a_user`] | lists of sessions for the user and for staff, what was revoked, what ends sessions |
//! | [`session_data`] | what the application keeps with a session: a cart, a theme, the step of a form |
//! | [`single_page_app`] | a page on another origin: cookies, CORS, refresh |
//! | [`mobile_app`] | an app: tokens as JSON, refresh, lost answers, devices |
//! | [`second_factor`] | a login of your own in two steps, with the limits of the ready one |
//! | `api_keys` | API keys: make, show once, rotate and revoke them (feature `api-keys`) |
//! | [`authenticators`] | credentials that are not tokens: signatures, sessions of a framework |
//! | [`service_to_service`] | programs that call: client credentials, API keys, signatures, tokens that this service issues |
//! | `opaque_tokens` | tokens that the issuer is asked about (feature `introspection`) |
//! | [`users`] | your own row of the caller in handlers and checks, deactivated users, roles from your tables |
//! | [`tenants`] | each tenant sees its own rows: rule, extractor, roles, staff |
//! | `provider_logout` | logout tokens of identity providers, and security events (feature `provider-logout`) |
//! | [`mcp`] | clients that find your identity provider by themselves; the tools of an MCP server |
//! | [`sockets`] | WebSockets and server-sent events that end with their credential |
//! | [`outside_of_requests`] | messages of sockets and queues, gRPC, keys that come by themselves |
//! | [`middleware`] | who sends a request, for rate limits and tracing; redirects to the login page |
//! | [`testing`] | test a guarded service |
//! | [`many_instances`] | several instances of a service: a store that they share, what is enforced when, PostgreSQL, Redis |
//! | [`behind_a_proxy`] | the client's address, the origin, paths; nginx, Caddy, Traefik; identity-aware proxies |
//! | [`deployment`] | floods of logins, cookies, clocks, keys and stores that fail, secrets, the audit log |
//! | [`limits`] | who can do what, every bound and its option, switches that weaken a check, what is not covered |
//! | [`key_rotation`] | change the signing key, the refresh key, and the keys of others, while requests are served |
//! | [`migration`] | where to begin, an index of what you may come from, and what to look at meanwhile |
//! | [`migration_from_python`] | Django and simplejwt, FastAPI, Panther, drf-cookie-jwtauth, Django Ninja, django-modern-rest, Responder; hashes of passwords |
//! | [`migration_from_spring_and_aspnet`] | Spring Security, ASP.NET Core |
//! | [`migration_from_rust`] | axum-login, tower-sessions, `jsonwebtoken`, a middleware |
//! | [`incident`] | something leaked: what to call, and what becomes invalid |
//! | [`comparison`] | how other frameworks do the same |
//!
//! The pages are `docs/guide/*.md` of the repository. They refer to these items:
//! [`AuthBuilder::issuer`](method@crate::AuthBuilder::issuer), [`Principal`](struct@crate::Principal),
//! [`Claims`](struct@crate::Claims), [`TokenIssuer`](struct@crate::session::TokenIssuer),
//! [`check`](macro@crate::check), [`dangerously_extend_grace_period`](method@crate::session::TokenIssuer::dangerously_extend_grace_period),
//! [`TokenService::issue`](method@crate::session::TokenService::issue), [`TokenService::session_data`](method@crate::session::TokenService::session_data),
//! [`SessionDataError`](enum@crate::session::SessionDataError),
//! [`providers`](mod@crate::verify::providers), [`Auth`](struct@crate::Auth), [`replace_keys`](method@crate::Auth::replace_keys), [`jwks_from`](method@crate::verify::TrustedIssuer::jwks_from), [`trust_origin`](method@crate::AuthBuilder::trust_origin),
//! [`authenticator`](mod@crate::authenticator), [`Authenticator`](trait@crate::authenticator::Authenticator),
//! [`Credential`](struct@crate::authenticator::Credential), [`remember_for`](method@crate::authenticator::Authenticated::remember_for),
//! [`CredentialSource`](trait@crate::source::CredentialSource), [`Rejection`](struct@crate::rejection::Rejection),
//! [`Caller`](enum@crate::Caller), [`ReturnTo`](struct@crate::ReturnTo),
//! [`Auth::start`](method@crate::Auth::start), [`TakesUser`](trait@crate::users::TakesUser), [`Header`](struct@crate::source::Header),
//! [`max_staleness`](method@crate::AuthBuilder::max_staleness), [`renew_transparently`](method@crate::AuthBuilder::renew_transparently), [`UserStore`](trait@crate::users::UserStore), [`keycloak`](fn@crate::verify::providers::keycloak), [`RevocationLog`](trait@crate::store::RevocationLog), [`Revocation`](enum@crate::store::Revocation), [`RefreshTokenStore`](trait@crate::store::RefreshTokenStore),
#![cfg_attr(
    feature = "token-routes",
    doc = "[`TokenAnswers`](trait@crate::session::routes::TokenAnswers), \
           [`Credentials`](trait@crate::session::routes::Credentials), \
           [`TokenEndpoints::attempt`](method@crate::session::routes::TokenEndpoints::attempt), \
           [`log_in_as`](method@crate::session::routes::TokenEndpoints::log_in_as),"
)]
#![cfg_attr(
    feature = "provider-logout",
    doc = "[`back_channel_logout`](fn@crate::provider_logout::back_channel_logout), \
           [`security_events`](fn@crate::provider_logout::security_events), [`Revocations`](struct@crate::revocation::Revocations), \
           [`subject_at`](method@crate::verify::TrustedIssuer::subject_at), \
           [`ProviderLogout`](variant@crate::audit::AuditAction::ProviderLogout),"
)]
#![cfg_attr(feature = "openapi", doc = "[`Coverage`](struct@crate::openapi::Coverage),")]
#![cfg_attr(
    feature = "test-util",
    doc = "[`TestAuth`](struct@crate::testing::TestAuth), [`TestClock`](struct@crate::testing::TestClock), \
           [`store_contract`](macro@crate::testing::store_contract)."
)]

#[doc = include_str!("../guide/access.md")]
pub mod access {}

#[cfg(feature = "api-keys")]
#[doc = include_str!("../guide/api_keys.md")]
pub mod api_keys {}

#[doc = include_str!("../guide/attribute.md")]
pub mod attribute {}

#[doc = include_str!("../guide/authenticators.md")]
pub mod authenticators {}

#[doc = include_str!("../guide/behind_a_proxy.md")]
pub mod behind_a_proxy {}

#[doc = include_str!("../guide/comparison.md")]
pub mod comparison {}

#[doc = include_str!("../guide/deployment.md")]
pub mod deployment {}

#[doc = include_str!("../guide/errors.md")]
pub mod errors {}

#[doc = include_str!("../guide/incident.md")]
pub mod incident {}

#[doc = include_str!("../guide/key_rotation.md")]
pub mod key_rotation {}

#[doc = include_str!("../guide/limits.md")]
pub mod limits {}

#[doc = include_str!("../guide/many_instances.md")]
pub mod many_instances {}

#[doc = include_str!("../guide/mcp.md")]
pub mod mcp {}

#[doc = include_str!("../guide/middleware.md")]
pub mod middleware {}

#[doc = include_str!("../guide/migration.md")]
pub mod migration {}

#[doc = include_str!("../guide/migration_from_python.md")]
pub mod migration_from_python {}

#[doc = include_str!("../guide/migration_from_rust.md")]
pub mod migration_from_rust {}

#[doc = include_str!("../guide/migration_from_spring_and_aspnet.md")]
pub mod migration_from_spring_and_aspnet {}

#[doc = include_str!("../guide/mobile_app.md")]
pub mod mobile_app {}

#[cfg(feature = "introspection")]
#[doc = include_str!("../guide/opaque_tokens.md")]
pub mod opaque_tokens {}

#[doc = include_str!("../guide/openapi.md")]
pub mod openapi {}

#[doc = include_str!("../guide/outside_of_requests.md")]
pub mod outside_of_requests {}

#[cfg(feature = "provider-logout")]
#[doc = include_str!("../guide/provider_logout.md")]
pub mod provider_logout {}
#[doc = include_str!("../guide/providers.md")]
pub mod providers {}

#[doc = include_str!("../guide/second_factor.md")]
pub mod second_factor {}

#[doc = include_str!("../guide/session_data.md")]
pub mod session_data {}

#[doc = include_str!("../guide/service_to_service.md")]
pub mod service_to_service {}

#[doc = include_str!("../guide/sessions.md")]
pub mod sessions {}

#[doc = include_str!("../guide/sessions_of_a_user.md")]
pub mod sessions_of_a_user {}

#[doc = include_str!("../guide/single_page_app.md")]
pub mod single_page_app {}

#[doc = include_str!("../guide/sockets.md")]
pub mod sockets {}

#[doc = include_str!("../guide/strategies.md")]
pub mod strategies {}

#[doc = include_str!("../guide/tenants.md")]
pub mod tenants {}

#[doc = include_str!("../guide/testing.md")]
pub mod testing {}

#[doc = include_str!("../guide/users.md")]
pub mod users {}

#[doc = include_str!("../guide/vocabulary.md")]
pub mod vocabulary {}
