//! Whole requests against guarded services.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod access;
mod allocations;
mod api_keys;
mod around_the_gate;
mod audit;
mod authenticators;
mod caches;
mod caller;
mod captured_log;
mod challenges;
mod checks;
mod credentials;
mod crypto_providers;
mod dangerous;
mod declared_rules;
#[cfg(target_os = "linux")]
mod durability;
mod expiry;
mod forms;
mod gate;
mod identity_providers;
mod interop;
mod introspection;
mod key_sets;
mod known_callers;
mod let_in;
mod lifecycle;
mod model;
mod noise;
mod oidc_provider;
mod openapi;
mod panics;
mod policy;
#[cfg(target_os = "linux")]
mod postgres;
mod promise;
mod protected_resource;
mod provider_logout;
mod redirect_to_login;
mod redis;
mod rejections;
mod replace_keys;
mod routers;
mod runtimes;
mod session_data;
mod simultaneous;
mod single_page_app;
mod sockets;
mod standards;
mod stores;
mod tenants;
mod test_kit;
mod token_cache;
mod token_routes;
mod tokens;
#[cfg(target_os = "linux")]
mod two_processes;
mod users;
mod verify_outside;
mod vocabulary;

use auth_tests::support;
