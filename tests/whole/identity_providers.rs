//! The presets of identity providers, each against tokens as the provider's documentation shows them: who their callers are, which other
//! tokens of the provider are rejected, and what goes wrong without the preset.

mod auth0;
mod cognito;
mod configuration;
mod entra_id;
mod firebase;
mod keycloak;
mod okta;
mod resources;
mod tokens;
mod zitadel;
