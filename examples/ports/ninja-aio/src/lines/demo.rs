//! A provider for the reader of the example, with tokens of it, and the agency.
#![allow(clippy::print_stderr, reason = "it prints to the terminal of the person who started it")]

use auth_runtime::session::{BoxError, SigningKey};
use auth_runtime::verify::{Algorithm, TrustedIssuer};
use auth_tests_provider::{Provider, ProviderOptions, TokenFormat, install};
use serde_json::json;

use crate::database::Database;
use crate::issuers;

/// The resource that clients of the provider name to get a token for this service (RFC 8707).
pub(crate) const RESOURCE: &str = "https://magazine.test";

const NOT_INSTALLED: &str = "\
This example starts an identity provider, and could not install what that needs, as the lines above say: install Node.js 20 or newer with npm, and
start the example again. Or name a provider of yours:

    ISSUER=https://id.example.com AUDIENCE=magazine cargo run -p port-ninja-aio
";

pub(crate) struct Demo {
    provider: Provider,
    agency: SigningKey,
}

impl Demo {
    /// What the provider needs is installed where it is missing. `None` if it can't be: then it has printed what to do.
    pub(crate) async fn start(database: &Database) -> Result<Option<Self>, BoxError> {
        if !install() {
            eprint!("{NOT_INSTALLED}");
            return Ok(None);
        }
        let provider = Provider::start(options());
        for name in ["alice", "bob", "carol", "dave", "erin"] {
            database.identify(name, provider.issuer(), name).await?;
        }
        Ok(Some(Self { provider, agency: SigningKey::generate(Algorithm::RS256)? }))
    }

    pub(crate) fn issuers(&self) -> Vec<TrustedIssuer> {
        let provider = issuers::provider(self.provider.issuer(), issuers::AUDIENCE);
        vec![provider, issuers::agency(self.agency.verifying_key())]
    }

    /// A token of a user who logs in at the provider.
    pub(crate) async fn token(&self, user: &str) -> String {
        self.provider.log_in(user, RESOURCE, "read write").await.access_token().to_owned()
    }

    /// A token of the agency, for its system at this address.
    pub(crate) fn agency_token(&self, now: u64, address: &str) -> Result<String, BoxError> {
        Ok(self.agency.sign(&json!({
            "iss": issuers::AGENCY, "aud": issuers::AUDIENCE, "sub": "wire", "iat": now, "exp": now + 900, "jti": "1",
            "typ": "access", "desk": "news", "allowed_ips": [address],
        }))?)
    }
}

/// A provider whose tokens for the magazine name the paper that a user works for.
pub(crate) fn options() -> ProviderOptions {
    let paper =
        |name: &str, tenant: &str| json!({ "tenant_id": tenant, "email": format!("{name}@example.com") });
    ProviderOptions::new()
        .resource(RESOURCE, issuers::AUDIENCE, "read write", TokenFormat::Jwt("RS256"))
        .claims("alice", paper("alice", "herald"))
        .claims("bob", paper("bob", "herald"))
        .claims("carol", paper("carol", "gazette"))
        .claims("dave", paper("dave", "gazette"))
        .claims("erin", paper("erin", "gazette"))
}
