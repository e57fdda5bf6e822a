//! A provider for the reader of the example, with tokens of it.

use auth_tests_provider::{AUDIENCE, ES256, OPAQUE, Provider, ProviderOptions, SECRET, install};
use serde_json::json;

use crate::config::Config;

const NOT_INSTALLED: &str = "\
This example starts an identity provider, and could not install what that needs, as the lines above say: install Node.js 20 or newer with npm, and
start the example again. Or name a provider of yours:

    ISSUER=https://id.example.com AUDIENCE=orders CLIENT_ID=.. CLIENT_SECRET=.. cargo run -p oidc-resource-server
";

pub(crate) struct Demo(Provider);

impl Demo {
    /// What the provider needs is installed where it is missing. `None` if it can't be: then it has printed what to do.
    pub(crate) fn start() -> Option<Self> {
        if !install() {
            eprint!("{NOT_INSTALLED}");
            return None;
        }
        let claims = json!({ "roles": ["editor"] });
        Some(Self(Provider::start(ProviderOptions::new().claims("alice", claims))))
    }

    pub(crate) fn config(&self) -> Config {
        Config {
            issuer: self.0.issuer().to_owned(),
            audience: AUDIENCE.to_owned(),
            client_id: "api-basic".to_owned(),
            client_secret: SECRET.to_owned(),
        }
    }

    /// Prints tokens, and what to try with them.
    pub(crate) async fn print_lines(&self, address: &str) {
        let alice = self.0.log_in("alice", ES256, "orders:read orders:write").await;
        let program = self.0.client_credentials(OPAQUE, "orders:read").await;
        println!("\nAlice has logged in, and has a JWT. A program has an opaque token for reading:");
        println!("ALICE={}\nPROGRAM={program}\n", alice.access_token());
        for (token, request) in [
            ("ALICE", "me"),
            ("ALICE", "refunds -X POST"),
            ("PROGRAM", "orders"),
            ("PROGRAM", "refunds -X POST"),
        ] {
            println!("curl -i -H \"Authorization: Bearer ${token}\" http://{address}/{request}");
        }
        println!("curl -i -H \"Authorization: Bearer made-up\" http://{address}/me");
    }
}
